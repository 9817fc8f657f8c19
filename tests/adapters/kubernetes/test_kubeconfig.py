"""Kubeconfigs are found, merged and read as kubectl does it, and what is wrong in them is named."""

from __future__ import annotations

import base64
import os
import textwrap
from pathlib import Path

import pytest

from cluster_forge.adapters.kubernetes import kubeconfig, pem
from cluster_forge.adapters.kubernetes.access import Access, InteractiveMode
from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.foundation.errors import KubeconfigError

WHOLE = """
apiVersion: v1
kind: Config
current-context: one
contexts:
- {name: one, context: {cluster: c1, user: u1, namespace: shop}}
- {name: two, context: {cluster: c2, user: u2}}
clusters:
- {name: c1, cluster: {server: "https://one.example.com:6443/", certificate-authority: ca.crt}}
- {name: c2, cluster: {server: "https://two.example.com", insecure-skip-tls-verify: true, tls-server-name: x, proxy-url: "http://proxy:3128"}}
users:
- {name: u1, user: {client-certificate: certs/me.crt, client-key: /abs/me.key}}
- {name: u2, user: {token: s3cret, as: admin, as-uid: "7", as-groups: [a, b], as-user-extra: {scopes: [x]}}}
"""


def written(folder: Path, text: str, name: str = "config") -> Path:
    file = folder / name
    file.write_text(textwrap.dedent(text))
    return file


def access(file: Path, context: str = "") -> Access:
    return kubeconfig.find(PurePythonYaml(), file=str(file), context=context, environment={})


def with_user(folder: Path, user: str, cluster: str = "server: https://c") -> Path:
    return written(
        folder,
        f"""
        current-context: x
        contexts: [{{name: x, context: {{cluster: c, user: u}}}}]
        clusters: [{{name: c, cluster: {{{cluster}}}}}]
        users: [{{name: u, user: {{{user}}}}}]
        """,
    )


def refused(file: Path, context: str = "") -> KubeconfigError:
    with pytest.raises(KubeconfigError) as caught:
        access(file, context)
    assert caught.value.fix
    return caught.value


def test_the_current_context_with_paths_relative_to_its_file(tmp_path: Path) -> None:
    found = access(written(tmp_path, WHOLE))
    assert (found.context, found.cluster.server, found.user.name) == ("one", "https://one.example.com:6443", "u1")
    assert found.cluster.authority is not None
    assert found.cluster.authority.file == tmp_path / "ca.crt"
    assert found.user.certificate is not None
    assert found.user.key is not None
    assert (found.user.certificate.file, found.user.key.file) == (tmp_path / "certs/me.crt", Path("/abs/me.key"))


def test_a_context_by_name(tmp_path: Path) -> None:
    found = access(written(tmp_path, WHOLE), "two")
    assert (found.cluster.is_insecure, found.cluster.server_name, found.cluster.proxy) == (
        True,
        "x",
        "http://proxy:3128",
    )
    whom = found.user.impersonation
    assert (whom.user, whom.uid, whom.groups, whom.extra) == ("admin", "7", ("a", "b"), {"scopes": ("x",)})
    assert "s3cret" not in repr(found)


