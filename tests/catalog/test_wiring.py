"""Wirings apply if all their components are in the stack, and the user overrides them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cluster_forge.stack.component import AcceptedFinding

if TYPE_CHECKING:
    from tests.catalog.conftest import Shelf

LOGS = {"logs-backend": {"url": "http://${release}-gateway.${namespace}.svc.cluster.local"}}


def wired(**changes: Any) -> list[dict[str, Any]]:
    return [{"with": "logs-backend", "purpose": "Logs are shown.", "values": {"url": "${logs-backend.url}"}, **changes}]


def values(shelf: Shelf, description: str, name: str = "web") -> Any:
    return shelf.load(description).stack.component(name).values


@pytest.fixture
def logs(shelf: Shelf) -> Shelf:
    return shelf.component("loki", provides=LOGS)


def test_a_wiring_applies_with_its_component_only(logs: Shelf) -> None:
    logs.component("web", values={"a": 1}, wiring=wired())
    assert values(logs, "components: [web]") == {"a": 1}
    assert values(logs, "components: [web, loki]") == {"a": 1, "url": "http://loki-gateway.loki.svc.cluster.local"}


def test_addresses_follow_the_namespace(logs: Shelf) -> None:
    logs.component("web", wiring=wired())
    own = "components: [web, {name: loki, namespace: logs}]"
    assert values(logs, own) == {"url": "http://loki-gateway.logs.svc.cluster.local"}


def test_the_user_overrides_a_wiring(logs: Shelf) -> None:
    logs.component("web", wiring=wired())
    assert values(logs, "components: [{name: web, values: {url: mine}}, loki]") == {"url": "mine"}


def test_wirings_apply_under_all_their_conditions(logs: Shelf) -> None:
    logs.component("other")
    logs.component(
        "web",
        wiring=[
            *wired(values={"alone": True}, without="other"),
            *wired(values={"large": True}, sizes=["large"]),
            *wired(values={"both": True}, **{"with": ["logs-backend", "other"]}),
            {"without": "logs-backend", "purpose": "No logs are kept.", "values": {"none": True}},
        ],
    )
    assert values(logs, "components: [web, loki]") == {"alone": True}
    assert values(logs, "components: [web, loki, other]") == {"both": True}
    assert values(logs, "target: {size: large}\ncomponents: [web, loki]") == {"alone": True, "large": True}
    assert values(logs, "components: [web]") == {"none": True}


def test_a_domain_is_a_capability(logs: Shelf) -> None:
    logs.component("web", wiring=wired(values={"host": "web.${domain}"}, **{"with": "domain"}))
    assert values(logs, "components: [web]") == {}
    assert values(logs, "target: {domain: example.com}\ncomponents: [web]") == {"host": "web.example.com"}


def test_what_the_cluster_provides_is_wired_without_its_address(logs: Shelf) -> None:
    logs.component("web", wiring=[*wired(), *wired(values={"logs": True})])
    assert values(logs, "target: {provides: [logs-backend]}\ncomponents: [web]") == {"logs": True}
    assert values(logs, "target: {provides: [logs-backend]}\ncomponents: [web, loki]") == {
        "logs": True,
        "url": "http://loki-gateway.loki.svc.cluster.local",
    }


def test_text_and_lists_are_appended(logs: Shelf) -> None:
    more = {"config.text": "- ${logs-backend.name}\n", "list": [2], "new.one": [3], "a\\.b": "c"}
    logs.component(
        "web",
        values={"config": {"text": "- first\n"}, "list": [1]},
        wiring=[*wired(append=more), *wired(append={"list": [4]})],
    )
    assert values(logs, "components: [web, loki]") == {
        "config": {"text": "- first\n- loki\n"},
        "list": [1, 2, 4],
        "new": {"one": [3]},
        "a.b": "c",
        "url": "http://loki-gateway.loki.svc.cluster.local",
    }


def test_objects_are_added_with_placeholders_replaced(logs: Shelf) -> None:
    own = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "${name}"}, "data": {"literal": "$${x}"}}
    logs.component(
        "web", objects=[own], wiring=wired(objects=[{**own, "metadata": {"name": "${logs-backend.namespace}"}}])
    )
    found = logs.load("components: [web, loki]").stack.component("web").objects
    assert [body["metadata"]["name"] for body in found] == ["web", "loki"]
    assert found[0]["data"] == {"literal": "${x}"}


def test_an_unresolved_reference_is_an_error(logs: Shelf) -> None:
    logs.component("web", values={"a": "${object-storage.endpoint}"})
    assert logs.errors("components: [web]") == ["catalog:web: web: unresolved reference ${object-storage.endpoint}"]


def test_the_preferred_provider_is_the_one_that_is_wired(logs: Shelf) -> None:
    logs.component("openobserve", provides=LOGS).component("web", wiring=wired(values={"by": "${logs-backend.name}"}))
    assert values(logs, "components: [web, openobserve, loki]") == {"by": "loki"}


def test_origins_name_the_layer_of_each_value(logs: Shelf) -> None:
    logs.component("web", values={"a": 1}, sizes={"small": {"b": 2}}, wiring=wired())
    loaded = logs.load("components: [{name: web, values: {c: 3}}, loki]")
    (web, _) = loaded.effective["components"]
    assert web["values"] == {"a": 1, "b": 2, "c": 3, "url": "http://loki-gateway.loki.svc.cluster.local"}
    origins = {path[-1]: where for path, where in loaded.origins.items() if path[:3] == ("components", 0, "values")}
    assert origins["a"] == "catalog:web"
    assert origins["b"] == "catalog:web (size small)"
    assert origins["url"] == "catalog:web (with logs-backend)"
    assert origins["c"] == "input/config.yaml:4"


def test_secrets_are_expected_under_their_conditions(logs: Shelf) -> None:
    secret = {"name": "s3", "keys": {"access-key": "who", "secret-key": "proof"}, "purpose": "The bucket."}
    logs.component(
        "web", secrets=[{**secret, "sizes": ["large"]}, {**secret, "name": "logs", "when": ["logs-backend"]}]
    )
    assert logs.load("components: [web]").stack.component("web").secrets == ()
    (found,) = logs.load("components: [web, loki]").stack.component("web").secrets
    assert (found.name, found.namespace, dict(found.keys)) == ("logs", "web", secret["keys"])


def test_a_secret_store_fills_expected_secrets(logs: Shelf) -> None:
    secret = {"name": "s3", "keys": {"access-key": "who", "secret-key": "proof"}, "purpose": "The bucket."}
    logs.component("vault", provides={"secret-store": {"name": "the-vault"}}, secrets=[{**secret, "byHand": True}])
    logs.component("web", secrets=[secret])
    assert logs.load("components: [web]").stack.component("web").objects == ()
    stack = logs.load("components: [web, vault]").stack
    (found,) = stack.component("web").objects
    assert (found["kind"], found["metadata"]) == ("ExternalSecret", {"name": "s3", "namespace": "web"})
    assert found["spec"]["secretStoreRef"] == {"kind": "ClusterSecretStore", "name": "the-vault"}
    assert [entry["secretKey"] for entry in found["spec"]["data"]] == ["access-key", "secret-key"]
    assert stack.component("web").needs == ("vault",)
    assert (stack.component("vault").objects, stack.component("vault").needs) == ((), ())


def test_what_a_component_accepts_holds_in_every_stack_with_it(shelf: Shelf) -> None:
    shelf.component("web", exceptions=[{"rule": "rbac-wide", "objects": "ClusterRole/web", "reason": "It must."}])
    shelf.component("api")
    policy = shelf.load("components: [web, api]").stack.finding_policy
    accepted = AcceptedFinding(code="rbac-wide", objects=("ClusterRole/web",), reason="It must.")
    assert policy.accepted == {"web": (accepted,)}
    own = "components: [{name: web, accepts: [{code: spread, reason: It is small.}]}]"
    (mine,) = shelf.load(own).stack.finding_policy.accepted["web"]
    assert (mine.code, mine.objects) == ("spread", ("*",))
