"""Putting the stack together: each object once, in its namespace, in its wave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cluster_forge.foundation.errors import OrderError
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.stack.model import Component
from cluster_forge.stages.smelt import Smelted

if TYPE_CHECKING:
    from tests.stages.conftest import Workshop

BINDING = (
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: a, namespace: kube-system}\n"
    "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: a}\n"
    "subjects: [{kind: ServiceAccount, name: a}, {kind: ServiceAccount, name: b, namespace: other}, {kind: User, name: c}]\n"
)
WIDGET = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n"


def own(workshop: Workshop, name: str, *documents: str, **changes: Any) -> Component:
    """A component with one file of its own."""
    return workshop.component(name, manifests=(workshop.input(f"{name}.yaml", *documents),), **changes)


def waves(smelted: Smelted) -> list[tuple[str, int]]:
    return [(part.name, part.wave) for part in smelted.parts]


def codes(smelted: Smelted) -> list[tuple[str, Severity, str | None]]:
    return [(each.code, each.severity, each.component) for each in smelted.findings]


def only(findings: tuple[Finding, ...]) -> Finding:
    (finding,) = findings
    return finding


class TestNamespaces:
    def test_they_are_filled_in_and_never_overwritten(self, workshop: Workshop) -> None:
        placed = workshop.config_map("placed", namespace="elsewhere")
        workshop.forge(workshop.stack(own(workshop, "web", workshop.config_map("bare"), placed, BINDING)))
        assert "web/configmap_web_bare.yaml" in workshop.working
        assert "web/configmap_elsewhere_placed.yaml" in workshop.working
        binding = workshop.working["web/rolebinding.rbac.authorization.k8s.io_kube-system_a.yaml"]
        assert "name: a\n  namespace: web\n" in binding
        assert "name: b\n  namespace: other\n" in binding
        assert "name: c\n" in binding

    def test_the_stacks_crds_tell_what_lies_in_one(self, workshop: Workshop) -> None:
        gadget = WIDGET.replace("Widget", "Gadget")
        crds = workshop.crd("Widget"), workshop.crd("Gadget", scope="Cluster")
        smelted = workshop.forge(
            workshop.stack(own(workshop, "web", WIDGET, gadget), own(workshop, "crds", *crds, namespace=""))
        )
        assert {"web/widget.example.com_web_w.yaml", "web/gadget.example.com_w.yaml"} <= workshop.working.keys()
        assert smelted.findings == ()

    def test_of_what_nobody_defines_nothing_is_known(self, workshop: Workshop) -> None:
        smelted = workshop.forge(workshop.stack(own(workshop, "web", WIDGET, WIDGET.replace("w}", "v}"))))
        assert "web/widget.example.com_w.yaml" in workshop.working
        finding = only(smelted.findings)
        assert (finding.code, finding.severity, finding.where) == ("missing-crd", Severity.WARNING, "input/web.yaml:5")
        assert "2 objects of kind Widget" in finding.message

    def test_those_that_nobody_makes_are_made_one_step_ahead(self, workshop: Workshop) -> None:
        made = "apiVersion: v1\nkind: Namespace\nmetadata: {name: made, labels: {mine: x}}\n"
        smelted = workshop.forge(
            workshop.stack(
                own(workshop, "web", workshop.config_map("a"), workshop.config_map("b", namespace="more")),
                own(workshop, "made", made, workshop.config_map("c"), wave=-60, extra_namespaces=("extra",)),
                own(workshop, "system", workshop.config_map("d"), namespace="kube-system"),
                own(workshop, "nowhere", workshop.config_map("e"), namespace=""),
            )
        )
        assert waves(smelted) == [("namespaces", -70), ("made", -60), ("nowhere", 0), ("system", 0), ("web", 0)]
        assert workshop.below("working/namespaces").keys() == {
            "namespace_extra.yaml",
            "namespace_more.yaml",
            "namespace_web.yaml",
        }
        assert "mine: x" in workshop.working["made/namespace_made.yaml"]
        assert "nowhere/configmap_default_e.yaml" in workshop.working

    def test_a_component_that_is_called_so_gets_them(self, workshop: Workshop) -> None:
        smelted = workshop.forge(
            workshop.stack(
                own(workshop, "web", workshop.config_map("a")),
                own(workshop, "namespaces", workshop.config_map("b"), namespace="default", wave=50),
            )
        )
        assert waves(smelted) == [("namespaces", -10), ("web", 0)]
        assert workshop.below("working/namespaces").keys() == {"configmap_default_b.yaml", "namespace_web.yaml"}

    def test_keep_namespace_leaves_everything_as_it_is(self, workshop: Workshop) -> None:
        smelted = workshop.forge(
            workshop.stack(own(workshop, "web", workshop.config_map("a"), BINDING, keep_namespace=True))
        )
        assert "web/configmap_a.yaml" in workshop.working
        assert "namespace: web" not in "".join(workshop.below("working/web").values())
        assert waves(smelted) == [("web", 0)]


class TestHooks:
    def test_tests_are_dropped_and_later_ones_kept_aside(self, workshop: Workshop) -> None:
        events = ("pre-install", "post-install,post-upgrade", "test", "test-success", "pre-delete", "post-upgrade")
        hooks = [
            workshop.config_map(
                f"hook{number}", annotations=f'helm.sh/hook: "{event}", helm.sh/hook-weight: "{number}"'
            )
            for number, event in enumerate(events)
        ]
        helm = workshop.chart("web", {f"{number}.yaml": hook for number, hook in enumerate(hooks)})
        smelted = workshop.forge(workshop.stack(workshop.component("web", helm=helm)))
        assert workshop.below("working/web").keys() == {
            "configmap_web_hook0.yaml",
            "configmap_web_hook1.yaml",
            "hooks/configmap_web_hook4.yaml",
            "hooks/configmap_web_hook5.yaml",
        }
        assert codes(smelted) == [("hook-dropped", Severity.NOTICE, "web")] * 2
        assert "2 hooks (ConfigMap/web/hook2, ConfigMap/web/hook3)" in smelted.findings[0].message
        assert "working/web/hooks/" in smelted.findings[1].message
        records = {each.id.name: (each.hook, each.weight) for each in smelted.record.parts[1].objects}
        assert records == {"hook0": ("pre-install", 0), "hook1": ("post-install,post-upgrade", 1)}


class TestExclude:
    @pytest.mark.parametrize("name", ["configmap_b.yaml", "configmap_web_b.yaml", "ConfigMap_b.yaml"])
    def test_an_object_is_left_out_by_the_name_of_its_file(self, workshop: Workshop, name: str) -> None:
        documents = [workshop.config_map(each) for each in "ab"]
        smelted = workshop.forge(workshop.stack(own(workshop, "web", *documents, exclude=(name,))))
        assert workshop.below("working/web").keys() == {"configmap_web_a.yaml"}
        assert smelted.findings == ()

    def test_a_name_that_leaves_nothing_out_is_a_finding(self, workshop: Workshop) -> None:
        smelted = workshop.forge(workshop.stack(own(workshop, "web", workshop.config_map("a"), exclude=("a.yaml",))))
        finding = only(smelted.findings)
        assert (finding.code, finding.severity, finding.component) == ("unused-ignore", Severity.WARNING, "web")
        assert "'a.yaml'" in finding.message


class TestTwins:
    def test_equal_ones_inside_a_component_are_one(self, workshop: Workshop) -> None:
        twin = workshop.crd("Widget")
        helm = workshop.chart("web", {"crds/a.yaml": twin, "crds/b.yaml": twin, "c.yaml": twin + "---\n" + twin})
        smelted = workshop.forge(workshop.stack(workshop.component("web", helm=helm)))
        assert (smelted.objects, smelted.findings) == (1, ())

    def test_of_equal_ones_the_earlier_component_owns_the_object(self, workshop: Workshop) -> None:
        shared = [workshop.config_map(f"c{number}", namespace="shared") for number in range(4)]
        smelted = workshop.forge(
            workshop.stack(own(workshop, "late", *shared, wave=20), own(workshop, "early", *shared, wave=10))
        )
        assert codes(smelted) == [("duplicate-object", Severity.WARNING, "late")]
        assert "brings 4 objects that early brings too, equal, and owns" in only(smelted.findings).message
        assert smelted.is_written
        assert len(workshop.below("working/early")) == 4
        assert workshop.below("working/late") == {}

    def test_different_ones_are_an_error_that_names_both_sources(self, workshop: Workshop) -> None:
        one, two = (workshop.config_map("c", f"a: {each}", namespace="shared") for each in ("one", "two"))
        smelted = workshop.forge(workshop.stack(own(workshop, "first", one), own(workshop, "second", two)))
        finding = only(smelted.findings)
        assert (finding.code, finding.severity, str(finding.object)) == (
            "duplicate-object",
            Severity.ERROR,
            "ConfigMap/shared/c",
        )
        assert "first (input/first.yaml:1)" in finding.message
        assert "second (input/second.yaml:1)" in finding.message
        assert not smelted.is_written

    def test_namesakes_of_other_namespaces_and_groups_are_others(self, workshop: Workshop) -> None:
        role = "apiVersion: {}/v1\nkind: Widget\nmetadata: {{name: w}}\n"
        documents = (
            workshop.config_map("a"),
            workshop.config_map("a", namespace="other"),
            role.format("one.io"),
            role.format("two.io"),
            workshop.crd("Widget", "one.io"),
            workshop.crd("Widget", "two.io"),
        )
        smelted = workshop.forge(workshop.stack(own(workshop, "web", *documents)))
        assert smelted.findings == ()
        assert len(workshop.below("working/web")) == 6

    def test_a_later_entry_may_replace_an_earlier_ones_object(self, workshop: Workshop) -> None:
        entries = tuple(
            workshop.input(f"{name}.yaml", workshop.config_map("a", f"a: {name}")) for name in ("one", "two")
        )
        component = workshop.component("web", manifests=entries, later_replaces=True)
        smelted = workshop.forge(workshop.stack(component))
        assert "a: two" in workshop.working["web/configmap_web_a.yaml"]
        assert codes(smelted) == [("duplicate-object", Severity.NOTICE, "web")]
        assert "input/one.yaml:1" in only(smelted.findings).message

    def test_without_being_told_it_does_not(self, workshop: Workshop) -> None:
        entries = tuple(
            workshop.input(f"{name}.yaml", workshop.config_map("a", f"a: {name}")) for name in ("one", "two")
        )
        smelted = workshop.forge(workshop.stack(workshop.component("web", manifests=entries)))
        assert codes(smelted) == [("duplicate-object", Severity.ERROR, "web")]


class TestOrder:
    def test_waves_follow_from_what_is_needed_and_held(self, workshop: Workshop) -> None:
        smelted = workshop.forge(
            workshop.stack(
                own(workshop, "app", workshop.config_map("a"), needs=("database",), namespace="default"),
                own(workshop, "database", workshop.config_map("b"), workshop.crd("Widget"), namespace="default"),
                own(workshop, "crds", workshop.crd("Gadget"), namespace="default"),
                own(workshop, "given", workshop.config_map("c"), wave=-999, namespace="default"),
            )
        )
        assert waves(smelted) == [("given", -999), ("crds", -100), ("database", -50), ("app", 0)]

    def test_a_circle_is_shown(self, workshop: Workshop) -> None:
        stack = workshop.stack(
            own(workshop, "a", workshop.config_map("a"), needs=("b",)),
            own(workshop, "b", workshop.config_map("b"), needs=("a",)),
        )
        (error,) = workshop.errors(lambda: workshop.forge(stack))
        assert isinstance(error, OrderError)
        assert "a → b → a" in error.message or "b → a → b" in error.message


def test_an_empty_stack_is_a_stack(workshop: Workshop) -> None:
    smelted = workshop.forge(workshop.stack())
    assert (smelted.parts, smelted.objects, smelted.is_written) == ((), 0, True)
