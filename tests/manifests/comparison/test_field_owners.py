"""Fields that another manager has set: as the API server notes them in ``managedFields``."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.manifests.comparison import field_owners

BODY = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "labels": {"a": "1"}},
    "spec": {
        "replicas": 2,
        "template": {"spec": {"containers": [{"name": "web", "image": "a:1", "args": ["x"]}, {"name": "log"}]}},
    },
}
OURS = {
    "f:metadata": {"f:labels": {"f:a": {}}},
    "f:spec": {
        "f:replicas": {},
        "f:template": {
            "f:spec": {"f:containers": {'k:{"name":"web"}': {".": {}, "f:name": {}, "f:image": {}, "f:args": {}}}}
        },
    },
}


def live(*entries: tuple[str, Any], **more: str) -> dict[str, Any]:
    return {"managedFields": [{"manager": manager, "fieldsV1": fields, **more} for manager, fields in entries]}


def taken(metadata: dict[str, Any]) -> list[tuple[str, str]]:
    return [(field.path, field.manager) for field in field_owners.taken(BODY, metadata, "ours")]


def without(*path: str) -> Any:
    def cut(fields: Any, rest: tuple[str, ...]) -> Any:
        if len(rest) == 1:
            return {key: value for key, value in fields.items() if key != rest[0]}
        return {**fields, rest[0]: cut(fields[rest[0]], rest[1:])}

    return cut(OURS, path)


def test_nothing_is_taken_while_ours_owns_everything() -> None:
    assert taken(live(("ours", OURS))) == []
    assert taken(live(("ours", OURS), ("theirs", {"f:spec": {"f:replicas": {}}}))) == []  # both have set the same value


def test_a_field_that_another_manager_has_set() -> None:
    theirs: dict[str, Any] = {"f:spec": {"f:replicas": {}, "f:paused": {}}}
    assert taken(live(("ours", without("f:spec", "f:replicas")), ("kubectl-edit", theirs))) == [
        ("spec.replicas", "kubectl-edit")
    ]


def test_a_field_in_an_entry_of_a_list() -> None:
    inside = ("f:spec", "f:template", "f:spec", "f:containers", 'k:{"name":"web"}', "f:image")
    theirs: dict[str, Any] = {
        "f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"web"}': {"f:image": {}}}}}}
    }
    assert taken(live(("ours", without(*inside)), ("kubectl-set", theirs))) == [
        ('spec.template.spec.containers[name="web"].image', "kubectl-set")
    ]


def test_fields_of_a_status_and_of_an_autoscaler_do_not_count() -> None:
    theirs: dict[str, Any] = {"f:spec": {"f:replicas": {}}}
    own = live(("ours", without("f:spec", "f:replicas")))["managedFields"]
    for manager, subresource, count in (
        ("kube-controller-manager", "scale", 0),
        ("kubectl", "scale", 1),
        ("kubectl", "status", 0),
    ):
        entries = [*own, *live((manager, theirs), subresource=subresource)["managedFields"]]
        assert len(taken({"managedFields": entries})) == count
        assert field_owners.has_others({"managedFields": entries}, "ours") == bool(count)


FIELDS: st.SearchStrategy[Any] = st.recursive(
    st.just({}) | st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.dictionaries(
        st.sampled_from(("f:spec", "f:replicas", "f:template", "f:containers", 'k:{"name":"web"}', "k:[", "k:1", ".")),
        inner,
    ),
    max_leaves=10,
)


@given(FIELDS, FIELDS)
def test_whatever_a_server_says_there_is_an_answer(ours: Any, theirs: Any) -> None:
    metadata = live(("ours", ours), ("theirs", theirs))
    assert {manager for _, manager in taken(metadata)} <= {"theirs"}
