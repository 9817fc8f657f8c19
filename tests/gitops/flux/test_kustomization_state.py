"""How far a Kustomization has come, from the states that Flux writes: in Python, and in deploy.sh on the same ones."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
from tests.gitops.deploying import judged

from cluster_forge.gitops.flux import kustomization_state
from cluster_forge.manifests.manifest import Body

COMMIT = "sha1:" + "c" * 40


def kustomization(
    *,
    generation: int = 2,
    observed: int | None = 2,
    applied: str = f"v-2@{COMMIT}",
    ready: str = "True",
    reason: str = "",
) -> Body:
    status: dict[str, Any] = {"lastAppliedRevision": applied, "observedGeneration": observed}
    if ready:
        status["conditions"] = [
            {"type": "Reconciling", "status": "True", "reason": "Progressing"},
            {"type": "Ready", "status": ready, "reason": reason, "message": f"it is {reason}"},
        ]
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": "demo.shop", "namespace": "flux-system", "generation": generation},
        "status": status,
    }


@pytest.mark.parametrize(
    ("body", "lack", "has_failed"),
    [
        (kustomization(), "", False),
        (kustomization(applied=f"v-1@{COMMIT}"), "at v-1", False),
        (kustomization(applied=f"v-22@{COMMIT}"), "at v-22", False),
        (kustomization(applied=""), "not applied yet", False),
        (kustomization(observed=1), "at v-2", False),
        (kustomization(ready="Unknown", reason="Progressing"), "at v-2", False),
        (kustomization(ready="False", reason="HealthCheckFailed"), "HealthCheckFailed", True),
        (kustomization(ready="False", reason=kustomization_state.WAITS), kustomization_state.WAITS, False),
        (kustomization(ready="False"), "not ready", True),
        ({**kustomization(), "status": {}}, "not applied yet", False),
        ({**kustomization(), "status": "nonsense"}, "not applied yet", False),
        ({**kustomization(), "status": {"conditions": 5}}, "not applied yet", False),
    ],
)
def test_what_it_lacks(body: Body, lack: str, has_failed: bool) -> None:
    state = kustomization_state.of(body, "v-2")
    assert (state.lack, state.is_ready, state.has_failed) == (lack, not lack, has_failed)


def test_the_message_of_a_revision_before_does_not_count() -> None:
    assert kustomization_state.of(kustomization(applied=f"v-1@{COMMIT}"), "v-2").message == ""
    failed = kustomization(ready="False", reason="BuildFailed")
    assert kustomization_state.of(failed, "v-2").message == "it is BuildFailed"


def test_the_shell_judges_as_python_does(tmp_path: Path) -> None:
    """On each combination of what Flux writes."""
    bodies = [
        kustomization(observed=observed, applied=applied, ready=ready, reason=reason)
        for observed, applied, ready, reason in product(
            (2, 1, None),
            (f"v-2@{COMMIT}", f"v-1@{COMMIT}", f"v-22@{COMMIT}", ""),
            ("True", "False", "Unknown", ""),
            ("ReconciliationSucceeded", "HealthCheckFailed", kustomization_state.WAITS),
        )
    ]
    settings = "revision=v-2 root_kustomization=demo.flux kustomizations=demo.shop listed=' demo.shop'"
    by_shell = judged("root_kustomization", settings, [f"demo.shop {columns(body)}" for body in bodies], tmp_path)
    assert by_shell == [kustomization_state.of(body, "v-2").is_ready for body in bodies]


def columns(body: Body) -> str:
    """What `columns_of_kustomizations` show of it, as kubectl writes them."""
    status = body["status"]
    ready: dict[str, Any] = next((one for one in status.get("conditions", ()) if one["type"] == "Ready"), {})
    shown = (
        body["metadata"]["generation"],
        status["observedGeneration"],
        status["lastAppliedRevision"],
        ready.get("status"),
        ready.get("reason"),
    )
    return " ".join(str(value or "<none>") for value in shown)
