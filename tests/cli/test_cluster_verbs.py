"""history, audit, rollback and remove on a fake cluster."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from tests.fake_cluster import FakeRequest
from tests.gitops.conftest import body, crd, part
from tests.stages.deliver import central_hub
from tests.stages.deliver.central_hub import EXTRAS, SHOP, Hub, clusters
from tests.stages.deliver.deliveries import DIRECT, Delivery, deployment, settings, web
from tests.stages.deliver.preflight.situations import node

from cluster_forge import composition
from cluster_forge.cli.app import run
from cluster_forge.cli.central import check_allowed
from cluster_forge.cli.commands.deploy import command as deploy_command
from cluster_forge.cli.commands.rollback import command as rollback_command
from cluster_forge.cli.progress.event_schema import DeliveryEvent
from cluster_forge.foundation.errors import RefusedError
from cluster_forge.gitops.argocd import central
from cluster_forge.gitops.argocd.central import Pin
from cluster_forge.gitops.parts import STACK_LABEL
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import ApplyOptions
from cluster_forge.stack.model import GitOps
from cluster_forge.stages.deliver import deploy, preflight, rollback
from cluster_forge.stages.deliver.cluster_records import releases
from cluster_forge.stages.deliver.deploy import DeployRequest
from cluster_forge.stages.deliver.options import DeployOptions

APPLICATION_SETS = crd(
    "applicationsets.argoproj.io",
    group="argoproj.io",
    names={"kind": "ApplicationSet", "plural": "applicationsets"},
    scope="Namespaced",
    versions=[{"name": "v1alpha1", "served": True, "storage": True}],
)


def application_set(stack: str, *clusters: str) -> Body:
    """What a central Argo CD has of a stack that it delivers to other clusters."""
    application = {
        "metadata": {"name": stack, "namespace": "argocd", "labels": {STACK_LABEL: stack}, "annotations": {}},
        "spec": {"source": {"repoURL": "https://git.example.com/p.git"}},
    }
    pins = [Pin(cluster=name, name=f"{stack}.{name}", path="p", revision="v-1", step="1") for name in clusters]
    return central.application_set(application, stack, pins, at_once=1)


@pytest.fixture
def delivery(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Delivery:
    """A cluster with two releases, in the place of the one that the options name."""
    delivery = Delivery()
    delivery.cluster.put(node("one"))
    monkeypatch.setattr(composition, "cluster", lambda _settings, _options: delivery.cluster)
    monkeypatch.setattr(
        composition, "delivery", lambda _settings, _options, reporter: replace(delivery.tools, reporter=reporter)
    )
    monkeypatch.chdir(tmp_path)
    for version, bodies in (("v-1", [web(), settings()]), ("v-2", [web()])):
        request = DeployRequest(
            deployment=deployment([part("shop", bodies)], version),
            options=DeployOptions(allow_missing_apis=True),
            run="host/1/0",
        )
        assert deploy.deploy(request, delivery.tools).is_good
    return delivery


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """The JSON of a verb that succeeds."""
    capsys.readouterr()
    assert run([*words, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def streamed(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[list[Any], Any]:
    """The events of a verb that changes a cluster, each as the schema has it, and its result."""
    capsys.readouterr()
    assert run([*words, "--format", "json"]) == code
    *events, result = map(json.loads, capsys.readouterr().out.splitlines())
    for event in events:
        DeliveryEvent.model_validate(event)
    return events, result


@pytest.mark.parametrize(
    "words",
    [
        ("remove", ""),
        ("remove", "--stack", ""),
        ("rollback", " "),
        ("rollback", "--context", ""),
        ("rollback", "--kubeconfig="),
        ("deploy", "--secrets", ""),
        ("deploy", "--namespace", ""),
        ("deploy", "--through", ""),
        ("deploy", "--options", ""),
        ("diff", "", ""),
        ("history", ""),
        ("audit", ""),
        ("status", "--context", "a", "--context", ""),
        ("doctor", "--context", ""),
        ("-C", "", "remove"),
    ],
    ids=" ".join,
)
def test_what_is_empty_does_not_mean_what_is_left_out(
    delivery: Delivery, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    requests = len(delivery.cluster.requests)
    assert run([*words, "--yes"]) == 2
    assert "is empty: give it a value (is a variable unset?), or leave it out" in capsys.readouterr().err
    assert len(delivery.cluster.requests) == requests


@pytest.mark.parametrize("verb", ["deploy", "rollback", "remove"])
def test_a_timeout_is_a_number(delivery: Delivery, capsys: pytest.CaptureFixture[str], verb: str) -> None:
    assert run([verb, "--timeout", "nan"]) == 2
    assert "'nan' is not a number" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("verb", "is_in_lines"),
    [("deploy", True), ("rollback", True), ("remove", True), ("status", False), ("history", False), ("diff", False)],
)
def test_help_says_whether_json_is_a_document_or_lines(
    verb: str, capsys: pytest.CaptureFixture[str], *, is_in_lines: bool
) -> None:
    assert run([verb, "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert ("json: an object in each line on stdout" in text) is is_in_lines
    assert ("json: one document on stdout" in text) is not is_in_lines


def test_history_lists_the_releases(delivery: Delivery, capsys: pytest.CaptureFixture[str]) -> None:
    listed = printed(capsys, "history")
    assert [(one["number"], one["version"], one["result"], one["canRollBack"]) for one in listed["releases"]] == [
        (1, "v-1", "deployed", True),
        (2, "v-2", "deployed", True),
    ]
    assert run(["history", "demo"]) == 0
    assert "2        2027-" in capsys.readouterr().out


def test_audit_says_who_changed_what(delivery: Delivery, capsys: pytest.CaptureFixture[str]) -> None:
    entries = printed(capsys, "audit", "--last", "1")["entries"]
    assert [(entry["action"], entry["release"], entry["user"], entry["result"]) for entry in entries] == [
        ("deploy", 2, "tester", "deployed")
    ]


@pytest.mark.parametrize(
    ("name", "count"), [("demo", 2), ("demo.staging", 2), ("demo+shop", 2), ("other", 0), ("no label,x in (", 0)]
)
def test_audit_takes_the_name_of_a_folder(
    delivery: Delivery, capsys: pytest.CaptureFixture[str], name: str, count: int
) -> None:
    assert len(printed(capsys, "audit", name)["entries"]) == count


def test_audit_names_a_component_that_was_removed_in_full(
    delivery: Delivery, capsys: pytest.CaptureFixture[str]
) -> None:
    streamed(capsys, "remove", "shop", "--yes")
    assert printed(capsys, "audit")["entries"][-1]["action"] == "remove shop"
    assert run(["audit", "--last", "1"]) == 0
    assert "component shop, tester" in capsys.readouterr().out


def test_audit_of_a_cluster_without_stacks_says_so(delivery: Delivery, capsys: pytest.CaptureFixture[str]) -> None:
    streamed(capsys, "remove", "--yes")
    assert run(["audit"]) == 0
    assert "no change of a stack is on record in" in capsys.readouterr().out
    assert run(["audit", "demo"]) == 0
    assert "no change of the stack demo is on record in" in capsys.readouterr().out


def test_only_what_is_checked_can_be_allowed_for_a_central_argo_cd() -> None:
    check_allowed({"engine-cluster", "not-checked"})
    with pytest.raises(click.UsageError, match="--allow missing-secret: not checked where a central Argo CD delivers"):
        check_allowed({"engine-cluster", "missing-secret"})


def test_rollback_deploys_the_release_before(delivery: Delivery, capsys: pytest.CaptureFixture[str]) -> None:
    events, done = streamed(capsys, "rollback", "--yes")
    assert [(event["event"], event.get("component"), event.get("state")) for event in events] == [
        ("started", None, None),
        ("component", "shop", "applying"),
        ("component", "shop", "ready"),
        ("finished", None, None),
    ]
    assert (done["command"], done["to"], done["version"], done["deployed"]) == ("rollback", 1, "v-1", True)
    assert delivery.there("ConfigMap", "settings", "shop")["data"] == {"a": "1"}
    assert printed(capsys, "audit")["entries"][-1]["action"] == "rollback to 1"


def test_a_dry_run_of_rollback_says_what_would_change(delivery: Delivery, capsys: pytest.CaptureFixture[str]) -> None:
    before = delivery.cluster.objects()
    assert run(["rollback", "--dry-run"]) == 0
    first, since, *changes, last = capsys.readouterr().out.splitlines()
    assert first.startswith("would go back to release 1 (v-1) of demo in ")
    assert since == "changes since release 2 (v-2), deployed:"
    assert changes[0] == "+ shop: ConfigMap/shop/settings"
    assert last == "nothing was changed"
    assert delivery.cluster.objects() == before
    assert run(["rollback", "--to", "2", "--dry-run"]) == 0
    assert "no differences between release 2 and release 2" in capsys.readouterr().out


def test_a_dry_run_of_rollback_finds_what_is_in_the_way(delivery: Delivery, capsys: pytest.CaptureFixture[str]) -> None:
    """What would be lost, and what a check finds, together, in the order of a rollback."""

    def volume(size: str) -> dict[str, Any]:
        spec = {"storageClassName": "", "resources": {"requests": {"storage": size}}}
        return body("v1", "PersistentVolumeClaim", "data", "shop", spec=spec)

    release = deployment([part("shop", [web(), settings(), volume("1Gi")])], "v-3")
    larger = deployment([part("shop", [web(), volume("2Gi")])], "v-4")
    for version in (release, larger):
        request = DeployRequest(deployment=version, options=DeployOptions(allow_missing_apis=True), run="host/1/0")
        assert deploy.deploy(request, delivery.tools).is_good

    def refuse(request: FakeRequest) -> None:
        if request.verb == "apply" and request.target.name == "settings":
            raise RefusedError("admission webhook denied the request: no", status=400)

    delivery.cluster.before = refuse
    before = delivery.cluster.objects()
    _, done = streamed(capsys, "rollback", "--dry-run", code=56)
    assert (done["to"], done["since"], done["trial"], done["deployed"]) == (3, 4, True, False)
    assert [(one["object"], one["change"]) for one in done["changes"]["objects"]] == [
        ("ConfigMap/shop/settings", "added"),
        ("PersistentVolumeClaim/shop/data", "changed"),
    ]
    assert run(["rollback", "--dry-run"]) == 56
    said = " ".join(capsys.readouterr().err.split())
    assert "it cannot shrink" in said
    assert "admission webhook denied the request: no" in said
    assert delivery.cluster.objects() == before


def test_a_release_that_is_not_there(delivery: Delivery, capsys: pytest.CaptureFixture[str]) -> None:
    before = delivery.cluster.objects()
    assert run(["rollback", "--to", "9", "--yes"]) == 56
    assert "there is no release 9: this cluster has 1 (v-1, deployed), 2 (v-2, deployed)" in capsys.readouterr().err
    assert delivery.cluster.objects() == before


def test_remove_needs_an_answer(delivery: Delivery, capsys: pytest.CaptureFixture[str]) -> None:
    before = delivery.cluster.objects()
    assert run(["remove"]) == 2
    assert "--yes" in capsys.readouterr().err
    planned = printed(capsys, "remove", "--dry-run")
    assert (planned["components"], planned["objects"]) == (["shop"], 1)
    assert (planned["trial"], planned["deleted"]) == (True, ["Deployment.apps/shop/web", "Namespace/shop"])
    assert delivery.cluster.objects() == before


def test_a_dry_run_of_remove_says_what_would_stay(delivery: Delivery, capsys: pytest.CaptureFixture[str]) -> None:
    by_hand = body("v1", "Secret", "mine", "shop", data={})
    delivery.cluster.apply(by_hand, ApplyOptions(manager="kubectl-create"))
    assert run(["remove", "--dry-run"]) == 0
    order, stays, count = capsys.readouterr().out.splitlines()
    assert order == "would be removed, in this order: shop"
    assert stays == "  would stay: Namespace/shop: it still holds Secret mine"
    assert count.startswith("1 object of the stack demo in ")
    assert count.endswith(" would be deleted; nothing was changed")


def test_remove_takes_the_stack_away(delivery: Delivery, capsys: pytest.CaptureFixture[str]) -> None:
    events, done = streamed(capsys, "remove", "--yes")
    states = [event["state"] for event in events if event.get("component") == "shop"]
    assert states == ["removing", "removed"]
    assert "Deployment.apps/shop/web" in done["deleted"]
    assert "Namespace/cluster-forge" not in done["deleted"], "what kept the releases is none of the stack's objects"
    assert events[-1]["summary"] == f"{len(done['deleted'])} objects deleted"
    assert done["kept"] == []
    assert run(["history"]) == 11
    assert "no stack is deployed to" in capsys.readouterr().err


def test_a_stack_that_is_not_there(delivery: Delivery, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rollback", "dem", "--yes"]) == 11
    assert "did you mean" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("verb", "fix"),
    [
        (["history"], "cluster-forge history shop --cluster eu"),
        (["rollback", "--yes"], "cluster-forge rollback shop --cluster eu"),
        (["remove", "--yes"], "cluster-forge remove --stack shop --cluster eu"),
    ],
)
@pytest.mark.parametrize("is_named", [True, False])
def test_a_stack_that_is_delivered_from_here_to_other_clusters_needs_the_name_of_one(
    *,
    verb: list[str],
    fix: str,
    is_named: bool,
    delivery: Delivery,
    capsys: pytest.CaptureFixture[str],
) -> None:
    delivery.cluster.put(APPLICATION_SETS, application_set("shop", "eu", "staging"))
    if is_named:
        verb = [*verb, *(["--stack", "shop.production"] if verb[0] == "remove" else ["shop"])]
    else:
        assert run(["remove", "--yes"]) == 0  # the stack that is here
        assert run(["remove", "--yes"]) == 11
    capsys.readouterr()
    before = delivery.cluster.objects()
    assert run(verb) == 11
    said = " ".join(capsys.readouterr().err.split())
    assert "delivers the stack shop to eu, staging, and not to this cluster" in said
    assert fix in said
    assert delivery.cluster.objects() == before


class TestClusterOfCentralArgoCd:
    """`--cluster` with a context: a cluster that the Argo CD there delivers to; no description is read."""

    @pytest.fixture(autouse=True)
    def hub(self, monkeypatch: pytest.MonkeyPatch, delivery: Delivery) -> Hub:
        hub = central_hub.made()
        monkeypatch.setattr(delivery, "cluster", hub.delivery.cluster)
        monkeypatch.setattr(delivery, "clock", hub.delivery.clock)
        hub.deploy(*clusters(hub, SHOP, EXTRAS))
        hub.deploy(*clusters(hub, SHOP))
        return hub

    def test_history(self, hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
        listed = printed(capsys, "history", "demo", "--cluster", "eu", "--context", "hub")
        assert (listed["stack"], listed["cluster"]) == ("demo", "eu")
        assert [(one["number"], one["cluster"], one["canRollBack"]) for one in listed["releases"]] == [
            (1, "eu", True),
            (2, "eu", True),
        ]

    def test_rollback(self, hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
        before = hub.pins
        _, done = streamed(capsys, "rollback", "--cluster", "eu", "--context", "hub", "--yes")
        assert (done["cluster"], done["to"], done["release"]) == ("eu", 1, 3)
        assert hub.pins["eu"] != before["eu"]
        assert hub.pins["staging"] == before["staging"]
        assert "only Argo CD reaches eu: the release was compared with release 2" in done["unseen"]
        assert "(eu)" not in capsys.readouterr().err
        assert [entry["cluster"] for entry in printed(capsys, "audit", "--last", "1")["entries"]] == ["eu"]

    def test_a_dry_run_of_rollback(self, hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
        before = hub.delivery.cluster.objects()
        _, done = streamed(capsys, "rollback", "--cluster", "eu", "--context", "hub", "--dry-run")
        assert (done["cluster"], done["to"], done["since"], done["trial"]) == ("eu", 1, 2, True)
        assert [(one["name"], one["change"]) for one in done["changes"]["components"]] == [("extras", "added")]
        assert "only Argo CD reaches eu" in done["unseen"]
        assert hub.delivery.cluster.objects() == before

    def test_ctrl_c_says_that_argo_cd_goes_on(self, hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
        def interrupt(request: FakeRequest) -> None:
            if request.target.kind == "ApplicationSet" and request.verb in ("apply", "patch", "replace"):
                raise KeyboardInterrupt

        hub.delivery.cluster.before = interrupt
        assert run(["rollback", "demo", "--cluster", "eu", "--context", "hub", "--yes"]) == 130
        said = capsys.readouterr().err
        assert "Argo CD goes on without this command" in said
        assert "to go on: cluster-forge rollback demo --to 1" in said

    def test_a_rollback_that_fails_says_how_to_go_on(self, hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
        hub.argocd.ill.add("eu")
        assert run(["rollback", "demo", "--cluster", "eu", "--context", "hub", "--yes", "--timeout", "20"]) == 55
        assert "cluster-forge rollback demo --to 1 --cluster eu --context hub" in capsys.readouterr().err

    def test_remove(self, hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
        before = hub.delivery.cluster.objects()
        trial = printed(capsys, "remove", "--cluster", "eu", "--context", "hub", "--dry-run", "--quiet")
        assert (trial["components"], trial["objects"]) == (["extras", "shop"], 2)
        assert [one["object"] for one in trial["kept"]] == ["Namespace/shop"]
        assert hub.delivery.cluster.objects() == before
        _, done = streamed(capsys, "remove", "--cluster", "eu", "--context", "hub", "--yes")
        assert done["deleted"] == ["ConfigMap/shop/a", "ConfigMap/shop/a"]  # each of the two Applications says so
        assert [one["object"] for one in done["kept"]] == ["Namespace/shop"]
        assert list(hub.pins) == ["staging"]

    @pytest.mark.parametrize(
        ("words", "code", "message"),
        [
            (["rollback", "--cluster", "eux"], 11, "not delivered to eux"),
            (["rollback", "dem", "--cluster", "eu"], 11, "did you mean"),
            (["rollback", "--cluster", "eu", "--to", "9"], 56, "there is no release 9"),
            (["rollback", "--cluster", "eu", "--recreate"], 2, "a central Argo CD changes the clusters"),
            (["rollback", "--cluster", "eu", "--force-version"], 2, "a central Argo CD changes the clusters"),
            (["remove", "--cluster", "eux"], 11, "name one of its clusters: staging, eu"),
            (["remove", "--cluster", "eu", "--data"], 2, "a central Argo CD changes the clusters"),
            (["remove", "shop", "--cluster", "eu"], 2, "Argo CD would put shop back"),
            (["history", "other", "--cluster", "eu"], 11, "demo"),
        ],
    )
    def test_what_is_wrong_changes_nothing(
        self, hub: Hub, words: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = hub.delivery.cluster.objects()
        yes = [] if words[0] == "history" else ["--yes"]
        assert run([*words, *yes, "--context", "hub"]) == code
        assert message in " ".join(capsys.readouterr().err.split())
        assert hub.delivery.cluster.objects() == before


class TestFailure:
    """The way back to release 1, whose ConfigMap the cluster refuses."""

    @pytest.fixture(autouse=True)
    def refusing(self, delivery: Delivery) -> None:
        def refuse(request: FakeRequest) -> None:
            if request.verb == "apply" and request.target.name == "settings" and not request.is_trial:
                raise RefusedError("exceeded quota: objects", where=str(request.target), status=403, reason="Forbidden")

        delivery.cluster.before = refuse

    def test_events_and_the_result_are_lines(self, capsys: pytest.CaptureFixture[str]) -> None:
        capsys.readouterr()
        assert run(["rollback", "--yes", "--format", "json"]) == 55
        out, err = capsys.readouterr()
        *_, failed, _, document = map(json.loads, out.splitlines())
        assert (failed["state"], "exceeded quota: objects" in failed["reason"]) == ("failed", True)
        assert (document["command"], document["deployed"]) == ("rollback", False)
        assert [error["message"] for error in document["components"][0]["errors"]] == ["exceeded quota: objects"]
        assert "exceeded quota: objects" in err
        assert "error: 1 component of 1 could not be deployed: shop" in err

    def test_the_reason_is_printed_though_results_are_not(self, capsys: pytest.CaptureFixture[str]) -> None:
        capsys.readouterr()
        assert run(["rollback", "--yes", "--quiet"]) == 55
        out, err = capsys.readouterr()
        assert out == ""
        assert err.index("exceeded quota: objects") < err.index("shown above")

    def test_what_to_type_names_the_cluster(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Another context may be the current one by then."""
        assert run(["rollback", "--yes", "--context", "the one"]) == 55
        assert "`cluster-forge rollback demo --to 1 --context 'the one'`" in capsys.readouterr().err


