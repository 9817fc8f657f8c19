"""Certificates that are trusted and that are not, client certificates, and proxies in front of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faults.certificates import Authority, authority
from tests.faults.proxy import proxying
from tests.faults.server import Site, serving

from cluster_forge.adapters.http import certificates
from cluster_forge.adapters.http.client import HttpClient
from cluster_forge.adapters.http.policy import HostSettings, Policy, Timeouts
from cluster_forge.foundation.errors import FetchError

SITE = Site(files={"/a": b"here"})
NAMED = "IP:127.0.0.1,DNS:charts.test"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


def client(ca_file: Path | str = "", retries: int = 2) -> HttpClient:
    times = Timeouts(connect=5, silence=5, headers=10, whole=20)
    return HttpClient(Policy(retries=retries, first_pause=0, ca_file=str(ca_file), timeouts=times))


def failure_of(url: str, of: HttpClient) -> FetchError:
    with pytest.raises(FetchError) as raised:
        of.get(url, 99)
    return raised.value


@pytest.mark.parametrize("variable", ["--ca-file", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "caFile"])
def test_an_authority_of_the_user_is_trusted(root: Authority, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    if variable.isupper():
        monkeypatch.setenv(variable, str(root.file))
    with serving(SITE, certificate=root.certificate("good")) as server:
        trusting = client(root.file if variable == "--ca-file" else "")
        if variable == "caFile":
            trusting.configure({f"127.0.0.1:{server.server_port}": HostSettings(ca_file=str(root.file))})
        assert trusting.get(f"{server.url}/a", 99) == b"here"


@pytest.mark.parametrize(
    ("name", "made", "message", "fix"),
    [
        ("old", {"begins": "20200101000000Z", "ends": "20210301120000Z"},
         "the certificate of 127.0.0.1 expired on 2021-03-01 12:00 UTC", "tell those who run the server"),
        ("early", {"begins": "20900101000000Z", "ends": "20910101000000Z"},
         "the certificate of 127.0.0.1 is not valid before 2090-01-01 00:00 UTC", "clock"),
        ("other", {"hosts": "DNS:a.test,DNS:*.b.test,IP:::1"},
         "the certificate is for a.test, *.b.test, ::1, not for 127.0.0.1", "check the address"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_certificate_is_named(
    root: Authority, name: str, made: dict[str, str], message: str, fix: str
) -> None:
    with serving(SITE, certificate=root.certificate(name, **made)) as server:
        error = failure_of(f"{server.url}/a", client(root.file))
        assert server.requests == []
    assert error.message == f"{server.url}/a: {message}"
    assert fix in (error.fix or "")


def test_an_issuer_that_is_not_trusted_is_named(root: Authority) -> None:
    with serving(SITE, certificate=root.certificate("good2")) as server:
        assert "was issued by Tests Root, which is not trusted" in failure_of(f"{server.url}/a", client()).message
    with serving(SITE, certificate=root.self_signed("alone")) as server:
        error = failure_of(f"{server.url}/a", client(root.file))
        assert "the certificate of 127.0.0.1 is self-signed" in error.message
        assert "--ca-file FILE" in (error.fix or "")


@pytest.mark.filterwarnings(
    "ignore::urllib3.exceptions.InsecureRequestWarning"
)  # pytest's filters replace the client's
def test_insecure_is_for_the_named_host_only(root: Authority) -> None:
    with (
        serving(SITE, certificate=root.self_signed("a")) as one,
        serving(SITE, certificate=root.self_signed("b")) as other,
    ):
        careless = client()
        careless.configure({f"127.0.0.1:{one.server_port}": HostSettings(is_insecure=True)})
        assert careless.get(f"{one.url}/a", 99) == b"here"
        assert "self-signed" in failure_of(f"{other.url}/a", careless).message


def test_a_client_certificate_is_shown_to_its_host_only(root: Authority) -> None:
    mine, servers = str(root.certificate("me")), root.certificate("server")
    with (
        serving(SITE, certificate=servers, client_authority=root.file) as strict,
        serving(Site(files={}, redirects={"/to": f"{strict.url}/a"}), certificate=servers) as leading,
    ):
        anonymous, known = client(root.file, 0), client(root.file)
        failure_of(f"{strict.url}/a", anonymous)
        settings = HostSettings(cert_file=mine, key_file=mine)
        known.configure({f"127.0.0.1:{strict.server_port}": settings})
        assert known.get(f"{strict.url}/a", 99) == b"here"
        known.configure({f"127.0.0.1:{leading.server_port}": settings})
        failure_of(f"{leading.url}/to", known)  # the redirect's target does not get it
        assert leading.requests[0][1] == "/to"


def test_files_without_a_certificate_are_named(root: Authority, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    for path, reason in ((tmp_path / "text", "not in PEM format"), (tmp_path / "none", "No such file")):
        error = failure_of("https://127.0.0.1:9/", client(path))
        assert f"the certificate authorities in {path} cannot be read: " in error.message
        assert reason in error.message
        assert error.where == "--ca-file"
    broken = client(root.file)
    broken.configure({"127.0.0.1:9": HostSettings(cert_file=str(tmp_path / "text"))})
    assert "client certificate" in failure_of("https://127.0.0.1:9/", broken).message
    described = client(root.file)
    described.configure({"127.0.0.1:9": HostSettings(ca_file=str(tmp_path / "text"), where="input/config.yaml:7")})
    assert failure_of("https://127.0.0.1:9/", described).where == "input/config.yaml:7"


def test_certificates_are_read_or_not_but_never_fail(root: Authority) -> None:
    import ssl  # noqa: PLC0415

    pem = root.certificate("read", hosts=NAMED, ends="20510101000000Z").read_text()
    encoded = ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERTIFICATE") :])
    read = certificates.read(encoded)
    assert read is not None
    assert (read.subject, read.issuer, read.hosts) == ("read", "Tests Root", ("127.0.0.1", "charts.test"))
    assert read.ends.isoformat() == "2051-01-01T00:00:00+00:00"
    for cut in range(len(encoded)):
        certificates.read(encoded[:cut])
        certificates.read(encoded[:cut] + bytes([encoded[cut] ^ 0xFF]) + encoded[cut + 1 :])


@pytest.mark.parametrize("login", ["", "us er:p@ß:word"])
def test_a_proxy_is_used_for_tls(root: Authority, monkeypatch: pytest.MonkeyPatch, login: str) -> None:
    from urllib.parse import quote  # noqa: PLC0415

    with proxying(login=login) as proxy, serving(SITE, certificate=root.certificate("p1", hosts=NAMED)) as server:
        user = ":".join(quote(part, safe="") for part in login.split(":", 1)) + "@" if login else ""
        monkeypatch.setenv("HTTPS_PROXY", f"http://{user}127.0.0.1:{proxy.port}")
        url = f"https://charts.test:{server.server_port}/a"
        assert client(root.file).get(url, 99) == b"here"
        assert [line.rpartition(" ")[0] for line in proxy.asked] == [f"CONNECT charts.test:{server.server_port}"]
        other = f"https://other.test:{server.server_port}/a"
        assert (
            "the certificate is for 127.0.0.1, charts.test, not for other.test"
            in failure_of(other, client(root.file)).message
        )


def test_a_proxy_that_drops_is_asked_again_and_one_that_refuses_is_not(
    root: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(SITE, certificate=root.certificate("p2", hosts=NAMED)) as server:
        url = f"https://charts.test:{server.server_port}/a"
        with proxying(lambda number: ["drop", "503 Busy", "pass"][min(number, 3) - 1]) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            assert client(root.file).get(url, 99) == b"here"
        for reaction, message in (("403 Forbidden", "refuses the request: 403 Forbidden"),):
            with proxying(lambda _number, reaction=reaction: reaction) as proxy:  # type: ignore[misc]
                monkeypatch.setenv("HTTPS_PROXY", proxy.url)
                assert f"the proxy {proxy.url} {message}" in failure_of(url, client(root.file)).message
                assert len(proxy.asked) == 1
        with proxying(login="me:secret") as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://me:wrong@127.0.0.1:{proxy.port}")
            error = failure_of(url, client(root.file))
            assert f"the proxy {proxy.url} wants a login: 407 Proxy Authentication Required" in error.message
            assert "wrong" not in f"{error} {error.fix}"
            assert len(proxy.asked) == 1
