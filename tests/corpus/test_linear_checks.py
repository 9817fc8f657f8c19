"""Checks take time in proportion to the objects of a stack: real charts installed once, twice and three times.

Counted are the lines that Python runs, not seconds, so that the result is the same on every machine. If each copy costs the
same, the second difference of the counts is zero; what compares each object with each other one makes it grow.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import pytest

from cluster_forge.checks import registry
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.manifest import Manifest, Provenance

if TYPE_CHECKING:
    from types import ModuleType

    from tests.corpus.conftest import Forged

pytestmark = pytest.mark.corpus

COMPONENTS: Final = (
    "cert-manager",
    "ingress-nginx",
    "grafana",
    "prometheus",
    "redis",
    "keda",
    "kueue",
    "metallb",
    "argo-cd",
    "cnpg-operator",
)
COPIES: Final = (2, 4, 6)
MOST: Final = 0.03
"""The second difference, as a share of the count in the middle: 0.5 if the count is the square of the number of objects."""
ONCE: Final = frozenset(
    {
        "CustomResourceDefinition",
        "ValidatingWebhookConfiguration",
        "MutatingWebhookConfiguration",
        "APIService",
        "DaemonSet",
    }
)
"""Kinds that a cluster has once, however often a chart is installed; that apply to all objects; or of which each two clash."""
NAMES: Final = frozenset({"name", "serviceName", "serviceAccountName", "secretName", "claimName", "configMapName"})


def in_own_namespaces(manifests: Iterable[Manifest], number: int) -> Iterator[Manifest]:
    """A copy in namespaces of its own; cluster-scoped objects have another name, everything else is the same."""
    objects = list(manifests)
    namespaces = {manifest.id.namespace for manifest in objects} - {""}

    def changed(value: object, key: str) -> object:
        return f"{value}-{number}" if key == "namespace" and value in namespaces else value

    for manifest in objects:
        body = _mapped(manifest.body, changed)
        if not manifest.id.namespace:
            body["metadata"]["name"] += f"-{number}"
        yield _copy(manifest, body, number)


def in_the_same_namespaces(manifests: Iterable[Manifest], number: int) -> Iterator[Manifest]:
    """A copy under other names, with other labels; references and selectors follow."""
    objects = [manifest for manifest in manifests if manifest.id.kind != "Namespace"]
    known = {manifest.id.name for manifest in objects}
    labels = {label for manifest in objects for label in _labels(manifest.body)}

    def changed(value: object, key: str) -> object:
        is_meant = (key in NAMES and value in known) or (key, value) in labels
        return f"{value}-{number}" if is_meant else value

    for manifest in objects:
        yield _copy(manifest, _mapped(manifest.body, changed), number)


def _copy(manifest: Manifest, body: Mapping[str, Any], number: int) -> Manifest:
    provenance = manifest.provenance
    component = ComponentName(f"{provenance.component}-{number}")
    return Manifest.of(body, Provenance(component=component, origin=provenance.origin))


def _mapped(value: Any, change: Callable[[object, str], object], key: str = "") -> Any:
    if isinstance(value, Mapping):
        return {name: _mapped(entry, change, name) for name, entry in value.items()}
    if isinstance(value, list):
        return [_mapped(entry, change, key) for entry in value]
    return change(value, key) if isinstance(value, str) else value


def _labels(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """The labels of objects, of Pod templates, and those that selectors ask for."""
    if isinstance(value, Mapping):
        for key, entry in value.items():
            if name in ("labels", "matchLabels", "selector") and isinstance(entry, str):
                yield key, entry
            yield from _labels(entry, key)
    elif isinstance(value, list):
        for entry in value:
            yield from _labels(entry)


def lines(run: Callable[[], object]) -> int:
    """The lines of Python that a call runs."""
    count = 0

    def trace(_frame: FrameType, event: str, _argument: object) -> Callable[..., Any]:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return count


def counts(checked: CheckedStack) -> dict[str, int]:
    """The lines of each check; an index that checks share counts for the first one that needs it."""

    def run(check: Callable[..., Iterable[object]], *subject: object) -> int:
        return lines(lambda: sum(1 for _ in check(*subject)))

    modules: dict[str, ModuleType] = {check.__name__: check for check in registry.STACK}  # type: ignore[attr-defined,misc]
    return {
        "acceptance": run(registry.check_acceptance, checked.manifests, checked.scopes),
        "providers": run(registry.check_providers, checked.manifests, checked.stack.capabilities),
        **{name.rpartition("checks.")[2]: run(module.findings, checked) for name, module in modules.items()},
    }


@pytest.mark.parametrize("copied", [in_own_namespaces, in_the_same_namespaces])
def test_each_check_takes_as_long_for_each_copy(
    everything: Forged, copied: Callable[[Iterable[Manifest], int], Iterator[Manifest]]
) -> None:
    def measured(copies: int) -> dict[str, int]:
        originals = [one for one in everything.manifests if one.provenance.component in COMPONENTS]
        repeated = [one for one in originals if one.id.kind not in ONCE and not one.body.get("aggregationRule")]
        manifests = [*originals, *(one for number in range(1, copies) for one in copied(repeated, number))]
        return counts(CheckedStack(everything.stack, manifests, waves={}))

    measured(1)  # fills the caches of compiled rules and the like
    few, some, many = map(measured, COPIES)
    growing = {
        name: f"{few[name]}, {some[name]}, {many[name]}"
        for name in some
        if few[name] - 2 * some[name] + many[name] > MOST * some[name] + 300
    }
    assert not growing
    assert sum(some.values()) > 500_000
