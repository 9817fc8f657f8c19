"""customize save and drop: an edit becomes a small file in input/, and the next smelt makes what the edit made."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import pytest
import yaml
from tests.cli.conftest import Workspace, config_map

FILE = "working/web/deployment.apps_web_web.yaml"
PATCH = "input/web/patches/deployment.apps_web_web.yaml"
ONE = "working/extras/configmap_extras_one.yaml"
SAVED_TEXT = "input/extras/patches/configmap_extras_conf.yaml"
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              parts:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [id]
                items: {type: object, properties: {id: {type: string}, size: {type: integer}}}
"""
VOLUME = (
    "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: v}\n"
    "spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], nfs: {server: nas, path: /v}}\n"
)
WIDGET = """\
apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
spec: {parts: [{id: a, size: 1}, {id: b, size: 2}]}
"""


@pytest.fixture
def edited(forged: Workspace) -> Workspace:
    forged.replace(FILE, "replicas: 2", "replicas: 77")
    return forged


def without_record(workspace: Workspace) -> dict[str, bytes]:
    return {path: content for path, content in workspace.tree("working").items() if path != ".smelt.json"}


def check_saved(workspace: Workspace) -> None:
    """The edits are saved: smelt makes the same files, and none of them is an edit."""
    before = without_record(workspace)
    workspace.ok("smelt")
    assert without_record(workspace) == before
    assert workspace.ok("customize", "status").out.startswith("no edits")
    shutil.rmtree(workspace.folder / "working")
    workspace.ok("forge")
    assert without_record(workspace) == before


def cast_object(workspace: Workspace, path: str) -> Any:
    """The object in a file of the repository that was cast."""
    repository = workspace.folder / "stacks/demo/repo.git"
    shown = subprocess.run(
        ["git", "--git-dir", str(repository), "show", f"HEAD:{path}"], check=True, capture_output=True
    )
    return yaml.safe_load(shown.stdout)


