"""`check`: the findings about what cast would take, in every format."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import click
import pytest

from cluster_forge.cli import app, help_page
from cluster_forge.cli.commands import check

if TYPE_CHECKING:
    from tests.cli.conftest import Workspace

BUDGET = """\
apiVersion: policy/v1beta1
kind: PodDisruptionBudget
metadata: {name: web, namespace: web}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
"""
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n"
LATEST = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w, namespace: extras}\n"


def codes(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {(finding["severity"], finding["code"]) for finding in document["findings"]}


@pytest.fixture
def wrong(workspace: Workspace) -> Workspace:
    """A workspace whose component `extras` has an error and a warning."""
    return workspace.write({"input/extras/budget.yaml": BUDGET, "input/extras/widget.yaml": LATEST})


class TestWhatIsChecked:
    def test_nothing_is_smelted(self, wrong: Workspace) -> None:
        before = wrong.tree("")
        result = wrong.run("check", "--format", "json")
        assert result.code == 1
        assert result.json["basis"] == "fresh"
        assert {("error", "removed-api"), ("warning", "missing-crd")} <= codes(result.json)
        assert wrong.tree("") == before

    def test_what_smelt_found_is_not_computed_again(
        self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        workspace.write({"input/extras/widget.yaml": LATEST})
        smelted = workspace.ok("smelt", "--format", "json").json
        monkeypatch.setattr("cluster_forge.stages.build.fresh.make", None)
        checked = workspace.ok("check", "--format", "json").json
        assert checked["basis"] == "working"
        assert codes(checked) == codes(smelted)

    def test_it_is_the_same_before_and_after_smelt(self, workspace: Workspace) -> None:
        workspace.write({"input/extras/widget.yaml": LATEST})
        before = workspace.ok("check", "--format", "json").json
        workspace.ok("smelt")
        after = workspace.ok("check", "--format", "json").json
        again = workspace.ok("check", "--no-cache", "--format", "json").json
        assert before["findings"] == after["findings"] == again["findings"]

    def test_the_place_is_the_same_rendered_mined_and_smelted(self, workspace: Workspace) -> None:
        workspace.write({"input/charts/web/templates/budget.yaml": f"{CONFIG}---\n{BUDGET}"})
        sourced = workspace.folder / "input/web/manifests/sourced"
        checked = [workspace.run("check", "--format", "json").json["findings"]]
        workspace.ok("mine")
        assert (sourced / ".origins").read_text().splitlines()[1:] == [
            "configmap_web.yaml  web/templates/budget.yaml:1",
            "deployment.apps_web.yaml  web/templates/web.yaml:1",
            "poddisruptionbudget.policy_web_web.yaml  web/templates/budget.yaml:5",
        ]
        checked.append(workspace.run("check", "--format", "json").json["findings"])
        workspace.ok("smelt", "--allow", "removed-api")
        checked.append(workspace.run("check", "--format", "json").json["findings"])
        shutil.rmtree(sourced)
        checked.append(workspace.run("check", "--no-cache", "--format", "json").json["findings"])
        assert all(one == checked[0] for one in checked)
        assert {one["where"] for one in checked[0] if one["component"] == "web"} == {"web/templates/budget.yaml:5"}

    def test_without_the_record_of_templates_the_file_is_named(self, workspace: Workspace) -> None:
        workspace.write({"input/charts/web/templates/budget.yaml": BUDGET})
        workspace.ok("mine")
        (workspace.folder / "input/web/manifests/sourced/.origins").unlink()
        findings = workspace.run("check", "--format", "json").json["findings"]
        file = "input/web/manifests/sourced/poddisruptionbudget.policy_web_web.yaml:1"
        assert {one["where"] for one in findings if one["component"] == "web"} == {file}

    def test_hand_edits_are_checked(self, forged: Workspace) -> None:
        forged.replace("working/web/deployment.apps_web_web.yaml", "apps/v1", "apps/v1beta1")
        result = forged.run("check", "--format", "json")
        assert (result.code, result.json["basis"]) == (1, "edited")
        [finding] = [finding for finding in result.json["findings"] if finding["code"] == "removed-api"]
        assert finding["where"] == "working/web/deployment.apps_web_web.yaml"
        assert finding["component"] == "web"

    def test_an_object_that_was_removed_by_hand_has_no_findings(self, workspace: Workspace) -> None:
        workspace.write({"input/extras/widget.yaml": LATEST})
        workspace.ok("smelt")
        next((workspace.folder / "working/extras").glob("*widget*")).unlink()
        assert ("warning", "missing-crd") not in codes(workspace.ok("check", "--format", "json").json)

    def test_edits_of_another_environment_do_not_count(self, forged: Workspace) -> None:
        forged.replace("working/web/deployment.apps_web_web.yaml", "apps/v1", "apps/v1beta1")
        document = forged.ok("check", "--environment", "production", "--format", "json").json
        assert (document["basis"], document["folder"]) == ("fresh", "demo.production")


class TestSelection:
    def test_names_say_whose_findings_are_listed(self, wrong: Workspace) -> None:
        assert wrong.run("check", "web", "--format", "json").json["findings"] == []
        assert {finding["component"] for finding in wrong.run("check", "few", "--format", "json").json["findings"]} == {
            "extras"
        }

    def test_what_is_skipped_is_not_there(self, wrong: Workspace) -> None:
        """As for `forge --skip`: also where its sources are missing, and what that wrote is what is checked."""
        shutil.rmtree(wrong.folder / "input/extras")
        assert wrong.run("check").code != 0
        wrong.ok("forge", "--skip", "extras")
        checked = wrong.ok("check", "--skip", "extras", "--format", "json").json
        assert checked["basis"] == "working"
        assert ("warning", "left-out") in codes(checked)

    def test_only_and_skip_check_choose_codes(self, wrong: Workspace) -> None:
        only = wrong.run("check", "--only", "missing-crd", "--format", "json")
        assert (only.code, codes(only.json)) == (0, {("warning", "missing-crd")})
        skipped = wrong.run("check", "--skip-check", "removed-api", "--format", "json")
        assert skipped.code == 0
        assert ("error", "removed-api") not in codes(skipped.json)

    def test_an_unknown_code_names_the_nearest(self, wrong: Workspace) -> None:
        result = wrong.run("check", "--only", "removed-apis")
        assert result.code == 2
        assert "did you mean 'removed-api'?" in result.err

    @pytest.mark.parametrize(("fail_on", "code"), [("error", 0), ("warning", 1), ("notice", 1)])
    def test_fail_on_decides_the_exit_code(self, workspace: Workspace, fail_on: str, code: int) -> None:
        workspace.write({"input/extras/widget.yaml": LATEST})
        assert workspace.run("check", "--fail-on", fail_on).code == code

    def test_allow_downgrades_an_error(self, wrong: Workspace) -> None:
        result = wrong.run("check", "--allow", "removed-api", "--format", "json")
        assert result.code == 0
        assert ("warning", "removed-api") in codes(result.json)

    def test_ignores_hold(self, wrong: Workspace) -> None:
        wrong.replace(
            "input/config.yaml", "components:\n", "checks: {ignore: [{code: removed-api, reason: r}]}\ncomponents:\n"
        )
        assert ("error", "removed-api") not in codes(wrong.ok("check", "--format", "json").json)


class TestText:
    def test_says_what_where_why_and_how(self, wrong: Workspace) -> None:
        result = wrong.run("check")
        assert result.out == (
            "extras\n"
            "  error[removed-api] The API server does not serve the version, and refuses the\n"
            "    object.\n"
            "    PodDisruptionBudget.policy/web/web\n"
            "      input/extras/budget.yaml:1: Kubernetes 1.33 does not serve\n"
            "      PodDisruptionBudget of policy/v1beta1\n"
            "      fix: write `apiVersion: policy/v1`, or use a version of the chart that\n"
            "      fits Kubernetes 1.33\n"
            "  warning[missing-crd] The API server does not know the kind, and refuses the\n"
            "    object.\n"
            "    Widget.example.com/extras/w\n"
            "      input/extras/widget.yaml:1: 1 object of kind Widget (example.com): neither\n"
            "      the target version nor the stack defines it\n"
            "      fix: add the component that brings its CRD (`cluster-forge catalog search\n"
            "      example.com`); its namespace cannot be filled in without\n"
            "\n"
            "checked: what smelt would write, as working/ is not up to date\n"
            "1 error, 1 warning about 3 components of demo\n"
        )

    def test_an_escape_sequence_of_an_object_is_not_obeyed(self, workspace: Workspace) -> None:
        escape = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "a\\u001b[2Jb", namespace: extras}\n'
        workspace.write({"input/extras/escape.yaml": escape})
        for chosen in ("text", "json"):
            result = workspace.run("check", "--format", chosen)
            assert result.code == 1
            assert "\x1b" not in result.out + result.err


class TestWords:
    def test_a_word_after_the_verb_is_a_verb_of_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        words = help_page.HelpGroup("check")
        words.add_command(click.Command("fit", callback=lambda: 7))
        monkeypatch.setattr(check.command, "words", words)
        assert app.run(["check", "fit"]) == 7

    def test_a_word_further_on_is_an_error_that_says_where_it_goes(
        self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        words = help_page.HelpGroup("check")
        words.add_command(click.Command("fit"))
        monkeypatch.setattr(check.command, "words", words)
        result = workspace.run("check", "--format", "json", "fit")
        assert result.code == 2
        assert "`fit` goes right after the verb: cluster-forge -C " in result.err


class TestBaseline:
    def test_an_old_stack_starts_at_zero(self, wrong: Workspace) -> None:
        written = wrong.ok("check", "--write-baseline", "known.json")
        assert written.out.startswith("2 findings in known.json; next: cluster-forge -C ")
        result = wrong.ok("check", "--baseline", "known.json")
        assert result.out.endswith("no findings (2 more in the baseline) about 3 components of demo\n")
        wrong.write({"input/extras/more.yaml": BUDGET.replace("name: web", "name: more")})
        new = wrong.run("check", "--baseline", "./known.json", "--format", "json")
        assert new.code == 1
        removed = [finding["object"] for finding in new.json["findings"] if finding["code"] == "removed-api"]
        assert removed == ["PodDisruptionBudget.policy/web/more"]

    def test_what_is_mended_is_named(self, wrong: Workspace) -> None:
        wrong.ok("check", "--write-baseline", "known.json")
        (wrong.folder / "input/extras/budget.yaml").unlink()
        assert (
            "mended since the baseline: 1 finding; --write-baseline takes them out\n"
            "  removed-api extras PodDisruptionBudget.policy/web/web\n"
        ) in wrong.ok("check", "--baseline", "known.json").out
        assert "mended" not in wrong.ok("check", "web", "--baseline", "known.json").out

    @pytest.mark.parametrize("path", ["../known.json", "/tmp/known.json", "input/../../known.json"])
    def test_the_file_is_in_the_workspace(self, wrong: Workspace, path: str) -> None:
        for option in ("--baseline", "--write-baseline"):
            result = wrong.run("check", option, path)
            assert (result.code, "is not in the workspace" in result.err) == (2, True)

    def test_another_file_is_not_overwritten(self, wrong: Workspace) -> None:
        before = wrong.read("input/config.yaml")
        result = wrong.run("check", "--write-baseline", "input/config.yaml")
        assert result.code == 2
        assert "input/config.yaml is not a baseline" in result.err
        assert wrong.read("input/config.yaml") == before

    def test_there_is_no_such_file(self, wrong: Workspace) -> None:
        result = wrong.run("check", "--baseline", "known.json")
        assert result.code == 10
        assert "write it: --write-baseline known.json" in result.err


class TestFormats:
    @pytest.mark.parametrize("chosen", ["sarif", "junit", "github", "markdown"])
    def test_the_document_alone_is_on_stdout(self, wrong: Workspace, chosen: str) -> None:
        for quiet in ((), ("-q",)):
            result = wrong.run("check", "--format", chosen, *quiet)
            assert result.code == 1
            assert "removed-api" in result.out
            assert "working/ is not up to date" not in result.out


class TestFix:
    CONFIG = """\
