"""The changes in a description: read, checked with file and line, and merged as everything else is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.stack.conftest import Workspace

from cluster_forge.foundation.errors import WorkspaceError
from cluster_forge.stack.changes import ContainerResources, DeclaredPatch, ImageChange, PatchTarget

Native = Callable[..., Workspace]

STACK = """labels: {team: a}
nodeSelector: {disk: ssd}
environments:
  production:
    labels: {stage: production}
    components:
    - {name: web, replicas: {web: 3}, labels: null}
components:
- name: web
  manifests: [web.yaml]
  labels: {tier: front}
  replicas: {web: 1}
  images: {quay.io/team/web: {name: mirror.local/web, tag: v2}}
  resources: {web: {requests: {cpu: 1, memory: 1Gi}}}
  tolerations: [{key: gpu, operator: Exists, effect: NoSchedule}, {key: a, value: b, tolerationSeconds: 30, effect: NoExecute}]
  priorityClassName: high
  imagePullSecrets: [pull]
  patches:
  - patch: {apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {paused: null}}
  - patch: |
      - {op: remove, path: /spec/paused}
    target: {kind: Deployment, labelSelector: app=web}
  - path: patches/web.yaml
"""
FILES = {
    "web.yaml": "kind: x",
    "patches/web.yaml": "# a comment\ntarget: {kind: Service}\noperations:\n- {op: remove, path: /spec}\n",
}


def test_all_changes_are_read(native: Native) -> None:
    stack = native(STACK, FILES).load().stack
    assert (stack.changes.labels, stack.changes.pods.node_selector) == ({"team": "a"}, {"disk": "ssd"})
    changes = stack.component("web").changes
    assert changes.images == {"quay.io/team/web": ImageChange(name="mirror.local/web", tag="v2")}
    assert changes.resources == {"web": ContainerResources(requests={"cpu": "1", "memory": "1Gi"})}
    assert changes.pods.tolerations == (
        {"effect": "NoSchedule", "key": "gpu", "operator": "Exists"},
        {"effect": "NoExecute", "key": "a", "operator": "Equal", "tolerationSeconds": 30, "value": "b"},
    )
    assert (changes.pods.priority_class_name, changes.pods.image_pull_secrets) == ("high", ("pull",))
    merged, inline, file = changes.patches
    assert merged.body["spec"] == {"paused": None}
    remove = {"op": "remove", "path": "/spec/paused"}
    target = PatchTarget(kind="Deployment", label_selector="app=web")
    assert inline == DeclaredPatch(target=target, operations=(remove,), where=inline.where)
    assert file.where == "input/patches/web.yaml:2"
    assert (file.target, file.operations) == (PatchTarget(kind="Service"), ({"op": "remove", "path": "/spec"},))
    assert changes.where("labels", "tier") == "input/config.yaml:14"
    assert changes.where("priorityClassName") == "input/config.yaml:19"


def test_null_takes_an_amount_away_and_a_container_out_of_the_description(native: Native) -> None:
    lines = (
        "resources: {a: {limits: {cpu: 1, memory: null}}, b: {limits: {cpu: 1}}, c: {requests: null}}\n"
        "components: [{name: web, manifests: [web.yaml]}]\n"
        "environments: {production: {resources: {a: {limits: {cpu: null}}, b: null}}}\n"
    )
    stack = native(lines, FILES).load(environment="production").stack
    gone = ContainerResources(limits={"cpu": None, "memory": None})
    assert stack.changes.resources == {"a": gone, "c": ContainerResources()}


def test_an_environment_merges_mappings_and_takes_away_with_null(native: Native) -> None:
    stack = native(STACK, FILES).load(environment="production").stack
    assert stack.changes.labels == {"team": "a", "stage": "production"}
    changes = stack.component("web").changes
    assert (changes.labels, changes.replicas) == ({}, {"web": 3})
    assert len(changes.patches) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("labels: {a b: c}", "'a b' is not a key of labels"),
        ("labels: {a: c d}", "'c d' is not the value of a label"),
        (f"labels: {{{', '.join(f'a{number}: b' for number in range(101))}}}", "labels: must have at most 100 entries"),
        ("labels: {a: 1}", "labels.a: must be text, not the number 1"),
        ("images: {'nginx:1': {tag: '2'}}", "'nginx:1' has a tag or a digest"),
        ("images: {a/UP: {tag: '2'}}", "'a/UP'"),
        ("images: {nginx: {digest: 'sha256:1'}}", "is not a sha256 digest"),
        ("images: {nginx: {tag: 'a b'}}", "is not a tag"),
        ("images: {nginx: {}}", "nothing changes in the image nginx"),
        (
            "images: {nginxinc/x: {tag: a}, docker.io/nginxinc/x: {tag: b}}",
            "docker.io/nginxinc/x and nginxinc/x are one image",
        ),
        ("replicas: {web: -1}", "must be at least 0"),
        ("replicas: {web: '3'}", "must be a whole number"),
        ("imagePullSecrets: [A_b]", "cannot be the name of an object"),
        ("tolerations: [{effect: No}]", "must be one of"),
        ("resources: {web: {cpu: 1}}", "unknown key 'cpu'"),
        ("resources: {web: {limits: {memory: 1Gb}}}", "'1Gb' is not a quantity"),
        ("namePrefix: a-", "unknown key 'namePrefix'"),
        ("patches: [{}]", "the patch has neither `patch` nor `path`"),
        ("patches: [{patch: {}, path: a.yaml}]", "the patch has both `patch` and `path`"),
        ("patches: [{patch: 1}]", "must be a patch"),
        ("patches: [{patch: {spec: {}}}]", "the patch has no target: it lacks apiVersion and kind and metadata.name"),
        ("patches: [{patch: [{op: remove, path: /a}]}]", "the JSON patch has no target"),
        ("patches: [{patch: [], target: {kind: A}}]", "the JSON patch has no operations"),
        ("patches: [{patch: {op: remove, path: /a}, target: {kind: A}}]", "a JSON patch is a list of operations"),
        ("patches: [{patch: '', target: {kind: A}}]", "neither a part of an object nor a list"),
        ("patches: [{patch: 'a: [', target: {kind: A}}]", "the patch: line"),
        ("patches: [{patch: {spec: {}}, target: {}}]", "the target selects every object"),
        ("patches: [{patch: {spec: {}}, target: {kind: '(a'}}]", "'(a' is not a regular expression"),
        ("patches: [{patch: {spec: {}}, target: {labelSelector: '=a'}}]", "'=a' is not a requirement of labels"),
        ("patches: [{patch: {spec: {}}, target: {kid: A}}]", "unknown key 'kid', did you mean 'kind'?"),
        ("patches: [{path: none.yaml}]", "file input/none.yaml does not exist"),
        ("patches: [{path: folder}]", "input/folder is a directory, not a file"),
        ("patches: [{path: /etc/passwd}]", "/etc/passwd is an absolute path"),
        ("patches: [{path: ../../x}]", "../../x is outside of the workspace"),
        ("patches: [{path: two.yaml}]", "input/two.yaml has 2 documents, and a patch is one"),
        ("patches: [{path: extra.yaml}]", "unknown key 'other' beside `operations`"),
        ("patches: [{path: badtarget.yaml}]", "unknown key 'nme'"),
        ("patches: [{path: badlines.yaml}]", "`mergeLines` is neither true nor false"),
    ],
)
@pytest.mark.parametrize("place", ["stack", "component"])
def test_what_is_wrong_has_its_file_and_line(native: Native, change: str, message: str, place: str) -> None:
    files = {
        "web.yaml": "kind: x",
        "folder/a.yaml": "kind: x",
        "two.yaml": "a: b\n---\nc: d\n",
        "extra.yaml": "target: {kind: A}\noperations: [{op: remove, path: /a}]\nother: 1\n",
        "badlines.yaml": "target: {kind: A}\nmergeLines: maybe\noperations: [{op: remove, path: /a}]\n",
        "badtarget.yaml": "target: {nme: A}\noperations: [{op: remove, path: /a}]\n",
    }
    lines = f"{change}\ncomponents:\n- name: web\n  manifests: [web.yaml]\n"
    if place == "component":
        lines = f"components:\n- name: web\n  manifests: [web.yaml]\n  {change}\n"
    errors = native(lines, files).errors()
    assert any(message in error for error in errors), errors
    assert all(error.startswith("input/") and error.split(": ")[0].rpartition(":")[2].isdigit() for error in errors)


def test_variables_are_replaced_in_patches_and_with_consent_in_their_files(native: Native) -> None:
    description = """vars: {count: 3}