class TestSave:
    def test_a_changed_field_is_a_small_patch(self, edited: Workspace) -> None:
        result = edited.ok("customize", "save")
        assert f"web: Deployment.apps/web/web: patch in {PATCH}\n" in result.out
        assert edited.read(PATCH) == (
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  namespace: web\nspec:\n  replicas: 77\n"
        )
        assert "edit-obsolete" not in edited.ok("smelt", "-v").err
        check_saved(edited)

    def test_in_json(self, edited: Workspace) -> None:
        document = edited.ok("customize", "save", "--format", "json").json
        assert document["saved"] == [
            {"component": "web", "object": "Deployment.apps/web/web", "as": "patch", "file": PATCH, "reason": ""}
        ]

    def test_comments_are_kept(self, edited: Workspace) -> None:
        text = edited.read(FILE).replace("  replicas: 77\n", "  # for the fair\n  replicas: 77  # until May\n")
        edited.write({FILE: "# ask ops\n" + text})
        edited.ok("customize", "save")
        patch = edited.read(PATCH)
        assert patch.startswith("# ask ops\napiVersion")
        assert patch.endswith("spec:\n  # for the fair\n  replicas: 77  # until May\n")
        edited.ok("smelt")
        assert edited.ok("customize", "status").out.startswith("no edits")

    def test_added_and_deleted_objects(self, forged: Workspace) -> None:
        forged.write({"working/web/configmap_web_new.yaml": config_map("new", namespace="web")})
        (forged.folder / ONE).unlink()
        out = forged.ok("customize", "save").out
        assert "extras: ConfigMap/extras/one: deleted by input/extras/patches/configmap_extras_one.yaml\n" in out
        assert "web: ConfigMap/web/new: added by input/web/objects/configmap_web_new.yaml\n" in out
        assert forged.read("input/extras/patches/configmap_extras_one.yaml").endswith('"$patch": delete\n')
        forged.ok("smelt")
        assert forged.ok("customize", "status").out.startswith("no edits")
        assert not (forged.folder / ONE).exists()
        check_saved(forged)

    @pytest.mark.parametrize("namespace", ["web", ""])
    def test_an_added_object_in_a_file_of_any_name(self, forged: Workspace, namespace: str) -> None:
        forged.write({"working/web/mine.yaml": config_map("new", namespace=namespace)})
        forged.ok("customize", "save")
        forged.ok("smelt")
        assert not (forged.folder / "working/web/mine.yaml").exists()
        assert (forged.folder / "working/web/configmap_web_new.yaml").exists()
        assert forged.ok("customize", "status").out.startswith("no edits")

    @pytest.mark.parametrize(
        ("text", "identity"),
        [
            (f"# mine\n{config_map('new')}", "ConfigMap/web/new"),
            (WIDGET, "Widget.example.com/web/w"),
            (VOLUME, "PersistentVolume/v"),
        ],
    )
    def test_an_added_object_is_cast_as_it_is_after_saving(
        self, workspace: Workspace, text: str, identity: str
    ) -> None:
        workspace.write({"input/extras/crd.yaml": CRD}).ok("forge")
        workspace.write({"working/web/mine.yaml": text})
        assert identity in workspace.run("customize", "status").out
        workspace.ok("cast")
        before = cast_object(workspace, "web/mine.yaml")
        assert before["metadata"].get("namespace", "") == ("web" if "/web/" in identity else "")
        assert f"{identity}: added" in workspace.ok("customize", "save").out
        workspace.ok("forge")
        (path,) = [
            path
            for path in workspace.tree("working")
            if path.endswith(f"_{before['metadata']['name']}.yaml") and path.startswith(f"web/{before['kind'].lower()}")
        ]
        after = cast_object(workspace, path)
        after["metadata"].pop("annotations", None)  # of what holds data
        assert after == before
        (saved,) = workspace.tree("input/web/objects")
        assert ("# mine" in workspace.read(f"input/web/objects/{saved}")) == ("# mine" in text)

    def test_an_added_object_that_the_description_changes(self, forged: Workspace) -> None:
        forged.replace("input/config.yaml", "components:", "labels: {team: a}\ncomponents:")
        forged.write({"working/extras/a.yaml": config_map("new", namespace="extras")})
        forged.ok("customize", "save")
        forged.ok("smelt")
        assert not (forged.folder / "working/extras/a.yaml").exists()
        assert "team: a" in forged.read("working/extras/configmap_extras_new.yaml")
        assert forged.run("customize", "status").code == 0

    def test_of_an_environment(self, workspace: Workspace) -> None:
        new = "{name: more, namespace: more, objects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: m}, data: {a: b}}]}"
        workspace.replace("input/config.yaml", "environments:", f"environments:\n  prod: {{components: [{new}]}}")
        workspace.ok("smelt", "--environment", "prod")
        workspace.replace("working/more/configmap_more_m.yaml", "a: b", "a: c")
        result = workspace.ok("customize", "save", "--environment", "prod")
        assert "more: ConfigMap/more/m: patch in input/more/patches/configmap_more_m.yaml" in result.out
        assert "smelt --environment prod" in result.out
        workspace.ok("customize", "drop", "--saved", "more", "--environment", "prod")
        assert not (workspace.folder / "input/more/patches").exists()

    def test_one_of_several(self, edited: Workspace) -> None:
        (edited.folder / ONE).unlink()
        assert "ConfigMap" not in edited.ok("customize", "save", "web").out
        edited.ok("smelt")
        assert edited.run("customize", "status").out.splitlines()[-1] == "1 object removed"

    def test_an_object_with_a_saved_patch(self, edited: Workspace) -> None:
        edited.ok("customize", "save")
        edited.ok("smelt")
        edited.replace(FILE, "image: docker.io/library/nginx:1.29", "image: nginx:2")
        edited.ok("customize", "save")
        assert "replicas: 77" in edited.read(PATCH)
        assert "nginx:2" in edited.read(PATCH)
        check_saved(edited)
        edited.replace(FILE, "image: nginx:2", "image: docker.io/library/nginx:1.29")
        edited.replace(FILE, "replicas: 77", "replicas: 2")
        assert f"removed {PATCH}" in edited.ok("customize", "save").out
        assert not (edited.folder / PATCH).exists()
        check_saved(edited)

    def test_a_saved_object_is_changed_and_removed(self, forged: Workspace) -> None:
        path, saved = "working/web/configmap_web_new.yaml", "input/web/objects/configmap_web_new.yaml"
        forged.write({path: config_map("new", namespace="web")})
        forged.ok("customize", "save")
        forged.ok("smelt")
        forged.replace(path, "value:", "other:")
        forged.ok("customize", "save")
        assert "other:" in forged.read(saved)
        forged.ok("smelt")
        (forged.folder / path).unlink()
        forged.ok("customize", "save")
        assert not (forged.folder / saved).exists()
        check_saved(forged)

    def test_a_deleted_object_comes_back(self, forged: Workspace) -> None:
        text = forged.read(ONE)
        (forged.folder / ONE).unlink()
        forged.ok("customize", "save")
        forged.ok("smelt")
        forged.write({ONE: text})
        forged.ok("customize", "save")
        assert not (forged.folder / "input/extras/patches/configmap_extras_one.yaml").exists()
        check_saved(forged)

    def test_a_renamed_object(self, forged: Workspace) -> None:
        forged.replace(FILE, "  name: web\n  namespace", "  name: other\n  namespace")
        forged.ok("customize", "save")
        forged.ok("smelt")
        assert forged.ok("customize", "status").out.startswith("no edits")
        assert (forged.folder / "working/web/deployment.apps_web_other.yaml").exists()
        assert not (forged.folder / FILE).exists()

    def test_custom_resources_merge_by_the_keys_of_their_schema(self, workspace: Workspace) -> None:
        workspace.write({"input/extras/crd.yaml": CRD, "input/extras/w.yaml": WIDGET}).ok("forge")
        path = "working/extras/widget.example.com_extras_w.yaml"
        workspace.replace(path, "size: 2", "size: 3")
        workspace.ok("customize", "save")
        patch = workspace.yaml("input/extras/patches/widget.example.com_extras_w.yaml")
        assert patch["spec"] == {"parts": [{"id": "b", "size": 3}]}
        check_saved(workspace)

    def test_a_kind_without_a_schema_gets_a_json_patch(self, workspace: Workspace) -> None:
        workspace.write({"input/extras/w.yaml": WIDGET}).ok("forge", "--allow", "missing-crd")
        path = "working/extras/widget.example.com_w.yaml"
        workspace.replace(path, "size: 2", "size: 3 # more")
        workspace.ok("customize", "save")
        text = workspace.read("input/extras/patches/widget.example.com_w.yaml")
        assert text.startswith("# more\n")
        patch = workspace.yaml("input/extras/patches/widget.example.com_w.yaml")
        assert patch["target"]["group"] == "example\\.com"
        assert {"op": "replace", "path": "/spec/parts/1/size", "value": 3} in patch["operations"]
        workspace.ok("smelt", "--allow", "missing-crd")
        assert workspace.ok("customize", "status").out.startswith("no edits")

    def test_a_line_of_a_text_outlives_changes_of_other_lines(self, workspace: Workspace) -> None:
        lines = [f"line {number}\n" for number in range(1, 10)]

        def manifest(*, last: str) -> str:
            head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata:\n  a.conf: |\n"
            return head + "".join(f"    {line}" for line in [*lines[:-1], last])

        workspace.write({"input/extras/manifests/conf.yaml": manifest(last="line 9\n")})
        workspace.ok("forge")
        workspace.replace("working/extras/configmap_extras_conf.yaml", "line 2", "mine")
        workspace.ok("customize", "save")
        check_saved(workspace)
        assert "mergeLines: true\noperations:\n- op: test\n" in workspace.read(SAVED_TEXT)
        workspace.write({"input/extras/manifests/conf.yaml": manifest(last="theirs\n")})
        workspace.ok("smelt")
        text = yaml.safe_load(workspace.read("working/extras/configmap_extras_conf.yaml"))["data"]["a.conf"]
        assert text.splitlines() == ["line 1", "mine", *(f"line {number}" for number in range(3, 9)), "theirs"]
        workspace.replace("input/extras/manifests/conf.yaml", "line 2", "line two")
        refused = workspace.run("smelt")
        assert refused.code == 30, refused.err
        assert "the text has changed in 1 place that the patch changes, too" in refused.err

    def test_a_patch_that_is_too_large_to_be_read_stays_an_edit(self, edited: Workspace) -> None:
        many = "".join(f"  k{number}: v\n" for number in range(50_001))
        edited.write({ONE: edited.read(ONE).replace("data:\n", f"data:\n{many}")})
        result = edited.run("customize", "save")
        assert result.code == 1
        reason = "its patch could not be read (the file has too many values (limit 50,000)), so it stays a hand edit"
        assert f"extras: ConfigMap/extras/one: not saved: {reason}" in result.out
        assert not (edited.folder / "input/extras/patches").exists()
        assert (edited.folder / PATCH).exists()
        assert edited.run("smelt").code == 0

    def test_as_an_overlay_it_is_a_partial_object(self, workspace: Workspace) -> None:
        workspace.write({"input/extras/w.yaml": WIDGET}).ok("forge", "--allow", "missing-crd")
        workspace.replace("working/extras/widget.example.com_w.yaml", "size: 2", "size: 3")
        workspace.ok("customize", "save", "--as", "overlay")
        patch = workspace.yaml("input/extras/patches/widget.example.com_w.yaml")
        assert patch["kind"] == "Widget"
        assert patch["spec"] == {"parts": [{"id": "a", "size": 1}, {"id": "b", "size": 3}]}
        workspace.ok("smelt", "--allow", "missing-crd")
        assert workspace.ok("customize", "status").out.startswith("no edits")

    def test_a_reference_to_a_variable_stays_text(self, workspace: Workspace) -> None:
        workspace.replace("input/config.yaml", "components:\n", "vars: {size: '3'}\ncomponents:\n")
        workspace.ok("forge")
        workspace.replace(ONE, 'value: "1"', "value: echo ${size} ${{ 1 }}")
        workspace.write({"working/web/configmap_web_new.yaml": config_map("new", "${size}", namespace="web")})
        workspace.ok("customize", "save")
        workspace.ok("smelt")
        assert workspace.ok("customize", "status").out.startswith("no edits")
        assert workspace.yaml(ONE)["data"] == {"value": "echo ${size} ${{ 1 }}"}
        check_saved(workspace)

    def test_what_no_component_makes_stays_an_edit(self, forged: Workspace) -> None:
        path = "working/namespaces/namespace_web.yaml"
        forged.replace(path, "  labels:\n", "  labels:\n    team: a\n")
        assert "not saved: it is made from all components together" in forged.run("customize", "save").out
        assert forged.run("customize", "status").code == 1

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ("Prune=false", "writes `argocd.argoproj.io/sync-options: Prune=false,Delete=false` again"),
            ("Prune=confirm,Delete=confirm", ""),
        ],
    )
    def test_what_smelt_would_take_back_stays_an_edit(self, workspace: Workspace, options: str, reason: str) -> None:
        workspace.write({"input/extras/crd.yaml": CRD}).ok("forge")
        path = "working/extras/customresourcedefinition.apiextensions.k8s.io_widgets.example.com.yaml"
        workspace.replace(path, "Prune=false,Delete=false", options)
        result = workspace.run("customize", "save", "--format", "json")
        assert result.code == bool(reason)
        assert [one["file"] is None for one in result.json["saved"]] == [bool(reason)]
        assert reason in result.json["saved"][0]["reason"]
        if not reason:
            check_saved(workspace)

    def test_a_hook_that_smelt_leaves_out_stays_an_edit(self, edited: Workspace) -> None:
        edited.replace(
            FILE, "  name: web\n  namespace", "  annotations: {helm.sh/hook: test}\n  name: web\n  namespace"
        )
        result = edited.run("customize", "save")
        assert (result.code, "smelt does not apply hooks for `test`" in result.out) == (1, True)

    def test_an_added_object_that_the_description_excludes_stays_an_edit(self, workspace: Workspace) -> None:
        text = workspace.read("input/config.yaml")
        workspace.replace(
            "input/config.yaml", "  values: {replicas", "  exclude: [ConfigMap_new.yaml]\n  values: {replicas"
        )
        assert workspace.read("input/config.yaml") != text
        workspace.ok("forge")
        workspace.write({"working/web/configmap_web_new.yaml": config_map("new", namespace="web")})
        result = workspace.run("customize", "save")
        assert "not saved: `exclude: ConfigMap_new.yaml` takes it out of the stack" in result.out
        assert result.code == 1

    def test_what_is_not_an_object_stops_it(self, edited: Workspace) -> None:
        edited.write({ONE: "a: [\n"})
        result = edited.run("customize", "save")
        assert f"error: {ONE}" in result.err
        assert not (edited.folder / PATCH).exists()
        edited.write({ONE: config_map("one", namespace="extras") + "kind: ConfigMap\n"})
        result = edited.run("customize", "save")
        assert "has a key twice: kind (line 5); only the last one counts" in result.err
        assert "fix: put what is below both under one of them" in result.err

    def test_other_files_in_the_folder_stay(self, edited: Workspace) -> None:
        edited.write({"input/web/patches/.gitkeep": "", "input/web/patches/README.txt": "mine\n"})
        edited.ok("customize", "save")
        assert edited.read("input/web/patches/README.txt") == "mine\n"
        assert (edited.folder / "input/web/patches/.gitkeep").exists()

    @pytest.mark.parametrize("arguments", [("save",), ("drop", "--saved", "--yes")])
    def test_a_hidden_link_that_is_broken_stays(self, edited: Workspace, arguments: tuple[str, ...]) -> None:
        edited.ok("customize", "save")
        edited.replace(FILE, "replicas: 77", "replicas: 78")
        link = edited.folder / "input/web/patches/.gone"
        link.symlink_to("nowhere")
        before = (edited.folder / PATCH).read_bytes()
        refused = edited.run("customize", *arguments)
        assert refused.code == 20
        assert "input/web/patches/.gone: the link is broken" in refused.err
        assert link.is_symlink()
        assert (edited.folder / PATCH).read_bytes() == before

    def test_a_target_that_is_gone_is_an_error(self, edited: Workspace) -> None:
        edited.ok("customize", "save")
        edited.replace(PATCH, "name: web", "name: wep")
        result = edited.run("smelt")
        assert "error[patch-target-missing]" in result.err
        assert "did you mean Deployment.apps/web/web?" in result.err
        assert PATCH in result.err

    def test_a_patch_that_changes_nothing_is_named(self, edited: Workspace) -> None:
        edited.ok("customize", "save")
        edited.replace("input/config.yaml", "replicas: 2", "replicas: 77")
        assert "warning[ineffective-patch]" in edited.ok("smelt").err

    @pytest.mark.parametrize("text", ["a: [\n", "just text\n", "kind: ConfigMap\n", "a: 1\n---\nb: 2\n"])
    def test_a_saved_file_that_is_not_a_patch(self, forged: Workspace, text: str) -> None:
        forged.write({PATCH: text})
        result = forged.run("smelt")
        assert result.code >= 10
        assert PATCH in result.err

    @pytest.mark.parametrize("folder", ["patches", "objects"])
    def test_a_link_out_of_the_workspace_is_one_error_of_several(self, forged: Workspace, folder: str) -> None:
        forged.write({f"input/web/{folder}/.gitkeep": ""})
        (forged.folder / f"input/web/{folder}/a.yaml").symlink_to("/etc/hostname")
        forged.replace("input/config.yaml", "components:\n", "replicas: {web: -1}\ncomponents:\n")
        err = forged.run("smelt").err
        assert f"error: input/web/{folder}/a.yaml: the link points out of the workspace" in err
        assert "must be at least 0" in err

    def test_a_link_in_working_is_named_by_its_path_in_the_workspace(self, forged: Workspace) -> None:
        (forged.folder / "working/web/a.yaml").symlink_to("/etc/hostname")
        for verb in (("customize", "status"), ("cast",)):
            assert "error: working/web/a.yaml: the link points out of the workspace" in forged.run(*verb).err

    def test_a_patch_that_the_description_names_applies_once(self, edited: Workspace) -> None:
        operations = "- {op: add, path: /spec/template/spec/containers/-, value: {name: side, image: 'x:1'}}\n"
        patch = f"target: {{kind: Deployment, name: web}}\noperations:\n{operations}"
        edited.write({"input/web/patches/side.yaml": patch})
        edited.replace(
            "input/config.yaml",
            "  values: {replicas",
            "  patches: [{path: web/patches/side.yaml}]\n  values: {replicas",
        )
        edited.ok("smelt")
        assert edited.read(FILE).count("name: side") == 1


