"""Addresses of a registry's API, and scopes."""

from __future__ import annotations

import pytest

from cluster_forge.adapters.http.policy import HostSettings
from cluster_forge.adapters.registry.endpoints import (
    PULL,
    PUSH,
    Endpoints,
    next_request,
    with_digest,
)
from cluster_forge.foundation.addresses import is_loopback_host
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import FetchError
from cluster_forge.oci.reference import ImageReference


def endpoints(address: str, *, plain: str = "") -> Endpoints:
    return Endpoints(ImageReference.from_address(address), lambda url: HostSettings(is_plain_http=url == plain))


@pytest.mark.parametrize(
    ("address", "base"),
    [
        ("oci://registry.example.com/team/x", "https://registry.example.com/v2/team/x"),
        ("oci://registry/x", "https://registry/v2/x"),
        ("oci://docker.io/alpine", "https://registry-1.docker.io/v2/library/alpine"),
        ("oci://registry-1.docker.io/bitnamicharts/redis", "https://registry-1.docker.io/v2/bitnamicharts/redis"),
        ("oci://127.0.0.1:5000/x", "http://127.0.0.1:5000/v2/x"),
        ("oci://localhost/x", "http://localhost/v2/x"),
        ("oci://[::1]:5000/x", "http://[::1]:5000/v2/x"),
        ("oci://plain.example.com:5000/x", "http://plain.example.com:5000/v2/x"),
        ("oci://plain.example.com/x", "https://plain.example.com/v2/x"),
    ],
)
def test_the_base(address: str, base: str) -> None:
    assert endpoints(address, plain="http://plain.example.com:5000").base == base


@pytest.mark.parametrize("host", ["localhost.example.com", "128.0.0.1", "127.0.0.1.example.com", "xlocalhost"])
def test_other_hosts_are_not_this_machine(host: str) -> None:
    assert not is_loopback_host(host)


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ('</v2/x/tags/list?n=2&last=b>; rel="next"', "https://h.example.com/v2/x/tags/list?n=2&last=b"),
        ("<https://other.example.com/v2/x/tags/list?last=b>; rel=next", "https://h.example.com/v2/x/tags/list?last=b"),
        ('<a>; rel="prev", </v2/x/tags/list?last=a,b>; title="x"; rel="next"', "https://h.example.com/v2/x/tags/list?last=a,b"),
        ('</v2/x/tags/list>; rel="last"', ""),
        ("", ""),
        ("nonsense", ""),
    ],
)  # fmt: skip
def test_the_next_page_is_on_the_same_registry(link: str, address: str) -> None:
    assert endpoints("oci://h.example.com/x").next_page(link) == address


def test_scopes() -> None:
    here = endpoints("oci://h.example.com/team/x")
    origins = [
        ImageReference.from_address(f"oci://{name}") for name in ("h.example.com/base", "other.example.com/base")
    ]
    assert here.scope(PULL) == "repository:team/x:pull"
    assert here.scope(PUSH, [*origins, here.repository]) == "repository:team/x:pull,push repository:base:pull"


@pytest.mark.parametrize(
    ("location", "address"),
    [
        ("https://h/v2/x/uploads/1", "https://h/v2/x/uploads/1?digest={}"),
        ("https://h/u?_state=a%2Fb%3D&x=1", "https://h/u?_state=a%2Fb%3D&x=1&digest={}"),
        ("https://h/u?x#fragment", "https://h/u?x&digest={}"),
    ],
)
def test_the_query_of_a_session_stays(location: str, address: str) -> None:
    digest = Digest.of(b"")
    assert with_digest(location, digest) == address.format(digest)


def test_a_certificate_of_this_machine_is_used() -> None:
    here = Endpoints(ImageReference.from_address("oci://127.0.0.1:5000/x"), lambda _url: HostSettings(ca_file="ca.pem"))
    assert here.base == "https://127.0.0.1:5000/v2/x"


@pytest.mark.parametrize(
    ("url", "location", "address"),
    [
        ("https://h/v2/x/u/", "/v2/x/u/1?a=b", "https://h/v2/x/u/1?a=b"),
        ("https://h/v2/x/u/", "1", "https://h/v2/x/u/1"),
        ("https://h:8443/v2/x/u/", "https://other/1", "https://other/1"),
        ("https://h/v2/x/u/", "http://h/1", "https://h/1"),
        ("http://h:5000/v2/x/u/", "http://other/1", "http://other/1"),
    ],
)
def test_the_next_request(url: str, location: str, address: str) -> None:
    assert next_request(url, location) == address


@pytest.mark.parametrize("location", ["http://other/1?token=secret", "http://[/1", "//[x"])
def test_other_locations_are_refused(location: str) -> None:
    with pytest.raises(FetchError, match=r"without TLS|not an address") as raised:
        next_request("https://h/v2/x/u/?token=secret", location)
    assert "secret" not in raised.value.message


def test_a_link_that_is_not_an_address_is_an_error() -> None:
    with pytest.raises(FetchError, match="a Link that is not an address"):
        endpoints("oci://h.example.com/x").next_page('<http://[/1>; rel="next"')
