"""Why components are not good, as a release keeps it."""

from __future__ import annotations

from cluster_forge.foundation.names import ComponentName
from cluster_forge.stages.deliver.results import ComponentResult, State, reasons


def result(name: str, state: State, message: str = "") -> ComponentResult:
    return ComponentResult(name=ComponentName(name), version="", state=state, message=message)


def test_each_reason_is_given_once_with_all_that_have_it() -> None:
    results = [
        result("crds", State.READY),
        result("db", State.BLOCKED, "no tag v-2"),
        result("web", State.FAILED, "is not ready"),
        result("cache", State.BLOCKED, "no tag v-2"),
    ]
    assert reasons(results) == "db, cache: no tag v-2; web: is not ready"
    assert reasons(results[:1]) == ""
