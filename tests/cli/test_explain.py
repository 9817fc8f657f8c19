"""`explain OBJECT`: where an object and each of its changed fields come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cluster_forge.foundation.digest import Digest

if TYPE_CHECKING:
    from tests.cli.conftest import Workspace

DESCRIPTION = """\
apiVersion: cluster-forge/v1
kind: Stack
name: demo
gitops: {engine: none}
labels: {team: a}
components:
- name: web
  namespace: web
  helm: {chart: ./charts/web}
  valuesFiles: [web/values.yaml]
  values: {replicas: 2}
  replicas: {web: 3}
  objects:
  - {apiVersion: v1, kind: Secret, metadata: {name: login}, stringData: {password: hunter2}}
  patches:
  - patch: {apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 4}}
  - patch: {apiVersion: v1, kind: Secret, metadata: {name: login}, stringData: {password: hunter3}}
"""
FILE = "working/web/deployment.apps_web_web.yaml"
IMAGE = 'spec.template.spec.containers[name="web"].image'


@pytest.fixture
def changed(workspace: Workspace) -> Workspace:
    """A workspace whose description changes what its chart renders."""
    files = {"input/config.yaml": DESCRIPTION, "input/web/values.yaml": "image: example.com/web:2.0\nunused: 1\n"}
    workspace.write(files)
    workspace.ok("forge")
    return workspace


def explained(workspace: Workspace, what: str) -> dict[str, Any]:
    return workspace.ok("explain", what, "--format", "json").json


def steps(document: dict[str, Any], path: str) -> list[tuple[str, Any, str]]:
    """Origin, value and place of each step of a field."""
    [field] = [field for field in document["fields"] if field["path"] == path]
    return [
        (step["origin"], step["value"], step["where"] or " ".join(place["where"] for place in step["values"]))
        for step in field["steps"]
    ]


def test_each_step_of_a_field_has_its_place(changed: Workspace) -> None:
    changed.replace(FILE, "replicas: 4", "replicas: 5")
    document = explained(changed, "deployment/web")
    assert document["object"] == "Deployment.apps/web/web"
    assert (document["component"], document["file"], document["stale"]) == ("web", FILE, False)
    assert document["template"].startswith("web/templates/web.yaml")
    assert steps(document, "spec.replicas") == [
        ("source", 1, ""),
        ("values", 2, "input/config.yaml:11"),
        ("change", 3, "input/config.yaml:12"),
        ("patch", 4, "input/config.yaml:16"),
        ("hand edit", 5, FILE),
    ]
    assert steps(document, IMAGE) == [
        ("source", "docker.io/library/nginx:1.29", ""),
        ("values", "example.com/web:2.0", "input/web/values.yaml:1"),
    ]
    assert steps(document, "metadata.labels.team") == [("change", "a", "input/config.yaml:5")]
    assert steps(document, "metadata.namespace") == [("build", "web", "")]


def test_a_saved_edit_has_its_line_in_the_file_of_the_patch(changed: Workspace) -> None:
    changed.replace(FILE, "replicas: 4", "minReadySeconds: 5\n  replicas: 9")
    changed.ok("customize", "save")
    changed.ok("smelt")
    document = explained(changed, "deployment/web")
    patch = "input/web/patches/deployment.apps_web_web.yaml"
    assert steps(document, "spec.minReadySeconds") == [("patch", 5, f"{patch}:8")]
    assert steps(document, "spec.replicas")[-1] == ("patch", 9, f"{patch}:7")


def test_a_namespace_of_the_stack_itself_has_its_changes(changed: Workspace) -> None:
    document = explained(changed, "namespace/web")
    assert (document["component"], document["source"]) == ("namespaces", "")
    assert steps(document, "metadata.labels.team") == [("change", "a", "input/config.yaml:5")]


def test_an_edit_that_is_not_one_object_is_an_error_with_its_file(changed: Workspace) -> None:
    changed.write({FILE: changed.read(FILE) + "---\n" + changed.read(FILE).replace("name: web", "name: other")})
    result = changed.run("explain", "deployment/web")
    assert result.code == 18
    assert f"{FILE}: holds 2 objects" in result.err


def test_text_has_the_same(changed: Workspace) -> None:
    lines = changed.run("explain", FILE).out.splitlines()
    assert lines[0] == "Deployment.apps/web/web"
    place = lines.index("  spec.replicas")
    assert [line.split(None, 1) for line in lines[place + 1 : place + 5]] == [
        ["1", "source"],
        ["2", "values: replicas (input/config.yaml:11)"],
        ["3", "replicas: web (input/config.yaml:12)"],
        ["4", "patches: Deployment.apps/web (input/config.yaml:16)"],
    ]


def test_secret_values_are_masked(changed: Workspace) -> None:
    for options in ((), ("--format", "json")):
        result = changed.run("explain", "secret/login", *options)
        assert "hunter" not in result.out + result.err
        assert "***" in result.out


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("deployment/wbe", "did you mean Deployment.apps/web/web?"),
        ("wep", "did you mean Deployment.apps/web/web?"),
        ("zzz", "the stack has no object 'zzz'"),
    ],
)
def test_an_unknown_object_is_an_error_with_the_nearest(changed: Workspace, what: str, message: str) -> None:
    result = changed.run("explain", what)
    assert result.code == 11
    assert message in result.err


def test_an_edited_description_says_that_working_is_stale(changed: Workspace) -> None:
    changed.replace("input/config.yaml", "values: {replicas: 2}", "values: {replicas: 7}")
    document = explained(changed, "Deployment.apps/web/web")
    assert document["stale"]
    assert ("values", 7, "input/config.yaml:11") in steps(document, "spec.replicas")


def test_each_function_is_a_step_with_its_entry(workspace: Workspace) -> None:
    programs = {
        "one.sh": "#!/bin/sh\nexec sed 's/a: one/a: two/'\n",
        "two.sh": "#!/bin/sh\nexec sed 's/a: two/a: three/'\n",
    }
    digests = [str(Digest.of(text.encode())) for text in programs.values()]
    entries = [f"{{exec: {name}, digest: '{digest}'}}" for name, digest in zip(programs, digests, strict=True)]
    description = (
        "apiVersion: cluster-forge/v1\nkind: Stack\nname: demo\ngitops: {engine: none}\n"
        f"transformers:\n- {entries[0]}\ncomponents:\n"
        f"- name: web\n  transformers: [{entries[1]}]\n"
        "  objects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: m}, data: {a: one}}]\n"
    )
    workspace.write({"input/config.yaml": description, **{f"input/{name}": text for name, text in programs.items()}})
    allowed = [word for digest in digests for word in ("--allow-exec", digest)]
    workspace.ok("smelt", *allowed)
    document = workspace.ok("explain", "configmap/m", "--format", "json", *allowed).json
    assert steps(document, "data.a") == [
        ("source", "one", ""),
        ("transformer", "two", "input/config.yaml:6"),
        ("transformer", "three", "input/config.yaml:9"),
    ]
