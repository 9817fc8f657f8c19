"""A field in which objects of a kind name another object, as the tables of fields write it."""

from __future__ import annotations

from typing import NamedTuple

from cluster_forge.graph.reference import Strength


class ReferenceField(NamedTuple):
    """``path`` leads to the value, its steps separated by spaces.

    A step is the name of a member; ``[]`` is each entry of a list, ``{}`` each member of a mapping, ``**`` everything below,
    and ``*Ref`` each member whose name ends so. ``to`` is the kind that is named: ``Secret``, ``Issuer.cert-manager.io``; the
    members ``kind`` and ``group``, ``apiGroup`` or ``apiVersion`` of the value itself count more, without any if ``to`` is
    empty. ``name`` is the member with the name, empty where the value is the name itself; ``keys`` the member with the key.
    """

    path: str
    to: str
    name: str = "name"
    strength: Strength = Strength.REQUIRED
    is_optional: bool = False
    kind: str = "kind"
    namespace: str = "namespace"
    keys: str = "key"
