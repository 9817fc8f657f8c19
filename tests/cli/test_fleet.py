"""deploy, status and diff on several clusters of the description, each a fake one."""

from __future__ import annotations

import base64
import io
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Workspace, config_map
from tests.fake_cluster import FakeRequest
from tests.stages.deliver.deliveries import Delivery, identity
from tests.stages.deliver.preflight.situations import node

from cluster_forge import composition
from cluster_forge.foundation.errors import ClusterError, RefusedError
from cluster_forge.ports.cluster import Patch
from cluster_forge.service_options import ClusterOptions
from cluster_forge.stages.deliver.tools import DeliverTools

DESCRIPTION = """\
apiVersion: cluster-forge/v1
kind: Stack
name: demo
target: {kubernetes: "1.33"}
gitops: {engine: none}
components: [{name: settings, namespace: shop, manifests: [settings.yaml]}]
environments:
  production: {components: [{name: more, namespace: shop, manifests: [more.yaml]}]}
clusters:
- {name: eu, environment: production, labels: {region: eu}}
- {name: staging}
- {name: us, environment: production, labels: {region: us}}
rollout: {order: [staging, production]}
"""


class Clusters:
    """A fake cluster for each context; those that are ``down`` do not answer."""

    def __init__(self, workspace: Workspace) -> None:
        self.down: set[str] = set()
        self.asked: list[str] = []
        self._deliveries = {context: Delivery() for context in ("eu", "staging", "us")}
        self._files = composition.workspace_files(workspace.folder)
        for delivery in self._deliveries.values():
            delivery.cluster.put(node("one"))

    def delivery(self, _settings: object, options: ClusterOptions, reporter: Any) -> DeliverTools:
        context = options.context or ""
        self.asked.append(context)
        if context in self.down:
            raise ClusterError(f"{context} does not answer", fix="start it")
        return replace(self._deliveries[context].tools, reporter=reporter, files=self._files)

    def secret(self, context: str) -> bytes:
        """The password in a cluster."""
        body = self._deliveries[context].there("Secret", "login", "shop")
        return base64.b64decode(body["data"]["password"])

    def zone(self, context: str) -> str:
        """A label of an object of the stack in a cluster."""
        body = self._deliveries[context].there("ConfigMap", "settings", "shop")
        return str(body["metadata"]["labels"]["zone"])

    def before(self, context: str, before: Callable[[FakeRequest], None]) -> None:
        """Call a function before each request to a cluster."""
        self._deliveries[context].cluster.before = before

    def change(self, context: str, name: str) -> None:
        """Change a ConfigMap of the stack in a cluster by hand."""
        target = identity("ConfigMap", name, "shop")
        change = {"data": {"value": "changed"}}
        self._deliveries[context].cluster.patch(target, change, Patch.MERGE, manager="kubectl-edit")

    def maps(self, context: str) -> list[str]:
        """The ConfigMaps of the stack in a cluster."""
        there = self._deliveries[context].cluster.objects()
        return sorted(one.name for one in there if (one.kind, one.namespace) == ("ConfigMap", "shop"))


@pytest.fixture
def cast(empty: Workspace) -> Workspace:
    files = {"config.yaml": DESCRIPTION, "settings.yaml": config_map("settings"), "more.yaml": config_map("more")}
    empty.write({f"input/{path}": text for path, text in files.items()})
    empty.ok("forge", "--environment", "production")
    empty.ok("forge")
    return empty


@pytest.fixture
def clusters(monkeypatch: pytest.MonkeyPatch, cast: Workspace) -> Clusters:
    clusters = Clusters(cast)
    monkeypatch.setattr(composition, "delivery", clusters.delivery)
    return clusters


def test_each_cluster_gets_the_stack_of_its_environment_in_the_order_of_the_rollout(
    cast: Workspace, clusters: Clusters
) -> None:
    deployed = cast.ok("deploy", "--all", "--quiet", "--format", "json").json
    assert [(one["name"], one["verdict"], one["folder"]) for one in deployed["clusters"]] == [
        ("staging", "done", "stacks/demo"),
        ("eu", "done", "stacks/demo.production"),
        ("us", "done", "stacks/demo.production"),
    ]
    assert clusters.asked == ["staging", "eu", "us"]
    assert clusters.maps("staging") == ["settings"]
    assert clusters.maps("eu") == clusters.maps("us") == ["more", "settings"]