def test_ctrl_c_says_how_to_go_on(delivery: Delivery, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(request: FakeRequest) -> None:
        if request.verb == "apply" and request.target.name == "settings" and not request.is_trial:
            raise KeyboardInterrupt

    delivery.cluster.before = interrupt
    assert run(["rollback", "--yes"]) == 130
    assert "to go on: cluster-forge rollback demo --to 1" in capsys.readouterr().err
    delivery.cluster.before = lambda _: None
    last = printed(capsys, "history")["releases"][-1]
    assert (last["number"], last["result"]) == (3, "interrupted")
    assert printed(capsys, "rollback", "--to", "1", "--yes", "--quiet")["deployed"]


@pytest.mark.parametrize(("engine", "says"), [(True, True), (False, False)])
def test_ctrl_c_says_that_an_engine_goes_on(
    delivery: Delivery, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *, engine: bool, says: bool
) -> None:
    chosen = deployment([part("shop", [settings()])], "v-1", gitops=GitOps(install=False) if engine else DIRECT)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rollback, "target", lambda *_: (releases.listed(delivery.cluster, "demo")[0], chosen))
    monkeypatch.setattr(deploy, "deploy", interrupt)
    assert run(["rollback", "--yes"]) == 130
    assert ("Argo CD goes on without this command" in capsys.readouterr().err) is says


