"""Fields that cannot change: which ones a new version of an object changes all the same, and what helps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from cluster_forge.foundation.errors import RefusalCause, RefusedError
from cluster_forge.manifests.comparison import containment
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import Propagation
from cluster_forge.stages.deliver.direct import refusals

_SELECTOR: Final = "spec.selector"


def fields(live: Body, wanted: Body, causes: Iterable[RefusalCause]) -> tuple[str, ...]:
    """The paths of the fields that differ and cannot change: ``spec.serviceName``.

    A field that only the server has set does not count.
    """
    changed: set[str] = set()
    for cause in causes:
        path = cause.field.partition("[")[0].strip(".")
        allowed = {f"{path}.{name}" for name in refusals.exceptions(cause)}
        changed |= {name for name in _differences(_at(live, path), _at(wanted, path), path) if name not in allowed}
    return tuple(sorted(changed))


def propagation(changed: Iterable[str]) -> Propagation:
    """How an object is deleted that is then created again: its Pods stay, unless it would not find them again."""
    return Propagation.BACKGROUND if any(path.startswith(_SELECTOR) for path in changed) else Propagation.ORPHAN


def error(target: ObjectId, changed: tuple[str, ...], refusal: RefusedError) -> RefusedError:
    """The error that names the fields."""
    named = ", ".join(changed) or "; ".join(cause.field or cause.message for cause in refusal.causes)
    fix = "pass --recreate: the object is deleted and created again, its Pods and volumes stay"
    if target.holds_data:
        fix = "keep the old values in the stack: deleting the object would delete its data"
    elif propagation(changed) is Propagation.BACKGROUND:
        fix = "pass --recreate: the object and its Pods are deleted and created again, volumes stay"
    return RefusedError(
        f"fields that cannot change are different in the new version: {named}",
        where=str(target),
        fix=fix,
        status=refusal.status,
        reason=refusal.reason,
        causes=refusal.causes,
    )


def _differences(live: Any, wanted: Any, path: str) -> Iterator[str]:
    """The outermost fields below ``path`` that are not as wanted; a list is one field below the first level."""
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        for key, value in wanted.items():
            if not containment.is_within(value, live.get(key)):
                yield f"{path}.{key}" if path else key
    elif not containment.is_within(wanted, live):
        yield path


def _at(body: Any, path: str) -> Any:
    for key in filter(None, path.split(".")):
        body = body.get(key) if isinstance(body, Mapping) else None
    return body
