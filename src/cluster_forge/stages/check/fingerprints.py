"""What stays the same of a finding when lines move and words of its message change: to compare two runs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from cluster_forge.foundation.digest import Digest
from cluster_forge.manifests.finding import Finding

Subject = tuple[str, str, str, str]
"""Code, component, object and field; without an object the file instead of it."""

_LINE: Final = re.compile(r":[0-9]+(:[0-9]+)?\Z")


def subject(finding: Finding) -> Subject:
    """What a finding is about."""
    named = str(finding.object) if finding.object else _LINE.sub("", finding.where)
    return (finding.code, finding.component or "", named, finding.field)


def of(findings: Iterable[Finding]) -> Iterator[str]:
    """A digest for each finding; those about the same subject differ by their number."""
    counts: Counter[Subject] = Counter()
    for finding in findings:
        about = subject(finding)
        counts[about] += 1
        yield Digest.of("\0".join((*about, str(counts[about]))).encode()).hex
