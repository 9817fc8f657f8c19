"""What a refusal of an API server means for a deployment: try again, a conflict over fields, a field that cannot change.

By status, reason and causes, as an API server structures them (Kubernetes, "API Conventions", "Response Status Kind");
by words only where it has nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from cluster_forge.foundation.errors import ForgeError, RefusalCause, RefusedError
from cluster_forge.gitops.steps import FIELD_MANAGER, SETTINGS_MANAGER
from cluster_forge.manifests import immutable_fields

_OWN: Final = frozenset({FIELD_MANAGER, SETTINGS_MANAGER})
_CONFLICT: Final = "FieldManagerConflict"
_TERMINATING: Final = "NamespaceTerminating"
_CERTIFICATES: Final = ".caBundle"
_MANAGER: Final = re.compile(r'conflict with "((?:[^"\\]|\\.)*)"')
_IMMUTABLE: Final = re.compile(immutable_fields.REFUSED)
_UNCALLED: Final = re.compile(r'failed calling webhook "([^"]+)"')
_QUOTED: Final = re.compile(r"'([A-Za-z]+)'")


def is_temporary(error: RefusedError) -> bool:
    """Whether the same request may succeed later: something that it needs is not there yet, or another writer was faster.

    A webhook that cannot be called is status 500, one that denies a request 400 or 403. Status 404 is a namespace or a
    kind that is not there yet.
    """
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR or error.status == HTTPStatus.TOO_MANY_REQUESTS:
        return True
    if error.status == HTTPStatus.CONFLICT:
        return not any(cause.reason == _CONFLICT for cause in error.causes)
    if error.status == HTTPStatus.FORBIDDEN:
        return any(cause.reason == _TERMINATING for cause in error.causes)
    return error.status == HTTPStatus.NOT_FOUND


def uncalled_webhook(error: ForgeError | None) -> str:
    """The webhook that the API server could not call for a request (apiserver, ``ErrCallingWebhook``); empty for any
    other refusal.
    """
    if not isinstance(error, RefusedError) or error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return ""
    uncalled = _UNCALLED.search(error.message)
    return uncalled[1] if uncalled else ""


def conflicts(error: RefusedError) -> tuple[tuple[str, str], ...]:
    """The fields that other managers have set: manager and field (``kubectl``, ``.spec.replicas``), each once."""
    return tuple(sorted({(_manager(cause), cause.field) for cause in error.causes if cause.reason == _CONFLICT}))


def foreign(error: RefusedError, own: frozenset[str] = frozenset()) -> tuple[tuple[str, str], ...]:
    """The conflicts that are for the user to decide: not those with ourselves, with managers that are our ``own``, and not over
    certificates that controllers write into fields.
    """
    return tuple(
        (manager, path)
        for manager, path in conflicts(error)
        if manager not in _OWN | own and not path.endswith(_CERTIFICATES)
    )


def invalid_fields(error: RefusedError) -> tuple[str, ...]:
    """The paths of the fields for which an object is not valid: ``spec.conversion.strategy``."""
    if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
        return ()
    return tuple(sorted({cause.field for cause in error.causes if cause.field}))


def unchangeable(error: RefusedError) -> tuple[RefusalCause, ...]:
    """The causes that say that a field cannot change."""
    if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
        return ()
    return tuple(cause for cause in error.causes if _IMMUTABLE.search(cause.message))


def exceptions(cause: RefusalCause) -> Iterator[str]:
    """The fields below a cause's own that may change all the same: the API server lists them in single quotes."""
    return (quoted[1] for quoted in _QUOTED.finditer(cause.message))


def _manager(cause: RefusalCause) -> str:
    quoted = _MANAGER.search(cause.message)
    return quoted[1] if quoted else "another manager"
