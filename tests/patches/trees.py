"""Objects and edits for property tests."""

from __future__ import annotations

import copy
import random
from typing import Any

from hypothesis import strategies as st
from tests.gitops.conftest import crd_of

from cluster_forge.manifests.merge_keys import MergeKeys

KEYS = MergeKeys.of(36)
DEPLOYMENT = KEYS.schema("apps", "v1", "Deployment")

SHOP_SPEC = {
    "items": {
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["zone", "sku"],
        "items": {"properties": {"zone": {"default": "all"}}},
    },
    "tags": {"x-kubernetes-list-type": "set"},
}
SHOP_SCHEMA = {"openAPIV3Schema": {"properties": {"spec": {"properties": SHOP_SPEC}}}}
DEFINITION = crd_of("example.com", "Shop", "v1", schema=SHOP_SCHEMA)
SHOP = MergeKeys.of(36, [DEFINITION]).schema("example.com", "v1", "Shop")


def shop(*items: dict[str, Any], tags: list[str] | None = None) -> dict[str, Any]:
    """A custom resource with a list that merges by two keys, of which one has a default, and a set."""
    spec = {"items": list(items), "tags": tags or []}
    return {"apiVersion": "example.com/v1", "kind": "Shop", "metadata": {"name": "a"}, "spec": spec}


WORDS = ("a", "b", "c", "d")
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 2),
    st.sampled_from([0.0, 1.0, 2.5]),
    st.sampled_from(["", "x", "y", "1", "true"]),
)
texts = st.lists(st.sampled_from(["x\n", "y\n", "z\n", "\n"]), min_size=1, max_size=6).map("".join)
free_values = st.recursive(
    st.one_of(scalars, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(WORDS), inner, max_size=3)),
    max_leaves=4,
)


def named(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """A list of mappings with the names of `WORDS`, each once."""
    entry = st.fixed_dictionaries({}, optional=fields)
    return st.dictionaries(st.sampled_from(WORDS), entry, max_size=4).map(
        lambda entries: [{"name": name, **entry} for name, entry in entries.items()]
    )


ports = st.lists(
    st.tuples(st.sampled_from([53, 80]), st.sampled_from(["TCP", "UDP", None]), scalars),
    max_size=3,
    unique_by=lambda port: (port[0], port[1] or "TCP"),
).map(
    lambda entries: [
        {"containerPort": number, **({"protocol": protocol} if protocol else {}), "hostIP": extra}
        for number, protocol, extra in entries
    ]
)
containers = named(
    {
        "image": st.sampled_from(["one", "two"]),
        "args": st.lists(st.sampled_from(WORDS), max_size=3),
        "env": named({"value": st.sampled_from(["1", "2", "3"])}),
        "ports": ports,
        "resources": free_values,
    }
)


@st.composite
def deployments(draw: st.DrawFn) -> dict[str, Any]:
    """Deployments in which everything is that merges in a way of its own, and some that is of a wrong type."""
    spec = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "replicas": scalars,
                "selector": st.dictionaries(st.just("matchLabels"), st.dictionaries(st.sampled_from(WORDS), scalars)),
                "template": st.fixed_dictionaries(
                    {
                        "spec": st.fixed_dictionaries(
                            {},
                            optional={
                                "containers": st.one_of(containers, containers, free_values),
                                "volumes": named({"emptyDir": st.just({}), "configMap": free_values}),
                                "tolerations": st.lists(free_values, max_size=2),
                            },
                        )
                    }
                ),
            },
        )
    )
    metadata = draw(
        st.fixed_dictionaries(
            {"name": st.just("web")},
            optional={
                "labels": st.dictionaries(st.sampled_from(WORDS), st.one_of(scalars, texts), max_size=3),
                "finalizers": st.lists(st.sampled_from(WORDS), max_size=3, unique=True),
            },
        )
    )
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def edited(body: Any, chance: random.Random, edits: int) -> Any:
    """A copy with random edits: a value changed, removed or added, an entry of a list removed, added or moved."""
    copied = copy.deepcopy(body)
    for _ in range(edits):
        edit(copied, chance)
    return copied


def edit(body: Any, chance: random.Random) -> None:
    """One random edit of an object, in place."""
    node, depth = body, 0
    while True:
        inner = list(node) if isinstance(node, dict) else list(range(len(node)))
        inner = [key for key in inner if depth or key not in ("apiVersion", "kind")]
        inner = [
            key for key in inner if depth != 1 or node is not body.get("metadata") or key not in ("name", "namespace")
        ]
        deeper = [key for key in inner if isinstance(node[key], dict | list)]
        if deeper and (depth == 0 or chance.random() < 0.75):
            node, depth = node[chance.choice(deeper)], depth + 1
            continue
        break
    if depth == 0:
        node = body.setdefault("metadata", {}).setdefault("annotations", {})
    _change(node, inner, chance)


def _change(node: Any, keys: list[Any], chance: random.Random) -> None:
    action = chance.choice(("change", "remove", "add", "move"))
    value = chance.choice(("edited", 7, True, 1.5, "two\nlines\n", {"edited": "yes"}, ["one", "two"]))
    keys = [key for key in keys if (key in node if isinstance(node, dict) else key < len(node))]
    if isinstance(node, list) and action == "move":
        chance.shuffle(node)
    elif action == "remove" and keys:
        del node[chance.choice(keys)]
    elif action == "change" and keys:
        node[chance.choice(keys)] = value
    elif isinstance(node, list):
        like = next((entry for entry in node if isinstance(entry, dict)), None)
        node.insert(chance.randint(0, len(node)), {**like, "name": "edited"} if like else value)
    else:
        node[f"edited-{chance.randint(0, 99)}"] = value
