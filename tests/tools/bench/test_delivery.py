"""What kubectl gets of a stack to compare with `deploy`."""

from __future__ import annotations

from pathlib import Path

from tools.bench import delivery

WEBHOOKS = "validatingwebhookconfiguration.admissionregistration.k8s.io_kueue.yaml"


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_kubectl_gets_webhook_configurations_last_and_manifests_only(tmp_path: Path) -> None:
    working = tmp_path / "working"
    for path in ("kueue/deployment.apps_kueue.yaml", f"kueue/{WEBHOOKS}", "web/service_web.yaml", ".smelt.json"):
        (working / path).parent.mkdir(parents=True, exist_ok=True)
        (working / path).write_text("a: 1\n")
    first, then = delivery._in_order(working, tmp_path / "applied")
    assert files(first) == ["kueue/deployment.apps_kueue.yaml", "web/service_web.yaml"]
    assert files(then) == [f"kueue/{WEBHOOKS}"]


def test_without_webhooks_there_is_one_step(tmp_path: Path) -> None:
    (tmp_path / "working").mkdir()
    (tmp_path / "working" / "service_web.yaml").write_text("a: 1\n")
    assert len(delivery._in_order(tmp_path / "working", tmp_path / "applied")) == 1
