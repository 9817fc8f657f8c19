"""What every `Cluster` does: the fake one of the tests, and the adapter against a real API server (`tests/e2e`).

A subclass gives the fixture ``cluster``; the tests leave nothing behind but in namespaces ``contract-…``.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from cluster_forge.foundation.errors import RefusedError
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import (
    ApplyOptions,
    Change,
    Cluster,
    Deleted,
    Patch,
    Propagation,
    Query,
    ServedKind,
    Validation,
)

OURS = ApplyOptions(manager="cluster-forge")
THEIRS = ApplyOptions(manager="somebody-else")
_NUMBERS = itertools.count(1)


def config_map(namespace: str, name: str = "settings", **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data}


def deployment(namespace: str, image: str = "example.com/web:1", *, replicas: int | None = None) -> dict[str, Any]:
    labels = {"app": "web"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": image}]}}
    spec: dict[str, Any] = {"selector": {"matchLabels": labels}, "template": pod}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": spec if replicas is None else {**spec, "replicas": replicas},
    }


def definition(group: str) -> dict[str, Any]:
    """A CRD of the kind ``Widget`` in a group."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "names": {"kind": "Widget", "listKind": "WidgetList", "plural": "widgets", "singular": "widget"},
            "scope": "Namespaced",
            "versions": [version],
        },
    }


def managers(body: Body) -> set[str]:
    return {entry["manager"] for entry in body["metadata"]["managedFields"]}


