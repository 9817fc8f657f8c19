"""What scanners found, joined to what the stack runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from cluster_forge.checks.vulnerabilities import openvex
from cluster_forge.checks.vulnerabilities.names import ImageNames
from cluster_forge.checks.vulnerabilities.openvex import Statement
from cluster_forge.checks.vulnerabilities.stack_images import ImageUse
from cluster_forge.checks.vulnerabilities.vulnerability import Degree, ScannedImage, Vulnerability


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectedImage:
    """An image of the stack with its vulnerabilities, worst first; ``harmless`` are those that OpenVEX takes out."""

    image: str
    uses: tuple[ImageUse, ...]
    vulnerabilities: tuple[Vulnerability, ...]
    harmless: int

    @property
    def reaches_node(self) -> bool:
        return any(use.reaches_node for use in self.uses)

    @property
    def is_exposed(self) -> bool:
        return any(use.is_exposed for use in self.uses)

    @property
    def degrees(self) -> Mapping[Degree, int]:
        """How many vulnerabilities are how bad."""
        return Counter(vulnerability.degree for vulnerability in self.vulnerabilities)

    @property
    def order(self) -> tuple[int, list[int], str]:
        """What comes first: exposed and on the node, one of them, none; then by numbers, worst first."""
        reach = int(self.reaches_node) + int(self.is_exposed)
        return (-reach, [-self.degrees.get(degree, 0) for degree in Degree], self.image)

    def has_any(self, worst: Degree) -> bool:
        """Whether a vulnerability is as bad as this, or worse."""
        return any(vulnerability.degree.rank <= worst.rank for vulnerability in self.vulnerabilities)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedReports:
    """The images of the stack that reports are about, those that none is about, and the reports about other images."""

    affected: tuple[AffectedImage, ...]
    unscanned: tuple[str, ...]
    others: tuple[str, ...]

    def is_as_bad_as(self, worst: Degree) -> bool:
        """Whether an image has a vulnerability that is as bad as this, or worse; or it may be so, as none was scanned."""
        is_unknown = not self.affected and bool(self.unscanned)
        return is_unknown or any(image.has_any(worst) for image in self.affected)


def joined(
    uses: Mapping[str, Sequence[ImageUse]],
    scanned: Iterable[ScannedImage],
    statements: Collection[Statement],
    *,
    ignore_unfixed: bool,
) -> JoinedReports:
    """Join reports to the images of a stack. Several reports about one image are put together, each vulnerability once."""
    reports = [(ImageNames(report.names), report) for report in scanned]
    used: set[int] = set()
    affected, unscanned = [], []
    for image, places in uses.items():
        own = [number for number, (names, _) in enumerate(reports) if image in names]
        used.update(own)
        if not own:
            unscanned.append(image)
            continue
        names = ImageNames((image, *(name for number in own for name in reports[number][1].names)))
        by_key = {
            (one.id, one.package, one.installed): one for number in own for one in reports[number][1].vulnerabilities
        }
        wanted = [one for one in by_key.values() if one.fixed or not ignore_unfixed]
        harmful = [one for one in wanted if not openvex.is_harmless(one, names, statements)]
        affected.append(
            AffectedImage(
                image=image,
                uses=tuple(places),
                vulnerabilities=tuple(sorted(harmful, key=lambda one: (one.degree.rank, one.id, one.package))),
                harmless=len(wanted) - len(harmful),
            )
        )
    others = (
        report.names[0] if report.names else report.where
        for number, (_, report) in enumerate(reports)
        if number not in used
    )
    return JoinedReports(
        affected=tuple(sorted(affected, key=lambda one: one.order)),
        unscanned=tuple(sorted(unscanned)),
        others=tuple(sorted(set(others))),
    )
