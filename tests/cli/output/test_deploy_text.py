"""A result with components that are not deployed is an error that names them."""

from __future__ import annotations

import re

import pytest

from cluster_forge.cli.output import deploy_text
from cluster_forge.foundation.names import ComponentName
from cluster_forge.stages.deliver.deploy import DeployResult
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.results import ComponentResult, State


def result(**states: State) -> DeployResult:
    components = [
        ComponentResult(name=ComponentName(name), version="1.0.0", state=state) for name, state in states.items()
    ]
    return DeployResult(components=tuple(components))


@pytest.mark.parametrize(
    ("states", "says"),
    [
        ({"db": State.READY, "web": State.FAILED, "shop": State.BLOCKED}, "1 component of 3 .*: web, 1 more need them"),
        ({"db": State.READY, "web": State.BLOCKED}, "1 component of 2 could not be deployed: web;"),
    ],
)
def test_what_is_not_deployed_is_an_error(states: dict[str, State], says: str) -> None:
    (error,) = deploy_text.errors(result(**states), "cluster-forge deploy")
    assert re.match(says, error.message)


def test_what_is_deployed_is_none() -> None:
    assert not deploy_text.errors(result(db=State.READY, web=State.UNCHANGED), "cluster-forge deploy")


def test_a_warning_says_how_to_mend_it() -> None:
    problem = Problem(
        code="engine-setting", message="has no script", where="ConfigMap/argocd-cm", fix="kubectl apply it"
    )
    (line,) = deploy_text.warnings([problem])
    assert line == "warning: ConfigMap/argocd-cm: has no script (engine-setting)\n  fix: kubectl apply it"
