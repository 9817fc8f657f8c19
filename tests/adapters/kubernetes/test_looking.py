"""Discovery of new and old servers, lists in pages, watches that are cut, and what the user may do."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.adapters.kubernetes.cluster_contract import OURS, config_map, definition
from tests.adapters.kubernetes.conftest import QUICK, Reached
from tests.adapters.kubernetes.scripted_server import DISCOVERY, Received, Reply, serving, status

from cluster_forge.adapters.kubernetes import discovery
from cluster_forge.adapters.kubernetes.api_server import ApiServer
from cluster_forge.adapters.kubernetes.refusals import of_status
from cluster_forge.foundation.errors import ClusterError, RefusedError
from cluster_forge.ports.cluster import Change, Event, Query, ServedKind

MAPS = Query(group="", kind="ConfigMap", namespace="shop")
KIND = ServedKind(group="", version="v1", kind="ConfigMap", plural="configmaps", is_namespaced=True, is_preferred=True)
PLAIN: Mapping[str, object] = {
    "/old/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/old/api/v1": {
        "kind": "APIResourceList",
        "resources": [
            {"name": "pods", "kind": "Pod", "namespaced": True, "verbs": ["get"]},
            {"name": "pods/log", "kind": "Pod", "namespaced": True},
        ],
    },
    "/old/apis": {
        "kind": "APIGroupList",
        "groups": [
            {
                "name": "example.com",
                "versions": [{"version": "v1beta1"}, {"version": "v1"}],
                "preferredVersion": {"version": "v1"},
            },
            {"name": "metrics.k8s.io", "versions": [{"version": "v1"}]},
        ],
    },
    "/old/apis/example.com/v1": {"kind": "APIResourceList", "resources": [{"name": "widgets", "kind": "Widget"}]},
    "/old/apis/example.com/v1beta1": {"kind": "APIResourceList", "resources": [{"name": "widgets", "kind": "Widget"}]},
}


def page(*names: str, following: str = "") -> Reply:
    items = [{"metadata": {"name": name}} for name in names]
    metadata = {"resourceVersion": "10", **({"continue": following} if following else {})}
    return Reply(content={"kind": "ConfigMapList", "metadata": metadata, "items": items})


def changed(kind: str, name: str, version: int) -> dict[str, Any]:
    return {"type": kind, "object": {"kind": "ConfigMap", "metadata": {"name": name, "resourceVersion": str(version)}}}


def seen(events: list[Event]) -> list[tuple[Change, str]]:
    return [(event.change, event.body["metadata"]["name"]) for event in events]


def test_an_older_server_lists_each_version(reached: Reached) -> None:
    def answer(request: Received) -> Reply:
        content = PLAIN.get(request.path)
        return Reply(content=content) if content else status(503, "ServiceUnavailable")

    with serving(answer) as server:
        served = reached(f"{server.url}/old").served()
    pod, widget = served.find("", "Pod"), served.find("example.com", "Widget")
    assert pod is not None
    assert widget is not None
    assert (pod.plural, pod.is_namespaced, pod.subresources) == ("pods", True, frozenset({"log"}))
    assert (widget.version, widget.is_namespaced) == ("v1", False)
    assert served.find("example.com", "Widget", "v1beta1") is not None
    assert served.stale == {"metrics.k8s.io"}


def test_stale_groups_of_aggregated_discovery() -> None:
    version = {"version": "v1", "freshness": "Stale", "resources": []}
    tree = {"items": [{"metadata": {"name": "metrics.k8s.io"}, "versions": [version]}]}
    assert discovery._aggregated(tree) == ((), frozenset({"metrics.k8s.io"}))


def test_discovery_that_did_not_change_is_not_sent_again_and_the_core_group_not_asked_for(reached: Reached) -> None:
    replies: list[tuple[str, int]] = []

    def answer(request: Received) -> Reply:
        is_known, path = request.headers.get("if-none-match") == '"1"', request.path.removeprefix("/x")
        replies.append((path, 304 if is_known else 200))
        content = "" if is_known else DISCOVERY[path]
        return Reply(content=content, status=replies[-1][1], headers={"ETag": '"1"'})

    with serving(answer) as server:
        cluster = reached(f"{server.url}/x")
        first = cluster.served()
        assert cluster.served() is first
        assert cluster.served(is_fresh=True) == first
    assert replies == [("/api", 200), ("/apis", 200), ("/apis", 304)]


def test_a_server_that_lists_no_kinds_is_none(reached: Reached) -> None:
    with (
        serving(lambda _: Reply(content={"a": 1})) as server,
        pytest.raises(ClusterError, match="does not answer as a"),
    ):
        reached(f"{server.url}/x").served()


@pytest.mark.parametrize(
    "reply", [Reply(status=404, content="404 page not found"), Reply(status=404, content={"kind": "Status"})]
)
def test_an_address_below_which_there_is_no_api_is_named(reached: Reached, reply: Reply) -> None:
    """The path of another cluster behind a proxy."""
    with serving(lambda _: reply) as server, pytest.raises(ClusterError) as caught:
        reached(f"{server.url}/clusters/c-1").served()
    assert f"{server.url}/clusters/c-1 has no /api" in caught.value.message
    assert "`server` in the kubeconfig" in str(caught.value.fix)


def test_the_kinds_of_a_crd_are_known_once_it_is_applied(reached: Reached) -> None:
    crd = definition("example.com")
    group = {
        "metadata": {"name": "apiextensions.k8s.io"},
        "versions": [
            {
                "version": "v1",
                "resources": [
                    {
                        "resource": "customresourcedefinitions",
                        "responseKind": {"kind": "CustomResourceDefinition"},
                        "scope": "Cluster",
                    }
                ],
            }
        ],
    }

    def answer(request: Received) -> Reply:
        root = {"/x/api": DISCOVERY["/api"], "/x/apis": {"kind": "APIGroupDiscoveryList", "items": [group]}}
        return Reply(content=root.get(request.path) or json.loads(request.body))

    widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "shop"}}
    with serving(answer) as server:
        cluster = reached(f"{server.url}/x")
        with pytest.raises(RefusedError, match=r"no kind Widget in example\.com/v1"):
            cluster.apply(widget, OURS)
        cluster.apply(crd, OURS)
        asked = cluster.transport.counts["GET"]
        assert cluster.apply(widget, OURS).body == widget
        assert cluster.transport.counts["GET"] == asked


def test_a_list_comes_in_pages(reached: Reached) -> None:
    with serving(
        lambda request: page("b") if "continue=next" in request.query else page("a", following="next")
    ) as server:
        listing = reached(server.url).list(MAPS)
        assert [item["metadata"]["name"] for item in listing.items] == ["a", "b"]
        assert {item["kind"] for item in listing.items} == {"ConfigMap"}
        assert listing.version == "10"
        assert server.received[-1].query == "limit=500&continue=next"


def test_a_list_whose_next_page_is_gone_is_begun_again(reached: Reached) -> None:
    replies = iter([page("a", following="next"), status(410, "Expired"), page("a", "b")])
    with serving(lambda _: next(replies)) as server:
        assert len(reached(server.url).list(MAPS).items) == 2


def test_a_list_without_end_is_an_error(reached: Reached, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cluster_forge.adapters.kubernetes.listing._MOST_PAGES", 3)
    with serving(lambda _: page("a", following="next")) as server, pytest.raises(ClusterError, match="more than 1,500"):
        reached(server.url).list(MAPS)


def test_a_kind_whose_crd_is_going_has_no_objects(reached: Reached) -> None:
    """Discovery lists it after the server has stopped to serve it."""
    with serving(lambda _: Reply(status=404, content="404 page not found")) as server:
        assert reached(server.url).list(MAPS).items == ()


def watching(cluster: ApiServer, seconds: float = 5) -> list[Event]:
    """The first two events."""
    return list(itertools.islice(cluster.watch(MAPS, "10", seconds), 2))


def test_a_watch_that_is_cut_goes_on_after_its_last_event(reached: Reached) -> None:
    replies = iter(
        [
            Reply(content=[changed("ADDED", "a", 11), changed("BOOKMARK", "", 15)]),
            Reply(ends=0),
            Reply(content=[changed("MODIFIED", "a", 16)], ends=20),
            Reply(content=[changed("MODIFIED", "a", 16)]),
        ]
    )
    with serving(lambda _: next(replies)) as server:
        assert seen(watching(reached(server.url))) == [(Change.ADDED, "a"), (Change.MODIFIED, "a")]
        versions = [one.query.partition("resourceVersion=")[2].partition("&")[0] for one in server.received]
    assert versions[2:] == ["10", "15", "15", "15"]


def test_a_watch_of_a_server_that_is_silent_ends_in_time(reached: Reached) -> None:
    with serving(lambda _: Reply(content=[changed("ADDED", "a", 11)], holds=True)) as server:
        assert seen(list(reached(server.url).watch(MAPS, "10", 0.5))) == [(Change.ADDED, "a")]


def test_a_watch_of_a_server_that_has_gone_ends_in_time(reached: Reached) -> None:
    """A server that answered before is waited for longer, but not by a watch."""
    patience = replace(QUICK, later=60)
    with serving(lambda _: Reply(content=[changed("ADDED", "a", 11)])) as server:
        cluster = reached(server.url, patience=patience)
        assert cluster.served().find("", "ConfigMap")
    began = time.monotonic()
    with pytest.raises(ClusterError):
        list(cluster.watch(MAPS, "10", 0.5))
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "gone",
    [
        Reply(content=[{"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}}]),
        status(410, "Expired"),
    ],
)
def test_a_version_that_is_too_old(reached: Reached, gone: Reply) -> None:
    with serving(lambda _: gone) as server, pytest.raises(RefusedError) as caught:
        watching(reached(server.url))
    assert caught.value.status == 410


def test_a_watch_that_is_refused_ends(reached: Reached) -> None:
    with serving(lambda _: status(403, "Forbidden")) as server, pytest.raises(RefusedError) as caught:
        watching(reached(server.url))
    assert caught.value.status == 403


def test_who_has_no_credentials_is_not_sent_to_an_administrator(reached: Reached) -> None:
    said = status(403, "Forbidden", 'forbidden: User "system:anonymous" cannot get path "/api"')
    with serving(lambda _: said) as server, pytest.raises(RefusedError) as caught:
        watching(reached(server.url))
    assert str(caught.value.fix).startswith("add a token, a client certificate or a plug-in to the user")


def test_lines_that_no_api_server_writes(reached: Reached) -> None:
    with serving(lambda _: Reply(content=[7])) as server, pytest.raises(ClusterError, match="does not answer as"):
        watching(reached(server.url))


def reviews(rules: list[Mapping[str, object]], *, incomplete: bool = False, allowed: bool = False) -> Any:
    def answer(request: Received) -> Reply:
        if "selfsubjectrulesreviews" in request.path:
            return Reply(content={"status": {"resourceRules": rules, "incomplete": incomplete}}, status=201)
        return Reply(content={"status": {"allowed": allowed}}, status=201)

    return answer


ALL = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}


@pytest.mark.parametrize(
    ("rules", "is_allowed"),
    [
        ([ALL], True),
        ([{"verbs": ["patch"], "apiGroups": [""], "resources": ["configmaps"]}], True),
        ([{"verbs": ["get"], "apiGroups": [""], "resources": ["configmaps"]}], False),
        ([{"verbs": ["patch"], "apiGroups": ["apps"], "resources": ["configmaps"]}], False),
        ([{**ALL, "resourceNames": ["one"]}], False),
        ([], False),
    ],
)
def test_what_the_rules_of_a_namespace_allow(reached: Reached, rules: list[Any], *, is_allowed: bool) -> None:
    with serving(reviews(rules)) as server:
        cluster = reached(server.url)
        assert cluster.can("patch", KIND, "shop") is is_allowed
        assert cluster.can("patch", KIND, "shop") is is_allowed
        assert len(server.received) == 1


def test_rules_that_are_not_complete_are_asked_beyond(reached: Reached) -> None:
    with serving(reviews([], incomplete=True, allowed=True)) as server:
        assert reached(server.url).can("patch", KIND, "shop")
        spec = json.loads(server.received[-1].body)["spec"]["resourceAttributes"]
    assert spec == {"verb": "patch", "group": "", "resource": "configmaps", "version": "v1", "namespace": "shop"}


def test_what_is_not_in_a_namespace_is_asked_by_itself(reached: Reached) -> None:
    with serving(reviews([ALL], allowed=False)) as server:
        cluster = reached(server.url)
        assert [cluster.can("list", KIND), cluster.can("list", KIND)] == [False, False]
        assert [one.path.rpartition("/")[2] for one in server.received] == ["selfsubjectaccessreviews"]


def test_facts_are_asked_once(reached: Reached) -> None:
    def answer(request: Received) -> Reply:
        if request.path == "/version":
            return Reply(content={"gitVersion": "v1.33.4+k3s1"})
        return Reply(content={"status": {"userInfo": {"username": "jane@example.com"}}}, status=201)

    with serving(answer) as server:
        cluster = reached(server.url)
        facts = cluster.about()
        assert cluster.about() is facts
        assert (facts.context, facts.user, facts.version) == ("test", "jane@example.com", "v1.33.4+k3s1")
        assert len(server.received) == 2


def test_a_status_of_a_hostile_server_is_bounded() -> None:
    causes = [{"reason": "x", "field": 7}] * 1000
    error = of_status({"message": "m" * 100_000, "code": "no", "details": {"causes": causes}}, "here", 422)
    assert (error.status, len(error.causes)) == (422, 100)
    assert len(error.message) < 5_000


def test_a_terminating_namespace_says_what_to_wait_for(reached: Reached) -> None:
    causes = [
        {
            "reason": "NamespaceTerminating",
            "message": "namespace shop is being terminated",
            "field": "metadata.namespace",
        }
    ]
    refused = status(403, "Forbidden", "unable to create new content in namespace shop", details={"causes": causes})
    with serving(lambda _: refused) as server, pytest.raises(RefusedError) as caught:
        reached(server.url).apply(config_map("shop"), OURS)
    assert "wait until the namespace is gone" in str(caught.value.fix)
