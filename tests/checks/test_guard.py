"""A check that raises names itself and the object, and the others go on."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from cluster_forge.checks import guard, registry
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.manifests.scope import Scopes

SECRET = "hunter2"
OBJECT = Manifest.of(
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "b"}, "data": {"x": SECRET}},
    Provenance(component=ComponentName("web"), origin="templates/a.yaml:1"),
)
WARNING = Finding(code="requests", severity=Severity.WARNING, message="m")


def of_one(manifest: Manifest) -> Iterator[Finding]:
    yield WARNING
    raise ValueError(manifest.body["data"]["x"])


def of_stack(checked: CheckedStack) -> Iterator[Finding]:
    for manifest in checked.manifests:
        yield from of_one(manifest)


def test_the_finding_names_the_check_the_object_and_no_value() -> None:
    check = SimpleNamespace(__name__="cluster_forge.checks.references.routes", findings=of_one)
    first, failed = guard.guarded(check, OBJECT)
    assert first is WARNING
    assert (failed.code, failed.severity, failed.object) == ("check-failed", Severity.WARNING, OBJECT.id)
    assert (failed.component, failed.where) == ("web", "templates/a.yaml:1")
    assert failed.message.startswith("the check references.routes failed (ValueError at ")
    assert SECRET not in failed.message + failed.fix


def test_the_other_checks_of_a_stack_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = SimpleNamespace(findings=of_stack, __name__="wrong")
    good = SimpleNamespace(findings=lambda _: iter([WARNING]), __name__="good")
    monkeypatch.setattr(registry, "STACK", (wrong, good))
    stack: CheckedStack = SimpleNamespace(manifests=[OBJECT])  # type: ignore[assignment]
    assert [finding.code for finding in registry.check_stack(stack)] == ["requests", "check-failed", "requests"]


def test_a_check_that_raises_before_its_first_finding_is_one_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = SimpleNamespace(findings=lambda manifest, _: iter([manifest.nothing]), __name__="broken")
    monkeypatch.setattr(registry, "ACCEPTANCE", (broken,))
    [failed] = registry.check_acceptance([OBJECT], Scopes.of(33, []))
    assert (failed.code, failed.where) == ("check-failed", "templates/a.yaml:1")
