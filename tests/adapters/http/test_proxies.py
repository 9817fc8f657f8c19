"""NO_PROXY as Go's httpproxy reads it: its documentation's cases."""

from __future__ import annotations

import pytest

from cluster_forge.adapters.http.proxies import login, proxy_for
from cluster_forge.foundation.errors import FetchError

PROXY = "http://proxy.test:3128"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("REQUEST_METHOD", raising=False)


@pytest.mark.parametrize(
    ("listed", "url", "is_direct"),
    [
        ("", "https://charts.test/", False),
        ("*", "https://charts.test/", True),
        ("example.com", "https://example.com/", True),
        ("example.com", "https://EXAMPLE.com./", True),
        ("example.com", "https://a.example.com/", True),
        ("example.com", "https://notexample.com/", False),
        (".example.com", "https://example.com/", False),
        (".example.com", "https://a.example.com/", True),
        ("*.example.com", "https://a.example.com/", True),
        ("example.com:8443", "https://example.com/", False),
        ("example.com:8443", "https://example.com:8443/", True),
        ("example.com:443", "https://example.com/", True),
        ("other.com, example.com", "https://example.com/", True),
        ("other.com example.com", "https://example.com/", True),
        ("10.0.0.0/8", "http://10.1.2.3:5000/", True),
        ("10.0.0.0/8", "http://11.1.2.3/", False),
        ("10.1.2.3", "http://10.1.2.3/", True),
        ("10.1.2.3:80", "http://10.1.2.3/", True),
        ("10.1.2.3:81", "http://10.1.2.3/", False),
        ("fd00::/8", "http://[fd00::1]/", True),
        ("fd00::1", "http://[fd00:0::1]/", True),
        ("[fd00::1]:80", "http://[fd00::1]/", True),
        ("[fd00::1]:81", "http://[fd00::1]/", False),
        ("10.0.0.0/99, ,:80,.", "http://charts.test/", False),
        ("", "http://localhost:8080/", True),
        ("", "http://127.0.0.9/", True),
        ("", "http://[::1]:5000/", True),
    ],
)
def test_what_is_reached_without_the_proxy(
    monkeypatch: pytest.MonkeyPatch, listed: str, url: str, *, is_direct: bool
) -> None:
    monkeypatch.setenv("ALL_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", listed)
    assert proxy_for(url) == ("" if is_direct else PROXY)


def test_which_variable_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert proxy_for("http://a.test/") == ""
    monkeypatch.setenv("ALL_PROXY", "all.test:1")
    monkeypatch.setenv("HTTP_PROXY", "upper.test:1")
    assert proxy_for("https://a.test/") == "http://all.test:1"
    assert proxy_for("http://a.test/") == "http://upper.test:1"
    monkeypatch.setenv("REQUEST_METHOD", "GET")  # a CGI program: the client wrote HTTP_PROXY
    assert proxy_for("http://a.test/") == "http://all.test:1"
    monkeypatch.setenv("http_proxy", "http://lower.test:1")
    assert proxy_for("http://a.test/") == "http://lower.test:1"


def test_logins_are_decoded_and_written_in_utf_8() -> None:
    assert login("http://proxy.test:1") == {}
    assert login("http://u%40x:p%C3%9F@proxy.test:1") == {"Proxy-Authorization": "Basic dUB4OnDDnw=="}


@pytest.mark.parametrize("value", ["proxy test", "http://proxy.test:99999", "http://", "http://proxy.test:0"])
def test_a_value_that_is_not_an_address_is_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HTTP_PROXY", value)
    with pytest.raises(FetchError, match=r"the proxy http://.* is not an address") as raised:
        proxy_for("http://charts.test/")
    assert "HTTP_PROXY" in (raised.value.fix or "")
