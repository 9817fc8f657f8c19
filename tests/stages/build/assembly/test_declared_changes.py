"""What a description changes in rendered objects: applied before waves, checks and images, with a finding where it changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from cluster_forge.foundation.errors import PatchError
from cluster_forge.manifests import retention
from cluster_forge.manifests.finding import Severity
from cluster_forge.stack.changes import (
    Changes,
    ContainerResources,
    DeclaredPatch,
    ImageChange,
    PatchTarget,
    PodChanges,
)
from cluster_forge.stages.build.smelt import SmeltResult

if TYPE_CHECKING:
    from tests.stages.conftest import Harness

WEB = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web, tier: front}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "quay.io/team/web:1.0", args: ["--helper=quay.io/team/helper:1.0"], ports: [{containerPort: 80}]}
      - {name: side, image: "nginx:1.25", resources: {requests: {cpu: 10m}}}
"""
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n"
HOOK = (
    "apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, annotations: {helm.sh/hook: pre-install}}\n"
    "spec: {template: {spec: {restartPolicy: Never, containers: [{name: migrate, image: 'quay.io/team/web:1.0'}]}}}\n"
)
WIDGET = (
    "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n"
    "spec: {repository: quay.io/team, image: web, version: '1.0', replicas: 1}\n"
)


def smelted(harness: Harness, changes: Changes, *, of_stack: Changes | None = None, allow: str = "") -> SmeltResult:
    """A stack with one component that has these changes."""
    path = harness.input("web.yaml", WEB, SERVICE, HOOK, WIDGET, harness.crd("Widget"))
    component = harness.component("web", manifests=(path,), changes=changes)
    stack = harness.stack(component, changes=of_stack or Changes())
    return harness.forge(stack, allow=frozenset({allow}))


def written(harness: Harness, kind: str) -> Any:
    [text] = [text for path, text in harness.working.items() if path.startswith(f"web/{kind.lower()}")]
    return yaml.safe_load(text)


def ineffective(result: SmeltResult) -> list[tuple[str, Severity, str]]:
    ours = ("ineffective-patch", "patch-target-missing")
    return [(one.code, one.severity, one.message) for one in result.findings if one.code in ours]


def strategic(body: dict[str, Any], target: PatchTarget | None = None) -> Changes:
    return Changes(patches=(DeclaredPatch(target=target, body=body, where="input/config.yaml:9"),))


def json_patch(*operations: dict[str, Any], **target: str) -> Changes:
    patch = DeclaredPatch(target=PatchTarget(**target), operations=operations, where="input/config.yaml:9")
    return Changes(patches=(patch,))