def test_a_cluster_that_fails_stops_the_rest_and_is_named(cast: Workspace, clusters: Clusters) -> None:
    clusters.down.add("eu")
    result = cast.run("deploy", "--all")
    assert result.code == 52
    assert "staging: done" in result.out
    assert "us: skipped" in result.out
    assert "eu does not answer" in result.err
    assert "not deployed to: us" in result.err
    assert f"{cast.folder} deploy --cluster eu --cluster us" in result.err
    assert clusters.maps("us") == []
    clusters.down.clear()
    cast.ok("deploy", "--cluster", "eu,us")
    assert clusters.maps("us") == ["more", "settings"]


def test_one_cluster_of_the_description_goes_back_and_loses_the_stack(cast: Workspace, clusters: Clusters) -> None:
    cast.ok("deploy", "--all")
    cast.write({"input/settings.yaml": config_map("settings", "2")})
    cast.ok("forge", "--environment", "production")

    def refuse(request: FakeRequest) -> None:
        if request.verb == "apply" and request.target.name == "settings" and not request.is_trial:
            raise RefusedError("exceeded quota", where=str(request.target), status=403, reason="Forbidden")

    clusters.before("eu", refuse)
    failed = cast.run("deploy", "--selector", "region=eu")
    assert failed.code == 55
    back = f"cluster-forge -C {cast.folder} rollback demo --cluster eu"
    assert f"or take eu back: `{back}`" in failed.err
    clusters.before("eu", lambda _: None)
    clusters.asked.clear()
    assert cast.ok("rollback", "demo", "--cluster", "eu", "--quiet", "--format", "json").json["to"] == 1
    assert clusters.asked == ["eu"]
    assert cast.ok("remove", "--cluster", "eu", "--yes", "--quiet", "--format", "json").json["stack"] == "demo"
    assert (clusters.maps("eu"), clusters.maps("us")) == ([], ["more", "settings"])
    refused = cast.run("remove", "--cluster", "usa", "--yes")
    assert (refused.code, "did you mean 'us'" in refused.err) == (11, True)


def test_clusters_are_looked_at_in_one_table(cast: Workspace, clusters: Clusters) -> None:
    cast.ok("deploy", "--cluster", "staging")
    clusters.down.add("us")
    seen = cast.run("status", "--all")
    assert seen.code == 1
    rows = {row.split()[0]: row.split()[1:] for row in seen.out.splitlines()[:4]}
    assert rows["staging"][-3:] == ["2/2", "0", "-"]
    assert rows["eu"][:2] == ["production", "-"]
    assert "us: us does not answer" in seen.out
    answer = cast.run("diff", "--selector", "region=eu", "--format", "json")
    assert answer.code == 1
    assert [(one["name"], len(one["objects"])) for one in answer.json["clusters"]] == [("eu", 3)]
    assert cast.run("diff", "--cluster", "staging").code == 0
    assert cast.run("status", "--cluster", "staging").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("deploy", "--cluster", "stagng"), 11, "did you mean 'staging'"),
        (("deploy", "--selector", "region=asia"), 11, "no cluster has the labels"),
        (("deploy", "--cluster", ""), 2, "--cluster is empty: give it a value"),
        (("deploy", "--cluster", "eu", "--cluster", " ,"), 2, "is empty: name clusters"),
        (("status", "--selector", ""), 2, "--selector is empty: give it a value"),
        (("deploy", "--all", "--cluster", "eu"), 2, "--all together with"),
        (("deploy", "--all", "--selector", "region=eu"), 2, "--all together with"),
        (("remove", "--cluster", "", "--yes"), 2, "--cluster is empty"),
        (("rollback", "--cluster", " ", "--yes"), 2, "--cluster is empty"),
        (("history", "--cluster", ""), 2, "--cluster is empty"),
        (("deploy", "demo", "--all"), 2, "leave them out"),
        (("deploy", "--all", "--context", "eu"), 2, "leave them out"),
        (("status", "--all", "--watch"), 2, "for one cluster"),
        (("diff", "--all", "--format", "markdown"), 2, "for one cluster"),
        (("deploy", "demo", "--context", "eu", "--context", "eu"), 2, "a context twice"),
        (("status", "demo", "--context", "eu", "--context", "us", "--watch"), 2, "for one cluster"),
        (("diff", "demo", "demo.production", "--context", "eu", "--context", "us"), 2, "one stack"),
    ],
)
def test_a_choice_that_is_none_changes_nothing(
    cast: Workspace, clusters: Clusters, arguments: tuple[str, ...], code: int, message: str
) -> None:
    result = cast.run(*arguments)
    assert result.code == code
    assert message in result.err
    assert clusters.asked == []


