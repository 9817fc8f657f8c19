"""A zlib stream and a gzip member of the same content hold the same deflate stream."""

from __future__ import annotations

import gzip
import zlib

from hypothesis import example, given
from hypothesis import strategies as st

from cluster_forge.oci import deflated

contents = st.binary(max_size=2000) | st.builds(bytes.__mul__, st.binary(max_size=50), st.integers(0, 5000))


@given(contents)
@example(b"")
@example(b"kind: Deployment\n" * 100_000)
@example(bytes(5_000_000))
def test_a_gzip_member_follows_from_the_zlib_stream(content: bytes) -> None:
    stream = deflated.zlib_stream(content)
    assert zlib.decompress(stream) == content
    assert deflated.gzip_member_of(stream, content) == deflated.gzip_member(content)
    assert gzip.decompress(deflated.gzip_member(content)) == content


def test_the_method_names_what_the_bytes_depend_on() -> None:
    assert deflated.METHOD == "libdeflate 0.9.0 7"
