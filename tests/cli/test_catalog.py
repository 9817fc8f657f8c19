"""catalog list|show|switch|new|test, secrets list, and a workspace of the catalog's components."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.cli.conftest import CHART

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Workspace


class TestList:
    def test_by_category_with_the_collections(self, empty: Workspace) -> None:
        result = empty.ok("catalog", "list")
        lines = result.out.splitlines()
        assert lines[0] == "backup"
        assert any(line.startswith("  grafana ") and "12.11.1" in line for line in lines)
        assert any(line.startswith("  platform ") for line in lines[lines.index("collections") :])

    def test_narrowed(self, empty: Workspace) -> None:
        names = [
            component["name"]
            for component in empty.ok("catalog", "list", "--lifecycle", "eol", "--format", "json").json["components"]
        ]
        assert "promtail" in names
        assert "alloy" not in names
        result = empty.ok("catalog", "list", "--category", "database")
        assert "cnpg-operator" in result.out
        assert "grafana" not in result.out
        assert "did you mean 'database'?" in empty.run("catalog", "list", "--category", "databse").err

    def test_the_version_is_the_one_for_a_kubernetes(self, empty: Workspace) -> None:
        def version(kubernetes: str) -> str | None:
            components = empty.ok("catalog", "list", "--kubernetes", kubernetes, "--format", "json").json["components"]
            versions: dict[str, str | None] = {component["name"]: component["version"] for component in components}
            return versions["kyverno"]

        assert version("1.25") != version("1.33")
        assert empty.run("catalog", "list", "--kubernetes", "new").code == 2


class TestSearch:
    @pytest.mark.parametrize(
        ("words", "name"),
        [
            (("grafana",), "grafana"),
            (("GRAFANA", "dashboards"), "grafana"),
            (("metrics.k8s.io",), "metrics-server"),
            (("s3",), "seaweedfs"),
            (("logging",), "loki"),
        ],
    )
    def test_a_component_by_name_text_category_or_capability(
        self, empty: Workspace, words: tuple[str, ...], name: str
    ) -> None:
        found = empty.ok("catalog", "search", *words, "--format", "json").json
        assert name in [component["name"] for component in found["components"]]
        assert f"  {name} " in empty.ok("catalog", "search", *words).out

    def test_all_words_must_be_there_and_collections_are_found_too(self, empty: Workspace) -> None:
        found = empty.ok("catalog", "search", "loki", "sends", "--format", "json").json
        names = [component["name"] for component in found["components"]]
        assert "promtail" in names
        assert "loki" not in names
        assert empty.ok("catalog", "search", "kaiwo-platform").out.startswith("collections\n")

    def test_nothing_is_the_answer_no(self, empty: Workspace) -> None:
        result = empty.run("catalog", "search", "grafan a")
        assert result.code == 1
        assert "the catalog has nothing about 'grafan a', did you mean 'grafana'?" in result.out
        assert empty.run("catalog", "search").code == 2


class TestShow:
    def test_everything_that_its_file_says(self, empty: Workspace) -> None:
        page = empty.ok("catalog", "show", "loki", "--size", "large", "--format", "json").json["component"]
        assert "object-storage" in [need["name"] for need in page["needs"]]
        assert page["provides"] == ["logs-backend"]
        assert "promtail" in page["neededBy"]
        assert any("monitoring.coreos.com" in wiring["with"] for wiring in page["wiring"])
        assert {*page["footprint"]} == {"small", "medium", "large"}
        assert page["footprint"]["large"]["pods"] > page["footprint"]["small"]["pods"]
        assert any("grafana/loki" in image for image in page["images"])

    def test_as_text(self, empty: Workspace) -> None:
        text = empty.ok("catalog", "show", "grafana").out
        assert text.startswith("Grafana: ")
        assert "grafana/grafana-admin" in text
        assert max(map(len, text.splitlines())) <= 120

    def test_a_collection(self, empty: Workspace) -> None:
        result = empty.ok("catalog", "show", "ml")
        assert "kueue" in result.out
        assert "kueue" in empty.ok("catalog", "show", "ml", "--format", "json").json["collection"]["components"]

    def test_none_of_that_name(self, empty: Workspace) -> None:
        result = empty.run("catalog", "show", "grafan")
        assert result.code == 11
        assert "did you mean 'grafana'?" in result.err


class TestInit:
    def test_required_components_are_added_to_the_description(self, empty: Workspace) -> None:
        options = ("--component", "kaiwo", "--component", "grafana", "--size", "medium", "--kubernetes", "1.33")
        result = empty.ok("init", *options, "--yes")
        assert "cert-manager: added: required by kaiwo" in result.out
        written = yaml.safe_load(empty.read("input/config.yaml"))
        assert written["target"] == {"kubernetes": "1.33", "size": "medium"}
        assert written["components"][:2] == ["kaiwo", "grafana"]
        assert {"cert-manager", "kueue", "longhorn"} <= set(written["components"])
        assert empty.ok("config", "validate").out.strip().endswith("no errors")

    def test_a_collection_stays_a_name(self, empty: Workspace) -> None:
        empty.ok("init", "--collection", "logging", "--domain", "example.com")
        written = yaml.safe_load(empty.read("input/config.yaml"))
        assert written["components"][0] == "logging"
        assert written["target"]["domain"] == "example.com"

    def test_the_engine_is_written_and_its_component_added(self, empty: Workspace) -> None:
        result = empty.ok("init", "--component", "reloader")
        assert "argo-cd: added: required by gitops.engine (argoproj.io)" in result.out
        written = yaml.safe_load(empty.read("input/config.yaml"))
        assert (written["gitops"], written["components"]) == ({"engine": "argocd"}, ["reloader", "argo-cd"])
        result = empty.ok("init", "kubectl", "--component", "reloader", "--gitops", "none")
        assert "argo-cd" not in result.out
        written = yaml.safe_load(empty.read("kubectl/input/config.yaml"))
        assert (written["gitops"], written["components"]) == ({"engine": "none"}, ["reloader"])

    def test_nothing_is_written_for_what_does_not_go_together(self, empty: Workspace) -> None:
        result = empty.run("init", "--component", "prometheus", "--component", "kube-prometheus-stack")
        assert result.code == 10
        assert "exclude each other" in result.err
        assert list(empty.folder.iterdir()) == []

    @pytest.mark.parametrize(
        "options",
        [("--collection", "observability", "--size", "large"), ("--component", "sample-web", "--component", "kueue")],
    )
    def test_a_name_of_the_starter_is_unknown_in_a_stack_of_the_catalog(
        self, empty: Workspace, options: tuple[str, ...]
    ) -> None:
        result = empty.run("init", *options)
        assert result.code == 11
        assert f"the catalog has no component or collection {options[1]!r}" in result.err
        assert list(empty.folder.iterdir()) == []

    def test_a_size_wants_a_name(self, empty: Workspace) -> None:
        assert "name at least one" in empty.run("init", "--size", "large").err

    def test_what_does_not_fit_the_kubernetes_says_so(self, empty: Workspace) -> None:
        result = empty.run("init", "--component", "envoy-gateway", "--kubernetes", "1.25")
        assert "no version of envoy-gateway supports Kubernetes 1.25" in result.err


class TestDescription:
    def test_origins_show_the_catalog_and_its_wirings(self, empty: Workspace) -> None:
        empty.ok("init", "--component", "grafana", "--component", "loki")
        shown = empty.ok("config", "show", "--origins").out
        assert "# catalog:grafana (with loki)" in shown
        assert "http://loki-gateway.loki.svc.cluster.local" in shown

    def test_an_eol_component_is_reported_with_the_command_that_replaces_it(self, empty: Workspace) -> None:
        empty.ok("init", "--component", "promtail")
        assert "eol-component" in empty.ok("config", "validate").err
        assert "catalog switch promtail" in empty.ok("config", "validate").err
        empty.ok("catalog", "switch", "promtail")
        names = yaml.safe_load(empty.read("input/config.yaml"))["components"]
        assert names[0] == "alloy"
        assert "eol-component" not in empty.ok("config", "validate").err

    def test_switch_keeps_comments_and_knows_what_it_cannot_do(self, empty: Workspace) -> None:
        text = "apiVersion: cluster-forge/v1\nkind: Stack\nname: x  # mine\ncomponents:\n- name: promtail  # old\n  values: {a: 1}\n- loki\n"
        empty.write({"input/config.yaml": text})
        empty.ok("catalog", "switch", "promtail", "alloy")
        assert "name: x  # mine" in empty.read("input/config.yaml")
        assert yaml.safe_load(empty.read("input/config.yaml"))["components"] == ["alloy", "loki"]
        assert empty.run("catalog", "switch", "promtail").code == 11
        assert "has no successor for loki" in empty.run("catalog", "switch", "loki").err


OWN = """\
apiVersion: cluster-forge/v1
kind: Component
name: shop
title: Shop
description: Sells things.
category: core
homepage: https://shop.example.com
license: Apache-2.0
namespace: shop
podSecurity: restricted
helm: {chart: charts/shop}
versions: [{version: 1.0.0, kubernetes: 1.25+}]
values: {greeting: hello}
wiring:
- {with: logs-backend, purpose: Its logs are kept., values: {logs: "${logs-backend.url}"}}
"""


class TestOwnCatalog:
    def test_a_component_of_ones_own_with_a_local_chart(self, empty: Workspace) -> None:
        description = "apiVersion: cluster-forge/v1\nkind: Stack\nname: mine\ncatalogs: [catalog]\ncomponents: [shop]\n"
        chart = "apiVersion: v2\nname: shop\nversion: 1.0.0\n"
        template = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\ndata: {g: "{{ .Values.greeting }}"}\n'
        empty.write(
            {
                "input/config.yaml": description,
                "input/catalog/components/shop.yaml": OWN,
                "input/charts/shop/Chart.yaml": chart,
                "input/charts/shop/templates/a.yaml": template,
            }
        )
        empty.ok("forge", "--offline")
        assert "g: hello" in empty.read("working/shop/configmap_shop_shop.yaml")
        assert "pod-security.kubernetes.io/enforce: restricted" in empty.read("working/namespaces/namespace_shop.yaml")
        assert "Shop: Sells things." in empty.ok("catalog", "show", "shop").out
        empty.replace("input/catalog/components/shop.yaml", "hello", "good day")
        empty.ok("forge", "--offline")
        assert "g: good day" in empty.read("working/shop/configmap_shop_shop.yaml")


class TestSecrets:
    def test_commands_that_a_shell_takes(self, empty: Workspace, tmp_path: Path) -> None:
        empty.ok("init", "--component", "grafana")
        result = empty.ok("secrets", "list")
        assert "kubectl create secret generic grafana-admin --namespace grafana" in result.out
        (secret,) = empty.ok("secrets", "list", "--format", "json").json["secrets"]
        assert (secret["component"], secret["name"], set(secret["keys"])) == (
            "grafana",
            "grafana-admin",
            {"admin-user", "admin-password"},
        )
        script = tmp_path / "make.sh"
        script.write_text(f"kubectl() {{ printf '%s\\n' \"$@\"; }}\n{result.out}")
        done = subprocess.run(["sh", str(script)], capture_output=True, text=True, check=True)
        assert "--from-literal=admin-password=…" in done.stdout.splitlines()

    def test_as_external_secrets(self, empty: Workspace) -> None:
        empty.ok("init", "--component", "grafana")
        (body,) = yaml.safe_load_all(empty.ok("secrets", "list", "--external", "vault").out)
        assert body["kind"] == "ExternalSecret"
        assert body["spec"]["secretStoreRef"] == {"kind": "ClusterSecretStore", "name": "vault"}
        assert [entry["secretKey"] for entry in body["spec"]["data"]] == ["admin-user", "admin-password"]

    def test_secrets_of_a_store_are_listed_apart(self, empty: Workspace) -> None:
        empty.ok("init", "--component", "grafana", "--collection", "secrets-1password", "--kubernetes", "1.33")
        result = empty.ok("secrets", "list", "--format", "json").json["secrets"]
        assert {secret["name"]: secret["fromStore"] for secret in result} == {
            "grafana-admin": True,
            "op-credentials": False,
            "onepassword-connect-token": False,
        }
        assert "External Secrets creates grafana/grafana-admin" in empty.ok("secrets", "list").out

    def test_none(self, workspace: Workspace) -> None:
        assert "expects no Secrets" in workspace.ok("secrets", "list").out


@pytest.mark.parametrize("typed", ["catalog show graf", "init --component kaiw"])
def test_names_of_the_catalog_complete(empty: Workspace, typed: str) -> None:
    words = ["cluster-forge", *typed.split()]
    result = empty.program(
        _CLUSTER_FORGE_COMPLETE="bash_complete", COMP_WORDS=" ".join(words), COMP_CWORD=str(len(words) - 1)
    )
    assert words[-1] in result.out


class TestOwnComponents:
    """catalog new and test, on a chart in the workspace."""

    STACK = "apiVersion: cluster-forge/v1\nkind: Stack\nname: demo  # mine\ncomponents: [reloader]\n"

    def test_a_chart_becomes_a_component_that_can_be_tested(self, empty: Workspace) -> None:
        empty.write(
            {"input/config.yaml": self.STACK, **{f"input/charts/web/{path}": text for path, text in CHART.items()}}
        )
        result = empty.ok(
            "catalog", "new", "web", "--chart", str(empty.folder / "input/charts/web"), "--category", "core"
        )
        assert "wrote input/catalog/components/web.yaml" in result.out
        assert "images: docker.io/library/nginx:1.29" in result.out
        assert "catalogs: [./catalog]" in empty.read("input/config.yaml")
        assert "name: demo  # mine" in empty.read("input/config.yaml")
        assert empty.yaml("input/catalog/components/web.yaml")["helm"] == {"chart": "charts/web"}
        result = empty.run("catalog", "test")
        assert result.code == 1
        assert "web: 15 trials, 0 wirings, 0 examples" in result.out
        assert "  memory-limit: Deployment/web: container web has no memory limit" in result.out
        assert "    1.2.3 on Kubernetes 1.35: small, medium, large" in result.out
        assert result.out.endswith("1 component: 2 findings\n")
        assert "  large       1 " in empty.run("catalog", "test", "-v").out

    def test_as_json(self, empty: Workspace) -> None:
        empty.write(
            {"input/config.yaml": self.STACK, **{f"input/charts/web/{path}": text for path, text in CHART.items()}}
        )
        chart = str(empty.folder / "input/charts/web")
        answer = empty.ok("catalog", "new", "web", "--chart", chart, "--format", "json").json
        assert answer["path"] == "input/catalog/components/web.yaml"
        assert answer["component"]["versions"] == [{"version": "1.2.3", "kubernetes": "1.25+"}]
        tested = empty.run("catalog", "test", "web", "--format", "json").json
        rules = {fault["rule"] for fault in tested["components"][0]["faults"]}
        assert rules == {"requests", "memory-limit"}
        assert tested["components"][0]["faults"][0]["trials"][0] == {
            "version": "1.2.3",
            "kubernetes": "1.35",
            "size": "small",
        }

    def test_it_is_in_the_stack_and_forges(self, empty: Workspace) -> None:
        stack = self.STACK.replace("reloader", "web")
        empty.write({"input/config.yaml": stack, **{f"input/charts/web/{path}": text for path, text in CHART.items()}})
        empty.ok("catalog", "new", "web", "--chart", str(empty.folder / "input/charts/web"))
        empty.ok("forge", "--offline")
        assert any("deployment" in name for name in empty.tree("working/web"))

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["web", "--chart", "elsewhere/web"], "not below"),
            (["Web", "--chart", "https://charts.example.com/web"], "is not a DNS label"),
            (["web", "--chart", "https://charts.example.com/web", "--category", "cor"], "did you mean 'core'?"),
            (["web", "--chart", "https://charts.example.com/web", "--offline"], "offline"),
            (["web", "--chart", "https://charts.example.com"], "the chart's name is missing"),
        ],
    )
    def test_what_cannot_be(self, empty: Workspace, arguments: list[str], message: str) -> None:
        empty.write({"input/config.yaml": self.STACK})
        result = empty.run("catalog", "new", *arguments)
        assert result.code != 0
        assert message in result.err
        assert empty.read("input/config.yaml") == self.STACK
        assert not (empty.folder / "input/catalog").exists()

    @pytest.mark.parametrize(
        ("description", "code", "message"),
        [
            ("- name: web\n  manifestpath: web\n", 10, "need the native format"),
            ("", 10, ""),
            ("a: [b\n", 10, ""),
            ("name: x\ncatalogs: ./catalog\n", 10, "`catalogs` must be a list of folders"),
            ("name: x\ncatalogs: [null]\n", 10, "`catalogs` must be a list of folders"),
        ],
    )
    def test_a_description_that_cannot_be_read(
        self, empty: Workspace, description: str, code: int, message: str
    ) -> None:
        empty.write({"input/config.yaml": description})
        result = empty.run("catalog", "new", "web", "--chart", "https://charts.example.com/web")
        assert result.code == code, result.err
        assert message in result.err
        assert empty.read("input/config.yaml") == description

    def test_the_last_catalog_gets_it(self, empty: Workspace) -> None:
        """The last catalog overrides the others."""
        stack = self.STACK + "catalogs: [./shared, ./mine]\n"
        chart = {f"input/charts/web/{path}": text for path, text in CHART.items()}
        empty.write({"input/config.yaml": stack, "input/shared/collections.yaml": "{}\n", **chart})
        result = empty.ok("catalog", "new", "web", "--chart", "input/charts/web")
        assert "wrote input/mine/components/web.yaml" in result.out
        assert empty.read("input/config.yaml") == stack
        assert empty.run("catalog", "new", "web", "--chart", "input/charts/web").code == 20

    def test_random_values_are_reported(self, empty: Workspace) -> None:
        """Although the same chart was rendered before, and is in the cache."""
        drawn = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: {{ randAlpha 9 }}}\n"
        chart = {f"input/charts/web/{path}": text for path, text in {**CHART, "templates/c.yaml": drawn}.items()}
        empty.write({"input/config.yaml": self.STACK, **chart})
        result = empty.ok("catalog", "new", "web", "--chart", str(empty.folder / "input/charts/web"))
        assert "it renders random values: ConfigMap/c" in result.out

    def test_nothing_is_written_over(self, empty: Workspace) -> None:
        empty.write({"input/config.yaml": self.STACK, "input/catalog/components/web.yaml": "mine"})
        result = empty.run("catalog", "new", "web", "--chart", "https://charts.example.com/web")
        assert result.code == 20
        assert "the component web exists already" in result.err
        assert empty.read("input/catalog/components/web.yaml") == "mine"

    def test_without_a_catalog_of_ones_own_there_is_nothing_to_test(self, empty: Workspace) -> None:
        empty.write({"input/config.yaml": self.STACK})
        assert "the workspace has no catalog of its own" in empty.run("catalog", "test").err
