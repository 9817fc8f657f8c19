"""What kubectl gets of a stack to compare with `deploy`."""

from __future__ import annotations

from pathlib import Path

from tools.bench import delivery

WEBHOOKS = "validatingwebhookconfiguration.admissionregistration.k8s.io_kueue.yaml"


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_kubectl_gets_definitions_first_webhook_configurations_last_and_manifests_only(tmp_path: Path) -> None:
    working = tmp_path / "working"
    paths = {
        "definitions": [
            "kueue/customresourcedefinition.apiextensions.k8s.io_queues.kueue.x-k8s.io.yaml",
            "namespaces/namespace_web.yaml",
        ],
        "objects": ["kueue/deployment.apps_kueue.yaml", "web/hooks/job.batch_web.yaml", "web/service_web.yaml"],
        "webhooks": [f"kueue/{WEBHOOKS}"],
    }
    others = ("argo-apps/application.argoproj.io_web.yaml", "flux/kustomization_web.yaml", ".smelt.json")
    for path in (*others, *(path for group in paths.values() for path in group)):
        (working / path).parent.mkdir(parents=True, exist_ok=True)
        (working / path).write_text("a: 1\n")
    folders = delivery.in_order(working, tmp_path / "applied")
    assert {folder.name: files(folder) for folder in folders} == paths
    assert [folder.name for folder in folders] == list(paths)


def test_steps_without_objects_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "working" / "web").mkdir(parents=True)
    (tmp_path / "working" / "web" / "service_web.yaml").write_text("a: 1\n")
    assert [folder.name for folder in delivery.in_order(tmp_path / "working", tmp_path / "applied")] == ["objects"]


def test_each_way_of_a_stack_is_a_case_of_its_own() -> None:
    names = [one.case for one in delivery.DELIVERIES]
    assert {"deliver-everything", "deliver-everything-argocd", "deliver-everything-flux"} <= set(names)
    assert len(set(names)) == len(names) == 12