def test_a_stack_that_is_not_cast_is_named_before_the_first_change(cast: Workspace, clusters: Clusters) -> None:
    cast.replace("input/config.yaml", "{name: staging}", "{name: staging, environment: test}")
    cast.replace("input/config.yaml", "environments:\n", "environments:\n  test: {}\n")
    result = cast.run("deploy", "--all")
    assert result.code == 22
    assert "stacks/demo.test is not cast" in result.err
    assert "forge --environment test" in result.err
    assert clusters.asked == []


def test_a_cluster_with_variables_gets_the_stack_of_its_own(cast: Workspace, clusters: Clusters) -> None:
    cast.replace("input/config.yaml", "gitops:", "vars: {zone: none}\ngitops:")
    cast.replace("input/config.yaml", "labels: {region: eu}}", "labels: {region: eu}, variables: {zone: eu}}")
    cast.replace(
        "input/config.yaml", "manifests: [settings.yaml]}", "manifests: [settings.yaml], labels: {zone: '${zone}'}}"
    )
    result = cast.run("deploy", "--all", "--yes")
    assert result.code == 22
    assert "stacks/demo.eu is not cast" in result.err
    assert "forge --environment eu" in result.err
    assert clusters.asked == []
    cast.ok("forge", "--yes")
    cast.ok("forge", "--yes", "--environment", "production")
    cast.ok("forge", "--yes", "--environment", "eu")
    deployed = cast.ok("deploy", "--all", "--quiet", "--format", "json").json
    assert {one["name"]: one["folder"] for one in deployed["clusters"]} == {
        "staging": "stacks/demo",
        "eu": "stacks/demo.eu",
        "us": "stacks/demo.production",
    }
    assert [clusters.zone(context) for context in ("staging", "eu", "us")] == ["none", "eu", "none"]
    assert clusters.maps("eu") == ["more", "settings"]


def test_a_kubeconfig_in_the_workspace_is_not_used(cast: Workspace, clusters: Clusters) -> None:
    """It could start any program (exec plug-ins), and a workspace may be foreign."""
    path = cast.folder / "input" / "kubeconfig"
    cast.replace("input/config.yaml", "{name: staging}", f"{{name: staging, kubeconfig: {path}}}")
    result = cast.run("status", "--cluster", "staging")
    assert result.code == 27
    assert "in the workspace" in result.err
    assert clusters.asked == []