@pytest.mark.parametrize("verb", ["history", "audit"])
def test_tables_fit_a_terminal(delivery: Delivery, capsys: pytest.CaptureFixture[str], verb: str) -> None:
    run(["rollback", "--yes"])
    capsys.readouterr()
    assert run([verb]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 4
    assert [line for line in lines if len(line) > 80] == []


def test_the_history_of_the_workspace_says_who_changed_which_cluster(delivery: Delivery, tmp_path: Path) -> None:
    history = tmp_path / ".cluster-forge" / "history.jsonl"
    assert run(["rollback", "--yes"]) == 0
    assert not history.exists(), "a folder that is no workspace gets none"
    (tmp_path / "input").mkdir()
    assert run(["rollback", "--to", "2", "--yes"]) == 0
    assert run(["remove", "--yes"]) == 0
    back, gone = map(json.loads, history.read_text().splitlines())
    about = delivery.cluster.about()
    assert (back["verb"], back["action"], back["release"], back["revision"], back["result"]) == (
        "rollback",
        "rollback to 2",
        4,
        "v-2",
        "deployed",
    )
    assert (gone["verb"], gone["action"], gone["stack"]) == ("remove", "remove", "demo")
    for line in (back, gone):
        assert (line["context"], line["server"], line["by"]) == (about.context, about.server, about.user)
        assert line["arguments"][-1] == "--yes"


def test_a_history_that_cannot_be_written_fails_no_deployment(
    delivery: Delivery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "input").mkdir()
    (tmp_path / ".cluster-forge").mkdir()
    (tmp_path / ".cluster-forge" / "history.jsonl").symlink_to(tmp_path / "elsewhere")
    assert run(["rollback", "--yes"]) == 0
    assert "was changed, but .cluster-forge/history.jsonl cannot be written" in capsys.readouterr().err
    assert not (tmp_path / "elsewhere").exists()


def test_rollback_has_the_options_that_its_checks_name(delivery: Delivery, capsys: pytest.CaptureFixture[str]) -> None:
    held = settings()
    held["metadata"]["finalizers"] = ["example.com/holds"]
    delivery.cluster.put(held, manager="cluster-forge")
    delivery.cluster.delete(ObjectId.of(held))
    assert run(["rollback", "--yes"]) == 54
    assert "pass --allow terminating-object" in capsys.readouterr().err
    assert run(["rollback", "--yes", "--allow", "terminating-objects"]) == 2
    assert "did you mean 'terminating-object'" in capsys.readouterr().err
    assert run(["rollback", "--yes", "--allow", "terminating-object"]) == 0


def test_every_option_that_a_check_names_is_one_of_deploy_and_rollback() -> None:
    sources = Path(preflight.__file__).parent.glob("*.py")
    named = {option for path in sources for option in re.findall(r'option=f?"(--[a-z-]+)', path.read_text())}
    assert {"--allow", "--adopt", "--force-environment"} <= named
    for command in (deploy_command, rollback_command):
        assert named <= {option for parameter in command.params for option in parameter.opts}