def deployment(spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", **metadata}, "spec": spec}


class TestLabels:
    def test_labels_and_annotations_are_on_objects_and_pod_templates(self, harness: Harness) -> None:
        result = smelted(harness, Changes(labels={"team": "a"}, annotations={"owner": "b"}))
        assert ineffective(result) == []
        web = written(harness, "deployment")
        assert web["metadata"]["labels"] == {"app": "web", "tier": "front", "team": "a"}
        assert web["metadata"]["annotations"] == {"owner": "b"}
        assert web["spec"]["template"]["metadata"] == {
            "labels": {"app": "web", "team": "a"},
            "annotations": {"owner": "b"},
        }
        assert web["spec"]["selector"] == {"matchLabels": {"app": "web"}}
        assert written(harness, "service")["spec"]["selector"] == {"app": "web"}
        job = written(harness, "job")
        assert job["metadata"]["labels"] == job["spec"]["template"]["metadata"]["labels"] == {"team": "a"}
        assert written(harness, "customresourcedefinition")["metadata"]["labels"] == {"team": "a"}

    def test_a_label_that_selectors_use_stays_with_a_warning(self, harness: Harness) -> None:
        result = smelted(harness, Changes(labels={"app": "other"}))
        web = written(harness, "deployment")
        assert web["metadata"]["labels"]["app"] == "web"
        assert web["spec"]["template"]["metadata"]["labels"] == {"app": "web"}
        assert written(harness, "service")["metadata"]["labels"] == {"app": "other"}
        [(code, severity, message)] = ineffective(result)
        assert (code, severity) == ("ineffective-patch", Severity.WARNING)
        assert "`labels: app` stays as it is in 1 place: selectors use the label" in message

    def test_a_hook_annotation_makes_a_hook(self, harness: Harness) -> None:
        body = {"metadata": {"annotations": {"helm.sh/hook": "test"}}}
        smelted(harness, strategic(body, PatchTarget(kind="Service")))
        assert not [path for path in harness.working if "service" in path]


class TestImages:
    def test_every_place_of_an_image_changes(self, harness: Harness) -> None:
        images = {"quay.io/team/web": ImageChange(name="mirror.local/web", tag="2.0"), "nginx": ImageChange(tag="1.27")}
        result = smelted(harness, Changes(images={**images, "quay.io/team/helper": ImageChange(name="mirror.local/h")}))
        assert ineffective(result) == []
        web, side = written(harness, "deployment")["spec"]["template"]["spec"]["containers"]
        assert (web["image"], side["image"]) == ("mirror.local/web:2.0", "nginx:1.27")
        assert web["args"] == ["--helper=mirror.local/h:1.0"]
        spec = written(harness, "widget.example")["spec"]
        assert spec == {"repository": "mirror.local", "image": "web", "version": "2.0", "replicas": 1}
        [part] = [part for part in result.record.parts if part.name == "web"]
        images_now = {image for item in part.objects for image in item.images}
        assert images_now == {"mirror.local/web:2.0", "nginx:1.27", "mirror.local/h:1.0"}

    def test_an_image_that_is_nowhere_is_a_warning_with_the_nearest(self, harness: Harness) -> None:
        [(code, severity, message)] = ineffective(
            smelted(harness, Changes(images={"quay.io/team/wep": ImageChange(tag="2")}))
        )
        assert (code, severity) == ("ineffective-patch", Severity.WARNING)
        assert "did you mean 'quay.io/team/web'?" in message

    def test_the_tag_that_an_image_has_already_changes_nothing(self, harness: Harness) -> None:
        [(code, _, message)] = ineffective(smelted(harness, Changes(images={"nginx": ImageChange(tag="1.25")})))
        assert (code, "changes nothing" in message) == ("ineffective-patch", True)

    def test_a_digest_that_has_no_field_is_a_warning(self, harness: Harness) -> None:
        change = ImageChange(digest="sha256:" + "a" * 64)
        [(code, _, message)] = ineffective(smelted(harness, Changes(images={"quay.io/team/web": change})))
        assert code == "ineffective-patch"
        assert "none of them is for a digest or a tag (spec.repository)" in message
        assert (
            written(harness, "job")["spec"]["template"]["spec"]["containers"][0]["image"]
            == f"quay.io/team/web@{change.digest}"
        )


class TestWorkloads:
    def test_replicas_resources_and_pods(self, harness: Harness) -> None:
        changes = Changes(
            replicas={"web": 3},
            resources={"side": ContainerResources(requests={"memory": "1Gi"}, limits={"memory": "2Gi"})},
            pods=PodChanges(
                node_selector={"disk": "ssd"},
                tolerations=({"key": "gpu", "operator": "Exists"},),
                priority_class_name="high",
                image_pull_secrets=("pull",),
            ),
        )
        assert ineffective(smelted(harness, changes)) == []
        web = written(harness, "deployment")
        assert web["spec"]["replicas"] == 3
        pod = web["spec"]["template"]["spec"]
        assert pod["containers"][1]["resources"] == {
            "requests": {"cpu": "10m", "memory": "1Gi"},
            "limits": {"memory": "2Gi"},
        }
        assert "resources" not in pod["containers"][0]
        for one in (pod, written(harness, "job")["spec"]["template"]["spec"]):
            assert one["nodeSelector"] == {"disk": "ssd"}
            assert one["tolerations"] == [{"key": "gpu", "operator": "Exists"}]
            assert one["priorityClassName"] == "high"
            assert one["imagePullSecrets"] == [{"name": "pull"}]

    @pytest.mark.parametrize(
        ("given", "left"),
        [
            (ContainerResources(requests={"cpu": None}), {}),
            (ContainerResources(requests={"cpu": None, "memory": "1Gi"}), {"requests": {"memory": "1Gi"}}),
            (ContainerResources(limits={"cpu": "1"}, requests={"cpu": None}), {"limits": {"cpu": "1"}}),
        ],
    )
    def test_an_amount_is_taken_away(self, harness: Harness, given: ContainerResources, left: Any) -> None:
        assert ineffective(smelted(harness, Changes(resources={"side": given}))) == []
        containers = written(harness, "deployment")["spec"]["template"]["spec"]["containers"]
        assert containers[1]["resources"] == left

    def test_an_amount_that_is_not_there_changes_nothing(self, harness: Harness) -> None:
        given = ContainerResources(limits={"cpu": None})
        [(code, _, message)] = ineffective(smelted(harness, Changes(resources={"web": given})))
        assert (code, "`resources: web` changes nothing" in message) == ("ineffective-patch", True)
        assert "resources" not in written(harness, "deployment")["spec"]["template"]["spec"]["containers"][0]

    @pytest.mark.parametrize(
        ("changes", "near"),
        [
            (Changes(replicas={"wep": 3}), "web"),
            (Changes(resources={"sied": ContainerResources(limits={"cpu": "1"})}), "side"),
        ],
    )
    def test_a_name_that_is_not_there_is_an_error_with_the_nearest(
        self, harness: Harness, changes: Changes, near: str
    ) -> None:
        result = smelted(harness, changes)
        [(code, severity, message)] = ineffective(result)
        assert (code, severity) == ("patch-target-missing", Severity.ERROR)
        assert message.endswith(f"did you mean {near!r}?")
        assert not result.is_written

    def test_replicas_that_an_autoscaler_sets_are_a_warning(self, harness: Harness) -> None:
        scaler = (
            "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\n"
            "spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, maxReplicas: 3}\n"
        )
        path = harness.input("web.yaml", WEB, scaler)
        stack = harness.stack(harness.component("web", manifests=(path,), changes=Changes(replicas={"web": 3})))
        [(code, severity, message)] = ineffective(harness.forge(stack))
        assert (code, severity) == ("ineffective-patch", Severity.WARNING)
        assert "HorizontalPodAutoscaler.autoscaling/web/web sets the replicas of Deployment.apps/web/web" in message

    def test_a_component_changes_what_the_stack_has_changed(self, harness: Harness) -> None:
        smelted(harness, Changes(replicas={"web": 5}), of_stack=Changes(replicas={"web": 2}))
        assert written(harness, "deployment")["spec"]["replicas"] == 5


class TestPatches:
    def test_a_part_of_an_object_merges_lists_by_their_keys(self, harness: Harness) -> None:
        container = {"name": "side", "env": [{"name": "A", "value": "b"}]}
        spec = {"replicas": 2, "template": {"spec": {"containers": [container]}}}
        assert ineffective(smelted(harness, strategic(deployment(spec)))) == []
        web = written(harness, "deployment")
        by_name = {one["name"]: one for one in web["spec"]["template"]["spec"]["containers"]}
        assert by_name.keys() == {"web", "side"}
        assert by_name["side"]["env"] == [{"name": "A", "value": "b"}]
        assert by_name["side"]["image"] == "nginx:1.25"

    def test_a_target_selects_by_patterns_and_labels(self, harness: Harness) -> None:
        body = {"metadata": {"annotations": {"a": "b"}}}
        smelted(harness, strategic(body, PatchTarget(kind="Dep.*", name="we?b", label_selector="tier=front")))
        assert written(harness, "deployment")["metadata"]["annotations"] == {"a": "b"}
        assert "annotations" not in written(harness, "service")["metadata"]

    def test_a_json_patch_is_applied(self, harness: Harness) -> None:
        operation = {"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "-v"}
        smelted(harness, json_patch(operation, kind="Deployment"))
        [web, _] = written(harness, "deployment")["spec"]["template"]["spec"]["containers"]
        assert web["args"][-1] == "-v"

    def test_patches_come_after_everything_else(self, harness: Harness) -> None:
        changes = strategic(deployment({"replicas": 7}))
        smelted(harness, Changes(replicas={"web": 5}, patches=changes.patches))
        assert written(harness, "deployment")["spec"]["replicas"] == 7

    def test_an_object_is_taken_out(self, harness: Harness) -> None:
        body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "$patch": "delete"}
        assert ineffective(smelted(harness, strategic(body))) == []
        assert not [path for path in harness.working if "service" in path]

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            (strategic(deployment({}, namespace="shop")), "did you mean Deployment.apps/web/web?"),
            (strategic({**deployment({}), "apiVersion": "apps/v1beta1"}), "is there as apps/v1, whose"),
            (
                strategic({"spec": {}}, PatchTarget(kind="Deployment", name="wbe")),
                "did you mean Deployment.apps/web/web?",
            ),
            (json_patch({"op": "remove", "path": "/spec"}, kind="DaemonSet"), "`patches: kind DaemonSet`"),
        ],
    )
    def test_a_target_that_is_not_there_is_an_error(self, harness: Harness, changes: Changes, message: str) -> None:
        [(code, severity, text)] = ineffective(smelted(harness, changes))
        assert (code, severity) == ("patch-target-missing", Severity.ERROR)
        assert message in text

    def test_a_patch_that_changes_nothing_is_a_warning(self, harness: Harness) -> None:
        [(code, severity, message)] = ineffective(
            smelted(harness, strategic(deployment({"selector": {"matchLabels": {"app": "web"}}})))
        )
        assert (code, severity) == ("ineffective-patch", Severity.WARNING)
        assert "changes nothing" in message

    def test_a_number_that_becomes_a_boolean_is_a_change(self, harness: Harness) -> None:
        operation = {"op": "replace", "path": "/spec/replicas", "value": True}
        assert ineffective(smelted(harness, json_patch(operation, kind="Widget"))) == []
        assert written(harness, "widget.example")["spec"]["replicas"] is True

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            (json_patch({"op": "remove", "path": "/spec/nothing"}, kind="Deployment"), "operation 1"),
            (json_patch({"op": "replace", "path": "/metadata/name", "value": "x"}, kind="Service"), "another object"),
            (
                json_patch({"op": "remove", "path": "/metadata"}, kind="Service"),
                "no `apiVersion`, `kind` or `metadata`",
            ),
            (strategic(deployment({"template": {"spec": {"containers": [{"image": "x"}]}}})), "name"),
        ],
    )
    def test_a_patch_that_does_not_fit_says_where(self, harness: Harness, changes: Changes, message: str) -> None:
        [error] = harness.errors(lambda: smelted(harness, changes))
        assert isinstance(error, PatchError)
        assert error.where == "input/config.yaml:9"
        assert message in error.message
        assert "web" in error.message

    def test_copies_without_end_are_an_error(self, harness: Harness) -> None:
        copies = [{"op": "copy", "from": "/spec", "path": f"/spec/x{number}"} for number in range(60)]
        [error] = harness.errors(lambda: smelted(harness, json_patch(*copies, kind="Deployment")))
        assert "more than 1,000,000 values" in error.message

    def test_an_object_of_another_component_is_named_with_it(self, harness: Harness) -> None:
        path = harness.input("other.yaml", harness.config_map("other"))
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}, "data": {}}
        web = harness.component("web", manifests=(harness.input("web.yaml", WEB),), changes=strategic(body))
        result = harness.forge(harness.stack(web, harness.component("other", manifests=(path,))))
        [(code, _, message)] = ineffective(result)
        assert code == "patch-target-missing"
        assert message.endswith("it is one of the component other")

    @pytest.mark.parametrize(
        ("where", "fix"),
        [
            ("input/config.yaml:9", "write it in the entry of other, or for the whole stack"),
            ("input/web/patches/a.yaml:1", "move the file to input/other/patches/"),
        ],
    )
    def test_the_fix_for_a_patch_of_another_component(self, harness: Harness, where: str, fix: str) -> None:
        path = harness.input("other.yaml", harness.config_map("other"))
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}, "data": {}}
        changes = Changes(patches=(DeclaredPatch(body=body, where=where),))
        web = harness.component("web", manifests=(harness.input("web.yaml", WEB),), changes=changes)
        result = harness.forge(harness.stack(web, harness.component("other", manifests=(path,))))
        assert [one.fix for one in result.findings if one.code == "patch-target-missing"] == [fix]

    @pytest.mark.parametrize(
        ("metadata", "is_said"), [({"name": "other"}, True), ({"namespace": "x"}, True), ({"name": "web"}, False)]
    )
    def test_names_in_a_patch_with_a_target_do_not_count(
        self, harness: Harness, metadata: dict[str, str], is_said: bool
    ) -> None:
        body = {"kind": "Deployment", "metadata": metadata, "spec": {"replicas": 3}}
        result = smelted(harness, strategic(body, PatchTarget(kind="Deployment")))
        ((key, name),) = metadata.items()
        said = f"`patches: kind Deployment` has a target, so `metadata.{key}: {name}` in the patch does not count"
        assert [message for _, _, message in ineffective(result)] == [said] * is_said
        assert written(harness, "Deployment")["spec"]["replicas"] == 3

    def test_one_name_for_two_objects_is_an_error(self, harness: Harness) -> None:
        path = harness.input("two.yaml", *(harness.config_map("one", namespace=name) for name in ("a", "b")))
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"c": "d"}}
        stack = harness.stack(harness.component("web", manifests=(path,), changes=strategic(body)))
        [error] = harness.errors(lambda: harness.forge(stack))
        assert "ConfigMap/a/one, ConfigMap/b/one" in error.message