# The stack of the shop.
apiVersion: cluster-forge/v1
kind: Stack
name: demo
gitops: {engine: none}
checks:
  ignore:  # what we know
  - {code: missing-crd, component: extras, reason: the cluster has them}
  - {code: removed-api, component: extras, reason: it was there once}
components:
- name: extras     # in no namespace of its own
  namespace: extras
  manifests: [extras/]
  exclude: [Secret_gone.yaml]
  wave: 7          # it stays
"""

    @pytest.fixture
    def unused(self, wrong: Workspace) -> Workspace:
        (wrong.folder / "input/extras/budget.yaml").unlink()
        return wrong.write({"input/config.yaml": self.CONFIG})

    def test_shows_the_changes_and_writes_them_with_yes(self, unused: Workspace) -> None:
        result = unused.ok("check", "--fix", "--yes")
        assert "-  - {code: removed-api, component: extras, reason: it was there once}\n" in result.out
        assert "-  exclude: [Secret_gone.yaml]\n" in result.out
        assert "2 findings mended; next: cluster-forge -C " in result.out
        lines = [line for line in self.CONFIG.splitlines() if "removed-api" not in line and "exclude" not in line]
        assert unused.read("input/config.yaml").splitlines() == lines
        assert unused.ok("check", "--only", "unused-ignore", "--format", "json").json["findings"] == []
        assert unused.ok("check", "--fix").out == "nothing can be mended without a decision of yours\n"

    def test_without_a_terminal_nothing_is_written(self, unused: Workspace) -> None:
        result = unused.run("check", "--fix")
        assert (result.code, "pass --yes" in result.err) == (2, True)
        assert "removed-api" in result.out
        assert unused.read("input/config.yaml") == self.CONFIG

    def test_only_what_is_listed_is_mended(self, unused: Workspace) -> None:
        unused.ok("check", "--only", "missing-crd", "--fix", "--yes")
        assert unused.read("input/config.yaml") == self.CONFIG

    def test_a_wave_that_is_too_early_is_taken_out(self, unused: Workspace) -> None:
        text = self.CONFIG + "  needs: [base]\n- {name: base, namespace: extras, wave: 9, manifests: [spare.yaml]}\n"
        unused.write({"input/config.yaml": text})
        unused.ok("check", "--only", "wave-conflict", "--fix", "--yes")
        after = unused.read("input/config.yaml")
        assert after == text.replace("  wave: 7          # it stays\n", "")


@pytest.mark.parametrize(
    "options",
    [
        ("--kubernetes", ""),
        ("--baseline", ""),
        ("--write-baseline", ""),
        ("--profile", "cis", "--format", "sarif"),
        ("--fix", "--format", "junit"),
        ("--fix", "--baseline", "known.json"),
        ("--baseline", "known.json", "--write-baseline", "known.json"),
        ("--fix", "--profile", "cis"),
    ],
    ids=" ".join,
)
def test_options_of_which_one_would_do_nothing_are_an_error(workspace: Workspace, options: tuple[str, ...]) -> None:
    assert workspace.run("check", *options).code == 2


def test_fix_leaves_ignores_that_an_environment_may_need(workspace: Workspace) -> None:
    ignored = "checks: {ignore: [{code: removed-api, component: web, reason: later}]}\n"
    text = workspace.read("input/config.yaml") + ignored
    workspace.write({"input/config.yaml": text})
    assert "entries that match nothing stay" in workspace.ok("check", "--fix", "--yes").out
    assert workspace.read("input/config.yaml") == text


NO_ENVIRONMENTS = """\
apiVersion: cluster-forge/v1
kind: Stack
name: shop
gitops: {engine: none}
components:
- name: shop
  namespace: shop
  manifests: [shop.yaml]
