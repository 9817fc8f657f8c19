"""customize: hand edits are shown, outlive what smelt renders anew, and are in conflict only where both changed the same."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from tests.cli.conftest import PROGRAM, Workspace, config_map
from tests.cli.terminal import Terminal

FILE = "working/web/deployment.apps_web_web.yaml"
ONE = "working/extras/configmap_extras_one.yaml"


@pytest.fixture
def edited(forged: Workspace) -> Workspace:
    forged.replace(FILE, "replicas: 2", "replicas: 77")
    return forged


def files(workspace: Workspace, folder: str) -> dict[str, str]:
    root = workspace.folder / folder
    return {str(path.relative_to(root)): path.read_text() for path in sorted(root.rglob("*.yaml"))}


def lose_bases(workspace: Workspace) -> None:
    """As `store clean` does it."""
    (bases,) = (workspace.folder.parent / "cache").rglob("bases")
    shutil.rmtree(bases)


class TestStatus:
    def test_without_edits(self, forged: Workspace) -> None:
        for verb in ("status", "diff"):
            assert forged.ok("customize", verb).out == "no edits: working/ is as smelt wrote it\n"
            assert forged.ok("customize", verb, "--format", "json").json["objects"] == []

    def test_without_working(self, workspace: Workspace) -> None:
        result = workspace.run("customize", "status")
        assert "smelt has not written working/ yet" in result.err
        assert result.code >= 10

    def test_lists_every_field(self, edited: Workspace) -> None:
        edited.write({"working/extras/configmap_extras_new.yaml": config_map("new", namespace="extras")})
        (edited.folder / ONE).unlink()
        edited.replace(FILE, "  name: web\n  namespace", "  labels:\n    team: a\n  name: web\n  namespace")
        result = edited.run("customize", "status")
        assert result.code == 1
        assert (
            result.out
            == """\
extras
  + ConfigMap/extras/new
  - ConfigMap/extras/one
web
  ~ Deployment.apps/web/web
      + metadata.labels: {"team":"a"}
      spec.replicas: 2 → 77
