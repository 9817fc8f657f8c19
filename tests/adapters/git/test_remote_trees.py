"""Files from remote repositories: which commit a REF means, how little is fetched, and what is refused."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.faults.certificates import authority
from tests.git_worktree import Worktree
from tests.servers import git_http, threaded
from tests.servers.git_http import PASSWORD, USER, GitServer

from cluster_forge.adapters.git import logins
from cluster_forge.adapters.git.offline import OfflineTrees
from cluster_forge.adapters.git.program import GitLimits, GitProgram
from cluster_forge.adapters.git.remote_trees import RemoteTrees
from cluster_forge.adapters.http.policy import HostSettings, Policy
from cluster_forge.foundation.errors import DescriptionError, FetchError, LockError, MissingProgramError, OfflineError
from cluster_forge.foundation.git_addresses import GitAddress
from cluster_forge.ports.credentials import Credential

CHART = {"charts/shop/Chart.yaml": "name: shop\nversion: 1.0.0\n", "charts/shop/values.yaml": "a: 1\n"}


def remote(**environment: str) -> RemoteTrees:
    """Trees without the user's configuration, with quick retries."""
    clean = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "HOME": "/nonexistent",
    }
    limits = GitLimits(whole=30.0, silence=10.0, repository=64 << 20)
    return RemoteTrees(
        program=GitProgram(limits, {**clean, **environment}),
        policy=Policy(retries=12, first_pause=0.01, longest_pause=0.05),
    )


def files(address: str, trees: RemoteTrees | None = None, locked: str = "") -> Mapping[str, bytes]:
    trees, parsed = trees or remote(), GitAddress.parse(address)
    return trees.files(parsed, trees.commit(parsed, locked)).files


def message(address: str, trees: RemoteTrees | None = None, locked: str = "") -> str:
    with pytest.raises((DescriptionError, FetchError, LockError)) as caught:
        files(address, trees, locked)
    return f"{caught.value} | {caught.value.fix}"


@pytest.fixture
def repository(tmp_path: Path) -> Worktree:
    work = Worktree(tmp_path / "served/repo")
    work.commit({**CHART, "assets/large.bin": os.urandom(4 << 20), "run.sh": "#!/bin/sh\n"}, tag="v1")
    return work


@pytest.fixture
def server(repository: Worktree) -> Iterator[GitServer]:
    with git_http.serving(repository.folder.parent) as running:
        yield running


