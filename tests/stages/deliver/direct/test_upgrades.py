"""From one version of an object to the next, where server-side apply alone does not do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.fake_cluster import FakeCluster, FakeRequest
from tests.fake_controllers import becomes_ready
from tests.gitops.conftest import body, crd, part
from tests.stages.deliver.deliveries import PASSING, Delivery, identity, settings

from cluster_forge.foundation.errors import ForgeError, RefusalCause, RefusedError
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import Applied, ApplyOptions, Patch
from cluster_forge.stages.deliver.results import ComponentResult, State

FORBIDDEN = RefusedError("may not get", status=403, reason="Forbidden")
CONVERSION = {
    "strategy": "Webhook",
    "webhook": {"clientConfig": {"url": "https://a"}, "conversionReviewVersions": ["v1"]},
}
VERSIONS = [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}]
WIDGETS = identity("CustomResourceDefinition", "widgets.example.com", group="apiextensions.k8s.io")


def widgets(**spec: Any) -> dict[str, Any]:
    names = {"kind": "Widget", "plural": "widgets"}
    return crd(WIDGETS.name, group="example.com", names=names, scope="Namespaced", versions=VERSIONS, **spec)


class StrictServer(FakeCluster):
    """Refuses half a conversion of a CRD, and changes of fields that cannot change, in the words of Kubernetes' validation."""

    def apply(self, body: Body, options: ApplyOptions) -> Applied:
        before = self.get(ObjectId.of(body))
        after = super().apply(body, replace(options, is_trial=True)).body
        if cause := _cause(before, after):
            where = str(ObjectId.of(body))
            raise RefusedError("is invalid", where=where, status=422, reason="Invalid", causes=(cause,))
        return super().apply(body, options)


def _cause_of_crd(before: Body | None, spec: Body) -> RefusalCause | None:
    if "strategy" not in spec.get("conversion", {"strategy": ""}):
        return RefusalCause(reason="FieldValueRequired", message="Required value", field="spec.conversion.strategy")
    stored = {*before["status"]["storedVersions"]} if before else set()
    if lost := sorted(stored - {version["name"] for version in spec["versions"]}):
        message = f'Invalid value: "{lost[0]}": missing from spec.versions; {lost[0]} was previously a storage version'
        return RefusalCause(reason="FieldValueInvalid", message=message, field="status.storedVersions[0]")
    return None


def _cause(before: Body | None, after: Body) -> RefusalCause | None:
    if after["kind"] == "CustomResourceDefinition":
        return _cause_of_crd(before, after["spec"])
    if before is None or before.get("spec") == after.get("spec"):
        return None
    match after["kind"]:
        case "StatefulSet":
            fields = "'replicas', 'template' and 'minReadySeconds'"
            message = f"Forbidden: updates to statefulset spec for fields other than {fields} are forbidden"
            is_allowed = {**before["spec"], "replicas": 0} == {**after["spec"], "replicas": 0}
            return None if is_allowed else RefusalCause(reason="FieldValueForbidden", message=message, field="spec")
        case "Job":
            return RefusalCause(reason="FieldValueInvalid", message="field is immutable", field="spec.template")
        case "PersistentVolumeClaim":
            message = "Forbidden: spec is immutable after creation except resources.requests"
            return RefusalCause(reason="FieldValueForbidden", message=message, field="spec")
    return None


def delivery() -> Delivery:
    return Delivery(StrictServer(on_change=becomes_ready))


def database(service: str = "db", replicas: int = 1, app: str = "db") -> dict[str, Any]:
    labels = {"app": app}
    spec = {"serviceName": service, "replicas": replicas, "selector": {"matchLabels": labels}}
    return body("apps/v1", "StatefulSet", "db", "shop", spec=spec)


def with_pod(made: Delivery) -> None:
    """A Pod that belongs to the database."""
    uid = made.there("StatefulSet", "db", "shop", "apps")["metadata"]["uid"]
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": uid, "controller": True}
    pod = body("v1", "Pod", "db-0", "shop", spec={"containers": []})
    made.cluster.put({**pod, "metadata": {**pod["metadata"], "ownerReferences": [owner]}})


def test_a_structure_that_went_is_taken_out_with_what_an_operator_wrote_into_it() -> None:
    made = delivery()
    made.direct([part("a", [widgets(conversion=CONVERSION)], wave=-100)])
    bundle = {"spec": {"conversion": {"webhook": {"clientConfig": {"caBundle": "YQ=="}}}}}
    made.cluster.patch(WIDGETS, bundle, Patch.MERGE, manager="operator")
    results = made.direct([part("a", [widgets()], wave=-100)])
    assert results["a"].state is State.READY, results["a"].message
    assert "conversion" not in made.there(WIDGETS.kind, WIDGETS.name, group=WIDGETS.group)["spec"]


def test_what_is_valid_stays_as_others_wrote_it() -> None:
    made = delivery()
    made.direct([part("a", [widgets(conversion=CONVERSION)], wave=-100)])
    results = made.direct([part("a", [widgets(conversion={"strategy": "Webhook"})], wave=-100)])
    assert results["a"].state is State.READY
    assert [request for request in made.cluster.requests if request.verb == "patch" and request.target == WIDGETS] == []


