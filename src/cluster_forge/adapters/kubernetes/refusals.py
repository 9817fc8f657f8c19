"""What an API server answers instead of what was asked for: a ``Status`` as an error, and what is not an answer of one."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urljoin

import orjson

from cluster_forge.adapters.kubernetes.access import Access
from cluster_forge.adapters.kubernetes.answers import Answer
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import ClusterError, DeliveryError, RefusalCause, RefusedError
from cluster_forge.manifests.comparison import masking

_MOST_CAUSES: Final = 100
_LONGEST: Final = 4_000
_LOGIN: Final = "correct `server` in the kubeconfig, or log in to the network or proxy that answers instead"
_FIXES: Final[Mapping[str, str]] = {
    "Conflict": "look at it again, and repeat the command",
    "Invalid": "correct the object: the message names its fields",
    "NamespaceTerminating": "wait until the namespace is gone; what holds it: kubectl get namespace NAME -o yaml",
    "NotFound": "check the name; for a kind, that its CRD is in the cluster",
    "RequestEntityTooLarge": "make the object smaller: etcd takes 1.5 MiB",
}
_OF_MANAGERS: Final = "FieldManagerConflict"
"""A cause that quotes a manager and a field, and no value."""
_QUOTA: Final = "exceeded quota"
_ANONYMOUS: Final = 'User "system:anonymous" '
_NO_PATH: Final = re.compile(rb"404 page not found\s*")


def of(answer: Answer, access: Access, where: str) -> DeliveryError:
    """The error for an answer with a status of 300 or more. ``where`` is the object or path that was asked about."""
    server = access.cluster.server
    status = status_of(answer.body)
    if status is not None:
        return of_status(status, where, answer.status)
    if 300 <= answer.status < 400:
        target = urljoin(server, answer.header("Location"))
        return ClusterError(
            f"{server} redirects to {without_credentials(target)}, as a login page does: that is not an API server",
            where=access.where,
            fix=_LOGIN,
        )
    if answer.status == http.client.NOT_FOUND and _NO_PATH.fullmatch(answer.body):
        return RefusedError(
            "the server does not serve this", where=where, fix=_FIXES["NotFound"], status=404, reason="NotFound"
        )
    status_line = f"{answer.status} {http.client.responses.get(answer.status, '')}".rstrip()
    if answer.status in (429, 502, 503, 504):
        return ClusterError(
            f"{server} answered {status_line}, again and again", where=access.where, fix="try again later"
        )
    return ClusterError(f"{server} answered {status_line}, not as an API server does", where=access.where, fix=_LOGIN)


def not_kubernetes(access: Access) -> ClusterError:
    """The error for an answer that is not JSON of Kubernetes."""
    message = f"{access.cluster.server} does not answer as a Kubernetes API server"
    return ClusterError(message, where=access.where, fix=_LOGIN)


def no_api(access: Access, root: str) -> ClusterError:
    """The error for a server that has nothing at ``root``, below which every API server lists its kinds."""
    return ClusterError(
        f"{access.cluster.server} has no {root}, as an API server has",
        where=access.where,
        fix="correct `server` in the kubeconfig; behind a proxy for several clusters, its path names the cluster",
    )


def without_secrets(error: RefusedError, content: object) -> RefusedError:
    """The error without the values of Secrets in what was sent (`manifests.comparison.masking`)."""
    values = masking.values(content) if isinstance(content, Mapping) else ()
    if not values:
        return error
    causes = (
        cause if cause.reason == _OF_MANAGERS else replace(cause, message=masking.without(cause.message, values))
        for cause in error.causes
    )
    return RefusedError(
        masking.without(error.message, values),
        where=error.where,
        fix=error.fix,
        status=error.status,
        reason=error.reason,
        causes=tuple(causes),
    )


def status_of(body: bytes) -> Mapping[str, Any] | None:
    """A ``Status``; None if it is something else."""
    try:
        tree = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return tree if isinstance(tree, dict) and tree.get("kind") == "Status" else None


def of_status(status: Mapping[str, Any], where: str, code: int = 0) -> RefusedError:
    """The error for a ``Status`` (``meta/v1``), whose ``code`` counts before that of HTTP."""
    details = status.get("details")
    causes = tuple(_causes(details)) if isinstance(details, dict) else ()
    reason = _text(status.get("reason"))
    own = status.get("code")
    message = _text(status.get("message")) or reason or "refused"
    return RefusedError(
        message,
        where=where,
        fix=_fix(reason, message, causes),
        status=own if isinstance(own, int) and own else code,
        reason=reason,
        causes=causes,
    )


def _fix(reason: str, message: str, causes: tuple[RefusalCause, ...]) -> str | None:
    if any(cause.reason == "NamespaceTerminating" for cause in causes):
        return _FIXES["NamespaceTerminating"]
    if reason == "Forbidden" and _QUOTA in message:
        return "raise the quota, or lower what the stack asks for"
    if reason == "Forbidden" and _ANONYMOUS in message:
        return "add a token, a client certificate or a plug-in to the user in the kubeconfig: the API server does not see who asks"
    if reason == "Forbidden" and " cannot " in message:  # RBAC: «User "x" cannot patch resource "secrets" in …»
        return "have a Role or ClusterRole with this verb and resource bound to the user, or choose another: --context NAME"
    return _FIXES.get(reason)


def _causes(details: Mapping[str, Any]) -> Iterator[RefusalCause]:
    listed = details.get("causes")
    for cause in listed[:_MOST_CAUSES] if isinstance(listed, list) else ():
        if isinstance(cause, dict):
            yield RefusalCause(
                reason=_text(cause.get("reason")), message=_text(cause.get("message")), field=_text(cause.get("field"))
            )


def _text(value: object) -> str:
    return value[:_LONGEST] if isinstance(value, str) else ""
