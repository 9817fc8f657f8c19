"""Kubeconfigs as kubectl reads and merges them (Kubernetes, "Organizing Cluster Access Using kubeconfig Files")."""

from __future__ import annotations

import binascii
import os
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from cluster_forge.adapters.http.origins import is_loopback
from cluster_forge.adapters.kubernetes.access import (
    Access,
    ClusterEntry,
    ExecPlugin,
    Impersonation,
    InteractiveMode,
    Pem,
    UserEntry,
)
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import ForgeError, KubeconfigError, gathered
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.ports.rendering import YamlReader

VARIABLE: Final = "KUBECONFIG"
_LARGEST: Final = 8 << 20
_MOST_NAMES: Final = 10
_POD_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_REMOVED_PROVIDERS: Final[Mapping[str, str]] = {
    "gcp": "install gke-gcloud-auth-plugin and run: gcloud container clusters get-credentials NAME",
    "azure": "install kubelogin and run: kubelogin convert-kubeconfig",
    "oidc": "use the plug-in kubelogin (kubectl oidc-login) as `exec` of this user",
}
_PLUGIN_VERSIONS: Final = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping of a kubeconfig, with its file and its path in it."""

    values: Mapping[str, Any] = field(repr=False)
    file: Path
    path: str = ""

    @property
    def where(self) -> str:
        return f"{self.file}: {self.path}" if self.path else str(self.file)

    def wrong(self, key: str, expected: str) -> KubeconfigError:
        """The error for a value of another kind; the value is not shown: it may be a secret."""
        return KubeconfigError(
            f"`{key}` is not {expected}",
            where=self.where,
            fix=f"correct `{key}`, or write the entry again with kubectl",
        )

    def text(self, key: str) -> str:
        value = self.values.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.wrong(key, "text")
        return value

    def flag(self, key: str) -> bool:
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return bool(value)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.values.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(key, "a list of texts")
        return tuple(value)

    def section(self, key: str) -> Section | None:
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise self.wrong(key, "a mapping")
        return Section(value, self.file, f"{self.path}.{key}" if self.path else key)

    def sections(self, key: str) -> Sequence[Section]:
        value = self.values.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
            raise self.wrong(key, "a list of mappings")
        prefix = f"{self.path}.{key}" if self.path else key
        return [Section(item, self.file, f"{prefix}[{number}]") for number, item in enumerate(value)]

    def path_of(self, key: str) -> Path | None:
        """A file, relative to the kubeconfig."""
        text = self.text(key)
        return self.file.parent / text if text else None

    def pem(self, key: str) -> Pem | None:
        """``key-data``, which is base64, or the file ``key``."""
        data = self.text(f"{key}-data")
        if data:
            try:
                content = b64decode("".join(data.split()), validate=True)
            except (binascii.Error, ValueError) as error:
                raise self.wrong(f"{key}-data", "base64") from error
            return Pem(where=f"{self.where}.{key}-data", content=content)
        file = self.path_of(key)
        return Pem(where=str(file), file=file) if file else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubeconfig:
    """Merged files: of entries with the same name, and for the current context, the first counts."""

    files: tuple[Path, ...]
    current: str = ""
    contexts: Mapping[str, Section] = field(default_factory=dict)
    clusters: Mapping[str, Section] = field(default_factory=dict)
    users: Mapping[str, Section] = field(default_factory=dict)

    def access(self, context: str = "") -> Access:
        """What a context says; the current one if none is named.

        Raises:
            KubeconfigError: for the context, its cluster and its user.
        """
        name = context or self.current
        if not name:
            raise self._no_current()
        chosen = self._entry(self.contexts, "context", name, "pass --context with a name that is there")
        parts: list[Callable[[], ClusterEntry | UserEntry]] = [
            partial(self._cluster, chosen),
            partial(self._user, chosen),
        ]
        cluster, user = gathered(parts)
        assert isinstance(cluster, ClusterEntry)
        assert isinstance(user, UserEntry)
        _refuse_plain_secrets(cluster, user)
        return Access(context=name, cluster=cluster, user=user)

    def _cluster(self, context: Section) -> ClusterEntry:
        fix = f"correct `cluster` in {context.where}"
        return _cluster(self._entry(self.clusters, "cluster", context.text("cluster"), fix), context.text("cluster"))

    def _user(self, context: Section) -> UserEntry:
        name = context.text("user")
        if not name:
            return UserEntry(where=context.where)
        return _user(self._entry(self.users, "user", name, f"correct `user` in {context.where}"), name)

    def _entry(self, entries: Mapping[str, Section], kind: str, name: str, fix: str) -> Section:
        if name in entries:
            return entries[name]
        raise KubeconfigError(
            f"there is no {kind} {name!r}{did_you_mean(name, entries)}",
            where=self._shown_files,
            fix=f"{fix}: {_names(entries)}" if entries else fix,
        )

    def _no_current(self) -> KubeconfigError:
        names = _names(self.contexts)
        return KubeconfigError(
            "there is no current context",
            where=self._shown_files,
            fix=f"pass --context with one of: {names}" if names else "write one with your cluster's own program",
        )

    @property
    def _shown_files(self) -> str:
        return os.pathsep.join(map(str, self.files))


def find(reader: YamlReader, *, file: str = "", context: str = "", environment: Mapping[str, str]) -> Access:
    """The cluster that kubectl would use: of ``file``, of the files in KUBECONFIG, of ~/.kube/config, of the Pod that this is.

    Raises:
        KubeconfigError, ExceptionGroup: if there is none, or what there is cannot be used.
    """
    if file:
        return load(reader, [Path(file)]).access(context)
    listed = [Path(part) for part in environment.get(VARIABLE, "").split(os.pathsep) if part]
    candidates = listed or _default_files()
    present = [path for path in candidates if path.exists()]
    if present:
        return load(reader, present).access(context)
    in_pod = _in_pod(environment)
    if in_pod and not context:
        return in_pod
    looked = f"{VARIABLE} names {os.pathsep.join(map(str, listed))}" if listed else f"neither {VARIABLE} nor a default"
    raise KubeconfigError(
        f"there is no kubeconfig: {looked}, and no such file is there",
        where=", ".join(map(str, candidates)) or None,
        fix="name one: --kubeconfig FILE, or KUBECONFIG; your cluster's own program writes it (`kind get kubeconfig`)",
    )


def load(reader: YamlReader, files: Sequence[Path]) -> Kubeconfig:
    """Read and merge files, earlier ones first.

    Raises:
        KubeconfigError, ExceptionGroup: for every file that cannot be read or is none.
    """
    documents = gathered(partial(_document, reader, file) for file in files)
    currents = [document.text("current-context") for document in documents]
    return Kubeconfig(
        files=tuple(files),
        current=next(filter(None, currents), ""),
        contexts=_merged(documents, "contexts", "context"),
        clusters=_merged(documents, "clusters", "cluster"),
        users=_merged(documents, "users", "user"),
    )


def _default_files() -> list[Path]:
    try:
        return [Path.home() / ".kube" / "config"]
    except RuntimeError:  # a user without a home folder
        return []


def _document(reader: YamlReader, file: Path) -> Section:
    """The whole of a file. What the YAML reader says of an error may quote secrets: only its line is shown."""
    try:
        with file.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except OSError as error:
        raise KubeconfigError(
            f"the kubeconfig cannot be read: {error.strerror}",
            where=str(file),
            fix="correct --kubeconfig or KUBECONFIG",
        ) from error
    fix = "write it again with your cluster's own program, or kubectl config"
    if len(content) > _LARGEST:
        raise KubeconfigError(f"the kubeconfig is larger than {_LARGEST >> 20} MiB", where=str(file), fix=fix)
    try:
        tree = reader.read(content.decode())
    except (ForgeError, UnicodeDecodeError) as error:
        raise KubeconfigError("the kubeconfig is not YAML", where=_place(file, error), fix=fix) from None
    if tree is None:
        tree = {}
    if not isinstance(tree, Mapping) or tree.get("kind", "Config") != "Config":
        raise KubeconfigError("the file is not a kubeconfig (`kind: Config`)", where=str(file), fix=fix)
    return Section(tree, file.absolute())


def _place(file: Path, error: Exception) -> str:
    """``file:line``, if the error has a line."""
    import re  # noqa: PLC0415 - only errors need it

    found = re.search(r"line (\d+)", str(error))
    return f"{file}:{found[1]}" if found else str(file)


def _merged(documents: Sequence[Section], key: str, inner: str) -> Mapping[str, Section]:
    entries: dict[str, Section] = {}
    for document in documents:
        seen: set[str] = set()
        for entry in document.sections(key):
            name = entry.text("name")
            if name in seen:
                raise KubeconfigError(f"there are two {key} {name!r}", where=entry.where, fix="remove one of them")
            seen.add(name)
            entries.setdefault(name, entry.section(inner) or Section({}, document.file, f"{entry.path}.{inner}"))
    return entries


def _names(entries: Mapping[str, Section]) -> str:
    shown = ", ".join(sorted(entries)[:_MOST_NAMES])
    return f"{shown} and {len(entries) - _MOST_NAMES} more" if len(entries) > _MOST_NAMES else shown


def _cluster(section: Section, name: str) -> ClusterEntry:
    server = section.text("server").rstrip("/")
    try:
        parts = urlsplit(server)
        is_address = (
            parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0 and "@" not in server
        )
    except ValueError:  # a port that is not a number
        is_address = False
    if not is_address:
        raise KubeconfigError(
            f"the server {without_credentials(server)!r} of the cluster {name!r} is not an address"
            if server
            else f"the cluster {name!r} has no `server`",
            where=section.where,
            fix="write `server: https://HOST:PORT`",
        )
    known = ("tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url")
    return ClusterEntry(
        name=name,
        where=str(section.file),
        server=server,
        authority=section.pem("certificate-authority"),
        is_insecure=section.flag("insecure-skip-tls-verify"),
        server_name=section.text("tls-server-name"),
        proxy=_proxy(section),
        plain={"server": server, **{key: section.values[key] for key in known if section.values.get(key)}},
    )


def _proxy(section: Section) -> str:
    proxy = section.text("proxy-url")
    try:
        parts = urlsplit(proxy)
        is_fit = not proxy or (parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0)
    except ValueError:
        is_fit = False
    if not is_fit:
        raise KubeconfigError(
            f"`proxy-url` {without_credentials(proxy)!r} is not the address of an HTTP proxy",
            where=section.where,
            fix="write `proxy-url: http://HOST:PORT`; SOCKS proxies are not supported",
        )
    return proxy


def _user(section: Section, name: str) -> UserEntry:
    provider = section.section("auth-provider")
    if provider:
        kind = provider.text("name")
        raise KubeconfigError(
            f"the user {name!r} has `auth-provider: {kind}`, which Kubernetes removed in 1.26",
            where=section.where,
            fix=_REMOVED_PROVIDERS.get(kind, "use a credential plug-in (`exec`), or a token"),
        )
    certificate, key = section.pem("client-certificate"), section.pem("client-key")
    if bool(certificate) != bool(key):
        missing = "client-key" if certificate else "client-certificate"
        raise KubeconfigError(
            f"the user {name!r} has a client certificate without its key, or a key without it",
            where=section.where,
            fix=f"add `{missing}` or `{missing}-data`",
        )
    plugin = section.section("exec")
    return UserEntry(
        name=name,
        where=section.where,
        certificate=certificate,
        key=key,
        token=section.text("token"),
        token_file=section.path_of("tokenFile"),
        login=section.text("username"),
        password=section.text("password"),
        plugin=_plugin(plugin) if plugin else None,
        impersonation=_impersonation(section),
    )


def _plugin(section: Section) -> ExecPlugin:
    version, command = section.text("apiVersion"), section.text("command")
    if version not in _PLUGIN_VERSIONS:
        raise KubeconfigError(
            f"the credential plug-in {command!r} speaks {version!r}, which Kubernetes does not read any more",
            where=section.where,
            fix=f"update the plug-in, and write `apiVersion: {_PLUGIN_VERSIONS[0]}`",
        )
    if not command:
        raise KubeconfigError("`exec` has no `command`", where=section.where, fix="name the plug-in's program")
    mode = section.text("interactiveMode") or InteractiveMode.IF_AVAILABLE
    if mode not in InteractiveMode.__members__.values():
        raise section.wrong("interactiveMode", ", ".join(InteractiveMode))
    return ExecPlugin(
        where=section.where,
        api_version=version,
        command=command,
        folder=section.file.parent,
        arguments=section.texts("args"),
        environment={entry.text("name"): entry.text("value") for entry in section.sections("env")},
        mode=InteractiveMode(mode),
        gets_cluster=section.flag("provideClusterInfo"),
        install_hint=section.text("installHint").strip(),
    )


def _impersonation(section: Section) -> Impersonation:
    extra = section.section("as-user-extra")
    return Impersonation(
        user=section.text("as"),
        uid=section.text("as-uid"),
        groups=section.texts("as-groups"),
        extra={key: extra.texts(key) for key in extra.values} if extra else {},
    )


def _refuse_plain_secrets(cluster: ClusterEntry, user: UserEntry) -> None:
    """No secret is sent without TLS, except to this machine (``kubectl proxy``)."""
    has_secret = bool(user.token or user.token_file or user.password or user.plugin)
    if has_secret and cluster.server.startswith("http:") and not is_loopback(cluster.server):
        raise KubeconfigError(
            f"the server {cluster.server} has no TLS: the credential of the user {user.name!r} is not sent to it",
            where=cluster.where,
            fix="write `server: https://…`",
        )


def _in_pod(environment: Mapping[str, str]) -> Access | None:
    """The service account of the Pod in which this runs (client-go, ``rest.InClusterConfig``)."""
    host, port = environment.get("KUBERNETES_SERVICE_HOST", ""), environment.get("KUBERNETES_SERVICE_PORT", "")
    token, authority = _POD_ACCOUNT / "token", _POD_ACCOUNT / "ca.crt"
    if not host or not port or not token.exists():
        return None
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    where = "the service account of this Pod"
    return Access(
        context="",
        cluster=ClusterEntry(
            name="in-cluster", where=where, server=server, authority=Pem(where=str(authority), file=authority)
        ),
        user=UserEntry(name="service account", where=where, token_file=token),
    )
