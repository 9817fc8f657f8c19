"""Objects by group and kind."""

from __future__ import annotations

from tests.checks.stack_objects import resource

from cluster_forge.manifests.by_kind import ByKind


def test_objects_of_each_kind_keep_their_order() -> None:
    one, web, two = resource("v1", "Secret", "b"), resource("apps/v1", "Deployment"), resource("v1", "Secret", "a")
    by_kind = ByKind([one, web, two])
    assert by_kind == {("", "Secret"): [one, two], ("apps", "Deployment"): [web]}


def test_a_kind_that_was_asked_for_is_not_there_because_of_it() -> None:
    by_kind = ByKind([resource("v1", "Secret")])
    assert list(by_kind["apps", "Deployment"]) == []
    assert ("apps", "Deployment") not in by_kind
    assert [*by_kind] == [("", "Secret")]