@contextmanager
def plain_files(folder: Path) -> Iterator[int]:
    """The port of a web server that knows nothing of Git."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder)) as server, threaded.running(server):
        yield server.server_port


def test_a_tag_a_branch_a_full_name_and_a_commit_are_the_same_files(repository: Worktree) -> None:
    commit = repository.git("rev-parse", "HEAD")
    expected = {path: content.encode() for path, content in CHART.items()}
    for ref in ("", "@v1", "@main", "@refs/tags/v1", "@refs/heads/main", f"@{commit}"):
        assert files(f"{repository.address}{ref}//charts") == expected


def test_an_annotated_tag_means_its_commit(repository: Worktree) -> None:
    repository.git("tag", "-a", "-m", "two", "v2")
    assert remote().commit(GitAddress.parse(f"{repository.address}@v2")) == repository.git("rev-parse", "HEAD")
    assert files(f"{repository.address}@v2//run.sh") == {"run.sh": b"#!/bin/sh\n"}


def test_only_what_is_needed_travels(server: GitServer) -> None:
    assert set(files(f"{server.address}/repo/.git@v1//charts/shop")) == set(CHART)
    assert server.served < 10_000  # the repository has 4 MB


def test_several_paths_of_a_repository_share_what_was_fetched(server: GitServer) -> None:
    trees = remote()
    files(f"{server.address}/repo/.git@v1//charts", trees)
    before = len(server.asked)
    files(f"{server.address}/repo/.git@v1//charts/shop/Chart.yaml", trees)
    assert len(server.asked) == before


@pytest.mark.parametrize("version", ["0", "2"])
@pytest.mark.parametrize("setting", ["allowFilter", "allowAnySHA1InWant", "none"])
def test_a_server_that_cannot_send_parts_sends_all(repository: Worktree, setting: str, version: str) -> None:
    old = {"GIT_PROTOCOL": f"version={version}", "GIT_CONFIG_KEY_0": f"uploadpack.{setting}"}
    with git_http.serving(repository.folder.parent, protocol=old) as server:
        assert set(files(f"{server.address}/repo/.git@v1//charts")) == set(CHART)


def test_a_commit_between_tips_is_found_on_an_old_server(repository: Worktree) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.commit({"charts/shop/values.yaml": "a: 2\n"})
    with git_http.serving(repository.folder.parent, protocol={"GIT_PROTOCOL": "version=0"}) as server:
        for ref in (first, "main"):
            found = files(f"{server.address}/repo/.git@{ref}//charts/shop/values.yaml", locked=first)
            assert found == {"charts/shop/values.yaml": b"a: 1\n"}


def test_a_moved_tag_is_an_error_with_both_commits(repository: Worktree) -> None:
    before = repository.git("rev-parse", "HEAD")
    after = repository.commit({"charts/shop/values.yaml": "a: 2\n"}, tag="v1")
    text = message(f"{repository.address}@v1//charts", locked=before)
    assert before in text
    assert after in text
    assert "mine --update" in text


def test_a_branch_that_has_moved_stays_at_its_locked_commit(repository: Worktree) -> None:
    before = repository.git("rev-parse", "HEAD")
    repository.commit({"charts/shop/values.yaml": "a: 2\n"})
    assert files(f"{repository.address}@main//charts", locked=before)["charts/shop/values.yaml"] == b"a: 1\n"


def test_a_branch_whose_history_was_rewritten(repository: Worktree) -> None:
    before = repository.git("rev-parse", "HEAD")
    repository.git("commit", "--amend", "-q", "-m", "another one")
    repository.git("tag", "-d", "v1")
    repository.git("reflog", "expire", "--expire=now", "--all")
    repository.git("gc", "-q", "--prune=now")
    text = message(f"{repository.address}@main//charts", locked=before)
    assert before in text
    assert repository.git("rev-parse", "HEAD") in text


def test_a_name_that_is_both_branch_and_tag_names_both(repository: Worktree) -> None:
    repository.git("branch", "v1")
    text = message(f"{repository.address}@v1")
    assert "both a tag" in text
    assert "@refs/tags/v1 or @refs/heads/v1" in text


@pytest.mark.parametrize(
    ("ref", "said"),
    [("v11", "did you mean 'v1'?"), ("mian", "did you mean 'main'?"), ("0" * 40, f"no commit {'0' * 40}")],
)
def test_unknown_refs(repository: Worktree, ref: str, said: str) -> None:
    assert said in message(f"{repository.address}@{ref}")


def test_a_part_of_a_commit_is_refused_with_the_whole(repository: Worktree) -> None:
    commit = repository.git("rev-parse", "HEAD")
    assert commit in message(f"{repository.address}@{commit[:9]}")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("chart/shop", "did you mean 'charts/shop'?"),
        ("charts/Shop", "charts has shop"),
        ("shop", "did you mean 'charts/shop'?"),
    ],
)
def test_a_path_that_is_not_there_names_near_ones(repository: Worktree, path: str, said: str) -> None:
    assert said in message(f"{repository.address}@v1//{path}")


def test_one_of_many_refs_is_found(tmp_path: Path) -> None:
    work = Worktree(tmp_path / "served/repo")
    commit = work.commit(CHART)
    refs = "".join(f"{commit} refs/tags/t{number}\n" for number in sorted(range(10_000), key=str))
    (work.folder / ".git/packed-refs").write_text(f"# pack-refs with: peeled fully-peeled sorted \n{refs}")
    with git_http.serving(tmp_path / "served") as server:
        assert set(files(f"{server.address}/repo/.git@t9999//charts")) == set(CHART)
        assert server.served < 1_000_000
        assert "and 9,993 more" in message(f"{server.address}/repo/.git@none")


def test_credentials_of_the_address_are_used_and_never_shown(repository: Worktree) -> None:
    with git_http.serving(repository.folder.parent, login=True) as server:
        place = server.address.removeprefix("git+http://")
        assert files(f"git+http://{USER}:{PASSWORD}@{place}/repo/.git@v1//charts")
        wrong = message(f"git+http://{USER}:wr0ng@{place}/repo/.git@v1//charts")
        assert "the server wants credentials (401)" in wrong
        assert "wr0ng" not in wrong
        assert "401" in message(f"{server.address}/repo/.git@v1")


@pytest.mark.parametrize(
    ("repository", "lines"),
    [
        ("https://me:pw@h/r.git", ['url = "https://h/r.git"']),
        ("https://m%22e%0a@h:8443/r.git", ['url = "https://h:8443/r.git"', "[credential]", 'username = "m\\"e\\n"']),
        ("ssh://git@h/r.git", ['url = "ssh://git@h/r.git"']),
    ],
)
def test_other_programs_are_not_given_the_login_in_an_address(repository: str, lines: list[str]) -> None:
    assert [line.strip() for line in logins.remote(repository).splitlines()] == ['[remote "origin"]', *lines]


def test_the_users_credential_helper_is_asked(repository: Worktree, tmp_path: Path) -> None:
    helper = f"!printf 'username={USER}\\npassword={PASSWORD}\\n'"
    configured = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "credential.helper", "GIT_CONFIG_VALUE_0": helper}
    with git_http.serving(repository.folder.parent, login=True) as server:
        assert files(f"{server.address}/repo/.git@v1//charts", remote(**configured))
        netrc = tmp_path / ".netrc"
        netrc.write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")
        assert files(f"{server.address}/repo/.git@v1//charts", remote(HOME=str(tmp_path)))


class Known:
    """Credentials of one host, which are not Git's."""

    def __init__(self, url: str, secret: str = PASSWORD) -> None:
        self._url = url
        self._secret = secret

    def of(self, url: str) -> Credential | None:
        found = Credential(source="a test", user=USER, secret=self._secret)
        return found if url.startswith(self._url) else None