def test_secrets_from_stdin_reach_every_cluster(
    cast: Workspace, clusters: Clusters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stdin can be read once only."""
    secret = "secrets: [{name: login, keys: {password: any}}]"
    cast.replace("input/config.yaml", "manifests: [settings.yaml]}", f"manifests: [settings.yaml], {secret}}}")
    for environment in ((), ("--environment", "production")):
        cast.ok("forge", *environment)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"shop/login: {password: known-to-nobody}")))
    cast.ok("deploy", "--all", "--secrets", "-", "--yes")
    assert [clusters.secret(context) for context in ("staging", "eu", "us")] == [b"known-to-nobody"] * 3


def test_one_stack_goes_to_several_contexts_in_the_order_in_which_they_are_named(
    cast: Workspace, clusters: Clusters
) -> None:
    chosen = ("demo", "--context", "us", "--context", "eu")
    clusters.down.add("eu")
    result = cast.run("deploy", *chosen, "--context", "staging")
    assert result.code == 52
    assert clusters.asked == ["us", "eu"]
    assert "staging: skipped" in result.out
    assert f"{cast.folder} deploy demo --context eu --context staging" in result.err
    assert clusters.maps("us") == ["settings"]
    elsewhere = cast.run("deploy", *chosen, "--kubeconfig", "/elsewhere/a config")
    assert f"{cast.folder} deploy demo --kubeconfig '/elsewhere/a config' --context eu`" in elsewhere.err
    clusters.down.clear()
    cast.ok("deploy", "demo", "--context", "eu", "--context", "staging")
    assert clusters.maps("eu") == clusters.maps("staging") == ["settings"]
    seen = cast.ok("status", *chosen).out.splitlines()
    assert [row.split()[0] for row in seen[1:3]] == ["us", "eu"]
    answer = cast.ok("diff", *chosen, "--format", "json").json
    assert [(one["name"], one["objects"]) for one in answer["clusters"]] == [("us", []), ("eu", [])]


def test_one_context_is_as_it_was(cast: Workspace, clusters: Clusters) -> None:
    deployed = cast.ok("deploy", "demo", "--context", "us", "--format", "json", "--quiet").json
    assert deployed["deployed"]
    assert clusters.asked == ["us"]


def test_a_stack_is_deployed_by_its_tag_in_a_git_repository(
    cast: Workspace, clusters: Clusters, tmp_path: Path
) -> None:
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", remote], check=True)
    tag = cast.ok("push", "demo.production", "--git", "--to", f"file://{remote}", "--format", "json").json["version"]
    address = f"git+file://{remote}@{tag}"
    chosen = ("--context", "us", "--context", "eu")
    deployed = cast.ok("deploy", address, *chosen, "--format", "json", "--quiet").json
    assert [one["version"] for one in deployed["clusters"]] == [tag, tag]
    assert clusters.maps("us") == clusters.maps("eu") == ["more", "settings"]
    assert cast.run("status", address, "--context", "us").code == 0
    assert cast.run("diff", address, "--context", "us").code == 0


def test_a_secret_that_one_environment_expects_is_left_alone_by_the_others(
    cast: Workspace, clusters: Clusters, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "secrets: [{name: login, keys: {password: any}}]"
    cast.replace("input/config.yaml", "manifests: [more.yaml]}", f"manifests: [more.yaml], {secret}}}")
    for environment in ((), ("--environment", "production")):
        cast.ok("forge", *environment)
    values = b"shop/login: {password: known}"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(values)))
    cast.ok("deploy", "--all", "--secrets", "-", "--yes")
    assert [clusters.secret(context) for context in ("eu", "us")] == [b"known"] * 2
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(values.replace(b"login", b"logins"))))
    result = cast.run("deploy", "--all", "--secrets", "-", "--yes")
    assert "the stack expects no Secret shop/logins, did you mean" in result.err


@pytest.mark.parametrize("where", [("demo", "--context", "us"), ("--all",)])
@pytest.mark.parametrize("source", ["env:", "-"])
def test_values_for_a_stack_that_expects_no_secrets_are_refused(
    cast: Workspace, clusters: Clusters, monkeypatch: pytest.MonkeyPatch, source: str, where: tuple[str, ...]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"shop/login: {password: known}")))
    result = cast.run("deploy", *where, "--secrets", source, "--yes")
    assert result.code == 10
    assert "--secrets: the stack demo expects no Secrets, so --secrets would give nothing" in result.err
    assert [clusters.maps(context) for context in ("eu", "staging", "us")] == [[], [], []]


def test_out_of_sync_is_exit_code_1_though_everything_is_healthy(cast: Workspace, clusters: Clusters) -> None:
    cast.ok("deploy", "--all")
    cast.ok("status", "--all")
    clusters.change("eu", "settings")
    for place in (("--all",), ("demo.production", "--context", "eu")):
        assert cast.run("status", *place).code == 1
    seen = json.loads(cast.run("status", "demo.production", "--context", "eu", "--format", "json").out)
    assert (seen["healthy"], seen["synced"]) == (True, False)
    cast.ok("status", "demo.production", "--context", "us")


def test_ctrl_c_in_a_rollout_says_what_was_done_and_how_to_go_on(
    cast: Workspace, clusters: Clusters, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(request: FakeRequest) -> None:
        if request.verb == "apply" and request.target.name == "more" and not request.is_trial:
            raise KeyboardInterrupt

    clusters.before("eu", interrupt)
    result = cast.run("deploy", "--all", "--yes")
    assert result.code == 130
    assert "settings (staging)" in result.err.partition("done: ")[2]
    assert "more (eu)" in result.err.partition("begun: ")[2]
    assert "deploy --cluster staging --cluster eu --cluster us" in result.err
