"""Authorization, with a real client against a registry and a token service that check what they are sent."""

from __future__ import annotations

import base64
import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from tests.servers.login_server import LoginServer, serving

from cluster_forge.adapters.http.challenged_authorization import ChallengedAuthorization
from cluster_forge.adapters.http.challenges import Challenge
from cluster_forge.adapters.http.client import HttpClient
from cluster_forge.adapters.http.policy import HostSettings, Policy
from cluster_forge.adapters.http.tokens import TokenService, basic
from cluster_forge.foundation.errors import CredentialError, FetchError
from cluster_forge.ports.credentials import Credential, CredentialKind

PASSWORD = "pässword: with colon"
ME = Credential(source="~/.docker/config.json", user="me", secret=PASSWORD)


@dataclass
class Known:
    """`ports.Credentials` with one credential for everything, or some by the beginning of an address."""

    credential: Credential | None = None
    by_url: dict[str, Credential] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def of(self, url: str) -> Credential | None:
        self.asked.append(url)
        return next((found for start, found in self.by_url.items() if url.startswith(start)), self.credential)


@pytest.fixture
def server() -> Iterator[LoginServer]:
    with serving(LoginServer(passwords={"me": PASSWORD}, public={"repository:library/public:pull"})) as running:
        yield running


def client_of(credential: Credential | None) -> HttpClient:
    return client_with(Known(credential))


def client_with(known: Known) -> HttpClient:
    policy = Policy(retries=0)
    return HttpClient(policy, authorization=ChallengedAuthorization(known, TokenService(requests=HttpClient(policy))))


def get(client: HttpClient, url: str, repository: str = "", actions: str = "pull") -> bytes:
    return client.get(url, 1 << 20, scope=f"repository:{repository}:{actions}" if repository else "")


class TestBasic:
    def test_the_first_request_is_anonymous_and_the_next_one_is_not(self, server: LoginServer) -> None:
        client = client_of(ME)
        for _ in range(2):
            assert get(client, f"{server.address}/basic/index.yaml")
        encoded = f"Basic {base64.b64encode(f'me:{PASSWORD}'.encode()).decode()}"
        assert server.authorizations == ["", encoded, encoded]

    def test_nothing_is_looked_up_for_what_is_public(self, server: LoginServer) -> None:
        known = Known(ME)
        server.passwords = {"": "", "me": PASSWORD}
        server.tokens[""] = {"repository:open:pull"}, float("inf")
        get(client_with(known), f"{server.address}/v2/open/manifests/1")
        assert known.asked == []

    @pytest.mark.parametrize(
        ("user", "secret", "shown"), [("me", "wrong", "the password of 'me'"), ("wrong", "", "the password")]
    )
    def test_a_refused_credential_is_named_without_its_secret(
        self, server: LoginServer, user: str, secret: str, shown: str
    ) -> None:
        credential = Credential(source="~/.netrc", user=user, secret=secret)
        with pytest.raises(FetchError, match=rf"401 Unauthorized to {shown} from ~/\.netrc") as caught:
            get(client_of(credential), f"{server.address}/basic/index.yaml")
        assert "wrong" not in f"{caught.value}{caught.value.fix}"
        assert f"cluster-forge login {server.address.removeprefix('http://')}" in (caught.value.fix or "")
        assert len(server.authorizations) == 2  # it is not tried again and again

    def test_without_a_credential_the_error_says_how_to_log_in(self, server: LoginServer) -> None:
        with pytest.raises(FetchError, match="answered 401 Unauthorized") as caught:
            get(client_of(None), f"{server.address}/basic/index.yaml")
        assert "cluster-forge login" in (caught.value.fix or "")

    def test_a_place_that_cannot_be_read_is_an_error_only_where_a_credential_is_wanted(
        self, server: LoginServer
    ) -> None:
        class Damaged(Known):
            def of(self, url: str) -> Credential | None:
                raise CredentialError("damaged")

        server.tokens[""] = {"repository:open:pull"}, float("inf")
        assert get(client_with(Damaged()), f"{server.address}/v2/open/manifests/1")
        with pytest.raises(CredentialError):
            get(client_with(Damaged()), f"{server.address}/basic/index.yaml")


