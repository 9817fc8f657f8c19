"""Names in `match` of a check of one's own that nothing in the stack has: with a typing error it looks at nothing, silently."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.policies.own_check import OwnCheck
from cluster_forge.foundation.names import did_you_mean, nearest
from cluster_forge.manifests import kubernetes_apis
from cluster_forge.manifests.finding import Finding, Severity


def findings(checked: CheckedStack, checks: Sequence[OwnCheck], /) -> Iterator[Finding]:
    """A warning for each name that is like one that the stack has, and for each list of which the stack has no name. A check
    is for every stack of the workspace, so others are not reported; nor is what an environment or a selection may leave out.
    """
    if not checks or checked.stack.is_narrowed:
        return
    kinds = _kinds(checked)
    components = {str(component.name) for component in checked.stack.components}
    namespaces = {manifest.id.namespace for manifest in checked.manifests} - {""}
    for check in checks:
        yield from _unknown(checked, check, "kinds", check.kinds, kinds)
        yield from _unknown(checked, check, "components", check.components, components)
        yield from _unknown(checked, check, "namespaces", check.namespaces, namespaces, has_likes=False)


def _unknown(  # noqa: PLR0913 - a list of a check, and what it is compared with
    checked: CheckedStack,
    check: OwnCheck,
    key: str,
    names: Sequence[str],
    known: Collection[str],
    *,
    has_likes: bool = True,
) -> Iterator[Finding]:
    others = set(known) - set(names)
    selects_nothing = not checked.stack.environment and not set(names) & set(known)
    for name in names:
        if name not in known and (selects_nothing or (has_likes and nearest(name, others))):
            meant = did_you_mean(name, others)
            yield Finding(
                code="unknown-name",
                severity=Severity.WARNING,
                where=check.match_where,
                message=f"check {check.name}: the stack has nothing of {name!r} in `match.{key}`{meant}",
                fix="correct the name, or remove it: the check looks at nothing because of it",
            )


def _kinds(checked: CheckedStack) -> Collection[str]:
    """The kinds of Kubernetes and of the stack, alone and with their group."""
    known = {*kubernetes_apis.kinds(), *checked.scopes.custom, *checked.of_kind}
    return {name for group, kind in known for name in (kind, f"{kind}.{group}")}