def test_credentials_that_git_does_not_know_are_used_and_not_kept(repository: Worktree, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    configured = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "credential.helper",
        "GIT_CONFIG_VALUE_0": f"store --file={kept}",
    }
    with git_http.serving(repository.folder.parent, login=True) as server:
        program = remote(**configured).program
        trees = RemoteTrees(program=program, policy=Policy(retries=0), credentials=lambda: Known(server.url))
        assert files(f"{server.address}/repo/.git@v1//charts", trees)
        assert not kept.exists()
        wrong = RemoteTrees(program=program, policy=Policy(retries=0), credentials=lambda: Known(server.url, "no"))
        assert "(401)" in message(f"{server.address}/repo/.git@v1//charts", wrong)
        elsewhere = RemoteTrees(program=program, policy=Policy(retries=0), credentials=lambda: Known("http://other"))
        assert "(401)" in message(f"{server.address}/repo/.git@v1//charts", elsewhere)


def test_certificates_are_verified_as_the_user_says(repository: Worktree, tmp_path: Path) -> None:
    root = authority(tmp_path)
    quick = Policy(retries=0)
    with git_http.serving(repository.folder.parent, certificate=root.certificate("git")) as server:
        address, place = f"{server.address}/repo/.git@v1//charts", server.url.removeprefix("https://")
        program = remote().program
        assert "the server's certificate is not trusted" in message(address, RemoteTrees(program=program, policy=quick))
        trusting = Policy(retries=0, ca_file=str(root.file))
        assert files(address, RemoteTrees(program=program, policy=trusting))
        for settings in (HostSettings(ca_file=str(root.file)), HostSettings(is_insecure=True)):
            assert files(address, RemoteTrees(program=program, policy=quick, hosts=partial(dict, {place: settings})))
        other = {"git.example.com": HostSettings(is_insecure=True)}
        assert "not trusted" in message(address, RemoteTrees(program=program, policy=quick, hosts=lambda: other))


def test_no_secret_is_an_argument_of_a_process(repository: Worktree, tmp_path: Path) -> None:
    spy = tmp_path / "bin/git"
    spy.parent.mkdir()
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
    spy.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/arguments\nexec {real} "$@"\n')
    spy.chmod(0o755)
    with git_http.serving(repository.folder.parent, login=True) as server:
        place = server.address.removeprefix("git+http://")
        trees = remote(PATH=f"{spy.parent}:{os.environ['PATH']}")
        assert files(f"git+http://{USER}:{PASSWORD}@{place}/repo/.git@v1//charts", trees)
        known = RemoteTrees(program=trees.program, credentials=lambda: Known(server.url))
        assert files(f"{server.address}/repo/.git@v1//charts", known)
    assert "ls-remote" in (tmp_path / "arguments").read_text()
    assert PASSWORD not in (tmp_path / "arguments").read_text()