class TestDrop:
    def test_takes_edits_back_and_keeps_a_copy(self, forged: Workspace) -> None:
        before = forged.tree("working")
        forged.replace(FILE, "replicas: 2", "replicas: 77")
        (forged.folder / ONE).unlink()
        forged.write({"working/web/new.yaml": config_map("new", namespace="web")})
        result = forged.ok("customize", "drop")
        assert f"dropped: edited {FILE}\n" in result.out
        assert forged.tree("working") == before
        (copy,) = (forged.folder / ".cluster-forge/discarded").glob("*")
        assert "replicas: 77" in (copy / "files" / FILE).read_text()
        assert forged.ok("customize", "drop").out == "nothing to drop\n"

    def test_one(self, edited: Workspace) -> None:
        (edited.folder / ONE).unlink()
        edited.ok("customize", "drop", "Deployment.apps/web/web")
        assert "replicas: 2" in edited.read(FILE)
        assert not (edited.folder / ONE).exists()

    @pytest.mark.parametrize("names", [(), ("web",), ("Deployment.apps/web/web",), (PATCH,)])
    def test_what_was_saved(self, edited: Workspace, names: tuple[str, ...]) -> None:
        edited.ok("customize", "save")
        edited.ok("smelt")
        result = edited.ok("customize", "drop", "--saved", *names)
        assert PATCH in result.out
        assert not (edited.folder / PATCH).exists()
        edited.ok("smelt")
        assert "replicas: 2" in edited.read(FILE)

    def test_an_unknown_name(self, edited: Workspace) -> None:
        edited.ok("customize", "save")
        result = edited.run("customize", "drop", "--saved", "Deployment.apps/web/wep")
        assert "did you mean 'Deployment.apps/web/web'?" in result.err