class TestTokens:
    def test_a_public_repository_needs_a_token_but_no_credential(self, server: LoginServer) -> None:
        assert get(client_of(None), f"{server.address}/v2/library/public/manifests/1", "library/public")
        ((method, fields),) = server.asked
        assert (method, fields["service"], fields["scope"]) == (
            "GET",
            ["the registry"],
            ["repository:library/public:pull"],
        )

    def test_the_scope_is_the_one_that_was_asked_for(self, server: LoginServer) -> None:
        client = client_of(ME)
        for _ in range(3):
            assert get(client, f"{server.address}/v2/team/app/manifests/1", "team/app", "pull,push")
        ((_, fields),) = server.asked
        assert (fields["scope"], fields["account"]) == (["repository:team/app:pull,push"], ["me"])

    def test_without_a_scope_the_registry_says_it(self, server: LoginServer) -> None:
        assert get(client_of(ME), f"{server.address}/v2/team/app/manifests/1")
        assert server.asked[0][1]["scope"] == ["repository:team/app:pull"]

    def test_every_repository_has_its_token(self, server: LoginServer) -> None:
        client = client_of(ME)
        for name in ("one", "two", "one", "two"):
            assert get(client, f"{server.address}/v2/{name}/manifests/1", name)
        assert [fields["scope"] for _, fields in server.asked] == [["repository:one:pull"], ["repository:two:pull"]]

    def test_an_identity_token_is_posted(self, server: LoginServer) -> None:
        server.identity_tokens.add("refresh")
        credential = Credential(source="here", secret="refresh", kind=CredentialKind.IDENTITY_TOKEN)
        assert get(client_of(credential), f"{server.address}/v2/team/app/manifests/1", "team/app")
        ((method, fields),) = server.asked
        assert (method, fields["grant_type"], fields["scope"]) == (
            "POST",
            ["refresh_token"],
            ["repository:team/app:pull"],
        )

    def test_a_registry_token_is_sent_as_it_is(self, server: LoginServer) -> None:
        server.tokens["given"] = {"repository:team/app:pull"}, float("inf")
        credential = Credential(source="here", secret="given", kind=CredentialKind.TOKEN)
        assert get(client_of(credential), f"{server.address}/v2/team/app/manifests/1", "team/app")
        assert server.asked == []

    @pytest.mark.parametrize("secret", ["with space", "line\nX-Header: y", "ä", "\udce4"])
    def test_what_is_not_a_token_is_an_error(self, server: LoginServer, secret: str) -> None:
        credential = Credential(source="the environment variable X", secret=secret, kind=CredentialKind.TOKEN)
        with pytest.raises(CredentialError, match="has characters that no token has") as caught:
            get(client_of(credential), f"{server.address}/v2/team/app/manifests/1", "team/app")
        assert secret not in str(caught.value)

    def test_bytes_of_the_environment_are_sent_as_they_are(self, server: LoginServer) -> None:
        credential = Credential(source="here", user="m\udce4", secret="\udcff")
        assert base64.b64decode(basic(credential).removeprefix("Basic ")) == b"m\xe4:\xff"

    def test_sixteen_threads_fetch_one_token(self, server: LoginServer) -> None:
        client, barrier = client_of(ME), threading.Barrier(16)
        server.pause = 0.05

        def fetch(_: int) -> bytes:
            barrier.wait()
            return get(client, f"{server.address}/v2/team/app/manifests/1", "team/app")

        with ThreadPoolExecutor(16) as pool:
            assert all(pool.map(fetch, range(16)))
            assert len(server.asked) == 1
            server.revoke()  # all are refused at once, with a token that looked valid
            assert all(pool.map(fetch, range(16)))
        assert len(server.asked) == 2

    def test_a_token_is_renewed_before_it_expires(self, server: LoginServer) -> None:
        now = [0.0]
        service = TokenService(requests=HttpClient(Policy(retries=0)))
        authorization = ChallengedAuthorization(Known(ME), service, clock=lambda: now[0])
        client = HttpClient(Policy(retries=0), authorization=authorization)
        url = f"{server.address}/v2/team/app/manifests/1"
        for now[0] in (0.0, 53.0, 54.5, 80.0, 120.0):
            get(client, url, "team/app")
        assert len(server.asked) == 3
        assert server.authorizations.count("") == 1  # only the very first request was refused

    def test_a_token_that_expires_earlier_than_promised_is_fetched_again(self, server: LoginServer) -> None:
        server.lifetime, server.says_lifetime = 0.0, 300.0
        client = client_of(ME)
        with pytest.raises(FetchError, match="401"):  # it never works, and is not tried for ever
            get(client, f"{server.address}/v2/team/app/manifests/1", "team/app")
        assert len(server.asked) <= 3
        server.lifetime = 60.0
        assert get(client, f"{server.address}/v2/team/app/manifests/1", "team/app")

    def test_a_refused_password_is_named(self, server: LoginServer) -> None:
        credential = Credential(source="~/.docker/config.json", user="me", secret="wrong")
        with pytest.raises(FetchError, match=r"gives no token for .*: 401, asked with the password of 'me'") as caught:
            get(client_of(credential), f"{server.address}/v2/team/app/manifests/1", "team/app")
        assert "wrong" not in str(caught.value)

    @pytest.mark.parametrize(
        "answer",
        [b"", b"[]", b"{", b'{"token": 1}', b'{"token": "a\\r\\nX: y"}', b"[" * 100_000, b'{"token":"t"}' * 99999],
    )
    def test_an_answer_without_a_token_is_an_error(self, answer: bytes) -> None:
        class Response:
            status = 200

            def __init__(self) -> None:
                self.parts = [answer]

            def read(self, size: int) -> bytes:
                return self.parts.pop() if self.parts else b""

        class Requests:
            def may_be_plain(self, url: str) -> bool:
                return False

            def send(self, *args: object, **more: object) -> contextlib.AbstractContextManager[Response]:
                return contextlib.nullcontext(Response())

        with pytest.raises(FetchError, match="without a token"):
            TokenService(requests=Requests()).token(
                "https://r.example/v2/", Challenge(scheme="bearer", parameters={"realm": "https://t.example"}), [], None
            )