def test_ssh_runs_the_users_ssh(repository: Worktree, tmp_path: Path) -> None:
    script = tmp_path / "ssh"
    script.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/called\nfor last; do :; done\nexec sh -c "$last"\n')
    script.chmod(0o755)
    address = f"git+ssh://git@git.example.com:2222{repository.folder}@v1//charts"
    assert set(files(address, remote(GIT_SSH_COMMAND=str(script), GIT_SSH_VARIANT="ssh"))) == set(CHART)
    assert "-p 2222 git@git.example.com" in (tmp_path / "called").read_text()


def test_a_third_of_requests_failing_is_waited_out(server: GitServer) -> None:
    server.faults = 0.3
    for _ in range(2):
        assert set(files(f"{server.address}/repo/.git@v1//charts")) == set(CHART)


def test_a_server_that_hangs_is_given_up(server: GitServer) -> None:
    server.hangs = True
    trees = RemoteTrees(program=GitProgram(GitLimits(whole=30.0, silence=0.5), os.environ), policy=Policy(retries=0))
    start = time.monotonic()
    assert "no sign of life for 0.5 s" in message(f"{server.address}/repo/.git@v1", trees)
    assert time.monotonic() - start < 5


def test_a_server_that_sends_too_much_is_stopped(repository: Worktree, server: GitServer) -> None:
    trees = RemoteTrees(program=GitProgram(GitLimits(repository=1 << 20), os.environ), policy=Policy(retries=0))
    assert "more than 1 MiB" in message(f"{server.address}/repo/.git@v1//assets", trees)
    assert repository.folder.is_dir()


def test_plain_files_behind_a_web_server_are_refused_at_once(repository: Worktree) -> None:
    repository.git("update-server-info")
    with plain_files(repository.folder.parent) as port:
        for ref in ("v1", repository.git("rev-parse", "HEAD")):
            start = time.monotonic()
            text = message(f"git+http://127.0.0.1:{port}/repo/.git@{ref}//charts")
            assert "plain files only (dumb HTTP)" in text
            assert "git+file:///PATH" in text
            assert time.monotonic() - start < 5


def test_links_are_followed_inside_of_the_repository(tmp_path: Path) -> None:
    work = Worktree(tmp_path / "repo")
    links = {"charts/shop/crds": "../../crds", "charts/shop/README.md": "../../README.md", "current": "charts/shop"}
    work.commit({**CHART, "crds/one.yaml": "kind: A\n", "README.md": "hi\n"}, links=links)
    found = files(f"{work.address}//charts/shop")
    assert found["charts/shop/crds/one.yaml"] == b"kind: A\n"
    assert found["charts/shop/README.md"] == b"hi\n"
    assert files(f"{work.address}//current")["current/Chart.yaml"] == b"name: shop\nversion: 1.0.0\n"


@pytest.mark.parametrize(
    ("links", "said"),
    [
        ({"charts/shop/x": "/etc/passwd"}, "'charts/shop/x' is a link out of the repository"),
        ({"charts/shop/x": "../../../../etc/passwd"}, "'charts/shop/x' is a link out of the repository"),
        ({"charts/shop/x": "y", "charts/shop/y": "x"}, "cycle of links"),
        ({"charts/shop/x": "."}, "a link to a folder that it is in"),
        ({"charts/shop/x": "../shop"}, "a link to a folder that it is in"),
        ({"charts/shop/x": "none"}, "a link to 'charts/shop/none', which is not in the repository"),
        ({"charts/shop/a": "../b", "charts/b/c": "../a", "charts/a/d": "../b"}, "cycle of links"),
    ],
)
def test_bad_links(tmp_path: Path, links: dict[str, str], said: str) -> None:
    work = Worktree(tmp_path / "repo")
    work.commit({**CHART, "charts/b/f": "", "charts/a/f": ""}, links=links)
    assert said in message(f"{work.address}//charts/shop")


@pytest.mark.parametrize("name", ["..", ".", ".git", ".GIT", "a\\b", "a\nb", "\x1b[31m", "\udcff"])
def test_names_that_are_not_safe(tmp_path: Path, name: str) -> None:
    work = Worktree(tmp_path / "repo")
    work.commit(CHART)
    work.commit_tree({name: ("100644", work.blob(b"x")), "Chart.yaml": ("100644", work.blob(b"y"))}, tag="odd")
    text = message(f"{work.address}@odd")
    assert "not safe on every system" in text
    assert "\x1b" not in text


