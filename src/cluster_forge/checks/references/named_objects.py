"""Objects that others name are in the stack, or something makes them: Secrets, ConfigMaps, accounts, roles, issuers, stores.

Optional ones may be missing. Services and Gateways are looked at with their ports and listeners (`routes`, `webhooks`). A
subject of a binding counts only where the component brings accounts of that namespace: others are for software elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.references import missing
from cluster_forge.graph.reference import Reference
from cluster_forge.manifests.finding import Finding

_ELSEWHERE: Final = frozenset({("", "Service"), ("gateway.networking.k8s.io", "Gateway")})
_EXPECTED: Final = (
    "list it under `secrets` (`cluster-forge secrets list` then shows how to create it), or correct the name"
)
_ACCOUNT: Final = ("", "ServiceAccount")


def findings(checked: CheckedStack) -> Iterator[Finding]:
    accounts = {(account.provenance.component, account.id.namespace) for account in checked.of_kind[_ACCOUNT]}
    for references in checked.graph.references.values():
        named: dict[tuple[str, str, str, str], Reference] = {}
        for reference in references:
            if not reference.is_optional and _is_certain(reference):
                named.setdefault(reference.target, reference)
        for target, reference in named.items():
            component = reference.manifest.provenance.component
            is_subject = reference.field.startswith("subjects")
            if target[:2] in _ELSEWHERE or (is_subject and (component, reference.namespace) not in accounts):
                continue
            if not checked.presence.has(target, reference.manifest):
                yield _finding(checked, reference)


def _is_certain(reference: Reference) -> bool:
    """Whether a field is known to name an object; in custom resources variables are, which have one form everywhere."""
    return not reference.is_inferred or ".valueFrom." in reference.field or ".envFrom[" in reference.field


def _finding(checked: CheckedStack, reference: Reference) -> Finding:
    fix = _EXPECTED if (reference.group, reference.kind) == ("", "Secret") else missing.FIX
    text = f"no such {reference.kind}: {reference.name}"
    if reference.namespace not in ("", reference.manifest.id.namespace):
        text += f" in namespace {reference.namespace}"
    return missing.finding(checked, reference.manifest, text, fix=fix, field=reference.field)