class TestHostileServers:
    @pytest.mark.parametrize(
        "realm",
        [
            "http://other.example/token",
            "http://169.254.169.254/latest",
            "ftp://other.example/",
            "https://me:pw@other.example/",
            "https:///token",
            "https://other.example:99999/",
            "file:///etc/passwd",
            "//other.example/token",
            "/token",
            "https://[::1/",
        ],
    )
    def test_a_realm_is_reached_by_https_only(self, server: LoginServer, realm: str) -> None:
        server.realm = realm
        with pytest.raises(FetchError, match=r"where credentials are not sent|401"):
            get(client_of(ME), f"{server.address}/v2/team/app/manifests/1", "team/app")

    @pytest.mark.parametrize(
        "realm", ["https://127.0.0.1/t", "http://localhost:1/t", "https://[::1]:99/t", "https://a.localhost/"]
    )
    def test_another_host_may_not_name_this_machine(self, realm: str) -> None:
        service = TokenService(requests=HttpClient(Policy(retries=0)))
        challenge = Challenge(scheme="bearer", parameters={"realm": realm})
        with pytest.raises(FetchError, match="where credentials are not sent"):
            service.token("https://registry.example/v2/", challenge, [], ME)

    def test_a_realm_with_a_query_keeps_it(self, server: LoginServer) -> None:
        server.realm += "?tenant=7#fragment"
        assert get(client_of(ME), f"{server.address}/v2/team/app/manifests/1", "team/app")
        assert server.asked[0][1]["tenant"] == ["7"]

    @pytest.mark.parametrize("url", ["http://charts.example/index.yaml", "HTTP://charts.example/index.yaml"])
    def test_without_tls_a_credential_is_not_sent_to_another_machine(self, url: str) -> None:
        service = TokenService(requests=HttpClient(Policy(retries=0)))
        authorization = ChallengedAuthorization(Known(ME), service)
        assert authorization.answer(url, "", ["Basic realm=x"], "") is None
        assert "not sent without TLS" in authorization.used(url)
        in_address = Credential(source="the address itself", user="a", secret="b", is_for_plain_http=True)
        assert ChallengedAuthorization(Known(in_address), service).answer(url, "", ["Basic realm=x"], "")

    def test_a_host_by_name_may_be_without_tls(self) -> None:
        plain = HttpClient(Policy(retries=0))
        plain.configure({"charts.example": HostSettings(is_plain_http=True)})
        authorization = ChallengedAuthorization(Known(ME), TokenService(requests=plain))
        assert authorization.answer("http://charts.example/index.yaml", "", ["Basic realm=x"], "")

    @pytest.mark.parametrize(
        "challenge", ["", "Negotiate", "Digest realm=x", 'Bearer realm="', "Bearer", 'Basic realm="' * 5000]
    )
    def test_a_challenge_without_sense_gets_nothing(self, server: LoginServer, challenge: str) -> None:
        server.challenge = challenge or "x=y"
        with pytest.raises(FetchError):
            get(client_of(ME if "Basic" not in challenge else None), f"{server.address}/v2/a/manifests/1", "a")
        assert server.asked == []


