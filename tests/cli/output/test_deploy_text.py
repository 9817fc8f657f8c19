"""A result with components that are not deployed is an error that names them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from tests.gitops.conftest import part
from tests.stages.deliver.deliveries import deployment

from cluster_forge.cli.output import deploy_text, removal_text
from cluster_forge.foundation.errors import RefusedError, ReleaseError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.ports.cluster import ClusterFacts
from cluster_forge.stages.deliver.deploy import DeployResult
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.removal.deletion import Deletion
from cluster_forge.stages.deliver.remove import Removal
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


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        ((3, 2), "web; 5 objects applied before"),
        ((0, 0), "web; nothing applied before"),
        ((None, None), "web"),
        ((2, None), "web"),
    ],
)
def test_how_much_was_applied_is_said_where_it_is_known(numbers: tuple[int | None, int | None], says: str) -> None:
    db, web = result(db=State.READY, web=State.FAILED).components
    components = [replace(db, changed=numbers[0]), replace(web, changed=numbers[1])]
    (error,) = deploy_text.failures(components, "deploy again")
    assert error.message == f"1 component of 2 could not be deployed: {says}"


FORGED = "denied\nweb is deployed"


def test_no_text_of_a_server_looks_like_a_line_of_ours() -> None:
    failed = ComponentResult(
        name=ComponentName("web"),
        version="1.0.0",
        state=State.FAILED,
        errors=(RefusedError(FORGED, where="Deployment/shop/web", fix=FORGED, status=403),),
    )
    blocked = replace(failed, state=State.BLOCKED, errors=(), message=FORGED)
    good = replace(blocked, state=State.READY)
    problem = Problem(code="refused-object", message=FORGED, severity=Severity.WARNING)
    kept = Deletion(kept=((ObjectId(group="", kind="Secret", namespace="shop", name="a"), FORGED),))
    facts = ClusterFacts(context="here", server="https://here", user="", version="v1.33.0")
    done = DeployResult(components=(failed, blocked, good), warnings=(problem,), pruned=kept)
    shown = list(deploy_text.deployed(done, deployment([part("shop", [])]), facts, is_trial=False))
    planned = Removal(components=(ComponentName("web"),), objects=1)
    shown += removal_text.lines(planned, kept, "the stack demo", is_trial=False)
    lines = "\n".join(shown).splitlines()
    assert sum("denied" in line for line in lines) == 7
    assert [line for line in lines if line.lstrip() == "web is deployed" and not line.startswith("    ")] == []


def test_what_is_deployed_is_none() -> None:
    assert not deploy_text.errors(result(db=State.READY, web=State.UNCHANGED), "cluster-forge deploy")


def test_a_warning_says_how_to_mend_it() -> None:
    problem = Problem(
        code="engine-setting", message="has no script", where="ConfigMap/argocd-cm", fix="kubectl apply it"
    )
    (line,) = deploy_text.warnings([problem])
    assert line == "warning: ConfigMap/argocd-cm: has no script (engine-setting)\n  fix: kubectl apply it"


def test_commands_of_a_warning_are_below_it() -> None:
    problem = Problem(code="missing-secret", message="is not there", fix="make it:\nkubectl create secret generic a")
    (line,) = deploy_text.warnings([problem])
    assert line.splitlines()[1:] == ["  fix: make it:", "    kubectl create secret generic a"]


def test_a_trial_that_lacks_secrets_says_so_at_its_end() -> None:
    facts = ClusterFacts(context="here", server="https://here", user="", version="v1.33.0")
    missing = DeployResult(warnings=(Problem(code="missing-secret", message="is not there"),))
    whole = deployment([part("shop", [])])
    assert (
        "once it has the Secrets that are missing"
        in list(deploy_text.deployed(missing, whole, facts, is_trial=True))[-1]
    )
    assert "missing" not in list(deploy_text.deployed(DeployResult(), whole, facts, is_trial=True))[-1]


def test_a_way_back_that_failed_is_not_offered_as_one() -> None:
    failed = replace(result(web=State.FAILED), former=2)
    (offered,) = deploy_text.errors(failed, "cluster-forge deploy", "cluster-forge rollback demo")
    assert "or go back to release 2: `cluster-forge rollback demo`" in str(offered.fix)
    stuck = replace(failed, back_errors=(ReleaseError("it cannot shrink"),))
    (error,) = deploy_text.errors(stuck, "cluster-forge deploy", "cluster-forge rollback demo")
    assert str(error.fix).endswith(
        "could not go back: it cannot shrink; `cluster-forge rollback demo` says how to mend that"
    )
    (first,) = deploy_text.errors(replace(stuck, former=0), "cluster-forge deploy", "cluster-forge rollback demo")
    assert str(first.fix).endswith("it could not go back: it cannot shrink")
