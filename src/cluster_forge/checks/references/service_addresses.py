"""Addresses inside of the cluster lead to a Service and a port of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cluster_forge.checks import in_cluster_addresses, report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.inventory import strings_in
from cluster_forge.checks.references import missing, reachability
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

_NOT_CALLING: Final = frozenset({"CustomResourceDefinition", "Certificate"})
"""Kinds that mention addresses in descriptions, or as names in a certificate."""


def findings(checked: CheckedStack) -> Iterator[Finding]:
    for manifest in checked.manifests:
        if manifest.id.kind not in _NOT_CALLING and b".svc" in manifest.document.json:
            yield from _of(checked, manifest)


def _of(checked: CheckedStack, manifest: Manifest) -> Iterator[Finding]:
    """One finding for each Service and problem; what a ConfigMap says may be for a part that is switched off."""
    named: set[tuple[str, str, str]] = set()
    for address in (
        one for text in strings_in(manifest.body) if ".svc" in text for one in in_cluster_addresses.of(text)
    ):
        problem = reachability.problem(checked, manifest, address.place, address.port)
        if problem and (*address.place, problem) not in named:
            named.add((*address.place, problem))
            text = f"{without_credentials(address.text)}: {problem}"
            if manifest.id.kind == "ConfigMap" and not checked.is_closed:
                yield report.notice(manifest, missing.CODE, text, fix=missing.FIX)
            else:
                yield missing.finding(checked, manifest, text)