1 object added, 1 changed, 1 removed
"""
        )
        document = edited.run("customize", "status", "--format", "json").json
        assert [(one["object"], one["change"]) for one in document["objects"]] == [
            ("ConfigMap/extras/new", "added"),
            ("ConfigMap/extras/one", "removed"),
            ("Deployment.apps/web/web", "changed"),
        ]
        assert document["objects"][2]["fields"][-1] == {
            "path": "spec.replicas",
            "change": "changed",
            "before": 2,
            "after": 77,
        }

    @pytest.mark.parametrize("name", ["web", "Deployment.apps/web/web", FILE, FILE.removeprefix("working/")])
    def test_of_one(self, edited: Workspace, name: str) -> None:
        (edited.folder / ONE).unlink()
        out = edited.run("customize", "status", name).out
        assert "replicas" in out
        assert "extras" not in out

    def test_of_a_component_without_edits(self, edited: Workspace) -> None:
        assert edited.ok("customize", "status", "extras").out.startswith("no edits")

    def test_of_an_unknown_name(self, edited: Workspace) -> None:
        result = edited.run("customize", "status", "Deployment.apps/web/wep")
        assert "did you mean 'Deployment.apps/web/web'?" in result.err
        assert result.code == 11

    def test_masks_secrets(self, forged: Workspace) -> None:
        secret = (
            "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: extras}\nstringData: {password: hunter2-x}\n"
        )
        forged.write({"working/extras/secret_extras_s.yaml": secret})
        for verb in ("status", "diff"):
            for options in ((), ("--format", "json")):
                result = forged.run("customize", verb, *options)
                assert "Secret/extras/s" in result.out
                assert "hunter2-x" not in result.out + result.err

    def test_of_comments_alone(self, forged: Workspace) -> None:
        forged.write({FILE: "# mine\n" + forged.read(FILE)})
        result = forged.run("customize", "status")
        assert "only comments or the way it is written differ" in result.out
        assert result.code == 1

    @pytest.mark.parametrize("how", ["crlf", "bom"])
    def test_of_a_file_as_other_editors_write_it(self, forged: Workspace, how: str) -> None:
        text = forged.read(FILE).replace("replicas: 2", "replicas: 3")
        content = text.replace("\n", "\r\n").encode() if how == "crlf" else b"\xef\xbb\xbf" + text.encode()
        (forged.folder / FILE).write_bytes(content)
        result = forged.run("customize", "status")
        assert "      spec.replicas: 2 → 3\n" in result.out
        assert result.out.count(" → ") == 1

    def test_shows_what_differs_in_long_values(self, forged: Workspace) -> None:
        long = 30 * "x" + "-" + 60 * "y" + "%s"
        forged.replace(FILE, "\nmetadata:\n", f"\nmetadata:\n  annotations: {{long: {long % '-old'}}}\n")
        forged.ok("customize", "save")
        forged.ok("smelt")
        forged.replace(FILE, "y-old", "y-new")
        line = next(line for line in forged.run("customize", "status").out.splitlines() if " → " in line)
        before, _, after = line.partition(" → ")
        assert before.endswith('yyy-old"')
        assert after.startswith("…yyy")
        assert after.endswith('yyy-new"')

    def test_of_an_object_that_another_file_has(self, forged: Workspace) -> None:
        copy = "working/web/copy.yaml"
        forged.write({copy: forged.read(FILE).replace("replicas: 2", "replicas: 9")})
        message = f"{copy}: holds Deployment.apps/web/web, which {FILE} holds, too"
        assert message in forged.run("customize", "status").err
        for verb in (("customize", "save"), ("cast",)):
            result = forged.run(*verb)
            assert message in result.err
            assert result.code >= 10
        assert not (forged.folder / "input/web/objects").exists()

    def test_of_a_key_that_stands_twice(self, forged: Workspace) -> None:
        forged.replace(FILE, "replicas: 2\n", "replicas: 2\n  replicas: 3\n")
        for verb in (("customize", "status"), ("customize", "save"), ("cast",)):
            assert f"{FILE}: has a key twice: spec.replicas (line 8); only the last one counts" in forged.run(*verb).err

    def test_of_a_renamed_object(self, forged: Workspace) -> None:
        forged.replace(FILE, "  name: web\n  namespace", "  name: other\n  namespace")
        out = forged.run("customize", "status").out
        assert "  + Deployment.apps/web/other" in out
        assert "  - Deployment.apps/web/web" in out
        assert "give the new one a file of its own" in out

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("a: [\n", "error:"),
            ("just text\n", "not a Kubernetes object: it is text"),
            ("a: b\n", "not a Kubernetes object"),
            (config_map("a") + "---\n" + config_map("b"), "holds 2 objects"),
            ("", "holds 0 objects"),
        ],
    )
    def test_of_what_is_not_an_object(self, edited: Workspace, content: str, message: str) -> None:
        edited.write({ONE: content})
        result = edited.run("customize", "status")
        assert message in result.err
        assert ONE in result.err
        assert "take the edit back: `cluster-forge customize drop NAME`" in result.err
        assert "replicas: 2 → 77" in result.out, "the others are shown"
        assert result.out.splitlines()[-1].endswith("1 file cannot be read")
        assert result.code == 1

    def test_of_a_folder_of_no_component(self, edited: Workspace) -> None:
        edited.write({"working/Foo Bar/x.yaml": config_map("x")})
        assert "is not the folder of a component" in edited.run("customize", "status").err

    def test_makes_again_what_is_lost(self, edited: Workspace) -> None:
        lose_bases(edited)
        assert "spec.replicas: 2 → 77" in edited.run("customize", "status").out

    def test_says_what_is_lost_for_good(self, edited: Workspace) -> None:
        lose_bases(edited)
        edited.replace("input/config.yaml", "replicas: 2", "replicas: 5")
        result = edited.run("customize", "status")
        assert "what smelt wrote is not known any more" in result.err
        assert FILE.removeprefix("working/") in result.err


class TestDiff:
    def test_is_a_unified_diff(self, edited: Workspace) -> None:
        result = edited.run("customize", "diff")
        assert result.out.startswith("--- smelted: Deployment.apps/web/web\n+++ working: Deployment.apps/web/web\n@@")
        assert "\n-  replicas: 2\n+  replicas: 77\n" in result.out
        assert result.code == 1

    @pytest.mark.parametrize(
        ("environment", "is_paged"),
        [
            ({"PAGER": "sed s/^/paged:/"}, True),
            ({"PAGER": "cat"}, False),
            ({"PAGER": ""}, False),
            ({"PAGER": "no-such-pager"}, False),
            ({"PAGER": "'"}, False),
            ({"GIT_PAGER": "sed s/^/paged:/", "PAGER": "cat"}, False),
        ],
    )
    def test_goes_through_the_pager_of_the_user(
        self, edited: Workspace, environment: dict[str, Any], is_paged: bool
    ) -> None:
        words = ("-C", str(edited.folder), "customize", "diff")
        with Terminal(PROGRAM, *words, columns=200, **environment) as terminal:
            assert terminal.end() == 1
        shown = terminal.states[-1]
        assert any(line.startswith("paged:+  replicas: 77") for line in shown) is is_paged
        assert any(line.startswith("+  replicas: 77") for line in shown) is not is_paged
        assert "1 object changed" in shown

    def test_without_a_terminal_there_is_no_pager(self, edited: Workspace) -> None:
        result = edited.program("customize", "diff", PAGER="sed s/^/paged:/")
        assert "\n+  replicas: 77\n" in result.out
        assert "\x1b" not in result.out

    def test_hostile_text_is_made_safe(self, forged: Workspace) -> None:
        forged.replace(ONE, 'value: "1"', 'value: "\\e]0;owned\\a\\e[2J"')
        result = forged.run("customize", "diff")
        assert "\x1b" not in result.out
        assert "owned" in result.out


class TestSmelt:
    def test_keeps_edits_of_a_current_folder(self, edited: Workspace) -> None:
        before = files(edited, "working")
        for verb in ("smelt", "forge"):
            assert "1 hand edit kept" in edited.ok(verb).out
            assert files(edited, "working") == before
        assert b"replicas: 77" in b"".join(edited.tree("stacks/demo/bootstrap").values())

    @pytest.mark.parametrize("verb", ["smelt", "forge"])
    def test_keeps_edits_beside_changes_of_other_objects(self, edited: Workspace, verb: str) -> None:
        (edited.folder / ONE).unlink()
        new = "working/extras/configmap_extras_new.yaml"
        edited.write({new: config_map("new", namespace="extras")})
        edited.write({"input/extras/more.yaml": config_map("more")})
        assert "3 hand edits kept" in edited.ok(verb).out
        assert "replicas: 77" in edited.read(FILE)
        assert not (edited.folder / ONE).exists()
        assert (edited.folder / new).exists()
        assert (edited.folder / "working/extras/configmap_extras_more.yaml").exists()
        assert len(edited.run("customize", "status", "--format", "json").json["objects"]) == 3

    def test_leaves_everything_where_there_is_a_conflict(self, edited: Workspace) -> None:
        edited.replace("input/config.yaml", "replicas: 2", "replicas: 5")
        edited.write({"input/extras/more.yaml": config_map("more")})
        before = edited.tree("working")
        for verb in ("smelt", "forge"):
            result = edited.run(verb)
            assert result.code == 1
            assert "error[edit-conflict]" in result.err
            assert "at spec.replicas: smelt made 2, makes 5 now, and the edit has 77" in result.err
            assert f"`cluster-forge -C {edited.folder} {verb} --merge ours`" in result.err
            assert edited.tree("working") == before

    def test_merges_fields_and_keeps_the_text(self, edited: Workspace) -> None:
        edited.replace(FILE, "  replicas: 77\n", "  # for the fair\n  replicas: 77  # until May\n")
        edited.replace("input/config.yaml", "{replicas: 2}", "{replicas: 2, image: 'nginx:2'}")
        result = edited.ok("smelt", "--format", "json")
        assert result.json["edits"] == [{"file": FILE.removeprefix("working/"), "change": "edited", "merged": True}]
        assert result.json["discarded"] == []
        text = edited.read(FILE)
        assert "  # for the fair\n  replicas: 77  # until May\n" in text
        assert "image: nginx:2\n" in text
        assert "1 hand edit kept" in edited.ok("forge").out
        assert edited.read(FILE) == text

    def test_masks_secrets_in_conflicts(self, forged: Workspace) -> None:
        secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: 'first-hunter2'}\n"
        forged.write({"input/extras/s.yaml": secret})
        forged.ok("smelt")
        forged.replace("working/extras/secret_extras_s.yaml", "first-hunter2", "mine-hunter2")
        forged.replace("input/extras/s.yaml", "first-hunter2", "theirs-hunter2")
        for options in ((), ("--format", "json")):
            result = forged.run("smelt", *options)
            assert "stringData.password: smelt made ***, makes *** now, and the edit has ***" in result.out + result.err
            assert "hunter2" not in result.out + result.err

    def test_does_not_merge_what_is_not_an_object(self, edited: Workspace) -> None:
        edited.write({FILE: "a: [\n"})
        assert "1 hand edit kept" in edited.ok("smelt").out
        edited.replace("input/config.yaml", "replicas: 2", "replicas: 5")
        assert "cannot merge the edit: " in edited.run("smelt").err

    def test_an_added_object_that_smelt_makes_now_is_a_conflict(self, forged: Workspace) -> None:
        path = "working/extras/configmap_extras_new.yaml"
        forged.write({path: config_map("new", "mine", namespace="extras")})
        forged.write({"input/extras/new.yaml": config_map("new", "theirs")})
        assert "the file was added, and smelt makes an object of this name now" in forged.run("smelt").err
        forged.write({"input/extras/new.yaml": config_map("new", "mine")})
        forged.ok("smelt")
        assert forged.ok("customize", "status").out.startswith("no edits")

    def test_decides_for_the_edit(self, edited: Workspace) -> None:
        edited.replace("input/config.yaml", "replicas: 2", "replicas: 5")
        edited.ok("smelt", "--merge", "ours")
        assert "replicas: 77" in edited.read(FILE)
        assert "spec.replicas: 5 → 77" in edited.run("customize", "status").out

    def test_decides_against_the_edit_and_keeps_a_copy(self, edited: Workspace) -> None:
        edited.replace("input/config.yaml", "replicas: 2", "replicas: 5")
        result = edited.ok("smelt", "--merge", "theirs")
        assert "replicas: 5" in edited.read(FILE)
        (copy,) = (edited.folder / ".cluster-forge/discarded").glob("*")
        assert "replicas: 77" in (copy / "files" / FILE).read_text()
        assert f"a copy is in .cluster-forge/discarded/{copy.name}" in result.err

    def test_merges_files_of_the_engine(self, workspace: Workspace) -> None:
        workspace.replace("input/config.yaml", "gitops: {engine: none}", "gitops: {engine: argocd, install: false}")
        workspace.ok("forge")
        (path,) = (workspace.folder / "working/argo-apps").glob("*web*")
        name = f"working/argo-apps/{path.name}"
        revision = workspace.yaml(name)["spec"]["source"]["targetRevision"]
        workspace.replace(name, "spec:\n", "spec:\n  revisionHistoryLimit: 3\n")
        workspace.replace("input/config.yaml", "replicas: 2", "replicas: 5")
        assert "1 hand edit kept, 1 of them merged" in workspace.ok("forge").out
        spec = workspace.yaml(name)["spec"]
        assert spec["revisionHistoryLimit"] == 3
        assert spec["source"]["targetRevision"] not in (revision, "")
        assert "not saved: it is made from all components together" in workspace.run("customize", "save").out
        assert "+ spec.revisionHistoryLimit: 3" in workspace.run("customize", "status", "argo-apps").out

    def test_keeps_edits_of_hooks(self, workspace: Workspace) -> None:
        hook = config_map("h").replace("{name: h}", "{name: h, annotations: {helm.sh/hook: pre-delete}}")
        workspace.write({"input/charts/web/templates/h.yaml": hook}).ok("forge")
        name = "working/web/hooks/configmap_web_h.yaml"
        workspace.replace(name, 'value: "1"', 'value: "7"')
        assert "data.value" in workspace.run("customize", "status").out
        workspace.ok("customize", "save")
        workspace.ok("smelt")
        assert workspace.yaml(name)["data"] == {"value": "7"}
        assert workspace.ok("customize", "status").out.startswith("no edits")
        workspace.replace(name, 'value: "7"', 'value: "8"')
        workspace.ok("customize", "save")
        workspace.ok("smelt")
        assert workspace.yaml(name)["data"] == {"value": "8"}
        assert workspace.ok("customize", "status").out.startswith("no edits")

    def test_asks_on_a_terminal(self, edited: Workspace) -> None:
        edited.replace(FILE, "image: docker.io/library/nginx:1.29", "image: mine:1")
        edited.replace("input/config.yaml", "{replicas: 2}", "{replicas: 5, image: 'theirs:1'}")
        assert "not a terminal: pass --merge ours or" in edited.run("smelt", "--merge", "ask").err
        words = ("-C", str(edited.folder), "forge", "--merge", "ask")
        with Terminal(PROGRAM, *words, columns=200, CI="") as terminal:
            terminal.until(lambda lines: sum("take (ours, theirs)" in line for line in lines) == 1)
            terminal.type("theirs\r")
            terminal.until(lambda lines: sum("take (ours, theirs)" in line for line in lines) == 2)
            terminal.type("ours\r")
            assert terminal.end() == 0
        assert "replicas: 5" in edited.read(FILE)
        assert "image: mine:1" in edited.read(FILE)

    def test_drops_an_edit_that_it_makes_itself(self, edited: Workspace) -> None:
        edited.replace("input/config.yaml", "replicas: 2", "replicas: 77")
        result = edited.ok("smelt", "-v")
        assert "notice[edit-obsolete]" in result.err
        assert edited.ok("customize", "status").out.startswith("no edits")

    def test_an_edit_of_an_object_that_is_gone_is_a_conflict(self, edited: Workspace) -> None:
        edited.write({ONE: edited.read(ONE) + "# mine\n"})
        (edited.folder / "input/extras/one.yaml").unlink()
        edited.write({"input/extras/two.yaml": config_map("two")})
        result = edited.run("smelt")
        assert "the object was edited, and is not made any more" in result.err
        edited.ok("smelt", "--merge", "ours")
        assert "+ ConfigMap/extras/one" in edited.run("customize", "status").out

    def test_a_lost_base_is_a_conflict_only_where_the_object_changed(self, edited: Workspace) -> None:
        lose_bases(edited)
        edited.write({"input/extras/more.yaml": config_map("more")})
        edited.ok("smelt")
        assert "spec.replicas: 2 → 77" in edited.run("customize", "status").out
        lose_bases(edited)
        edited.replace("input/config.yaml", "replicas: 2", "replicas: 5")
        assert "what smelt wrote last is not known any more" in edited.run("smelt").err
        edited.ok("smelt", "--merge", "ours")
        assert "spec.replicas: 5 → 77" in edited.run("customize", "status").out
        edited.replace("input/config.yaml", "replicas: 5", "replicas: 5, image: 'nginx:2'")
        assert "1 hand edit kept, 1 of them merged" in edited.ok("smelt").out
