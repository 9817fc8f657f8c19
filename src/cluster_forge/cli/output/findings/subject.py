"""What a finding is about, in the words of every text that names it; a word that is too long to be read is cut."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.identity import ObjectId

_LONGEST: Final = 300
"""Characters of a word: longer than every name, path and address that works."""
_SHOWN: Final = 100
"""Of a longer word, characters at the beginning."""
_LONG: Final = re.compile(rf"\S{{{_LONGEST + 1},}}")


def of(finding: Finding) -> str:
    """The object and the field; empty where a finding is about neither."""
    return " ".join(str(part) for part in (finding.object, finding.field) if part)


def readable(finding: Finding) -> Finding:
    """The finding for people, with the beginning and the length of each word that is too long: a name may have 100,000
    characters. ``where`` stays: it leads to a file.
    """
    return replace(
        finding,
        message=_cut(finding.message),
        object=_cut_identity(finding.object) if finding.object else None,
        field=_cut(finding.field),
        fix=_cut(finding.fix),
    )


def _cut_identity(named: ObjectId) -> ObjectId:
    kind, group = _cut(named.kind), _cut(named.group)
    return ObjectId(group=group, kind=kind, namespace=_cut(named.namespace), name=_cut(named.name))


def _cut(text: str) -> str:
    return _LONG.sub(lambda word: f"{word[0][:_SHOWN]}… ({len(word[0]):,} characters)", text)
