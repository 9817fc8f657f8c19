"""The clusters and users of a kubeconfig (``v1.Config``, k8s.io/client-go/tools/clientcmd/api/v1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from cluster_forge.adapters.kubernetes.access import (
    ClusterEntry,
    ExecPlugin,
    Impersonation,
    InteractiveMode,
    UserEntry,
)
from cluster_forge.adapters.kubernetes.section import Section
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import KubeconfigError

_REMOVED_PROVIDERS: Final[Mapping[str, str]] = {
    "gcp": "install gke-gcloud-auth-plugin and run: gcloud container clusters get-credentials NAME",
    "azure": "install kubelogin and run: kubelogin convert-kubeconfig",
    "oidc": "use the plug-in kubelogin (kubectl oidc-login) as `exec` of this user",
}
_PLUGIN_VERSIONS: Final = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


def cluster(section: Section, name: str) -> ClusterEntry:
    """An entry of ``clusters``.

    Raises:
        KubeconfigError: for the first field that cannot be used.
    """
    server = section.text("server").rstrip("/")
    if "@" in server:
        raise KubeconfigError(
            f"the server {without_credentials(server)!r} of the cluster {name!r} has a login in its address",
            where=section.where,
            fix="write `server: https://HOST:PORT`, and the login as `username` and `password` of a user",
        )
    try:
        parts = urlsplit(server)
        is_address = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
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
    authority, is_insecure = section.pem("certificate-authority"), section.flag("insecure-skip-tls-verify")
    if authority and is_insecure:  # as kubectl: "a root certificates file with the insecure flag is not allowed"
        raise KubeconfigError(
            "`insecure-skip-tls-verify: true` beside a certificate authority: only one of them can be meant",
            where=section.where,
            fix="take `insecure-skip-tls-verify` out, as the certificate of the server is checked then",
        )
    known = ("tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url")
    return ClusterEntry(
        name=name,
        where=str(section.file),
        server=server,
        authority=authority,
        is_insecure=is_insecure,
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


def user(section: Section, name: str) -> UserEntry:
    """An entry of ``users``.

    Raises:
        KubeconfigError: for the first field that cannot be used.
    """
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
