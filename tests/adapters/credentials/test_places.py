"""The places of credentials: which file, program or variable has what for which address."""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster_forge.adapters.credentials import environment, helper_programs
from cluster_forge.adapters.credentials.address import Address, key
from cluster_forge.adapters.credentials.lookup import UserCredentials
from cluster_forge.adapters.credentials.user_files import UserFiles
from cluster_forge.foundation.errors import CredentialError
from cluster_forge.ports.credentials import Credential, CredentialKind

HELPER = """\
#!/bin/sh
read server
echo "$1 $server" >> "$(dirname "$0")/asked"
case "$server" in
  one.example|https://index.docker.io/v1/) printf '{"ServerURL":"%s","Username":"helped","Secret":"s: \\\\u00e9"}' "$server" ;;
  token.example) printf '{"Username":"<token>","Secret":"refresh"}' ;;
  broken.example) echo 'not JSON, with the s3cret' ;;
  failing.example) echo 's3cret' ; exit 3 ;;
  endless.example) exec yes s3cret ;;
  slow.example) exec sleep 60 ;;
  *) echo 'credentials not found in native keychain'; exit 1 ;;
esac
"""


class Home:
    """A home folder, and an environment that knows nothing else."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.programs = path / "bin"
        self.programs.mkdir()
        self.environment = {"PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}", "HOME": str(path)}

    def write(self, name: str, content: object) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return file

    def program(self, name: str, text: str = HELPER) -> None:
        file = self.programs / name
        file.write_text(text, encoding="utf-8")
        file.chmod(0o755)

    @property
    def credentials(self) -> UserCredentials:
        return UserCredentials(UserFiles(self.environment, self.path))

    def of(self, url: str) -> Credential | None:
        return self.credentials.of(url)

    def login(self, url: str) -> str:
        """``user:secret from place``; empty if there is nothing."""
        found = self.of(url)
        return f"{found.user}:{found.secret} from {found.source}" if found else ""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def auth(user: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def docker(*logins: str, **more: object) -> dict[str, object]:
    return {"auths": {name: auth(f"user of {name}", "p:w") for name in logins}, **more}


class TestEnvironment:
    @pytest.mark.parametrize(
        ("host", "variable"),
        [
            ("ghcr.io", "CLUSTER_FORGE_AUTH_GHCR_IO"),
            ("my-registry.example.com:5000", "CLUSTER_FORGE_AUTH_MY__REGISTRY_EXAMPLE_COM_5000"),
            ("[::1]:5000", "CLUSTER_FORGE_AUTH___1_5000"),
            ("under_score.example", ""),
            ("höst.example", ""),
        ],
    )
    def test_a_host_has_one_variable(self, host: str, variable: str) -> None:
        assert environment.variable(host) == variable

    def test_no_other_host_gets_what_is_in_it(self, home: Home) -> None:
        home.environment["CLUSTER_FORGE_AUTH_REGISTRY_EXAMPLE_COM"] = "me:pass:word"
        assert home.login("https://registry.example.com/v2/x") == (
            "me:pass:word from the environment variable CLUSTER_FORGE_AUTH_REGISTRY_EXAMPLE_COM"
        )
        for other in (
            "registry-example.com",
            "registry_example.com",
            "registry.example.com:5000",
            "x.registry.example.com",
        ):
            assert home.of(f"https://{other}/") is None

    def test_without_a_colon_it_is_a_token(self, home: Home) -> None:
        home.environment["CLUSTER_FORGE_AUTH_GHCR_IO"] = "ghp_1"
        found = home.of("oci://ghcr.io/team")
        assert found
        assert (found.kind, found.secret) == (CredentialKind.TOKEN, "ghp_1")

    def test_it_comes_before_everything_else(self, home: Home) -> None:
        home.environment["CLUSTER_FORGE_AUTH_ONE_EXAMPLE"] = "e:e"
        home.write(".docker/config.json", "damaged")
        assert home.login("https://u:p@one.example/").startswith("e:e from")
        del home.environment["CLUSTER_FORGE_AUTH_ONE_EXAMPLE"]
        assert home.login("https://u%3A:p%40@one.example/") == "u::p@ from the address itself"
        with pytest.raises(CredentialError, match="damaged: it is not JSON"):
            home.of("https://one.example/")


class TestDockersFile:
    @pytest.mark.parametrize(
        ("written", "url"),
        [
            ("one.example", "https://one.example/v2/team/app/manifests/1"),
            ("one.example", "oci://one.example/team"),
            ("One.Example:443", "https://one.example/"),
            ("https://one.example/v1/", "https://one.example/v2/"),
            ("https://one.example/v2/", "https://one.example/v2/"),
            ("https://one.example", "https://one.example/charts/index.yaml"),
            ("one.example/v1/", "https://one.example/v2/"),
            ("http://one.example:5000", "http://one.example:5000/v2/"),
            ("https://index.docker.io/v1/", "https://registry-1.docker.io/v2/library/nginx/manifests/1"),
            ("docker.io", "https://registry-1.docker.io/v2/"),
            ("index.docker.io", "oci://docker.io/team"),
            ("[::1]:5000", "https://[::1]:5000/v2/"),
        ],
    )
    def test_a_host_has_many_spellings(self, home: Home, written: str, url: str) -> None:
        home.write(".docker/config.json", docker(written))
        assert home.login(url) == f"user of {written}:p:w from ~/.docker/config.json"

    @pytest.mark.parametrize(
        ("written", "url"),
        [
            ("one.example", "https://two.example/"),
            ("one.example", "https://one.example:5000/"),
            ("one.example:5000", "https://one.example/"),
            ("example", "https://one.example/"),
            ("one.example/team", "https://one.example/v2/other/app/manifests/1"),
            ("one.example/team", "https://one.example/v2/teams/app/manifests/1"),
            ("https://index.docker.io/v1/access-token", "https://registry-1.docker.io/v2/"),
            ("", "https://one.example/"),
        ],
    )
    def test_other_hosts_get_nothing(self, home: Home, written: str, url: str) -> None:
        home.write(".docker/config.json", docker(written))
        assert home.of(url) is None

    def test_the_longest_part_of_the_path_counts(self, home: Home) -> None:
        home.write(".docker/config.json", docker("one.example", "one.example/team", "one.example/team/app"))
        assert home.login("https://one.example/v2/team/app/manifests/1").startswith("user of one.example/team/app:")
        assert home.login("https://one.example/v2/team/other/manifests/1").startswith("user of one.example/team:")
        assert home.login("https://one.example/v2/").startswith("user of one.example:")

    def test_tokens_come_before_passwords(self, home: Home) -> None:
        home.write(
            ".docker/config.json",
            {"auths": {"a.example": {**auth("a", "b"), "identitytoken": "i"}, "b.example": {"registrytoken": "r"}}},
        )
        kinds = [getattr(home.of(f"https://{name}.example/"), "kind", None) for name in "ab"]
        assert kinds == [CredentialKind.IDENTITY_TOKEN, CredentialKind.TOKEN]

    def test_the_environment_says_where_it_is(self, home: Home) -> None:
        elsewhere = home.write("elsewhere/config.json", docker("one.example")).parent
        home.environment["DOCKER_CONFIG"] = str(elsewhere)
        assert home.login("https://one.example/").endswith("from ~/elsewhere/config.json")

    def test_a_relative_place_is_not_looked_into(
        self, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It would be in the workspace, where others have written."""
        home.write("workspace/config.json", docker("one.example"))
        home.write("workspace/netrc", "machine one.example login a password b")
        monkeypatch.chdir(tmp_path / "workspace")
        home.environment |= dict.fromkeys(("DOCKER_CONFIG", "HELM_CONFIG_HOME", "XDG_RUNTIME_DIR"), ".")
        home.environment |= {
            "NETRC": "netrc",
            "REGISTRY_AUTH_FILE": "config.json",
            "HELM_REGISTRY_CONFIG": "config.json",
        }
        assert home.of("https://one.example/") is None

    def test_a_password_in_other_letters(self, home: Home) -> None:
        home.write(".docker/config.json", {"auths": {"one.example": auth("jürgen", "pä:ss wörd\U0001f511")}})
        found = home.of("https://one.example/")
        assert found
        assert (found.user, found.secret) == ("jürgen", "pä:ss wörd\U0001f511")

    @pytest.mark.parametrize(
        "content",
        [
            "{",
            "[]",
            '"s3cret"',
            "[" * 100_000,
            '{"auths": ["s3cret"]}',
            '{"auths": {"one.example": {"auth": "s3cret!"}}}',
            '{"auths": {"one.example": {"auth": "czNjcmV0"}}}',
            '{"auths": {"one.example": {"auth": "/////w=="}}}',
            '{"credHelpers": "s3cret"}',
        ],
    )
    def test_a_damaged_file_is_named_and_not_quoted(self, home: Home, content: str) -> None:
        home.write(".docker/config.json", content)
        with pytest.raises(CredentialError, match="damaged") as caught:
            home.of("https://one.example/")
        assert caught.value.where == "~/.docker/config.json"
        assert "s3cret" not in f"{caught.value}{caught.value.fix}"

    @pytest.mark.parametrize(
        "content",
        ["", " \n", "{}", '{"auths": null}', '{"auths": {"one.example": null}}', '{"auths": {"one.example": {}}}'],
    )
    def test_an_empty_one_has_nothing(self, home: Home, content: str) -> None:
        home.write(".docker/config.json", content)
        assert home.of("https://one.example/") is None

    @pytest.mark.skipif(sys.platform == "win32", reason="pipes are files on POSIX only")
    def test_a_pipe_in_its_place_is_not_waited_for(self, home: Home) -> None:
        (home.path / ".docker").mkdir()
        os.mkfifo(home.path / ".docker" / "config.json")
        with pytest.raises(CredentialError, match="cannot be read"):
            home.of("https://one.example/")


