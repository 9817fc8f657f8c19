"""Putting the stack together: each object once, in its namespace, in its wave."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from cluster_forge.foundation.errors import OrderError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.stack.component import Component
from cluster_forge.stack.model import GitOps, GitOpsEngine
from cluster_forge.stages.build.smelt import SmeltResult

if TYPE_CHECKING:
    from tests.stages.conftest import Harness

BINDING = (
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: a, namespace: kube-system}\n"
    "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: a}\n"
    "subjects: [{kind: ServiceAccount, name: a}, {kind: ServiceAccount, name: b, namespace: other}, {kind: User, name: c}]\n"
)
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, annotations: {annotations}}}\n"
CLAIM = (
    "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: data, annotations: {annotations}}}\n"
    "spec:\n  storageClassName: ''\n  accessModes: [ReadWriteOnce]\n  resources:\n    requests:\n      storage: 1Gi\n"
)
WIDGET = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n"
EARLY_JOB = (
    "apiVersion: batch/v1\nkind: Job\nmetadata: {name: early, annotations: {helm.sh/hook: pre-install}}\n"
    "spec: {template: {spec: {restartPolicy: Never, containers: [{name: early, image: example.com/early:1}],\n"
    "  volumes: [{name: a, persistentVolumeClaim: {claimName: NAME}}]}}}\n"
)
STATEFUL_SET = (
    "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: pg}\nspec:\n"
    "  persistentVolumeClaimRetentionPolicy: {whenDeleted: POLICY}\n"
    "  serviceName: pg\n  selector: {matchLabels: {app: pg}}\n  template:\n    metadata: {labels: {app: pg}}\n"
    "    spec: {containers: [CONTAINER]}\n"
    "  volumeClaimTemplates:\n  - metadata: {name: data}\n"
    "    spec: {storageClassName: '', accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n"
)


def hooked(document: str, annotation: str) -> str:
    """The document as a hook."""
    return document.replace("metadata: {", f"metadata: {{annotations: {{{annotation}}}, ")


def own(harness: Harness, name: str, *documents: str, **changes: Any) -> Component:
    """A component with one file of its own."""
    return harness.component(name, manifests=(harness.input(f"{name}.yaml", *documents),), **changes)


def waves(smelted: SmeltResult) -> list[tuple[str, int]]:
    return [(part.name, part.wave) for part in smelted.record.parts]


def codes(smelted: SmeltResult) -> list[tuple[str, Severity, str | None]]:
    return [(finding.code, finding.severity, finding.component) for finding in smelted.findings]


def only(findings: tuple[Finding, ...]) -> Finding:
    (finding,) = findings
    return finding


class TestNamespaces:
    def test_missing_namespaces_are_filled_in(self, harness: Harness) -> None:
        placed = harness.config_map("placed", namespace="elsewhere")
        harness.forge(harness.stack(own(harness, "web", harness.config_map("bare"), placed, BINDING)))
        assert "web/configmap_web_bare.yaml" in harness.working
        assert "web/configmap_elsewhere_placed.yaml" in harness.working
        binding = harness.working["web/rolebinding.rbac.authorization.k8s.io_kube-system_a.yaml"]
        # A subject without a namespace is an account of the binding's own namespace: filled in until issue 18.
        assert "- kind: ServiceAccount\n  name: a\n- kind" in binding
        assert "name: b\n  namespace: other\n" in binding
        assert "name: c\n" in binding

    def test_the_crds_of_the_stack_decide_what_is_namespaced(self, harness: Harness) -> None:
        gadget = WIDGET.replace("Widget", "Gadget")
        crds = harness.crd("Widget"), harness.crd("Gadget", scope="Cluster")
        smelted = harness.forge(
            harness.stack(own(harness, "web", WIDGET, gadget), own(harness, "crds", *crds, namespace=""))
        )
        assert {"web/widget.example.com_web_w.yaml", "web/gadget.example.com_w.yaml"} <= harness.working.keys()
        assert smelted.findings == ()

    def test_an_undefined_kind_is_a_finding(self, harness: Harness) -> None:
        smelted = harness.forge(harness.stack(own(harness, "web", WIDGET, WIDGET.replace("w}", "v}"))))
        assert "web/widget.example.com_w.yaml" in harness.working
        finding = only(smelted.findings)
        assert (finding.code, finding.severity, finding.where) == ("missing-crd", Severity.WARNING, "input/web.yaml:5")
        assert "2 objects of kind Widget" in finding.message

    def test_undefined_namespaces_are_added_one_wave_ahead(self, harness: Harness) -> None:
        defined = "apiVersion: v1\nkind: Namespace\nmetadata: {name: defined, labels: {mine: x}}\n"
        smelted = harness.forge(
            harness.stack(
                own(harness, "web", harness.config_map("a"), harness.config_map("b", namespace="more")),
                own(harness, "defined", defined, harness.config_map("c"), wave=-60, extra_namespaces=("extra",)),
                own(harness, "system", harness.config_map("d"), namespace="kube-system"),
                own(harness, "nowhere", harness.config_map("e"), namespace=""),
            )
        )
        assert waves(smelted) == [
            ("namespaces", -100),
            ("nowhere", -90),
            ("system", -90),
            ("web", -90),
            ("defined", -60),
        ]
        assert harness.below("working/namespaces").keys() == {
            "namespace_extra.yaml",
            "namespace_more.yaml",
            "namespace_web.yaml",
        }
        assert "mine: x" in harness.working["defined/namespace_defined.yaml"]
        assert "nowhere/configmap_default_e.yaml" in harness.working

    def test_a_component_called_namespaces_gets_them(self, harness: Harness) -> None:
        smelted = harness.forge(
            harness.stack(
                own(harness, "web", harness.config_map("a")),
                own(harness, "namespaces", harness.config_map("b"), namespace="default", wave=50),
            )
        )
        assert waves(smelted) == [("namespaces", -100), ("web", -90)]
        assert harness.below("working/namespaces").keys() == {"configmap_default_b.yaml", "namespace_web.yaml"}

    def test_a_namespace_that_a_later_component_brings_comes_first(self, harness: Harness) -> None:
        late = NAMESPACE.format(name="shared", annotations="{}")
        smelted = harness.forge(
            harness.stack(
                own(harness, "web", harness.config_map("a", namespace="shared"), namespace="default"),
                own(harness, "late", late, harness.config_map("b"), namespace="shared", wave=20),
            )
        )
        assert waves(smelted) == [("namespaces", -100), ("web", -90), ("late", 20)]
        assert harness.below("working/namespaces").keys() == {"namespace_shared.yaml"}
        assert harness.below("working/late").keys() == {"configmap_shared_b.yaml"}

    @pytest.mark.parametrize(
        "early",
        ['helm.sh/hook: "pre-install"', 'argocd.argoproj.io/hook: "PreSync"', 'argocd.argoproj.io/sync-wave: "-1"'],
    )
    def test_a_namespace_comes_before_the_hooks_of_its_own_component(self, harness: Harness, early: str) -> None:
        hook = harness.config_map("a", namespace="shop", annotations=early)
        namespace = NAMESPACE.format(name="shop", annotations="{}")
        harness.forge(harness.stack(own(harness, "shop", namespace, hook)))
        assert harness.below("working/namespaces").keys() == {"namespace_shop.yaml"}

    def test_a_namespace_that_is_a_hook_becomes_an_ordinary_object(self, harness: Harness) -> None:
        annotations = '{helm.sh/hook: pre-install, helm.sh/hook-weight: "-5", helm.sh/hook-delete-policy: x, team: a}'
        namespace = NAMESPACE.format(name="shop", annotations=annotations)
        harness.forge(harness.stack(own(harness, "shop", namespace, harness.config_map("a"))))
        text = harness.working["namespaces/namespace_shop.yaml"]
        assert "hook" not in text
        assert "team: a" in text

    def test_a_namespace_that_argo_cd_skips_is_still_skipped(self, harness: Harness) -> None:
        namespace = NAMESPACE.format(name="shop", annotations="{argocd.argoproj.io/hook: Skip}")
        smelted = harness.forge(harness.stack(own(harness, "shop", namespace, harness.config_map("a"))))
        assert waves(smelted) == [("shop", -90)]
        assert "hook: Skip" in harness.working["shop/namespace_shop.yaml"]

    def test_a_namespace_that_only_its_own_component_uses_stays_there(self, harness: Harness) -> None:
        namespace = NAMESPACE.format(name="shop", annotations="{}")
        later = harness.config_map("b", namespace="shop")
        smelted = harness.forge(
            harness.stack(
                own(harness, "shop", namespace, harness.config_map("a")),
                own(harness, "more", later, namespace="default", wave=5),
            )
        )
        assert waves(smelted) == [("shop", -90), ("more", 5)]

    def test_keep_namespace_fills_in_nothing(self, harness: Harness) -> None:
        smelted = harness.forge(
            harness.stack(own(harness, "web", harness.config_map("a"), BINDING, keep_namespace=True))
        )
        assert "web/configmap_a.yaml" in harness.working
        assert "namespace: web" not in "".join(harness.below("working/web").values())
        assert waves(smelted) == [("web", -90)]


CLUSTER_BINDING = (
    BINDING.replace("Role", "ClusterRole")
    .replace(", namespace: kube-system", "")
    .replace("Role, name: a", "Role, name: view")
)


class TestSubjects:
    def test_an_account_without_namespace_in_a_cluster_role_binding_is_a_finding(self, harness: Harness) -> None:
        smelted = harness.forge(harness.stack(own(harness, "web", CLUSTER_BINDING)))
        finding = only(smelted.findings)
        assert (finding.code, finding.severity) == ("missing-namespace", Severity.WARNING)
        assert "ServiceAccount 'a' has no namespace: 'web' was filled in" in finding.message
        assert "name: a\n  namespace: web\n" in "".join(harness.below("working/web").values())

    def test_nothing_is_filled_in_with_keep_namespace(self, harness: Harness) -> None:
        smelted = harness.forge(harness.stack(own(harness, "web", CLUSTER_BINDING, keep_namespace=True)))
        finding = only(smelted.findings)
        assert (finding.code, finding.severity) == ("schema-invalid", Severity.ERROR)
        assert finding.field == "subjects[0].namespace"
        assert "the ServiceAccount 'a' is missing" in finding.message


ENGINE = "input/config.yaml:5"
"""Where an engine is written, or would be."""


class TestEngine:
    @pytest.mark.parametrize(
        ("gitops", "severity"),
        [
            (GitOps(engine_where=ENGINE), Severity.WARNING),
            (GitOps(default_where=ENGINE), Severity.NOTICE),
            (GitOps(), None),
            (GitOps(engine_where=ENGINE, install=False), None),
            (GitOps(default_where=ENGINE, install=False), None),
            (GitOps(engine_where=ENGINE, engine=GitOpsEngine.NONE), None),
        ],
    )
    def test_kubectl_instead_of_an_engine_is_a_finding(
        self, harness: Harness, gitops: GitOps, severity: Severity | None
    ) -> None:
        stack = harness.stack(own(harness, "web", harness.config_map("a")))
        smelted = harness.forge(dataclasses.replace(stack, gitops=gitops))
        assert [(finding.code, finding.where, finding.severity) for finding in smelted.findings] == (
            [("engine-missing", ENGINE, severity)] if severity else []
        )

    def test_in_a_narrowed_stack_its_component_is_to_be_selected(self, harness: Harness) -> None:
        stack = harness.stack(own(harness, "web", harness.config_map("a")))
        gitops = GitOps(engine_where=ENGINE)
        smelted = harness.forge(dataclasses.replace(stack, gitops=gitops, left_out=("argo-cd",)))
        finding = next(finding for finding in smelted.findings if finding.code == "engine-missing")
        assert "Argo CD is not among the selected components" in finding.message
        assert finding.fix.startswith("select the component with Argo CD, too")

    def test_an_engine_in_the_stack_is_not_reported(self, harness: Harness) -> None:
        crd = harness.crd("Application", "argoproj.io")
        stack = harness.stack(own(harness, "argo", crd))
        gitops = GitOps(engine_where=ENGINE)
        assert harness.forge(dataclasses.replace(stack, gitops=gitops)).findings == ()


class TestData:
    def test_what_holds_data_is_never_pruned(self, harness: Harness) -> None:
        claim = CLAIM.format(annotations="{argocd.argoproj.io/sync-options: ServerSideApply=true}")
        harness.forge(harness.stack(own(harness, "db", claim, harness.crd("Widget"), harness.config_map("a"))))
        options = "argocd.argoproj.io/sync-options: "
        assert f"{options}Prune=false,Delete=false\n" in harness.working["namespaces/namespace_db.yaml"]
        for path, text in harness.below("working/db").items():
            assert (options in text) == (not path.startswith("configmap")), path
        claimed = harness.working["db/persistentvolumeclaim_db_data.yaml"]
        assert f"{options}ServerSideApply=true,Prune=false,Delete=false\n" in claimed

    def test_flux_never_prunes_it_either(self, harness: Harness) -> None:
        stack = harness.stack(own(harness, "db", CLAIM.format(annotations="{}")))
        harness.forge(dataclasses.replace(stack, gitops=GitOps(engine=GitOpsEngine.FLUX)))
        text = harness.working["db/persistentvolumeclaim_db_data.yaml"]
        assert "kustomize.toolkit.fluxcd.io/prune: disabled\n" in text
        assert "argocd" not in text

    @pytest.mark.parametrize(
        "hook",
        ["helm.sh/hook: pre-install", "helm.sh/hook: 'post-install,post-upgrade'", "argocd.argoproj.io/hook: Sync"],
    )
    def test_a_hook_that_holds_data_becomes_an_ordinary_object(self, harness: Harness, hook: str) -> None:
        """Argo CD deletes hooks before it creates them again."""
        claim = CLAIM.format(annotations=f"{{{hook}, helm.sh/hook-weight: '1', team: a}}")
        smelted = harness.forge(harness.stack(own(harness, "db", claim, hooked(harness.crd("Widget"), hook))))
        assert smelted.findings == ()
        written = harness.below("working/db")
        assert len(written) == 2
        assert not any("hook" in text for text in written.values())
        assert "team: a\n" in written["persistentvolumeclaim_db_data.yaml"]

    def test_a_volume_that_a_hook_mounts_stays_a_hook_and_is_a_finding(self, harness: Harness) -> None:
        """As an ordinary object it would come too late for the hook."""
        claim = CLAIM.format(annotations="{helm.sh/hook: pre-install}")
        job = EARLY_JOB.replace("NAME", "data")
        smelted = harness.forge(harness.stack(own(harness, "db", claim, job)))
        assert codes(smelted) == [("data-hook", Severity.WARNING, "db")]
        assert "helm.sh/hook: pre-install" in harness.working["db/persistentvolumeclaim_db_data.yaml"]
        other = harness.forge(harness.stack(own(harness, "db", claim, EARLY_JOB.replace("NAME", "other"))))
        assert codes(other) == [("missing-reference", Severity.WARNING, "db")]

    def test_a_crd_that_a_hook_uses_stays_a_hook_and_is_a_finding(self, harness: Harness) -> None:
        documents = [hooked(document, "helm.sh/hook: pre-install") for document in (harness.crd("Widget"), WIDGET)]
        smelted = harness.forge(harness.stack(own(harness, "db", *documents)))
        assert codes(smelted) == [("data-hook", Severity.WARNING, "db")]

    @pytest.mark.parametrize("hook", ["helm.sh/hook: post-delete", "helm.sh/hook: pre-upgrade", "helm.sh/hook: test"])
    def test_data_of_a_hook_that_an_installation_does_not_run_is_not_applied(self, harness: Harness, hook: str) -> None:
        harness.forge(
            harness.stack(own(harness, "db", CLAIM.format(annotations=f"{{{hook}}}"), harness.config_map("a")))
        )
        assert not any(path.startswith("persistentvolumeclaim") for path in harness.below("working/db"))

    @pytest.mark.parametrize(("policy", "is_reported"), [("Delete", True), ("Retain", False), ("null", False)])
    def test_a_stateful_set_whose_volumes_are_deleted_with_it_is_a_finding(
        self, harness: Harness, policy: str, is_reported: bool
    ) -> None:
        stateful_set = STATEFUL_SET.replace("POLICY", policy).replace("CONTAINER", harness.container("pg"))
        smelted = harness.forge(harness.stack(own(harness, "db", stateful_set)))
        assert codes(smelted) == ([("deleted-volumes", Severity.WARNING, "db")] if is_reported else [])
        bare = stateful_set.partition("  volumeClaimTemplates")[0]
        assert harness.forge(harness.stack(own(harness, "db", bare))).findings == ()


class TestHooks:
    def test_test_hooks_are_dropped_and_later_hooks_are_not_applied(self, harness: Harness) -> None:
        events = ("pre-install", "post-install,post-upgrade", "test", "test-success", "pre-delete", "post-upgrade")
        hooks = [
            harness.config_map(f"hook{number}", annotations=f'helm.sh/hook: "{event}", helm.sh/hook-weight: "{number}"')
            for number, event in enumerate(events)
        ]
        helm = harness.chart("web", {f"{number}.yaml": hook for number, hook in enumerate(hooks)})
        smelted = harness.forge(harness.stack(harness.component("web", helm=helm)))
        assert harness.below("working/web").keys() == {
            "configmap_web_hook0.yaml",
            "configmap_web_hook1.yaml",
            "hooks/configmap_web_hook4.yaml",
            "hooks/configmap_web_hook5.yaml",
        }
        assert codes(smelted) == [("hook-dropped", Severity.NOTICE, "web")] * 2
        assert "2 hooks (ConfigMap/web/hook2, ConfigMap/web/hook3)" in smelted.findings[0].message
        assert "working/web/hooks/" in smelted.findings[1].message
        records = {
            part_object.id.name: (part_object.hook, part_object.hook_weight)
            for part_object in smelted.record.parts[1].objects
        }
        assert records == {"hook0": ("pre-install", 0), "hook1": ("post-install,post-upgrade", 1)}


class TestExclude:
    @pytest.mark.parametrize("name", ["configmap_b.yaml", "configmap_web_b.yaml", "ConfigMap_b.yaml"])
    def test_exclude_matches_file_names(self, harness: Harness, name: str) -> None:
        documents = [harness.config_map(name) for name in "ab"]
        smelted = harness.forge(harness.stack(own(harness, "web", *documents, exclude=(name,))))
        assert harness.below("working/web").keys() == {"configmap_web_a.yaml"}
        assert smelted.findings == ()

    def test_an_exclude_without_match_is_a_finding(self, harness: Harness) -> None:
        smelted = harness.forge(harness.stack(own(harness, "web", harness.config_map("a"), exclude=("a.yaml",))))
        finding = only(smelted.findings)
        assert (finding.code, finding.severity, finding.component) == ("unused-ignore", Severity.WARNING, "web")
        assert "'a.yaml'" in finding.message


class TestDuplicates:
    def test_equal_duplicates_in_a_component_are_one_object(self, harness: Harness) -> None:
        duplicate = harness.crd("Widget")
        helm = harness.chart(
            "web", {"crds/a.yaml": duplicate, "crds/b.yaml": duplicate, "c.yaml": duplicate + "---\n" + duplicate}
        )
        smelted = harness.forge(harness.stack(harness.component("web", helm=helm)))
        assert (smelted.objects, smelted.findings) == (1, ())

    def test_the_earlier_component_owns_an_equal_duplicate(self, harness: Harness) -> None:
        shared = [harness.config_map(f"c{number}", namespace="shared") for number in range(4)]
        smelted = harness.forge(
            harness.stack(own(harness, "late", *shared, wave=20), own(harness, "early", *shared, wave=10))
        )
        assert codes(smelted) == [("duplicate-object", Severity.WARNING, "late")]
        assert "4 objects identical to those of early, which keeps them: " in only(smelted.findings).message
        assert smelted.is_written
        assert len(harness.below("working/early")) == 4
        assert harness.below("working/late") == {}

    def test_different_duplicates_are_an_error_that_names_both_sources(self, harness: Harness) -> None:
        one, two = (harness.config_map("c", f"a: {value}", namespace="shared") for value in ("one", "two"))
        smelted = harness.forge(harness.stack(own(harness, "first", one), own(harness, "second", two)))
        finding = only(smelted.findings)
        assert (finding.code, finding.severity, str(finding.object)) == (
            "duplicate-object",
            Severity.ERROR,
            "ConfigMap/shared/c",
        )
        assert "first (input/first.yaml:1)" in finding.message
        assert "second (input/second.yaml:1)" in finding.message
        assert not smelted.is_written

    def test_the_same_name_in_another_namespace_or_group_is_not_a_duplicate(self, harness: Harness) -> None:
        role = "apiVersion: {}/v1\nkind: Widget\nmetadata: {{name: w}}\n"
        documents = (
            harness.config_map("a"),
            harness.config_map("a", namespace="other"),
            role.format("one.io"),
            role.format("two.io"),
            harness.crd("Widget", "one.io"),
            harness.crd("Widget", "two.io"),
        )
        smelted = harness.forge(harness.stack(own(harness, "web", *documents)))
        assert smelted.findings == ()
        assert len(harness.below("working/web")) == 6

    def test_with_later_replaces_the_later_duplicate_is_kept(self, harness: Harness) -> None:
        entries = tuple(harness.input(f"{name}.yaml", harness.config_map("a", f"a: {name}")) for name in ("one", "two"))
        component = harness.component("web", manifests=entries, later_replaces=True)
        smelted = harness.forge(harness.stack(component))
        assert "a: two" in harness.working["web/configmap_web_a.yaml"]
        assert codes(smelted) == [("duplicate-object", Severity.NOTICE, "web")]
        assert "input/one.yaml:1" in only(smelted.findings).message

    def test_without_later_replaces_it_is_an_error(self, harness: Harness) -> None:
        entries = tuple(harness.input(f"{name}.yaml", harness.config_map("a", f"a: {name}")) for name in ("one", "two"))
        smelted = harness.forge(harness.stack(harness.component("web", manifests=entries)))
        assert codes(smelted) == [("duplicate-object", Severity.ERROR, "web")]


class TestOrder:
    def test_waves_follow_from_needs_and_kinds(self, harness: Harness) -> None:
        smelted = harness.forge(
            harness.stack(
                own(harness, "app", harness.config_map("a"), needs=("database",), namespace="default"),
                own(harness, "database", harness.config_map("b"), harness.crd("Widget"), namespace="default"),
                own(harness, "crds", harness.crd("Gadget"), namespace="default"),
                own(harness, "given", harness.config_map("c"), wave=-999, namespace="default"),
            )
        )
        assert waves(smelted) == [("given", -999), ("crds", -100), ("database", -90), ("app", -80)]

    def test_a_custom_resource_comes_after_the_component_with_its_crd(self, harness: Harness) -> None:
        smelted = harness.forge(
            harness.stack(
                own(harness, "app", WIDGET, harness.crd("Gadget"), namespace="default"),
                own(harness, "zoo", harness.crd("Widget"), harness.config_map("a"), namespace="default"),
                own(harness, "user", WIDGET.replace("Widget", "Gadget"), namespace="default"),
            )
        )
        assert waves(smelted) == [("zoo", -90), ("app", -80), ("user", -70)]
        assert [part.needs for part in smelted.record.parts] == [(), ("zoo",), ("app",)]
        assert smelted.findings == ()

    def test_of_several_components_with_a_crd_the_earliest_comes_before(self, harness: Harness) -> None:
        """Not the first by name: `aaa` needs what `user` is for."""
        crd = harness.crd("Widget")
        smelted = harness.forge(
            harness.stack(
                own(harness, "aaa", crd, harness.config_map("a"), namespace="default", needs=("user",)),
                own(harness, "user", WIDGET, namespace="default"),
                own(harness, "zoo", crd, namespace="default"),
            )
        )
        assert waves(smelted) == [("zoo", -100), ("user", -90), ("aaa", -80)]
        assert {part.name: part.needs for part in smelted.record.parts} == {
            "zoo": (),
            "user": ("zoo",),
            "aaa": ("user",),
        }

    def test_a_crd_of_a_hook_and_a_custom_resource_of_a_list_are_ordered(self, harness: Harness) -> None:
        crd = hooked(harness.crd("Widget"), "helm.sh/hook: pre-install")
        listed = (
            "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: example.com/v1, kind: Widget, metadata: {name: w}}\n"
        )
        smelted = harness.forge(
            harness.stack(
                own(harness, "a-user", listed, namespace="default"),
                own(harness, "zoo", crd, namespace="default"),
            )
        )
        assert [(part.name, part.needs) for part in smelted.record.parts] == [("zoo", ()), ("a-user", ("zoo",))]

    def test_a_cycle_of_three_that_goes_through_crds_splits_one_component(self, harness: Harness) -> None:
        kinds = {"a": ("Widget", "Gadget"), "b": ("Gadget", "Gizmo"), "c": ("Gizmo", "Widget")}
        components = [
            own(harness, name, harness.crd(own_kind), WIDGET.replace("Widget", used), namespace="default")
            for name, (own_kind, used) in kinds.items()
        ]
        smelted = harness.forge(harness.stack(*components))
        assert waves(smelted) == [("a-crds", -100), ("c", -90), ("b", -80), ("a", -70)]
        assert [part.needs for part in smelted.record.parts] == [(), ("a-crds",), ("c",), ("a-crds", "b")]
        assert [item.path for item in smelted.record.parts[0].objects] == [
            "a-crds/customresourcedefinition.apiextensions.k8s.io_widgets.example.com.yaml"
        ]

    def test_components_whose_objects_need_each_other_are_a_finding_or_an_error_with_their_files(
        self, harness: Harness
    ) -> None:
        """An error where the description asks for an order that the objects contradict."""

        def parts(name: str, account: str) -> list[str]:
            meta = f"metadata: {{name: {name}}}"
            pod = f"spec: {{serviceAccountName: {account}, containers: [{{name: c, image: example.com/c:1}}]}}"
            return [f"apiVersion: v1\nkind: Pod\n{meta}\n{pod}\n", f"apiVersion: v1\nkind: ServiceAccount\n{meta}\n"]

        first, second = (own(harness, a, *parts(a, b), namespace="default") for a, b in (("a", "b"), ("b", "a")))
        smelted = harness.forge(harness.stack(first, second))
        assert waves(smelted) == [("a", -90), ("b", -90)]
        assert [finding.severity for finding in smelted.findings if finding.code == "order-cycle"] == [Severity.NOTICE]
        needy = dataclasses.replace(first, needs=(ComponentName("b"),))
        (error,) = harness.errors(lambda: harness.forge(harness.stack(needy, second)))
        assert isinstance(error, OrderError)
        assert "Pod/default/b names ServiceAccount/default/a (input/b.yaml:1)" in error.message

    @pytest.mark.parametrize("wave", [5, 10])
    def test_a_wave_that_is_not_after_that_of_the_crd_is_a_finding(self, harness: Harness, wave: int) -> None:
        smelted = harness.forge(
            harness.stack(
                own(harness, "app", WIDGET, namespace="default", wave=wave),
                own(harness, "zoo", harness.crd("Widget"), namespace="default", wave=10),
            )
        )
        finding = only(smelted.findings)
        assert (finding.code, finding.severity, finding.component) == ("wave-conflict", Severity.WARNING, "app")
        assert (
            f"wave {wave} is not after wave 10 of zoo, which it needs: Widget.example.com/default/w" in finding.message
        )
        assert "write one above 10" in finding.fix

    def test_a_wave_that_is_not_after_that_of_a_need_is_a_finding(self, harness: Harness) -> None:
        smelted = harness.forge(
            harness.stack(
                own(harness, "app", harness.config_map("a"), namespace="default", wave=5, needs=("zoo",)),
                own(harness, "zoo", harness.config_map("b"), namespace="default", wave=10),
            )
        )
        assert "of zoo, which it needs" in only(smelted.findings).message

    def test_a_wave_breaks_a_cycle_of_crds(self, harness: Harness) -> None:
        smelted = harness.forge(
            harness.stack(
                own(
                    harness, "a", harness.crd("Widget"), WIDGET.replace("Widget", "Gadget"), namespace="default", wave=0
                ),
                own(harness, "b", harness.crd("Gadget"), WIDGET, namespace="default"),
            )
        )
        assert waves(smelted) == [("a", 0), ("b", 10)]
        assert codes(smelted) == [("wave-conflict", Severity.WARNING, "a")]

    def test_a_cycle_is_an_error_that_shows_it(self, harness: Harness) -> None:
        stack = harness.stack(
            own(harness, "a", harness.config_map("a"), needs=("b",)),
            own(harness, "b", harness.config_map("b"), needs=("a",)),
        )
        (error,) = harness.errors(lambda: harness.forge(stack))
        assert isinstance(error, OrderError)
        assert "a → b → a" in error.message or "b → a → b" in error.message


def test_an_empty_stack_has_no_parts(harness: Harness) -> None:
    smelted = harness.forge(harness.stack())
    assert (smelted.record.parts, smelted.objects, smelted.is_written) == ((), 0, True)