def test_names_that_differ_in_case_stay_two(tmp_path: Path) -> None:
    work = Worktree(tmp_path / "repo")
    work.commit(CHART)
    work.commit_tree({"a": ("100644", work.blob(b"x")), "A": ("100644", work.blob(b"y"))}, tag="odd")
    assert files(f"{work.address}@odd") == {"a": b"x", "A": b"y"}


def test_submodules_and_lfs_pointers_in_the_path_are_errors(tmp_path: Path) -> None:
    work = Worktree(tmp_path / "repo")
    work.commit({**CHART, "big/x.tgz": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"})
    work.git("update-index", "--add", "--cacheinfo", f"160000,{work.git('rev-parse', 'HEAD')},modules/other")
    work.git("commit", "-q", "-m", "module")
    assert "modules/other is a submodule" in message(f"{work.address}//modules")
    assert "big/x.tgz is in Git LFS" in message(f"{work.address}//big")
    assert set(files(f"{work.address}//charts")) == set(CHART)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    work = Worktree(tmp_path / "repo")
    work.commit({**CHART, "zeros/bomb": bytes(65 << 20)})
    assert "zeros/bomb has 68,157,440 bytes (limit 64 MB)" in message(f"{work.address}//zeros")
    assert set(files(f"{work.address}//charts")) == set(CHART)


def test_hooks_filters_and_configuration_of_a_repository_do_nothing(tmp_path: Path) -> None:
    work = Worktree(tmp_path / "repo")
    work.commit({**CHART, ".gitattributes": "* filter=evil text eol=crlf export-ignore\n", ".gitmodules": "[a]\n"})
    (work.folder / "config").write_text(f"[core]\n\tsshCommand = touch {tmp_path}/hit\n")
    work.git("config", "uploadpack.packObjectsHook", f"touch {tmp_path}/hit; exit 1; #")
    work.git("config", "filter.evil.smudge", f"touch {tmp_path}/hit")
    assert files(f"{work.address}//charts")["charts/shop/values.yaml"] == b"a: 1\n"
    assert not (tmp_path / "hit").exists()


def test_a_redirect_to_another_protocol_is_not_followed(repository: Worktree) -> None:
    ext = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "url.ext::sh -c touch%.insteadOf",
        "GIT_CONFIG_VALUE_0": "file:///",
    }
    assert "a protocol that is not followed" in message(f"{repository.address}@v1", remote(**ext))


def test_the_repository_of_the_caller_does_not_matter(repository: Worktree, tmp_path: Path) -> None:
    other = Worktree(tmp_path / "other")
    other.commit({"x": "y"})
    inside = {
        "GIT_DIR": str(other.folder / ".git"),
        "GIT_WORK_TREE": str(other.folder),
        "GIT_INDEX_FILE": "/nonexistent",
    }
    assert set(files(f"{repository.address}@v1//charts", remote(**inside))) == set(CHART)


@pytest.mark.parametrize("locked", ["--upload-pack=touch /tmp/hit", "main", "HEAD", "0" * 39])
def test_a_lock_with_something_else_than_a_commit(repository: Worktree, locked: str) -> None:
    assert "is not the id of a commit" in message(f"{repository.address}@main", locked=locked)


def test_without_git(repository: Worktree) -> None:
    with pytest.raises(MissingProgramError, match="'git' is not on PATH"):
        files(f"{repository.address}@v1", remote(PATH="/nonexistent"))


def test_no_repository_and_no_server() -> None:
    assert "there is no such repository" in message("git+file:///nonexistent/repo")
    assert "cannot be fetched" in message("git+http://127.0.0.1:1/repo", RemoteTrees(policy=Policy(retries=0)))


def test_offline_reads_repositories_of_this_machine_only(repository: Worktree) -> None:
    trees = OfflineTrees(local=remote())
    here = GitAddress.parse(f"{repository.address}@v1//charts")
    assert set(trees.files(here, trees.commit(here)).files) == set(CHART)
    with pytest.raises(OfflineError, match="--offline: git"):
        trees.commit(GitAddress.parse("git+https://git.example.com/repo"))


def test_many_threads_fetch_a_commit_once(server: GitServer) -> None:
    trees, found = remote(), []
    threads = [
        threading.Thread(target=lambda: found.append(files(f"{server.address}/repo/.git@v1//charts", trees)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [set(tree) for tree in found] == [set(CHART)] * 8
    assert len(server.asked) < 10
