"""Identities of objects, and the file names derived from them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.manifests.identity import ObjectId, group_of

name = st.text(max_size=80)
identities = st.builds(ObjectId, group=name, kind=st.text("abC", min_size=1, max_size=4), namespace=name, name=name)


@given(identities, identities)
def test_different_objects_have_different_files_where_case_is_ignored(one: ObjectId, other: ObjectId) -> None:
    same_but_for_case = (one.group, one.kind.lower(), one.namespace, one.name) == (
        other.group,
        other.kind.lower(),
        other.namespace,
        other.name,
    )
    assert (one.file_name.lower() == other.file_name.lower()) == same_but_for_case


@given(identities)
def test_file_names_are_valid_on_every_file_system(identity: ObjectId) -> None:
    assert len(identity.file_name.encode()) < 255
    assert set(identity.file_name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-_~")
    assert identity.file_name == identity.file_name.lower()


def test_names_are_readable() -> None:
    deployment = ObjectId(group="apps", kind="Deployment", namespace="shop", name="web")
    assert (str(deployment), deployment.file_name) == ("Deployment.apps/shop/web", "deployment.apps_shop_web.yaml")
    role = ObjectId(group="rbac.authorization.k8s.io", kind="ClusterRole", namespace="", name="system:x_Y")
    assert role.file_name == "clusterrole.rbac.authorization.k8s.io_system~3ax~5f~59.yaml"
    assert str(ObjectId(group="", kind="Namespace", namespace="", name="shop")) == "Namespace/shop"


def test_a_very_long_name_is_cut_and_stays_unique() -> None:
    long = [ObjectId(group="", kind="ConfigMap", namespace="n", name="x" * 250 + end) for end in "ab"]
    assert long[0].file_name != long[1].file_name
    assert all(len(identity.file_name) < 230 for identity in long)


def test_identity_of_a_body() -> None:
    body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "run", "namespace": None}}
    assert ObjectId.of(body) == ObjectId(group="batch", kind="Job", namespace="", name="run")
    assert group_of("v1") == ""


def test_two_objects_with_the_same_generate_name_are_two_objects() -> None:
    """Before, both were called ``run-``: one of them was a duplicate of the other."""
    metadata = {"generateName": "run-", "namespace": "n"}
    jobs = [
        ObjectId.of({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"parallelism": number}})
        for number in (1, 1, 2)
    ]
    assert jobs[0] == jobs[1] != jobs[2]
    assert jobs[0].file_name != jobs[2].file_name
    assert jobs[0].name.startswith("run-")
