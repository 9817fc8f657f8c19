"""One object that names another one, and how much it depends on it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cluster_forge.manifests.manifest import Manifest

Target = tuple[str, str, str, str]
"""Group, kind, namespace (empty for cluster-scoped objects) and name."""


class Strength(StrEnum):
    """What happens to an object if the other one is not there yet."""

    REQUIRED = "required"
    """It is refused, or does not become ready before."""
    PREFERRED = "preferred"
    """It works in the end, but not as it should until then: the order where nothing stands against it."""
    INFORMS = "informs"
    """Nothing: it only uses the other one at run time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A field of ``manifest`` that names an object of ``group`` and ``kind``.

    ``namespace`` is empty for cluster-scoped kinds. ``field`` is the path of what names it (`manifests.field_path`), ``keys``
    are the keys of a ConfigMap or Secret that are read. ``is_optional``: the object itself says that it can do without.
    ``is_inferred``: from the name of a field of a custom resource whose API is not in the tables.
    """

    manifest: Manifest
    group: str
    kind: str
    namespace: str
    name: str
    field: str
    keys: tuple[str, ...] = ()
    is_optional: bool = False
    is_inferred: bool = False
    strength: Strength = Strength.REQUIRED

    @property
    def target(self) -> Target:
        """The named object."""
        return self.group, self.kind, self.namespace, self.name
