"""The fields of custom resources that components describe (``refersTo``), as the tables of fields have them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from cluster_forge.graph.reference_field import ReferenceField
from cluster_forge.graph.references import Extra
from cluster_forge.stack.component import Component
from cluster_forge.stack.referring_kind import NamingField


def of(components: Iterable[Component]) -> Extra:
    """The fields by group and kind."""
    fields: defaultdict[tuple[str, str], list[ReferenceField]] = defaultdict(list)
    for component in components:
        for kind in component.refers_to:
            for naming in kind.fields:
                fields[kind.group, kind.kind] += _both(naming)
    return {kind: tuple(dict.fromkeys(own)) for kind, own in fields.items()}


def _both(naming: NamingField) -> Iterator[ReferenceField]:
    """A text names the object itself, a mapping has its name: whichever the value is counts."""
    path = " ".join(naming.path.replace("[]", ".[]").split("."))
    for name in ("name", ""):
        yield ReferenceField(path=path, to=naming.to, name=name, is_optional=naming.is_optional)
