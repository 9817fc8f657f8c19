"""The versions of CRDs, in which objects may be stored: `deploy.sh` compares them with those of the CRDs in the cluster."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from cluster_forge.foundation import untyped
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.part import PartObject

_BEGIN: Final = b"\n  versions:\n"
_END: Final = re.compile(rb"\n(?:  )?[^ \n-]")
_ENTRY: Final = b"\n  - "
_NAME: Final = re.compile(rb"\n(?:  - |    )name: ([a-z][a-z0-9-]*)(?=\n)")
"""In text of the `emitter`: the entries of ``spec.versions`` begin in the third column, their keys in the fifth."""


def listed(objects: Iterable[PartObject]) -> str:
    """A line for each CRD among ``objects``, sorted: ``widgets.example.com v1 v1beta1``."""
    return "".join(sorted(f"{' '.join((item.id.name, *names(item)))}\n" for item in objects if item.kind == CRD))


def read(text: str) -> dict[str, tuple[str, ...]]:
    """The versions by the name of the CRD, of what `listed` wrote."""
    return {words[0]: tuple(words[1:]) for line in text.splitlines() if (words := line.split())}


def names(crd: PartObject) -> Sequence[str]:
    """The names in ``spec.versions``, in their order, also of versions that are not served. The tree of a CRD, which may have
    2 MB of schemas, is read only for a file that was edited by hand.
    """
    text = crd.content
    begin = text.find(_BEGIN)
    if begin >= 0:
        first = begin + len(_BEGIN) - 1
        end = _END.search(text, first)
        versions = text[first : end.start() + 1 if end else len(text)]
        plain = _NAME.findall(versions)
        if 0 < len(plain) == versions.count(_ENTRY):
            return [name.decode() for name in plain]
    entries = untyped.sequence(untyped.mapping(crd.body.get("spec")).get("versions"))
    return [str(name) for entry in entries if (name := untyped.mapping(entry).get("name"))]
