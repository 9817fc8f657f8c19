"""The findings that a stack had when it was first checked, in a file of the workspace: only new ones count from then on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from cluster_forge.foundation import json_codec
from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.foundation.json_codec import DecodeError
from cluster_forge.manifests.finding import Finding
from cluster_forge.stages.check.fingerprints import Subject, subject

_SCHEMA: Final = "cluster-forge/baseline/v1"
_FIX: Final = "write it again: --write-baseline"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class KnownFinding:
    """A finding without what changes by itself: no line, no severity. ``object`` is its file where it has no object."""

    component: str
    code: str
    object: str
    field: str
    message: str

    @property
    def subject(self) -> Subject:
        return (self.code, self.component, self.object, self.field)


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """``stack`` is the folder of the whole stack and its environment (`variant.folder`)."""

    schema: Literal["cluster-forge/baseline/v1"] = _SCHEMA
    stack: str
    findings: tuple[KnownFinding, ...]

    @classmethod
    def of(cls, stack: str, findings: Iterable[Finding]) -> Baseline:
        """The baseline that has these findings."""
        return cls(stack=stack, findings=tuple(sorted(map(_known, findings))))

    def to_json(self) -> bytes:
        return json_codec.dump(self, indent=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The findings that are not in the baseline, how many are, and what it has that is mended."""

    new: tuple[Finding, ...]
    known: int
    mended: tuple[KnownFinding, ...]


def read(content: bytes, *, stack: str, where: str) -> Baseline:
    """The baseline in a file.

    Raises:
        DescriptionError: if the file is none, or if it is the baseline of another stack or environment.
    """
    try:
        baseline = json_codec.load(Baseline, content)
    except DecodeError as error:
        raise DescriptionError(f"is not a baseline: {error}", where=where, fix=_FIX) from error
    if baseline.stack != stack:
        raise DescriptionError(f"is the baseline of {baseline.stack!r}, not of {stack!r}", where=where, fix=_FIX)
    return baseline


def compare(baseline: Sequence[KnownFinding], findings: Sequence[Finding]) -> Compared:
    """Which findings are new. Those with the same words are known first; then as many about a subject as it has entries."""
    exact = Counter(baseline)
    reworded = []
    for finding in findings:
        known = _known(finding)
        if exact[known] > 0:
            exact[known] -= 1
        else:
            reworded.append(finding)
    left = Counter(entry.subject for entry in exact.elements())
    new = []
    for finding in reworded:
        if left[subject(finding)] > 0:
            left[subject(finding)] -= 1
        else:
            new.append(finding)
    mended = []
    for entry in sorted(exact.elements()):
        if left[entry.subject] > 0:
            left[entry.subject] -= 1
            mended.append(entry)
    return Compared(new=tuple(new), known=len(findings) - len(new), mended=tuple(mended))


def _known(finding: Finding) -> KnownFinding:
    code, component, named, field = subject(finding)
    return KnownFinding(code=code, component=component, object=named, field=field, message=finding.message)