components:
- name: web
  manifests: [web.yaml]
  replicas: {web: "${count}"}
  patches:
  - patch: {apiVersion: v1, kind: Service, metadata: {name: web}, spec: {count: "${count}"}}
  - path: patch.yaml
"""
    patch = 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {count: "${count}"}\n'
    for consent, value in (("", "${count}"), ("  substitute: true\n", 3)):
        changes = (
            native(description + consent, {"web.yaml": "kind: x", "patch.yaml": patch})
            .load()
            .stack.components[0]
            .changes
        )
        assert changes.replicas == {"web": 3}
        assert [one.body["spec"]["count"] for one in changes.patches] == [3, value]


def test_a_link_out_of_the_workspace_is_one_error_of_several(native: Native) -> None:
    workspace = native("patches: [{path: link.yaml}, {path: none.yaml}]\ncomponents: []\n")

    def read(path: str) -> bytes | None:
        if path == "input/link.yaml":
            raise WorkspaceError(f"{path} is outside of the workspace", where="/w", fix="move it")
        return Workspace.read(workspace, path)

    workspace.read = read  # type: ignore[method-assign]
    outside, missing = workspace.errors()
    assert outside.startswith("input/config.yaml:4: input/link.yaml is outside of the workspace")
    assert missing.startswith("input/config.yaml:4: file input/none.yaml does not exist")
