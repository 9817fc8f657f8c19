"""Checks that look at each object by itself: what they find follows from the object and the minor version alone.

So the findings about an object that is as it was need not be found again (`Find`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

ObjectCheck = Callable[[Manifest, int], Iterator[Finding]]
"""What is wrong with an object on a minor version of Kubernetes. Its findings are about the object and its place; its module
has no other check of this kind.
"""

Find = Callable[[ObjectCheck, Manifest, int], Iterable[Finding]]
"""What a check finds in an object, or found in the same one before."""


def find(check: ObjectCheck, manifest: Manifest, minor: int) -> Iterable[Finding]:
    """`Find` that knows nothing of former runs."""
    return check(manifest, minor)
