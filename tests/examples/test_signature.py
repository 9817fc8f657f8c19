"""The signature of requests to S3, against the examples of its documentation."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cluster_forge_s3_source.place import Place
from cluster_forge_s3_source.signature import Keys, signed

from cluster_forge.plugin_api import ProblemError

KEYS = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
NOW = datetime(2013, 5, 24, tzinfo=UTC)


def place(path: str) -> Place:
    return Place(
        scheme="https", host="examplebucket.s3.amazonaws.com", path=path, bucket="examplebucket", region="us-east-1"
    )


@pytest.mark.parametrize(
    ("path", "query", "more", "signature"),
    [
        ("/test.txt", "", {"range": "bytes=0-9"}, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        ("/", "lifecycle=", {}, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("/", "max-keys=2&prefix=J", {}, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ],
)
def test_the_examples_of_amazon(path: str, query: str, more: dict[str, str], signature: str) -> None:
    assert signed(place(path), KEYS, NOW, query, **more)["Authorization"].endswith(f"Signature={signature}")


def test_the_token_of_temporary_keys_is_signed() -> None:
    headers = signed(place("/a"), Keys("id", "secret", "token"), NOW)
    assert headers["x-amz-security-token"] == "token"
    assert "x-amz-security-token" in headers["Authorization"]
    assert "secret" not in repr(Keys("id", "secret", "token"))


@pytest.mark.parametrize(
    ("address", "environment", "url"),
    [
        ("s3://b/a/index.yaml", {}, "https://b.s3.us-east-1.amazonaws.com/a/index.yaml"),
        (
            "s3://b/a%20b/ä+c.tgz",
            {"AWS_REGION": "eu-west-1"},
            "https://b.s3.eu-west-1.amazonaws.com/a%20b/%C3%A4%2Bc.tgz",
        ),
        ("s3://b/a", {"AWS_ENDPOINT_URL": "http://store:9000/x/"}, "http://store:9000/x/b/a"),
        ("s3://b/a", {"AWS_ENDPOINT_URL_S3": "https://one", "AWS_ENDPOINT_URL": "https://two"}, "https://one/b/a"),
    ],
)
def test_where_an_object_is(address: str, environment: dict[str, str], url: str) -> None:
    assert Place.of(address, environment).url == url


@pytest.mark.parametrize(
    ("address", "environment"),
    [
        ("s3://b", {}),
        ("s3:///a", {}),
        ("s3://id:secret@b/a", {}),
        ("s3://b/a?x=y", {}),
        ("s3://b/a", {"AWS_ENDPOINT_URL": "file:///etc"}),
        ("s3://b/a", {"AWS_ENDPOINT_URL": "http://id:secret@store"}),
    ],
)
def test_what_is_not_an_address(address: str, environment: dict[str, str]) -> None:
    with pytest.raises(ProblemError) as caught:
        Place.of(address, environment)
    assert "secret" not in str(caught.value)
