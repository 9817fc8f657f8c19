"""The object that a user names: as kubectl writes it, by its file, or by its name alone."""

from __future__ import annotations

from collections.abc import Collection

from cluster_forge.foundation.errors import UnknownNameError
from cluster_forge.foundation.names import counted, listed, nearest
from cluster_forge.manifests.identity import ObjectId

_SHOWN = 5


def named(text: str, known: Collection[ObjectId]) -> ObjectId:
    """The one object among ``known`` that ``text`` names.

    ``Deployment.apps/shop/web``, ``deployment/web``, ``web``, ``deployment.apps_shop_web.yaml`` or its path in `working/`.

    Raises:
        UnknownNameError: if there is none, with the nearest; or if there are several.
    """
    for matching in (_exact, _by_file, _by_parts):
        candidates = sorted(identity for identity in known if matching(text, identity))
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            raise UnknownNameError(
                f"{text!r} names {counted(len(candidates), 'object')}: {_listed(candidates)}",
                fix=f"name one of them, as `{candidates[0]}`",
            )
    near = _nearest(text, known)
    raise UnknownNameError(
        f"the stack has no object {text!r}{f', did you mean {near}?' if near else ''}",
        fix=f"name it as KIND/NAMESPACE/NAME{f', as `{near}`' if near else ''}, or by its file in working/",
    )


def _exact(text: str, identity: ObjectId) -> bool:
    return text == str(identity)


def _by_file(text: str, identity: ObjectId) -> bool:
    return text.rpartition("/")[2] == identity.file_name


def _by_parts(text: str, identity: ObjectId) -> bool:
    """``KIND[.GROUP]/[NAMESPACE/]NAME`` in any case, or the name alone."""
    kind, slash, rest = text.rpartition("/") if text.count("/") == 1 else text.partition("/")
    if not slash:
        return text == identity.name
    kinds = (identity.kind, f"{identity.kind}.{identity.group}" if identity.group else identity.kind)
    return kind.lower() in [one.lower() for one in kinds] and rest in (
        identity.name,
        f"{identity.namespace}/{identity.name}",
    )


def _nearest(text: str, known: Collection[ObjectId]) -> str:
    by_text = {str(identity): identity for identity in known}
    if "/" in text:
        return nearest(text, by_text) or _nearest(text.rpartition("/")[2], known)
    by_name: dict[str, list[str]] = {}
    for shown, identity in by_text.items():
        by_name.setdefault(identity.name, []).append(shown)
    near = nearest(text, by_name)
    return min(by_name[near]) if near else ""


def _listed(candidates: list[ObjectId]) -> str:
    return listed([*map(str, candidates)], _SHOWN)