@pytest.mark.skipif(sys.platform == "win32", reason="the programs of this test are scripts of a shell")
class TestHelpers:
    def asked(self, home: Home) -> list[str]:
        return (home.programs / "asked").read_text().splitlines()

    def test_one_for_a_host_comes_before_the_one_for_all(self, home: Home) -> None:
        home.program("docker-credential-one")
        home.write(".docker/config.json", {"credHelpers": {"https://one.example": "one"}, "credsStore": "missing"})
        credentials = home.credentials
        found = [credentials.of("https://one.example/v2/") for _ in range(2)]
        assert found[0]
        assert (found[0].user, found[0].secret) == ("helped", "s: é")
        assert found[0].source == "the credential helper docker-credential-one (~/.docker/config.json)"
        assert self.asked(home) == ["get one.example"]  # once for all requests

    def test_a_host_may_be_taken_out_of_the_one_for_all(self, home: Home) -> None:
        home.write(".docker/config.json", docker("one.example", credHelpers={"one.example": ""}, credsStore="missing"))
        assert home.login("https://one.example/").startswith("user of one.example:")

    def test_docker_hub_is_asked_for_by_dockers_name(self, home: Home) -> None:
        home.program("docker-credential-all")
        home.write(".docker/config.json", {"credsStore": "all"})
        assert home.login("https://registry-1.docker.io/v2/").startswith("helped:")
        assert self.asked(home) == ["get https://index.docker.io/v1/"]

    def test_an_identity_token_has_no_user(self, home: Home) -> None:
        home.program("docker-credential-all")
        home.write(".docker/config.json", {"credsStore": "all"})
        found = home.of("https://token.example/")
        assert found
        assert (found.kind, found.user, found.secret) == (CredentialKind.IDENTITY_TOKEN, "", "refresh")

    def test_where_it_has_nothing_the_next_place_is_looked_into(self, home: Home) -> None:
        home.program("docker-credential-all")
        home.write(".docker/config.json", {"credsStore": "all"})
        home.write(".netrc", "machine other.example login n password w")
        assert home.login("https://other.example/") == "n:w from ~/.netrc"

    @pytest.mark.parametrize(
        ("host", "message"),
        [
            ("broken.example", "printed no JSON"),
            ("failing.example", "failed with exit code 3"),
            ("endless.example", "printed too much"),
            ("slow.example", "did not answer within 0.5 s"),
        ],
    )
    def test_what_it_says_is_not_shown(self, home: Home, host: str, message: str) -> None:
        home.program("docker-credential-all")
        with pytest.raises(CredentialError, match=message) as caught:
            helper_programs.DockerHelper("all", "here", home.environment, seconds=0.5).get(host)
        assert "s3cret" not in f"{caught.value}{caught.value.fix}"

    @pytest.mark.parametrize("name", ["missing", "../one", "/bin/sh", "one;true", "-x", "a" * 200])
    def test_a_name_is_a_programs_on_path(self, home: Home, name: str) -> None:
        home.program("docker-credential-one")
        home.write(".docker/config.json", {"credsStore": name})
        with pytest.raises(CredentialError, match="is not on PATH"):
            home.of("https://one.example/")

    def test_a_program_of_the_current_folder_is_not_run(
        self, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        home.program("docker-credential-one")
        monkeypatch.chdir(home.programs)
        home.environment["PATH"] = "."
        home.write(".docker/config.json", {"credsStore": "one"})
        with pytest.raises(CredentialError, match="is not on PATH"):
            home.of("https://one.example/")

    def test_the_secret_is_in_no_argument(self, home: Home) -> None:
        home.program(
            "docker-credential-all", '#!/bin/sh\nprintf "%s|" "$@" >> "$(dirname "$0")/asked"\ncat >/dev/null\n'
        )
        helper = helper_programs.DockerHelper("all", "here", home.environment)
        helper.store("one.example", "me", "s3cret")
        helper.erase("one.example")
        assert self.asked(home) == ["store|erase|"]


class TestOtherFiles:
    def test_podmans_files_come_after_dockers(self, home: Home) -> None:
        home.environment["XDG_RUNTIME_DIR"] = str(home.path / "run")
        home.write("run/containers/auth.json", docker("one.example", "one.example/team"))
        home.write(".config/containers/auth.json", docker("two.example"))
        assert home.login("https://one.example/v2/team/x/manifests/1").startswith("user of one.example/team:")
        assert home.login("https://two.example/").endswith("from ~/.config/containers/auth.json")
        home.write(".docker/config.json", docker("one.example"))
        assert home.login("https://one.example/v2/team/x/manifests/1").endswith("~/.docker/config.json")
        home.environment["REGISTRY_AUTH_FILE"] = str(home.write("named.json", docker("three.example")))
        assert home.of("https://two.example/") is None
        assert home.login("https://three.example/").endswith("~/named.json")

    @pytest.mark.skipif(sys.platform != "linux", reason="Helm's folder is elsewhere")
    def test_helms_registries(self, home: Home) -> None:
        home.write(".config/helm/registry/config.json", docker("one.example"))
        assert home.login("https://one.example/v2/").endswith("from ~/.config/helm/registry/config.json")
        home.environment["HELM_REGISTRY_CONFIG"] = str(home.write("r.json", docker("two.example")))
        assert home.of("https://one.example/v2/") is None

    def test_helms_repositories(self, home: Home) -> None:
        text = """\
apiVersion: ""
repositories:
- {name: a, url: "https://one.example/charts", username: a, password: "p:w"}
- {name: b, url: "https://one.example/charts/b/", username: b, password: w, pass_credentials_all: true}
- {name: c, url: "http://plain.example", username: c, password: w}
- {name: d, url: "https://two.example", username: d}
- {name: e}
- 7
"""
        home.environment["HELM_REPOSITORY_CONFIG"] = str(home.write("repositories.yaml", text))
        assert home.login("https://one.example/charts/index.yaml") == "a:p:w from ~/repositories.yaml"
        assert home.login("https://one.example/charts/b/index.yaml").startswith("b:w")
        for other in (
            "https://one.example/",
            "http://one.example/charts/x",
            "https://two.example/",
            "https://plain.example/",
        ):
            assert home.of(other) is None
        plain = home.of("http://plain.example/index.yaml")
        assert plain
        assert plain.is_for_plain_http

    @pytest.mark.parametrize("text", ["{", "\t", "&a [*a", "\x00"])
    def test_a_damaged_file_of_helm(self, home: Home, text: str) -> None:
        home.environment["HELM_REPOSITORY_CONFIG"] = str(home.write("repositories.yaml", text))
        with pytest.raises(CredentialError, match="it is not YAML"):
            home.of("https://one.example/")

    @pytest.mark.parametrize(
        "text", ["", "[]", "repositories: {}", "repositories: [{url: 7}]", "7", "a: !!python/object:os.system x"]
    )
    def test_another_file_in_the_place_of_helms(self, home: Home, text: str) -> None:
        home.environment["HELM_REPOSITORY_CONFIG"] = str(home.write("repositories.yaml", text))
        assert home.of("https://one.example/") is None

    def test_netrc(self, home: Home) -> None:
        home.write(
            ".netrc",
            "machine one.example login a password p:w#d\nmachine one.example:5000 login b password 'x'\n"
            'machine Two.example\n\tlogin "with space"\n\tpassword "p w"\ndefault login anyone password d3fault\n',
        )
        assert home.login("https://one.example/") == "a:p:w#d from ~/.netrc"
        assert home.login("https://one.example:5000/").startswith("b:")
        assert home.login("https://one.example:6000/").startswith("a:")
        assert home.login("https://two.example/") == "with space:p w from ~/.netrc"
        assert home.of("https://three.example/") is None  # `default` would be for every host that a description names

    def test_a_damaged_netrc_is_named_and_not_quoted(self, home: Home) -> None:
        home.write(".netrc", "machine one.example login a password b\ns3cret\n")
        with pytest.raises(CredentialError, match="not in the format") as caught:
            home.of("https://one.example/")
        assert "s3cret" not in f"{caught.value}{caught.value.fix}"

    def test_without_a_home_nothing_is_found(self) -> None:
        assert UserCredentials(UserFiles({}, None)).of("https://one.example/") is None

    @pytest.mark.parametrize("url", ["https://", "https:///x", "x", "https://[::1/", "https://a:99999/", "//"])
    def test_what_is_not_an_address_has_nothing(self, home: Home, url: str) -> None:
        assert home.of(url) is None


@pytest.mark.skipif(sys.platform == "win32", reason="the programs of this test are scripts of a shell")
class TestGit:
    @pytest.fixture
    def helper(self, home: Home) -> Callable[[str], None]:
        """Configures a credential helper of Git for this user, and not those of the machine."""
        home.environment |= {"GIT_CONFIG_NOSYSTEM": "1"}

        def configure(script: str) -> None:
            home.program("git-credential-own", f"#!/bin/sh\n{script}")
            home.write(".gitconfig", f'[credential]\n\thelper = "{home.programs}/git-credential-own"\n')

        return configure

    def test_its_helpers_are_asked(self, home: Home, helper: Callable[[str], None]) -> None:
        helper('cat > "$(dirname "$0")/asked"\necho username=g\necho password=s:é')
        assert home.login("https://git.example/team/repo.git") == "g:s:é from Git's credential helper"
        assert "host=git.example" in (home.programs / "asked").read_text()
        assert home.of("http://git.example/") is None

    def test_it_never_asks_the_user(self, home: Home) -> None:
        home.environment |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_ASKPASS": "/bin/false", "SSH_ASKPASS": "/bin/false"}
        home.write(".gitconfig", "[core]\n\taskPass = echo asked\n")
        assert home.of("https://git.example/") is None

    def test_a_repository_configures_nothing(self, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        home.environment["GIT_CONFIG_NOSYSTEM"] = "1"
        workspace = tmp_path / "workspace"
        subprocess.run(["git", "init", "--quiet", str(workspace)], check=True)
        (workspace / ".git" / "config").write_text('[credential]\n\thelper = "!touch planted; echo password=x #"\n')
        monkeypatch.chdir(workspace)
        home.environment["GIT_DIR"] = str(workspace / ".git")
        assert home.of("https://git.example/") is None
        assert not list(tmp_path.rglob("planted"))

    def test_a_line_break_in_an_address_adds_no_field(self, home: Home, helper: Callable[[str], None]) -> None:
        helper("echo username=g\necho password=s")
        assert home.of("https://git.example/a%0ahost=other.example") is not None  # as it is written, on one line
        assert Address.parse("https://git.example/a\nhost=b").path == "ahost=b"  # urlsplit removes it


def test_a_credential_shows_no_secret() -> None:
    credential = Credential(source="~/.netrc", user="me", secret="s3cret")
    assert str(credential) == "the password of 'me' from ~/.netrc"
    assert "s3cret" not in repr(credential)


def test_keys_are_read_as_docker_reads_them() -> None:
    assert key("https://index.docker.io/v1/") == ("docker.io", "")
    assert key("quay.io/team") == ("quay.io", "team")
    assert key("https://quay.io/team") == ("quay.io", "")


def test_modes_of_files_are_the_users_own(home: Home) -> None:
    file = home.write(".docker/config.json", docker("one.example"))
    before = stat.S_IMODE(file.stat().st_mode)
    home.of("https://one.example/")
    assert stat.S_IMODE(file.stat().st_mode) == before
