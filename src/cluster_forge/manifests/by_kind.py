"""Objects by group and kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from cluster_forge.manifests.manifest import Manifest


class ByKind(dict[tuple[str, str], Sequence[Manifest]]):
    """The objects of each group and kind, in their order. A kind without objects has none, and asking for it adds no entry."""

    def __init__(self, manifests: Iterable[Manifest]) -> None:
        kinds: defaultdict[tuple[str, str], list[Manifest]] = defaultdict(list)
        for manifest in manifests:
            kinds[manifest.id.group, manifest.id.kind].append(manifest)
        super().__init__(kinds)

    def __missing__(self, kind: tuple[str, str]) -> Sequence[Manifest]:
        return ()