def test_of_several_files_the_first_counts(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    first = written(tmp_path, "{users: [{name: u1, user: {token: mine}}], current-context: two}", "first")
    second = written(tmp_path / "other", WHOLE)
    paths = os.pathsep.join([str(tmp_path / "missing"), str(first), str(second)])
    found = kubeconfig.find(PurePythonYaml(), environment={"KUBECONFIG": paths})
    assert found.context == "two"
    one = kubeconfig.find(PurePythonYaml(), context="one", environment={"KUBECONFIG": paths})
    assert one.user.token == "mine"
    assert one.cluster.authority is not None
    assert one.cluster.authority.file == tmp_path / "other" / "ca.crt"


def test_data_comes_before_files(tmp_path: Path) -> None:
    data = base64.b64encode(b"PEM").decode()
    found = access(
        with_user(
            tmp_path, "token: t", f"server: https://c, certificate-authority: a, certificate-authority-data: {data}"
        )
    )
    assert found.cluster.authority is not None
    assert (found.cluster.authority.content, found.cluster.authority.file) == (b"PEM", None)


def test_a_plug_in(tmp_path: Path) -> None:
    plugin = (
        "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login, args: [a], env: [{name: KEY, value: v}], "
        "interactiveMode: Never, provideClusterInfo: true, installHint: get it}"
    )
    found = access(with_user(tmp_path, plugin)).user.plugin
    assert found is not None
    assert (found.command, found.arguments, found.environment, found.folder) == (
        "./login",
        ("a",),
        {"KEY": "v"},
        tmp_path,
    )
    assert (found.mode, found.gets_cluster, found.install_hint) == (InteractiveMode.NEVER, True, "get it")


def test_an_unknown_context(tmp_path: Path) -> None:
    error = refused(written(tmp_path, WHOLE), "tow")
    assert error.message == "there is no context 'tow', did you mean 'two'?"
    assert error.where == str(tmp_path / "config")
    assert "one, two" in str(error.fix)


def test_no_current_context(tmp_path: Path) -> None:
    error = refused(written(tmp_path, WHOLE.replace("current-context: one", "")))
    assert "no current context" in error.message
    assert "one, two" in str(error.fix)


def test_cluster_and_user_are_wrong_at_once(tmp_path: Path) -> None:
    file = written(tmp_path, "{current-context: x, contexts: [{name: x, context: {cluster: c, user: u}}]}")
    with pytest.raises(ExceptionGroup) as caught:
        access(file)
    assert [str(error).partition(": ")[2] for error in caught.value.exceptions] == [
        "there is no cluster 'c'",
        "there is no user 'u'",
    ]


@pytest.mark.parametrize(
    ("user", "cluster", "message"),
    [
        ("auth-provider: {name: gcp}", "server: https://c", "`auth-provider: gcp`, which Kubernetes removed in 1.26"),
        ("exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}", "server: https://c", "v1alpha1"),
        ("exec: {apiVersion: client.authentication.k8s.io/v1}", "server: https://c", "`exec` has no `command`"),
        ("exec: {apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Sometimes}", "server: https://c", "is not Never, IfAvailable, Always"),
        ("client-key: k", "server: https://c", "without its key"),
        ("token: 7", "server: https://c", "`token` is not text"),
        ("token: s3cret", "server: http://example.com", "has no TLS"),
        ("token: t", "server: 'https://user:s3cret@c'", "has a login in its address"),
        ("token: t", "server: 'https://c:port'", "is not an address"),
        ("token: t", "server: ''", "has no `server`"),
        ("token: t", "server: https://c, proxy-url: 'socks5://p:1'", "is not the address of an HTTP proxy"),
        ("token: t", "server: https://c, certificate-authority-data: '%'", "is not base64"),
        ("token: t", "server: https://c, insecure-skip-tls-verify: 'yes'", "is not true or false"),
        ("token: t", "server: https://c, insecure-skip-tls-verify: true, certificate-authority: ca.crt", "only one of them"),
        ("token: t", "server: https://c, insecure-skip-tls-verify: true, certificate-authority-data: YQ==", "only one of"),
    ],
)  # fmt: skip
def test_entries_that_cannot_be_used(tmp_path: Path, user: str, cluster: str, message: str) -> None:
    error = refused(with_user(tmp_path, user, cluster))
    assert message in error.message
    assert str(tmp_path / "config") in str(error.where)
    assert "s3cret" not in f"{error} {error.fix}"


def test_a_file_that_an_entry_names_and_that_is_not_there_is_named_with_the_entry(tmp_path: Path) -> None:
    cluster = "server: https://c, certificate-authority: nothing.crt"
    authority = access(with_user(tmp_path, "token: t", cluster)).cluster.authority
    assert authority
    with pytest.raises(KubeconfigError) as caught:
        pem.content(authority)
    place = f"{tmp_path / 'config'}: clusters[0].cluster.certificate-authority"
    assert str(caught.value).startswith(f"{place}: {tmp_path / 'nothing.crt'}: the file cannot be read: No such file")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "is not YAML"),
        ("- a", "is not a kubeconfig"),
        ("kind: Deployment", "is not a kubeconfig"),
        ("contexts: 7", "`contexts` is not a list of mappings"),
        ("users: [{name: s3cret}, {name: s3cret}]", "there are two users"),
    ],
)
def test_files_that_are_not_a_kubeconfig(tmp_path: Path, text: str, message: str) -> None:
    assert message in refused(written(tmp_path, text)).message


def test_a_yaml_error_names_its_line_and_no_secret(tmp_path: Path) -> None:
    error = refused(written(tmp_path, "users:\n- name: a\n  user: {token: s3cret: s3cret}\n"))
    assert str(error.where).startswith(str(tmp_path / "config"))
    assert "s3cret" not in f"{error} {error.fix} {error.__cause__}"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    error = refused(tmp_path / "nothing")
    assert "No such file" in error.message
    assert error.where == str(tmp_path / "nothing")


def test_no_kubeconfig_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(KubeconfigError, match="there is no kubeconfig") as caught:
        kubeconfig.find(PurePythonYaml(), environment={})
    assert str(tmp_path / ".kube/config") in str(caught.value.where)
    with pytest.raises(KubeconfigError, match="KUBECONFIG is empty: is a variable unset"):
        kubeconfig.find(PurePythonYaml(), environment={"KUBECONFIG": ""})
    with pytest.raises(KubeconfigError, match="/nowhere/x: no file that KUBECONFIG names is there"):
        kubeconfig.find(PurePythonYaml(), environment={"KUBECONFIG": "/nowhere/x"})


def test_in_a_pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(kubeconfig, "_POD_ACCOUNT", tmp_path)
    (tmp_path / "token").write_text("t")
    environment = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    found = kubeconfig.find(PurePythonYaml(), environment=environment)
    assert (found.context, found.cluster.server, found.user.token_file) == (
        "",
        "https://[fd00::1]:443",
        tmp_path / "token",
    )
    with pytest.raises(KubeconfigError):
        kubeconfig.find(PurePythonYaml(), context="x", environment=environment)