def test_an_invalid_structure_that_we_never_set_is_an_error() -> None:
    made = delivery()
    results = made.direct([part("a", [widgets(conversion={"webhook": {}})], wave=-100)])
    assert results["a"].message.startswith(
        "CustomResourceDefinition.apiextensions.k8s.io/widgets.example.com: is invalid"
    )


def test_fields_that_cannot_change_are_named() -> None:
    made = delivery()
    made.direct([part("shop", [database()])])
    (error,) = made.direct([part("shop", [database("other", replicas=3)])])["shop"].errors
    assert error.message == "fields that cannot change are different in the new version: spec.serviceName"
    assert error.fix == "pass --recreate: the object is deleted and created again, its Pods and volumes stay"


def test_an_object_is_created_again_and_its_pods_stay() -> None:
    made = delivery()
    made.direct([part("shop", [database()])])
    with_pod(made)
    assert made.direct([part("shop", [database("other")])], recreate=True)["shop"].state is State.READY
    assert made.there("StatefulSet", "db", "shop", "apps")["spec"]["serviceName"] == "other"
    assert made.there("Pod", "db-0", "shop")


def test_pods_that_would_not_be_found_again_go() -> None:
    made = delivery()
    made.direct([part("shop", [database()])])
    with_pod(made)
    assert made.direct([part("shop", [database(app="new")])], recreate=True)["shop"].state is State.READY
    assert made.cluster.get(identity("Pod", "db-0", "shop")) is None


@pytest.mark.parametrize(("error", "state"), [*((one, State.READY) for one in PASSING), (FORBIDDEN, State.FAILED)])
def test_a_hook_that_goes_slowly_is_awaited_past_a_cluster_that_does_not_answer(
    error: ForgeError, state: State
) -> None:
    made, looks = delivery(), list[str]()
    target = identity("Job", "migrate", "shop", "batch")
    hook = body("batch/v1", "Job", "migrate", "shop", annotations={"helm.sh/hook": "pre-install,pre-upgrade"}, spec={})

    def away(request: FakeRequest) -> None:
        is_going = any(one.verb == "delete" and one.target == target for one in made.cluster.requests)
        if request.verb == "get" and request.target == target and is_going:
            looks.append(request.verb)
            if len(looks) == 1:
                raise error
            if len(looks) == 2:
                made.cluster.patch(target, {"metadata": {"finalizers": None}}, Patch.MERGE, manager="others")

    made.direct([part("shop", [hook, settings()])])
    made.cluster.patch(target, {"metadata": {"finalizers": ["example.com/x"]}}, Patch.MERGE, manager="others")
    made.cluster.requests.clear()
    made.cluster.before = away
    assert made.direct([part("shop", [hook, settings(a="2")])])["shop"].state is state
    assert looks


def test_what_holds_data_is_never_deleted() -> None:
    claims = [
        body("v1", "PersistentVolumeClaim", "data", "shop", spec={"storageClassName": name}) for name in ("a", "b")
    ]
    made = delivery()
    made.direct([part("shop", claims[:1])])
    (error,) = made.direct([part("shop", claims[1:])], recreate=True)["shop"].errors
    assert error.fix == "keep the old values in the stack: deleting the object would delete its data"
    assert made.there("PersistentVolumeClaim", "data", "shop")["spec"]["storageClassName"] == "a"


def test_a_job_is_replaced() -> None:
    made = delivery()
    for image in ("a", "b"):
        job = body("batch/v1", "Job", "migrate", "shop", spec={"template": {"image": image}})
        assert made.direct([part("shop", [job])])["shop"].state is State.READY
    assert made.there("Job", "migrate", "shop", "batch")["spec"]["template"] == {"image": "b"}


def upgraded(delivery: Delivery, **options: bool) -> ComponentResult:
    newer = {**widgets(), "spec": {**widgets()["spec"], "versions": [{**VERSIONS[0], "name": "v2"}]}}
    return delivery.direct([part("shop", [newer])], **options)["shop"]


def test_a_crd_that_loses_the_version_of_its_objects_is_left() -> None:
    delivery = Delivery(StrictServer(on_change=becomes_ready))
    delivery.direct([part("shop", [widgets()])])
    delivery.cluster.put(body("example.com/v1", "Widget", "w", "default"))
    for recreate in (False, True):
        result = upgraded(delivery, recreate=recreate)
        assert result.state is State.FAILED
        assert "objects may be stored in version v1, which the new CRD does not have" in result.message
        assert "have all widgets stored in the newer one" in str(result.errors[0].fix)
    assert delivery.there("CustomResourceDefinition", WIDGETS.name, group=WIDGETS.group)["spec"]["versions"] == VERSIONS


def test_a_crd_without_objects_that_loses_a_version_is_created_again_if_the_user_says_so() -> None:
    delivery = Delivery(StrictServer(on_change=becomes_ready))
    delivery.direct([part("shop", [widgets()])])
    result = upgraded(delivery)
    assert "there are no widgets: the CRD can be deleted and created again, with --recreate" in str(
        result.errors[0].fix
    )
    assert upgraded(delivery, recreate=True).state is State.READY
    (version,) = delivery.there("CustomResourceDefinition", WIDGETS.name, group=WIDGETS.group)["spec"]["versions"]
    assert version["name"] == "v2"
