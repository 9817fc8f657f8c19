"""An API server that lies, or is none: an error that says so, whatever it answers, and no value of a Secret in it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.adapters.kubernetes.cluster_contract import OURS
from tests.adapters.kubernetes.conftest import Reached
from tests.adapters.kubernetes.scripted_server import DISCOVERY, Reply, serving, status

from cluster_forge.adapters.kubernetes import objects, refusals
from cluster_forge.foundation.errors import ClusterError, RefusalCause, RefusedError
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.ports.cluster import Query

MAPS = Query(group="", kind="ConfigMap", namespace="shop")
TARGET = ObjectId(group="", kind="ConfigMap", namespace="shop", name="a")
GOOD: dict[str, Any] = {"name": "a", "namespace": "shop", "uid": "1", "resourceVersion": "1"}
BROKEN: list[object] = [
    {},
    {"metadata": None},
    {"metadata": []},
    {"metadata": {}},
    {"metadata": {"name": 1, "namespace": "shop"}},
    {"metadata": {**GOOD, "uid": {"a": 1}}},
    {"metadata": {**GOOD, "labels": ["a"]}},
    {"metadata": {**GOOD, "annotations": {"a": {"b": 1}}}},
    {"metadata": {**GOOD, "managedFields": [1]}},
    {"metadata": {**GOOD, "managedFields": [{"fieldsV1": "x"}]}},
    {"metadata": {**GOOD, "finalizers": "a"}},
    {"metadata": {**GOOD, "ownerReferences": {"uid": "1"}}},
    {"metadata": {**GOOD, "generation": "one"}},
    {"metadata": GOOD, "data": ["a"]},
    {"metadata": GOOD, "status": "fine"},
    {"metadata": {**GOOD, "name": "another"}},
    {"metadata": {**GOOD, "namespace": "elsewhere"}},
]
TREE = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"}}
SECRET = "correct-horse"


@pytest.mark.parametrize("answer", BROKEN, ids=repr)
def test_an_object_without_its_shape_is_refused_wherever_it_comes_from(
    answer: dict[str, Any], reached: Reached
) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", **answer}
    with serving(lambda _: Reply(content=body)) as server:
        cluster = reached(server.url)
        for ask in (
            lambda: cluster.get(TARGET),
            lambda: cluster.apply(TREE, OURS),
        ):
            with pytest.raises(ClusterError, match="does not answer as a Kubernetes API server"):
                ask()


@pytest.mark.parametrize("item", [*BROKEN[:13], BROKEN[16], 1, None, "a"], ids=repr)
def test_a_list_with_one_of_these_is_refused(item: object, reached: Reached) -> None:
    listed = {"kind": "ConfigMapList", "metadata": {"resourceVersion": "1"}, "items": [{"metadata": GOOD}, item]}
    with (
        serving(lambda _: Reply(content=listed)) as server,
        pytest.raises(ClusterError, match="does not answer as a Kubernetes API server"),
    ):
        reached(server.url).list(MAPS)


def test_an_error_with_the_status_of_success_is_an_error(reached: Reached) -> None:
    content = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": "Forbidden",
        "message": "no",
        "code": 403,
    }
    with serving(lambda _: Reply(content=content)) as server:
        cluster = reached(server.url)
        for ask in (lambda: cluster.get(TARGET), lambda: cluster.delete(TARGET)):
            with pytest.raises(RefusedError, match="no"):
                ask()


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "APIGroupDiscoveryList", "items": [{"metadata": ["x"]}]},
        {
            "kind": "APIGroupDiscoveryList",
            "items": [{"versions": [{"resources": [{"resource": "a", "responseKind": "b"}]}]}],
        },
        {
            "kind": "APIGroupDiscoveryList",
            "items": [{"versions": [{"resources": [{"resource": "a", "responseKind": {"kind": "A"}, "verbs": 1}]}]}],
        },
        {"kind": "APIGroupList", "groups": [{"name": "x", "versions": [{}], "preferredVersion": 1}]},
    ],
    ids=repr,
)
def test_a_discovery_of_another_shape_is_refused(document: object, reached: Reached) -> None:
    with (
        serving(lambda received: Reply(content=DISCOVERY["/api"] if received.path == "/x/api" else document)) as server,
        pytest.raises(ClusterError, match="does not answer as a Kubernetes API server"),
    ):
        reached(f"{server.url}/x").served()


def test_a_webhook_that_quotes_a_secret_is_not_quoted(reached: Reached) -> None:
    encoded = base64.b64encode(SECRET.encode()).decode()
    said = f'admission webhook "w.example.com" denied the request: {{"data":{{"password":"{encoded}"}}}} ({SECRET})'
    causes = {"causes": [{"reason": "FieldValueInvalid", "field": "data", "message": f'Invalid value: "{SECRET}"'}]}
    core = json.loads(json.dumps(DISCOVERY["/api"]).replace("ConfigMap", "Secret").replace("configmaps", "secrets"))
    answers = {"/x/api": Reply(content=core), "/x/apis": Reply(content=DISCOVERY["/apis"])}
    refusal = status(403, "Forbidden", said, details=causes)
    secret = {**TREE, "kind": "Secret", "data": {"password": encoded}}
    with serving(lambda received: answers.get(received.path, refusal)) as server:
        cluster = reached(f"{server.url}/x")
        for send in (
            lambda: cluster.apply(secret, OURS),
            lambda: cluster.create(secret),
            lambda: cluster.replace(secret),
        ):
            with pytest.raises(RefusedError) as caught:
                send()
            shown = f"{caught.value} {caught.value.causes}"
            assert encoded not in shown
            assert SECRET not in shown
            assert 'admission webhook "w.example.com" denied the request' in shown


def test_the_manager_in_a_conflict_stays_readable() -> None:
    cause = RefusalCause(reason="FieldManagerConflict", message='conflict with "kubectl"', field=".data.user")
    error = RefusedError('conflict with "kubectl"', status=409, reason="Conflict", causes=(cause,))
    body = {"apiVersion": "v1", "kind": "Secret", "stringData": {"user": "kubectl"}}
    shown = refusals.without_secrets(error, body)
    assert shown.causes == (cause,)
    assert "kubectl" not in shown.message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
METADATA = st.dictionaries(
    st.sampled_from(
        ["name", "namespace", "uid", "labels", "annotations", "managedFields", "ownerReferences", "finalizers"]
    ),
    JSON,
)


@given(st.fixed_dictionaries({"metadata": METADATA | JSON}))
@hypothesis_settings(suppress_health_check=[HealthCheck.too_slow])
def test_whatever_passes_as_an_object_can_be_read_as_one(body: dict[str, Any]) -> None:
    if objects.is_object(body):
        metadata = body["metadata"]
        assert metadata["name"].strip is not None
        assert all(
            value.encode is not None
            for key in ("labels", "annotations")
            for value in (metadata.get(key) or {}).values()
        )
        assert all(entry.get("manager") or True for entry in metadata.get("managedFields") or ())
        assert all(reference.get("uid") or True for reference in metadata.get("ownerReferences") or ())
