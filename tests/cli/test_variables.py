"""Variables on the command line: from options, files and the environment, in what is written and in what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Workspace

DESCRIPTION = """\
apiVersion: cluster-forge/v1
kind: Stack
name: demo
gitops: {engine: none}
vars: {replicas: 1, tag: 1.10, team: }
components:
- name: web
  namespace: web
  substitute: true
  manifests: [web.yaml]
  patches:
  - patch: {apiVersion: v1, kind: ConfigMap, metadata: {name: web}, data: {patched: "v${tag}"}}
environments:
  staging: {vars: {team: qa}}
  production: {target: {size: large}, vars: {team: ops, replicas: 3}}
"""
MANIFEST = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: web, labels: {team: "${team}"}}
data:
  replicas: "${{ string(replicas) }}"
  size: ${{ target.size }}
  run.sh: |
    echo $${HOME} ${tag}
"""
WRITTEN = "working/web/configmap_web_web.yaml"


@pytest.fixture
def workspace(empty: Workspace) -> Workspace:
    return empty.write({"input/config.yaml": DESCRIPTION, "input/web.yaml": MANIFEST})


def test_values_reach_objects_patches_and_files(workspace: Workspace) -> None:
    workspace.ok("smelt", "--yes", "--set", "team=shop", "--set", "replicas=2")
    written = workspace.yaml(WRITTEN)
    assert written["metadata"]["labels"] == {"team": "shop"}
    assert written["data"] == {
        "replicas": "2",
        "size": "small",
        "run.sh": "echo ${HOME} 1.10\n",
        "patched": "v1.10",
    }


def test_a_file_an_options_file_and_the_environment_set_them_too(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vars.yaml").write_text("team: file\nreplicas: 7\n")
    workspace.write({"options/ci.yaml": "set: [replicas=8]\n"})
    monkeypatch.setenv("CLUSTER_FORGE_SMELT_SET", "replicas=9")
    for arguments, expected in (
        (("--set", "replicas=5"), "5"),
        ((), "9"),
    ):
        workspace.ok("smelt", "--yes", "--vars-file", str(tmp_path / "vars.yaml"), *arguments)
        assert workspace.yaml(WRITTEN)["data"]["replicas"] == expected
        assert workspace.yaml(WRITTEN)["metadata"]["labels"] == {"team": "file"}
    monkeypatch.delenv("CLUSTER_FORGE_SMELT_SET")
    workspace.ok("smelt", "--yes", "--options", "ci", "--vars-file", str(tmp_path / "vars.yaml"))
    assert workspace.yaml(WRITTEN)["data"]["replicas"] == "8"


def test_an_options_file_of_the_workspace_reads_no_file_elsewhere(workspace: Workspace, tmp_path: Path) -> None:
    """It would become a part of the stack, and a workspace may be a foreign one."""
    secret = tmp_path / "elsewhere.yaml"
    secret.write_text("team: canary\n")
    (workspace.folder / "link.yaml").symlink_to(secret)
    for named in (str(secret), f"{workspace.folder}/link.yaml"):
        workspace.write({"options/ci.yaml": f"vars-file: ['{named}']\n"})
        result = workspace.run("smelt", "--yes", "--options", "ci")
        assert result.code == 10
        assert "is outside of the workspace, and would become a part of the stack" in result.err
        assert "canary" not in result.err
    workspace.write({"prod.yaml": "team: own\n", "options/ci.yaml": f"vars-file: ['{workspace.folder}/prod.yaml']\n"})
    workspace.ok("smelt", "--yes", "--options", "ci")


def test_another_value_makes_working_stale(workspace: Workspace) -> None:
    workspace.ok("smelt", "--yes", "--set", "team=a")
    result = workspace.run("cast", "--set", "team=b")
    assert result.code == 22
    assert "smelt --set team=b" in result.err
    workspace.ok("cast", "--set", "team=a")
    assert "nothing changed" in workspace.ok("smelt", "--yes", "--set", "team=a").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "input/web.yaml:3:39: the variable 'team' has no value"),
        (("--set", "taem=x"), "--set taem: the description declares no variable 'taem', did you mean 'team'?"),
        (("--set", "team"), "'team' is not NAME=VALUE"),
        (("--set", "te-am=x"), "'te-am' is not NAME=VALUE"),
        (("--vars-file", "none.yaml"), "none.yaml: the file of variables cannot be read: No such file or directory"),
    ],
)
def test_what_is_wrong_is_reported(workspace: Workspace, arguments: tuple[str, ...], message: str) -> None:
    result = workspace.run("smelt", "--yes", *arguments)
    assert result.code in (2, 10, 18)
    assert message in result.err
    assert not (workspace.folder / "working").exists()


