"""References are read as container runtimes read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ImageError
from cluster_forge.oci.reference import ImageReference

DIGEST = Digest("ab" * 32)


@pytest.mark.parametrize(
    ("text", "parts", "canonical"),
    [
        ("nginx", ("docker.io", "library/nginx", ""), "docker.io/library/nginx:latest"),
        ("nginx:1.27", ("docker.io", "library/nginx", "1.27"), "docker.io/library/nginx:1.27"),
        ("bitnami/redis:7", ("docker.io", "bitnami/redis", "7"), "docker.io/bitnami/redis:7"),
        ("docker.io/nginx", ("docker.io", "library/nginx", ""), "docker.io/library/nginx:latest"),
        ("index.docker.io/a/b", ("docker.io", "a/b", ""), "docker.io/a/b:latest"),
        ("localhost/x", ("localhost", "x", ""), "localhost/x:latest"),
        ("host:5000/x", ("host:5000", "x", ""), "host:5000/x:latest"),
        ("host:5000/x/y:v1", ("host:5000", "x/y", "v1"), "host:5000/x/y:v1"),
        ("[fd00::1]:5000/x:1", ("[fd00::1]:5000", "x", "1"), "[fd00::1]:5000/x:1"),
        ("Host/x", ("Host", "x", ""), "Host/x:latest"),
        (
            "quay.io/a/b__c.d-e:V1_x",
            ("quay.io", "a/b__c.d-e", "V1_x"),
            "quay.io/a/b__c.d-e:V1_x",
        ),
    ],
)
def test_references_have_parts_and_a_canonical_form(text: str, parts: tuple[str, str, str], canonical: str) -> None:
    reference = ImageReference.parse(text)
    assert (reference.registry, reference.repository, reference.tag) == parts
    assert str(reference) == canonical


def test_a_reference_may_have_tag_and_digest_or_only_a_digest() -> None:
    both = ImageReference.parse(f"host:5000/x:v1@{DIGEST}")
    assert (both.tag, both.digest, str(both)) == ("v1", DIGEST, f"host:5000/x:v1@{DIGEST}")
    alone = ImageReference.parse(f"nginx@{DIGEST}")
    assert (alone.effective_tag, str(alone)) == ("", f"docker.io/library/nginx@{DIGEST}")
    assert ImageReference.parse("nginx").pinned(DIGEST) == alone


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a repository"),
        ("Nginx", "must be lower case"),
        ("nginx:", "tag after ':' is missing"),
        ("nginx:-x", "not a tag"),
        ("nginx:" + "x" * 129, "not a tag"),
        ("quay.io/", "not a repository"),
        ("https://quay.io/x", "not a registry's host"),
        ("-a.b/x", "not a registry's host"),
        ("a//b", "not a repository"),
        ("a/b c", "not a repository"),
        ("nginx@sha256:12", "not a sha256 digest"),
        ("nginx@" + "ab" * 32, "not a sha256 digest"),
        ("nginx@", "not a sha256 digest"),
        ("ab" * 32, "identifier"),
        ("a/" + "b" * 250, "longer than 255"),
        ("nginx\n", "not a repository"),
    ],
)
def test_an_invalid_reference_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(ImageError, match=reason) as caught:
        ImageReference.parse(text)
    assert repr(text) in caught.value.message


part = st.from_regex(r"[a-z0-9]{1,5}([._]|__|-{1,2})?[a-z0-9]{1,5}", fullmatch=True)
references = st.builds(
    ImageReference,
    registry=st.from_regex(r"([a-z]{1,4}\.[a-z]{2,4}|localhost|[a-z]{1,4}:[0-9]{1,4})", fullmatch=True),
    repository=st.lists(part, min_size=2, max_size=3).map("/".join),
    tag=st.just("") | st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,10}", fullmatch=True),
    digest=st.none() | st.just(DIGEST),
)


@given(references)
def test_the_canonical_form_is_parsed_as_the_same_reference(reference: ImageReference) -> None:
    canonical = ImageReference.parse(str(reference))
    assert (canonical.name, canonical.tag, canonical.digest) == (
        reference.name,
        reference.effective_tag,
        reference.digest,
    )
    assert str(canonical) == str(reference)
