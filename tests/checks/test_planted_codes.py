"""For each finding code there is a test that plants what it is about.

What is about objects is planted in objects of real charts, ten times or more (``tests/corpus``); what is about the description,
hand edits, the workspace, the catalog or an engine in stacks of the test's own. A new code needs a line here, and its test.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import pytest

from cluster_forge.manifests.finding_codes import WHY

TESTS: Final = Path(__file__).resolve().parents[1]
STACK: Final = "corpus/test_stack_checks.py::test_what_is_planted_is_found_and_nothing_else"
SECURITY: Final = "corpus/test_security.py::test_planted_errors_are_found"
DEEP: Final = "corpus/test_deep_findings.py::test_what_is_planted_is_found_and_nothing_else"
OBJECTS: Final = "corpus/test_planted_objects.py::test_a_planted_mistake_is_found"
SERVED: Final = "corpus/test_planted_objects.py::test_a_workload_behind_a_service_must_stay_up"
STACKS: Final = "corpus/test_planted_stacks.py"
SAVING: Final = "cli/test_customize_save.py"

IN_OBJECTS: Final = {
    "address-conflict": STACK,
    "api-mismatch": "corpus/test_deep_findings.py::test_what_follows_from_an_api_of_a_later_wave_is_found",
    "blocked-eviction": STACK,
    "blocked-traffic": STACK,
    "crd-owner-conflict": f"{STACKS}::test_a_definition_without_a_version_of_the_other_is_found",
    "custom-resource-invalid": "corpus/test_schema_mutations.py::test_every_change_of_a_real_custom_resource_is_found",
    "data-hook": f"{STACKS}::test_data_that_is_a_hook_is_found_where_a_hook_needs_it",
    "default-class-conflict": STACK,
    "deleted-volumes": OBJECTS,
    "deprecated-api": "corpus/test_planted_objects.py::test_what_the_next_minor_removes_is_found",
    "disruption-budget": "corpus/test_planted_objects.py::test_a_workload_without_a_budget_is_found",
    "duplicate-object": f"{STACKS}::test_an_object_of_two_components_is_found",
    "duplicate-provider": STACK,
    "duplicate-scrape": STACK,
    "engine-limit": f"{STACKS}::test_components_beyond_the_limit_of_the_engine_are_found",
    "gone-image": OBJECTS,
    "ineffective-value": DEEP,
    "invalid-name": OBJECTS,
    "memory-limit": OBJECTS,
    "missing-crd": f"{STACKS}::test_a_kind_without_its_definition_is_found",
    "missing-namespace": "corpus/test_planted_objects.py::test_accounts_without_a_namespace_are_found",
    "missing-port": STACK,
    "missing-provider": f"{STACKS}::test_what_needs_a_provider_is_found_where_there_is_none",
    "missing-reference": STACK,
    "namespace-conflict": STACK,
    "plaintext-secret": SECURITY,
    "pod-security": SECURITY,
    "policy-violation": "corpus/test_policies.py::test_a_planted_mistake_is_found",
    "port-conflict": STACK,
    "random-render": DEEP,
    "rbac-wide": SECURITY,
    "removed-api": OBJECTS,
    "repeated-key": "corpus/test_planted_objects.py::test_a_key_that_stands_twice_is_found",
    "replicas": SERVED,
    "requests": OBJECTS,
    "route-conflict": STACK,
    "scaling-conflict": STACK,
    "schema-invalid": "corpus/test_planted_definitions.py::test_a_planted_mistake_is_found",
    "selects-nothing": STACK,
    "server-field": "corpus/test_planted_objects.py::test_what_a_server_wrote_is_found",
    "service-type": OBJECTS,
    "spread": SERVED,
    "unhealthy-gate": f"{STACKS}::test_waves_that_do_not_wait_are_found",
    "unknown-value": DEEP,
    "unpinned-image": SECURITY,
    "wave-conflict": f"{STACKS}::test_a_wave_before_what_is_needed_is_found",
    "webhook-deadlock": STACK,
}
ELSEWHERE: Final = {
    "check-failed": "checks/test_guard.py",
    "credential-in-url": "stages/describe/test_source_findings.py",
    "does-not-fit": "checks/fit/test_does_not_fit.py",
    "edit-conflict": "cli/test_customize.py",
    "edit-obsolete": SAVING,
    "engine-missing": "stages/build/assembly/test_assemble.py",
    "eol-component": "catalog/test_dependencies.py",
    "hand-edited": "cli/test_hand_edits.py",
    "helm-warning": "stages/build/test_acceptance.py",
    "hook-dropped": "stages/build/assembly/test_assemble.py",
    "ineffective-patch": "stages/build/assembly/test_declared_changes.py",
    "insecure-source": "stages/describe/test_source_findings.py",
    "kubernetes-range": "stages/catalog/test_test.py",
    "kustomize-warning": "stages/build/test_acceptance.py",
    "left-out": "stages/describe/test_load_description.py",
    "lost-version": "stages/build/test_cast.py",
    "not-evaluated": "checks/test_custom_resource_rules.py",
    "order-cycle": "stages/build/assembly/test_assemble.py",
    "patch-target-missing": "stages/build/assembly/test_declared_changes.py",
    "platform-missing": "catalog/test_dependencies.py",
    "pulled-in": "catalog/test_dependencies.py",
    "render-failed": "stages/catalog/test_test.py",
    "stale": "stages/build/test_cast.py",
    "stays-behind": "stages/build/test_cast.py",
    "telemetry": "stages/catalog/test_test.py",
    "unknown-name": "stages/catalog/test_test.py",
    "untried-wiring": "stages/catalog/test_test.py",
    "unused-ignore": "stages/build/test_smelt.py",
    "unused-source": "stack/legacy/test_translation.py",
}


def test_each_code_has_a_test() -> None:
    assert IN_OBJECTS.keys() | ELSEWHERE.keys() == WHY.keys()
    assert not IN_OBJECTS.keys() & ELSEWHERE.keys()


@pytest.mark.parametrize(("code", "place"), [*IN_OBJECTS.items(), *ELSEWHERE.items()])
def test_the_test_is_there_and_names_the_code(code: str, place: str) -> None:
    file, _, function = place.partition("::")
    text = (TESTS / file).read_text(encoding="utf-8")
    functions = {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)}
    assert not function or function in functions
    assert re.search(rf"\b{code}\b", text), f"{file} does not name {code}"
    assert not file.startswith("corpus/") or "pytest.mark.corpus" in text