def test_a_secret_stops_smelt_and_is_nowhere(workspace: Workspace) -> None:
    workspace.replace("input/config.yaml", "team: }", "team: , db_password: }")
    arguments = ("--yes", "--set", "team=a", "--set", "db_password=canary-canary")
    result = workspace.run("smelt", *arguments)
    assert result.code == 1
    assert "error[plaintext-secret]: --set db_password" in result.err
    shown = workspace.ok("config", "show", *arguments[1:])
    assert "db_password: ***" in shown.out.replace('"', "")
    described = workspace.ok("config", "show", "--format", "json", *arguments[1:])
    kept = "".join(path.read_text() for path in (workspace.folder / ".cluster-forge").rglob("*") if path.is_file())
    assert "db_password=…" in kept
    assert "canary" not in result.out + result.err + shown.out + described.out + kept
    workspace.ok("smelt", "--allow", "plaintext-secret", *arguments)


def test_two_environments_are_compared(workspace: Workspace) -> None:
    result = workspace.run("config", "show", "--environment", "staging", "--diff", "production")
    assert result.code == 1
    for line in (
        "--- staging: description",
        "+  size: large",
        "-  replicas: 1",
        "+  replicas: 3",
        "--- staging: ConfigMap/web/web",
        "+++ production: ConfigMap/web/web",
        "-  size: small",
        '+  replicas: "3"',
        "1 component changed; 1 object changed",
    ):
        assert line in result.out.splitlines()
    assert not (workspace.folder / "working").exists()
    answer = workspace.run("config", "show", "--environment", "staging", "--diff", "production", "--format", "json")
    document = answer.json
    assert answer.code == 1
    assert {"path": "vars.replicas", "change": "changed", "before": 1, "after": 3} in document["description"]
    (changed,) = document["objects"]
    assert {field["path"] for field in changed["fields"]} == {"data.replicas", "data.size", "metadata.labels.team"}


def test_the_values_that_charts_get_are_compared(workspace: Workspace) -> None:
    workspace.write(
        {"input/shop/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n", "input/v.yaml": "a: file\n"}
    )
    component = (
        "- name: shop\n  helm: {chart: ./shop}\n  valuesFiles: [v.yaml]\n  sizes: {large: {b: large}}\n"
        "  values: {c: '${replicas}'}\n"
    )
    workspace.replace("input/config.yaml", "components:\n", f"components:\n{component}")
    result = workspace.run("config", "show", "--environment", "staging", "--diff", "production", "--format", "json")
    changed = {entry["path"]: (entry["before"], entry["after"]) for entry in result.json["description"]}
    place = next(path for path in changed if path.endswith("values.b")).removesuffix("values.b")
    assert changed[f"{place}values.b"] == (None, "large")
    assert changed[f"{place}values.c"] == (1, 3)
    assert not any("sizes" in path or "valuesFiles" in path for path in changed)


def test_equal_environments_have_no_differences(workspace: Workspace) -> None:
    result = workspace.ok("config", "show", "--environment", "staging", "--diff", "staging")
    assert result.out == "no differences between staging and staging\n"
    result = workspace.run("config", "show", "--diff", "prodution", "--set", "team=a")
    assert result.code == 11
    assert "unknown environment 'prodution', did you mean 'production'?" in result.err


def test_objects_of_sources_that_were_not_mined_are_named(workspace: Workspace) -> None:
    workspace.replace(
        "input/config.yaml",
        "components:\n",
        "components:\n- {name: shop, namespace: shop, helm: {repository: 'https://charts.example.com', chart: shop}}\n",
    )
    result = workspace.run("config", "show", "--environment", "staging", "--diff", "production")
    assert result.code == 1
    assert "+  replicas: 3" in result.out.splitlines()
    assert "shop" in result.err
    assert "cluster-forge mine" in result.err
    document = workspace.run(
        "config", "show", "--environment", "staging", "--diff", "production", "--format", "json"
    ).json
    assert document["objects"] is None
    assert [problem["type"] for problem in document["problems"]] == ["LockError"]


def test_hand_edits_are_compared_with_what_the_variables_give(workspace: Workspace) -> None:
    workspace.ok("smelt", "--yes", "--set", "team=a")
    assert workspace.ok("customize", "status", "--set", "team=a").code == 0
    workspace.replace(WRITTEN, "size: small", "size: tiny")
    result = workspace.run("customize", "diff", "--set", "team=a")
    assert result.code == 1
    assert {"-  size: small", "+  size: tiny"} <= set(result.out.splitlines())
    workspace.ok("smelt", "--yes", "--set", "team=b")
    written = workspace.yaml(WRITTEN)
    assert written["data"]["size"] == "tiny"
    assert written["metadata"]["labels"] == {"team": "b"}
