"""Fields of custom resources that name other objects, as components say it (``refersTo``)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NamingField:
    """A field with the name of an object, or with a mapping that has ``name`` and may have ``namespace``, ``kind`` and ``key``.

    ``path`` leads to it: ``spec.stores[].login``; ``[]`` is each entry of a list, ``{}`` each member of a mapping. ``to`` is the
    kind that is named: ``Secret``, ``Issuer.cert-manager.io``. ``is_optional``: the object can do without.
    """

    path: str
    to: str
    is_optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferringKind:
    """A kind of object whose ``fields`` name other objects."""

    group: str
    kind: str
    fields: tuple[NamingField, ...]
