"""Which addresses are left to source plug-ins."""

from __future__ import annotations

import pytest

from cluster_forge.stack import source_schemes


@pytest.mark.parametrize(
    ("address", "scheme"),
    [
        ("s3://bucket/charts", "s3"),
        ("gs://b/x", "gs"),
        ("hdfs://b/x", "hdfs"),
        ("my-store.v2://b/x", "my-store.v2"),
        ("https://charts.example.com", ""),
        ("oci://a/b", ""),
        ("git+https://a/b", ""),
        ("git+htps://a/b", ""),
        ("htps://a", ""),
        ("htttp://a", ""),
        ("ssh://a/b", ""),
        ("s3:///x", ""),
        ("s3://", ""),
        ("S3://a/b", ""),
        ("charts/shop", ""),
    ],
)
def test_the_scheme_of_a_plugin(address: str, scheme: str) -> None:
    assert source_schemes.of_plugin(address) == scheme