class TestRetention:
    @pytest.mark.parametrize(
        ("options", "is_taken_back"),
        [
            ("Prune=true,Delete=false", True),
            ("Prune=false", True),
            (None, True),
            ("Prune=confirm,Delete=confirm", False),
            ("ServerSideApply=true", False),
        ],
    )
    def test_a_patch_cannot_unprotect_what_holds_data(
        self, harness: Harness, options: str | None, is_taken_back: bool
    ) -> None:
        body = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "widgets.example.com", "annotations": {retention.ARGOCD: options}},
        }
        messages = [message for _, _, message in ineffective(smelted(harness, strategic(body)))]
        assert [message.partition(":")[0] for message in messages] == ["`patches"] * is_taken_back
        assert all("is taken back in 1 object: what holds data keeps" in message for message in messages)
        written_options = written(harness, "customresourcedefinition")["metadata"]["annotations"][retention.ARGOCD]
        assert {*(options or "").split(",")} <= {*written_options.split(",")} or is_taken_back

    @pytest.mark.parametrize("is_needed", [False, True])
    def test_a_patch_cannot_make_a_hook_of_what_holds_data(self, harness: Harness, is_needed: bool) -> None:
        """Unless another hook needs it: then it is one, and `data-hook` says so."""
        kind = "CustomResourceDefinition|Widget" if is_needed else "CustomResourceDefinition"
        body = {"metadata": {"annotations": {"argocd.argoproj.io/hook": "PreSync"}}}
        result = smelted(harness, strategic(body, PatchTarget(kind=kind)))
        messages = [message for _, _, message in ineffective(result)]
        taken_back = "is taken back in 1 object: what holds data cannot be a hook"
        assert [taken_back in message for message in messages] == [True] * (not is_needed)
        assert any(one.code == "data-hook" for one in result.findings) == is_needed
        annotations = written(harness, "customresourcedefinition")["metadata"]["annotations"]
        assert ("argocd.argoproj.io/hook" in annotations) == is_needed


