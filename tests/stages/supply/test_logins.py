"""Which servers a stack needs, what is asked of them, and what becomes of a login."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from cluster_forge.foundation.errors import CredentialError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.oci.reference import ImageReference
from cluster_forge.ports.credentials import Credential, Trial, Verdict
from cluster_forge.stack.component import Component, HelmSource, KustomizeSource, Upstream
from cluster_forge.stack.model import GitOps, ImageSettings, RepositorySource, Stack
from cluster_forge.stages.supply import logins

ME = Credential(source="~/.netrc", user="me", secret="s3cret")


def component(name: str, repository: str = "", chart: str = "web", manifests: tuple[str, ...] = ()) -> Component:
    helm = HelmSource(chart=chart, release=name, repository=repository) if repository else None
    return Component(name=ComponentName(name), helm=helm, manifests=manifests)


class Known:
    """`ports.Credentials` by the beginning of an address, `ports.Logins` and `ports.CredentialKeeper` that remember."""

    def __init__(self, credentials: dict[str, Credential | CredentialError], *trials: Trial) -> None:
        self.credentials = credentials
        self.trials = list(trials)
        self.attempts: list[str] = []
        self.kept: list[tuple[str, str, str]] = []

    def of(self, url: str) -> Credential | None:
        known = next((value for start, value in self.credentials.items() if url.startswith(start)), None)
        if isinstance(known, CredentialError):
            raise known
        return known

    def attempt(self, address: str, credential: Credential | None = None) -> Trial:
        self.attempts.append(address)
        return self.trials.pop(0) if self.trials else Trial(verdict=Verdict.WORKS, status=200)

    def keep(self, host: str, user: str, password: str) -> str:
        self.kept.append((host, user, password))
        return "here"

    def forget(self, host: str) -> str:
        return ""


class InOrder:
    def map(self, call: Callable[[object], object], items: Iterable[object]) -> list[object]:
        return [call(item) for item in items]


def questions(stack: Stack) -> dict[str, str]:
    return {server.question: server.purpose for server in logins.servers(stack)}


class TestServers:
    def test_every_kind_of_source_is_asked_for_what_is_fetched_from_it(self) -> None:
        upstream = Upstream(folder="up", helm=HelmSource(chart="up", release="up", repository="https://up.example"))
        stack = Stack(
            name="s",
            components=(
                component("a", "https://charts.example/stable/?x=1"),
                component("b", "oci://registry.example/charts/"),
                component("c", "git+https://me:pw@git.example/team/charts.git@release/1//stable"),
                component("d", manifests=("https://raw.example/one.yaml", "extras/two.yaml")),
                component("e", "file:///srv/charts"),
                Component(name=ComponentName("f"), upstream=upstream),
                component("g", chart="./web"),
                Component(
                    name=ComponentName("h"),
                    kustomize=KustomizeSource(path="base", remotes={"x": "https://k.example/x"}),
                ),
                Component(name=ComponentName("i"), kustomize=KustomizeSource(path="git+ssh://git@ssh.example/r.git")),
            ),
        )
        assert questions(stack) == {
            "https://charts.example/stable/index.yaml?x=1": "a",
            "oci://registry.example/charts/web": "b",
            "https://me:pw@git.example/team/charts.git/info/refs?service=git-upload-pack": "c",
            "https://raw.example/one.yaml": "d",
            "https://up.example/index.yaml": "f",
            "https://k.example/x": "h",
            "": "i",
        }

    @pytest.mark.parametrize("address", ["https://[", "https://a:99999", "http://", "oci://["])
    def test_what_is_not_an_address_is_asked_as_it_is(self, address: str) -> None:
        (server,) = logins.servers(Stack(name="s", components=(component("a", address),)))
        assert server.question.startswith(address)
        assert server.host in ("", "[", "a:99999")

    @pytest.mark.parametrize(
        ("gitops", "expected"),
        [
            (GitOps(), {}),
            (
                GitOps(source=RepositorySource.EXTERNAL, url="https://git.example/a.git"),
                {"https://git.example/a.git/info/refs?service=git-upload-pack": "gitops"},
            ),
            (GitOps(source=RepositorySource.EXTERNAL, url="git@git.example:a.git"), {"": "gitops"}),
            (
                GitOps(source=RepositorySource.OCI, url="oci://registry.example/a"),
                {"oci://registry.example/a": "gitops"},
            ),
        ],
    )
    def test_what_is_delivered_to(self, gitops: GitOps, expected: dict[str, str]) -> None:
        assert questions(Stack(name="s", gitops=gitops)) == expected
        base = ImageReference.parse("base.example/a:1")
        image = ImageSettings(repository="registry.example/team/app", base=base)
        assert questions(Stack(name="s", gitops=gitops, image=image)) == {
            "oci://base.example/a": "image.base",
            "oci://registry.example/team/app": "image",
            **expected,
        }

    @pytest.mark.parametrize(
        ("repository", "expected"),
        [
            ("registry.example:5000/a/b", ["oci://registry.example:5000/a/b"]),
            ("oci://registry.example/a", ["oci://registry.example/a"]),
            ("team/app", ["oci://docker.io/team/app"]),
            ("not a repository", []),
        ],
    )
    def test_an_image_is_where_docker_looks_for_it(self, repository: str, expected: list[str]) -> None:
        assert list(questions(Stack(name="s", image=ImageSettings(repository=repository)))) == expected


class TestStatus:
    STACK = Stack(
        name="s",
        components=(
            component("a", "https://charts.example/one"),
            component("b", "https://charts.example/two"),
            component("c", "https://me:canary@other.example/x"),
        ),
        image=ImageSettings(repository="damaged.example/team/app"),
    )

    def test_hosts_with_the_same_credential_are_asked_once(self) -> None:
        known = Known({"https://charts.example": ME, "oci://damaged.example": CredentialError("damaged", where="f")})
        statuses = logins.status(self.STACK, known, known, InOrder())  # type: ignore[arg-type] # of one type only
        assert [(server.host, server.credential, server.purposes) for server in statuses] == [
            ("charts.example", ME, ("a", "b")),
            ("other.example", None, ("c",)),
            ("damaged.example", None, ("image",)),
        ]
        assert len(known.attempts) == 2
        assert [server.is_failing for server in statuses] == [False, False, True]
        assert statuses[2].trial == Trial(verdict=Verdict.FAILED, message="f: damaged")
        assert "canary" not in str(statuses)

    def test_different_credentials_of_a_host_are_two_answers(self) -> None:
        known = Known({"https://charts.example/one": ME})
        statuses = logins.status(self.STACK, known, None, InOrder())  # type: ignore[arg-type] # of one type only
        assert [(server.credential, server.purposes, server.trial) for server in statuses[:2]] == [
            (ME, ("a",), None),
            (None, ("b",), None),
        ]


class TestLogin:
    def test_a_login_that_works_is_kept(self) -> None:
        known = Known({})
        result = logins.login("Registry.example:5000", ME, known, known)
        assert (result.host, result.is_verified) == ("registry.example:5000", True)
        assert (known.attempts, known.kept) == (
            ["oci://registry.example:5000"],
            [("registry.example:5000", "me", "s3cret")],
        )

    def test_what_is_not_asked_for_is_not_verified(self) -> None:
        known = Known({}, Trial(verdict=Verdict.NOT_ASKED, status=200))
        assert not logins.login("registry.example", ME, known, known).is_verified

    def test_a_host_without_a_registry_is_a_chart_repository(self) -> None:
        known = Known({}, Trial(verdict=Verdict.NOT_ASKED, status=404))
        assert logins.login("charts.example", ME, known, known).is_verified
        assert known.attempts == ["oci://charts.example", "https://charts.example/index.yaml"]

    def test_the_address_of_a_chart_repository_is_asked_itself(self) -> None:
        known = Known({})
        assert logins.login("https://charts.example/stable/", ME, known, known).host == "charts.example"
        assert known.attempts == ["https://charts.example/stable/index.yaml"]

    @pytest.mark.parametrize("verdict", [Verdict.REFUSED, Verdict.FAILED])
    def test_nothing_else_is_kept(self, verdict: Verdict) -> None:
        known = Known({}, Trial(verdict=verdict, message="answered 401", fix="f", status=401))
        with pytest.raises(CredentialError, match="the login is not kept: answered 401"):
            logins.login("registry.example", ME, known, known)
        assert known.kept == []

    @pytest.mark.parametrize(
        "address",
        ["", "https://", "me:pw@registry.example", "ftp://a.example", "a.example:0", "a:b:c", "ä.example", "[::1"],
    )
    def test_what_is_not_a_host_is_an_error(self, address: str) -> None:
        with pytest.raises(ValueError, match="is not a host") as caught:
            logins.host_of(address)
        assert "pw" not in f"{caught.value}"