"""
SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"


def test_fix_says_what_it_leaves_and_why(workspace: Workspace) -> None:
    ignored = "checks: {ignore: [{code: removed-api, reason: a}, {code: missing-crd, reason: b}]}\n"
    workspace.write({"input/config.yaml": NO_ENVIRONMENTS + ignored, "input/shop.yaml": SETTINGS})
    result = workspace.ok("check", "--fix", "--yes")
    assert result.out.count("several entries begin in this line: write each in a line of its own") == 2
    assert "nothing can be mended" not in result.out
    assert workspace.read("input/config.yaml") == NO_ENVIRONMENTS + ignored
    left = workspace.ok("check", "--fix", "--yes", "--format", "json").json["left"]
    assert [entry["code"] for entry in left] == ["unused-ignore", "unused-ignore"]


def test_fix_keeps_an_exclude_in_another_form(workspace: Workspace) -> None:
    text = NO_ENVIRONMENTS + "  exclude: [configmap/settings, Secret_gone.yaml]\n"
    workspace.write({"input/config.yaml": text, "input/shop.yaml": SETTINGS})
    result = workspace.ok("check", "--fix", "--yes")
    assert "1 finding mended" in result.out
    assert workspace.read("input/config.yaml") == text.replace(", Secret_gone.yaml", "")
    assert "fix: write ConfigMap_settings.yaml" in workspace.ok("check", "--only", "unused-ignore").out


@pytest.mark.parametrize(
    "path",
    [
        "working/known.json",
        "Working/known.json",
        "stacks/shop/known.json",
        ".git/known.json",
        "input/lib/.git/known.json",
        ".cluster-forge/known.json",
        "cluster-forge.lock",
        "input/web/manifests/sourced/known.json",
        "input/../working/known.json",
        ".",
    ],
)
def test_a_baseline_is_not_written_among_the_files_of_the_tool_or_of_git(workspace: Workspace, path: str) -> None:
    before = workspace.tree("")
    result = workspace.run("check", "--write-baseline", path)
    assert (result.code, "file" in result.err) == (2, True)
    assert workspace.tree("") == before
