"""Kubeconfigs as kubectl reads and merges them (Kubernetes, "Organizing Cluster Access Using kubeconfig Files")."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from cluster_forge.adapters.http.origins import is_loopback
from cluster_forge.adapters.kubernetes import entries
from cluster_forge.adapters.kubernetes.access import Access, ClusterEntry, Pem, UserEntry
from cluster_forge.adapters.kubernetes.section import Section
from cluster_forge.foundation.error_groups import gathered
from cluster_forge.foundation.errors import ForgeError, KubeconfigError
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.ports.rendering import YamlReader

VARIABLE: Final = "KUBECONFIG"
_LARGEST: Final = 8 << 20
_MOST_NAMES: Final = 10
_POD_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")


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
        return entries.cluster(
            self._entry(self.clusters, "cluster", context.text("cluster"), fix), context.text("cluster")
        )

    def _user(self, context: Section) -> UserEntry:
        name = context.text("user")
        if not name:
            return UserEntry(where=context.where)
        return entries.user(self._entry(self.users, "user", name, f"correct `user` in {context.where}"), name)

    def _entry(self, known: Mapping[str, Section], kind: str, name: str, fix: str) -> Section:
        if name in known:
            return known[name]
        raise KubeconfigError(
            f"there is no {kind} {name!r}{did_you_mean(name, known)}",
            where=self._shown_files,
            fix=f"{fix}: {_names(known)}" if known else fix,
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
    if environment.get(VARIABLE) == "":  # it must not mean the default file's cluster; `deploy.sh` says the same
        raise KubeconfigError(
            f"{VARIABLE} is empty: is a variable unset?",
            fix=f"unset {VARIABLE} for the default file, or pass --kubeconfig FILE",
        )
    listed = [Path(part) for part in environment.get(VARIABLE, "").split(os.pathsep) if part]
    candidates = listed or _default_files()
    present = [path for path in candidates if path.exists()]
    if present:
        return load(reader, present).access(context)
    in_pod = _in_pod(environment)
    if in_pod and not context:
        return in_pod
    raise KubeconfigError(
        f"no file that {VARIABLE} names is there" if listed else "there is no kubeconfig",
        where=os.pathsep.join(map(str, candidates)) or None,
        fix=f"name one: --kubeconfig FILE, or {VARIABLE}; your cluster's own program writes it (`kind get kubeconfig`)",
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
    line = re.search(r"line (\d+)", str(error))
    return f"{file}:{line[1]}" if line else str(file)


def _merged(documents: Sequence[Section], key: str, inner: str) -> Mapping[str, Section]:
    merged: dict[str, Section] = {}
    for document in documents:
        seen: set[str] = set()
        for entry in document.sections(key):
            name = entry.text("name")
            if name in seen:
                raise KubeconfigError(f"there are two {key} {name!r}", where=entry.where, fix="remove one of them")
            seen.add(name)
            merged.setdefault(name, entry.section(inner) or Section({}, document.file, f"{entry.path}.{inner}"))
    return merged


def _names(merged: Mapping[str, Section]) -> str:
    shown = ", ".join(sorted(merged)[:_MOST_NAMES])
    return f"{shown} and {len(merged) - _MOST_NAMES} more" if len(merged) > _MOST_NAMES else shown


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