class TestRedirects:
    @pytest.fixture
    def other(self) -> Iterator[LoginServer]:
        with serving(LoginServer(passwords={"me": "of the other"}, files={"/basic/open": b"open"})) as running:
            yield running

    def test_another_origin_gets_nothing_of_the_first(self, server: LoginServer, other: LoginServer) -> None:
        client = client_with(Known(by_url={server.address: ME}))
        get(client, f"{server.address}/basic/index.yaml")
        server.redirects["/basic/moved"] = f"{other.address}/basic/open"
        with pytest.raises(FetchError, match="401"):
            get(client, f"{server.address}/basic/moved")
        assert other.authorizations == [""]

    def test_another_origin_may_get_what_the_user_has_for_it(self, server: LoginServer, other: LoginServer) -> None:
        own = Credential(source="here", user="me", secret="of the other")
        client = client_with(Known(by_url={server.address: ME, other.address: own}))
        server.redirects["/basic/moved"] = f"{other.address}/basic/open"
        assert get(client, f"{server.address}/basic/moved") == b"open"
        assert other.authorizations == ["", basic(own)]

    @pytest.mark.parametrize("is_redirect", [True, False])
    def test_no_server_changes_what_is_elsewhere_with_the_rights_of_the_user(
        self, server: LoginServer, other: LoginServer, *, is_redirect: bool
    ) -> None:
        own = Credential(source="here", user="me", secret="of the other")
        client = client_with(Known(by_url={server.address: ME, other.address: own}))
        assert get(client, f"{other.address}/basic/open") == b"open"  # it is known there
        del other.authorizations[:]
        server.redirects["/basic/moved"] = target = f"{other.address}/basic/open"
        url = f"{server.address}/basic/moved" if is_redirect else target
        with client.send("DELETE", url, home=f"{server.address}/v2/app") as response:
            assert response.status == 401
        assert other.authorizations == [""]

    def test_a_token_service_that_moves_takes_no_password_along(self, server: LoginServer, other: LoginServer) -> None:
        server.redirects["/token"] = f"{other.address}/token"
        with pytest.raises(FetchError):
            get(client_of(ME), f"{server.address}/v2/team/app/manifests/1", "team/app")
        assert all(not header for header in other.authorizations)