class TestStacks:
    def test_a_narrowed_stack_may_lack_what_the_stack_changes(self, harness: Harness) -> None:
        path = harness.input("web.yaml", WEB)
        changes = Changes(replicas={"db": 2})
        stack = harness.stack(harness.component("web", manifests=(path,)), changes=changes, left_out=("db",))
        assert ineffective(harness.forge(stack)) == []

    def test_where_a_change_is_written_does_not_make_working_stale(self, harness: Harness) -> None:
        path = harness.input("web.yaml", WEB)

        def fingerprint(where: str, **changes: Any) -> Any:
            patch = DeclaredPatch(body=deployment({}), where=where)
            declared = Changes(places={"labels/a": where}, patches=(patch,), **changes)
            return harness.fingerprint(harness.stack(harness.component("web", manifests=(path,), changes=declared)))

        assert fingerprint("a:1") == fingerprint("b:2")
        assert fingerprint("a:1") != fingerprint("a:1", labels={"a": "b"})

    def test_namespaces_that_the_stack_creates_have_its_changes(self, harness: Harness) -> None:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "web", "annotations": {"a": "b"}}}
        patch = DeclaredPatch(body=body, where="input/config.yaml:9")
        result = smelted(harness, Changes(), of_stack=Changes(labels={"team": "a"}, patches=(patch,)))
        assert ineffective(result) == []
        metadata = yaml.safe_load(harness.working["namespaces/namespace_web.yaml"])["metadata"]
        assert (metadata["labels"]["team"], metadata["annotations"]["a"]) == ("a", "b")

    def test_a_changed_stack_is_the_same_from_the_cache(self, harness: Harness) -> None:
        changes = Changes(labels={"team": "a"}, replicas={"web": 2}, images={"nginx": ImageChange(tag="2")})
        smelted(harness, changes)
        before = harness.working
        again = harness.again()
        smelted(again, changes)
        assert again.working == before