class ClusterContract:
    @pytest.fixture
    def namespace(self, cluster: Cluster) -> Iterator[str]:
        name = f"contract-{next(_NUMBERS)}"
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, OURS)
        yield name
        cluster.delete(ObjectId(group="", kind="Namespace", namespace="", name=name))

    def test_says_which_cluster_it_is(self, cluster: Cluster) -> None:
        facts = cluster.about()
        assert facts.version.startswith("v1.")
        assert facts.server.startswith("https://")
        assert facts.user

    def test_serves_the_built_in_kinds_with_scope_and_preference(self, cluster: Cluster) -> None:
        served = cluster.served()
        found = served.find("apps", "Deployment")
        assert found is not None
        assert (found.api_version, found.plural, found.is_namespaced) == ("apps/v1", "deployments", True)
        assert {"get", "list", "patch", "watch"} <= found.verbs
        assert "status" in found.subresources
        namespaces = served.find("", "Namespace", "v1")
        assert namespaces is not None
        assert not namespaces.is_namespaced
        assert served.find("apps", "Deployment", "v1beta1") is None
        assert served.find("example.com", "Nonsense") is None

    def test_applies_a_new_object_and_the_same_again_changes_nothing(self, cluster: Cluster, namespace: str) -> None:
        first = cluster.apply(config_map(namespace, a="1"), OURS)
        again = cluster.apply(config_map(namespace, a="1"), OURS)
        assert first.is_new
        assert not again.is_new
        assert again.body["metadata"]["resourceVersion"] == first.body["metadata"]["resourceVersion"]
        assert again.body["metadata"]["uid"] == first.body["metadata"]["uid"]
        assert managers(again.body) == {"cluster-forge"}

    def test_a_field_that_is_not_applied_any_more_is_removed(self, cluster: Cluster, namespace: str) -> None:
        cluster.apply(config_map(namespace, a="1", b="2"), OURS)
        assert cluster.apply(config_map(namespace, b="2"), OURS).body["data"] == {"b": "2"}

    def test_a_field_of_others_stays(self, cluster: Cluster, namespace: str) -> None:
        cluster.apply(config_map(namespace, a="1"), OURS)
        cluster.apply(config_map(namespace, b="2"), THEIRS)
        assert cluster.apply(config_map(namespace), OURS).body["data"] == {"b": "2"}

    def test_a_field_that_two_apply_stays_when_one_drops_it(self, cluster: Cluster, namespace: str) -> None:
        cluster.apply(config_map(namespace, a="1"), OURS)
        cluster.apply(config_map(namespace, a="1"), THEIRS)
        assert cluster.apply(config_map(namespace, b="2"), OURS).body["data"] == {"a": "1", "b": "2"}

    def test_a_conflict_names_the_manager_and_the_field(self, cluster: Cluster, namespace: str) -> None:
        cluster.apply(deployment(namespace, replicas=1), THEIRS)
        with pytest.raises(RefusedError) as caught:
            cluster.apply(deployment(namespace, replicas=3), OURS)
        assert (caught.value.status, caught.value.reason) == (409, "Conflict")
        [cause] = caught.value.causes
        assert cause.reason == "FieldManagerConflict"
        assert cause.field == ".spec.replicas"
        assert '"somebody-else"' in cause.message

    def test_force_takes_a_field_over(self, cluster: Cluster, namespace: str) -> None:
        cluster.apply(deployment(namespace, replicas=1), THEIRS)
        forced = ApplyOptions(manager="cluster-forge", force=True)
        assert cluster.apply(deployment(namespace, replicas=3), forced).body["spec"]["replicas"] == 3
        with pytest.raises(RefusedError):
            cluster.apply(deployment(namespace, replicas=1), THEIRS)

    def test_an_entry_of_a_keyed_list_is_a_field_of_its_own(self, cluster: Cluster, namespace: str) -> None:
        cluster.apply(deployment(namespace), OURS)
        more = deployment(namespace)
        more["spec"]["template"]["spec"]["containers"] = [{"name": "proxy", "image": "example.com/proxy:1"}]
        cluster.apply(more, THEIRS)
        body = cluster.apply(deployment(namespace, image="example.com/web:2"), OURS).body
        containers = {entry["name"]: entry["image"] for entry in body["spec"]["template"]["spec"]["containers"]}
        assert containers == {"web": "example.com/web:2", "proxy": "example.com/proxy:1"}

    def test_a_change_of_the_spec_counts_as_a_generation(self, cluster: Cluster, namespace: str) -> None:
        first = cluster.apply(deployment(namespace, replicas=1), OURS).body["metadata"]["generation"]
        assert cluster.apply(deployment(namespace, replicas=2), OURS).body["metadata"]["generation"] == first + 1

    def test_a_trial_stores_nothing(self, cluster: Cluster, namespace: str) -> None:
        trial = ApplyOptions(manager="cluster-forge", is_trial=True, validation=Validation.STRICT)
        tried = cluster.apply(config_map(namespace, a="1"), trial)
        assert tried.is_new
        assert tried.body["data"] == {"a": "1"}
        assert cluster.get(ObjectId.of(config_map(namespace))) is None

    def test_an_object_of_an_unknown_kind_is_refused(self, cluster: Cluster, namespace: str) -> None:
        body = {
            "apiVersion": "example.com/v1",
            "kind": "Nonsense",
            "metadata": {"name": "x", "namespace": namespace},
        }
        with pytest.raises(RefusedError, match="Nonsense") as caught:
            cluster.apply(body, OURS)
        assert (caught.value.status, caught.value.reason) == (404, "NotFound")

    def test_a_cluster_scoped_object_loses_its_namespace(self, cluster: Cluster, namespace: str) -> None:
        metadata = {"name": "contract-low", "namespace": namespace}
        body = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": metadata, "value": 1}
        applied = cluster.apply(body, replace(OURS, is_trial=True))
        assert applied.body["metadata"]["name"] == "contract-low"
        assert "namespace" not in applied.body["metadata"]

    def test_an_object_in_a_namespace_that_is_not_there_is_refused(self, cluster: Cluster) -> None:
        with pytest.raises(RefusedError, match="contract-nowhere") as caught:
            cluster.apply(config_map("contract-nowhere"), OURS)
        assert caught.value.status == 404

    def test_creates_once(self, cluster: Cluster, namespace: str) -> None:
        cluster.create(config_map(namespace, a="1"))
        with pytest.raises(RefusedError) as caught:
            cluster.create(config_map(namespace, a="2"))
        assert (caught.value.status, caught.value.reason) == (409, "AlreadyExists")

    def test_replaces_only_the_version_that_was_read(self, cluster: Cluster, namespace: str) -> None:
        created = dict(cluster.create(config_map(namespace, a="1")))
        assert cluster.replace({**created, "data": {"a": "2"}})["data"] == {"a": "2"}
        with pytest.raises(RefusedError) as caught:
            cluster.replace({**created, "data": {"a": "3"}})
        assert (caught.value.status, caught.value.reason) == (409, "Conflict")

    def test_patches(self, cluster: Cluster, namespace: str) -> None:
        cluster.create(config_map(namespace, a="1", b="2"))
        target = ObjectId.of(config_map(namespace))
        merged = cluster.patch(target, {"data": {"a": None, "c": "3"}}, Patch.MERGE, manager="cluster-forge")
        assert merged["data"] == {"b": "2", "c": "3"}
        operations = [
            {"op": "test", "path": "/data/b", "value": "2"},
            {"op": "remove", "path": "/data/b"},
            {"op": "add", "path": "/data/d", "value": "4"},
        ]
        assert cluster.patch(target, operations, Patch.JSON, manager="cluster-forge")["data"] == {"c": "3", "d": "4"}
        with pytest.raises(RefusedError) as caught:
            cluster.patch(target, operations, Patch.JSON, manager="cluster-forge")
        assert caught.value.status == 422

    def test_the_status_is_changed_by_its_subresource_only(self, cluster: Cluster, namespace: str) -> None:
        cluster.apply(deployment(namespace), OURS)
        target = ObjectId.of(deployment(namespace))
        status = {"status": {"observedGeneration": 7}}
        patched = cluster.patch(target, status, Patch.MERGE, manager="tester", subresource="status")
        assert patched["status"]["observedGeneration"] == 7
        applied = cluster.apply({**deployment(namespace), "status": {"observedGeneration": 9}}, OURS)
        assert applied.body["status"]["observedGeneration"] != 9

    def test_gets_and_lists_by_labels_and_fields(self, cluster: Cluster, namespace: str) -> None:
        for name, color in (("one", "red"), ("two", "blue"), ("three", "red")):
            body = config_map(namespace, name)
            cluster.create({**body, "metadata": {**body["metadata"], "labels": {"color": color}}})

        def names(labels: str = "", fields: str = "") -> set[str]:
            query = Query(group="", kind="ConfigMap", namespace=namespace, labels=labels, fields=fields)
            return {item["metadata"]["name"] for item in cluster.list(query).items} - {"kube-root-ca.crt"}

        assert names() == {"one", "two", "three"}
        assert names("color=red") == {"one", "three"}
        assert names("color!=red,color") == {"two"}
        assert names("color in (blue, green)") == {"two"}
        assert names("color notin (blue),color") == {"one", "three"}
        assert names(fields="metadata.name=two") == {"two"}

    def test_makes_something_of_each_object(self, cluster: Cluster, namespace: str) -> None:
        for name in ("one", "two"):
            cluster.create(config_map(namespace, name, a=name))
        query = Query(group="", kind="ConfigMap", namespace=namespace, fields="metadata.name!=kube-root-ca.crt")
        assert sorted(cluster.each(query, lambda body: body["data"]["a"])) == ["one", "two"]
        assert cluster.each(Query(group="example.com", kind="Nonsense"), lambda body: body) == ()

    def test_what_is_listed_has_its_kind(self, cluster: Cluster, namespace: str) -> None:
        cluster.create(config_map(namespace, a="1"))
        query = Query(group="", kind="ConfigMap", namespace=namespace, fields="metadata.name=settings")
        [whole] = cluster.list(query).items
        assert (whole["apiVersion"], whole["kind"], whole["data"]) == ("v1", "ConfigMap", {"a": "1"})
        without_data = Query(
            group="", kind="ConfigMap", namespace=namespace, fields="metadata.name=settings", metadata_only=True
        )
        [part] = cluster.list(without_data).items
        assert part["kind"] == "PartialObjectMetadata"
        assert part["metadata"]["name"] == "settings"
        assert "data" not in part

    def test_what_is_not_there_or_not_served_is_nothing(self, cluster: Cluster, namespace: str) -> None:
        assert cluster.get(ObjectId.of(config_map(namespace))) is None
        unknown = ObjectId(group="example.com", kind="Nonsense", namespace=namespace, name="x")
        assert cluster.get(unknown) is None
        assert cluster.list(Query(group="example.com", kind="Nonsense")).items == ()
        for metadata_only in (False, True):
            query = Query(group="apps", kind="Deployment", namespace=namespace, metadata_only=metadata_only)
            assert cluster.list(query).items == ()
        assert cluster.delete(unknown) is Deleted.ABSENT
        assert cluster.delete(ObjectId.of(config_map(namespace))) is Deleted.ABSENT

    def test_watches_from_a_listing_on(self, cluster: Cluster, namespace: str) -> None:
        query = Query(group="", kind="ConfigMap", namespace=namespace, labels="watched")
        cluster.create(_labeled(config_map(namespace, "before")))
        listing = cluster.list(query)
        assert len(listing.items) == 1
        cluster.create(_labeled(config_map(namespace, "after")))
        cluster.create(config_map(namespace, "other"))
        cluster.apply(_labeled(config_map(namespace, "after", a="1")), OURS)
        cluster.delete(ObjectId.of(config_map(namespace, "after")))
        events = itertools.islice(cluster.watch(query, listing.version, 20), 3)
        seen = [(event.change, event.body["kind"], event.body["metadata"]["name"]) for event in events]
        assert seen == [(change, "ConfigMap", "after") for change in (Change.ADDED, Change.MODIFIED, Change.DELETED)]

    def test_a_watch_ends_in_time(self, cluster: Cluster, namespace: str) -> None:
        query = Query(group="", kind="ConfigMap", namespace=namespace, labels="watched")
        assert list(cluster.watch(query, cluster.list(query).version, 0.3)) == []

    def test_deletes_only_the_object_with_the_uid(self, cluster: Cluster, namespace: str) -> None:
        created = cluster.create(config_map(namespace))
        target = ObjectId.of(config_map(namespace))
        with pytest.raises(RefusedError) as caught:
            cluster.delete(target, uid="another")
        assert caught.value.status == 409
        assert cluster.delete(target, uid=created["metadata"]["uid"]) is Deleted.GONE
        assert cluster.get(target) is None

    def test_an_object_stays_until_its_finalizers_end(self, cluster: Cluster, namespace: str) -> None:
        body = config_map(namespace)
        cluster.create({**body, "metadata": {**body["metadata"], "finalizers": ["example.com/wait"]}})
        target = ObjectId.of(body)
        assert cluster.delete(target, Propagation.BACKGROUND) is Deleted.GOING
        waiting = cluster.get(target)
        assert waiting is not None
        assert waiting["metadata"]["deletionTimestamp"]
        cluster.patch(target, {"metadata": {"finalizers": None}}, Patch.MERGE, manager="cluster-forge")
        assert cluster.get(target) is None

    def test_nothing_is_made_in_a_namespace_that_ends(self, cluster: Cluster) -> None:
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "contract-ends"}}
        cluster.create(namespace)
        body = config_map("contract-ends", "held")
        cluster.create({**body, "metadata": {**body["metadata"], "finalizers": ["example.com/wait"]}})
        cluster.delete(ObjectId.of(namespace))
        try:
            with pytest.raises(RefusedError, match="being terminated") as caught:
                cluster.apply(config_map("contract-ends", "new"), OURS)
            assert (caught.value.status, caught.value.reason) == (403, "Forbidden")
            assert "NamespaceTerminating" in [cause.reason for cause in caught.value.causes]
        finally:
            cluster.patch(ObjectId.of(body), {"metadata": {"finalizers": None}}, Patch.MERGE, manager="tester")

    def test_answers_with_the_metadata_only(self, cluster: Cluster, namespace: str) -> None:
        options = ApplyOptions(manager="cluster-forge", metadata_only=True)
        first = cluster.apply(config_map(namespace, a="1"), options)
        whole = cluster.apply(config_map(namespace, a="1"), OURS).body
        assert first.is_new
        assert "data" not in first.body
        assert first.body["metadata"] == whole["metadata"]
        assert whole["data"] == {"a": "1"}

    def test_serves_the_kind_of_a_crd(self, cluster: Cluster, namespace: str) -> None:
        crd = definition("contract.example.com")
        cluster.apply(crd, ApplyOptions(manager="cluster-forge", metadata_only=True))
        try:
            _wait_for_established(cluster, ObjectId.of(crd))
            widget = {
                "apiVersion": "contract.example.com/v1",
                "kind": "Widget",
                "metadata": {"name": "w", "namespace": namespace},
                "spec": {"size": 1},
            }
            assert cluster.apply(widget, OURS).body["metadata"]["generation"] == 1
            found = _served_soon(cluster, "contract.example.com", "Widget")
            assert (found.version, found.plural, found.is_namespaced) == ("v1", "widgets", True)
            assert cluster.delete(ObjectId.of(widget)) is Deleted.GONE
        finally:
            cluster.delete(ObjectId.of(crd))

    def test_says_what_the_user_may_do(self, cluster: Cluster, namespace: str) -> None:
        kind = cluster.served().find("", "ConfigMap")
        assert kind is not None
        assert cluster.can("patch", kind, namespace)
        assert cluster.can("list", kind)

    def test_answers_a_path(self, cluster: Cluster) -> None:
        assert cluster.raw("/readyz") == b"ok"
        with pytest.raises(RefusedError) as caught:
            cluster.raw("/apis/nonsense.example.com/v1")
        assert caught.value.status == 404

    def test_a_container_without_a_log_has_none(self, cluster: Cluster, namespace: str) -> None:
        assert cluster.logs(namespace, "nothing") == ""


def _served_soon(cluster: Cluster, group: str, kind: str) -> ServedKind:
    """A server's discovery lists a kind a moment after it serves it."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        found = cluster.served(is_fresh=True).find(group, kind)
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{kind} is not served")


def _labeled(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "metadata": {**body["metadata"], "labels": {"watched": ""}}}


def _wait_for_established(cluster: Cluster, target: ObjectId) -> None:
    query = Query(group=target.group, kind=target.kind, fields=f"metadata.name={target.name}")
    listing = cluster.list(query)
    seen = itertools.chain(listing.items, (event.body for event in cluster.watch(query, listing.version, 20)))
    for body in seen:
        conditions = body.get("status", {}).get("conditions") or ()
        if any(entry["type"] == "Established" and entry["status"] == "True" for entry in conditions):
            return
    raise AssertionError(f"{target} is not established")
