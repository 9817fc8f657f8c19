"""`check --deep`: what only rendering the charts again shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Workspace

SECRET = """\
{{- if not .Values.existingSecret }}
apiVersion: v1
kind: Secret
metadata: {name: web, namespace: web}
stringData: {password: {{ randAlphaNum 12 | quote }}}
{{- end }}
"""
STAMP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: stamp}\ndata: {day: {{ now | date "2006-01-02" | quote }}}\n'
VALUES = "values: {replicas: 2}"


def found(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The findings that only `--deep` has, by code and what they are about."""
    return {
        finding["code"]
        + " "
        + (finding["object"].rpartition("/")[2] if finding["object"] else finding["message"].split("`")[1]): finding
        for finding in document["findings"]
        if finding["code"] in ("random-render", "ineffective-value", "unknown-value", "unused-ignore", "check-failed")
    }


@pytest.fixture
def drawing(workspace: Workspace) -> Workspace:
    """A workspace whose chart draws a password, and writes down the day."""
    return workspace.write(
        {
            "input/charts/web/templates/secret.yaml": SECRET,
            "input/charts/web/templates/stamp.yaml": STAMP,
            "input/charts/web/values.yaml": 'replicas: 1\nimage: docker.io/library/nginx:1.29\nexistingSecret: ""\n',
        }
    )


def test_a_stack_that_is_the_same_every_time_has_no_finding(workspace: Workspace) -> None:
    assert found(workspace.ok("check", "--deep", "--format", "json").json) == {}


def test_random_output_names_field_template_and_remedy(drawing: Workspace) -> None:
    findings = found(drawing.ok("check", "--deep", "--format", "json").json)
    assert findings.keys() == {"random-render web", "random-render stamp"}
    secret, stamp = findings["random-render web"], findings["random-render stamp"]
    assert (secret["severity"], secret["component"], secret["field"]) == ("warning", "web", "stringData.password")
    assert secret["where"] == "web/templates/secret.yaml:2"
    assert "`values.existingSecret`" in secret["fix"]
    assert stamp["field"] == "data.day"


def test_only_deep_has_them(drawing: Workspace) -> None:
    assert found(drawing.ok("check", "--format", "json").json) == {}


def test_a_second_run_is_the_same(drawing: Workspace) -> None:
    first = drawing.ok("check", "--deep", "--format", "json").json
    assert drawing.ok("check", "--deep", "--format", "json").json["findings"] == first["findings"]


def test_after_smelt_it_is_the_same(drawing: Workspace) -> None:
    before = found(drawing.ok("check", "--deep", "--format", "json").json)
    drawing.run("smelt", "--allow", "plaintext-secret")
    assert found(drawing.ok("check", "--deep", "--format", "json").json).keys() == before.keys()


def test_what_the_description_changes_is_not_random(drawing: Workspace) -> None:
    changes = f"{VALUES}\n  exclude: [configmap_web_stamp.yaml, secret_web_web.yaml]"
    drawing.replace("input/config.yaml", VALUES, changes)
    assert found(drawing.ok("check", "--deep", "--format", "json").json) == {}


def test_what_mine_wrote_is_a_notice(drawing: Workspace) -> None:
    drawing.ok("mine")
    findings = found(drawing.ok("check", "--deep", "--format", "json").json)
    assert {finding["severity"] for finding in findings.values()} == {"notice"}
    assert "mine --update web" in findings["random-render web"]["message"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("{replicas: 2, replica: 3}", {"unknown-value values.replica"}),
        ("{replicas: 2, spec: {deep: {er: 1}}}", {"unknown-value values.spec"}),
        ("{replicas: 2, x-anchor: 1}", {"ineffective-value values.x-anchor"}),
        ("{replicas: 1, image: docker.io/library/nginx:1.29}", set()),
        ("{image: other}", set()),
    ],
)
def test_values(workspace: Workspace, values: str, expected: set[str]) -> None:
    workspace.replace("input/config.yaml", VALUES, f"values: {values}")
    assert found(workspace.ok("check", "--deep", "--format", "json").json).keys() == expected


def test_an_unknown_value_names_the_nearest_and_its_line(workspace: Workspace) -> None:
    workspace.replace("input/config.yaml", VALUES, "values:\n    replicas: 2\n    imege: a")
    [finding] = found(workspace.ok("check", "--deep", "--format", "json").json).values()
    assert (finding["code"], finding["fix"]) == ("unknown-value", "write `values.image`")
    line = (
        (workspace.folder / finding["where"].split(":")[0])
        .read_text()
        .splitlines()[int(finding["where"].split(":")[1]) - 1]
    )
    assert "imege" in line


def test_an_ignore_counts_only_where_it_is_looked_for(workspace: Workspace) -> None:
    ignore = "checks: {ignore: [{code: unknown-value, reason: r}]}\ncomponents:\n"
    workspace.replace("input/config.yaml", "components:\n", ignore)
    assert found(workspace.ok("check", "--format", "json").json) == {}
    workspace.ok("smelt")
    assert found(workspace.ok("check", "--format", "json").json) == {}
    findings = workspace.ok("check", "--deep", "--format", "json").json["findings"]
    assert [finding["code"] for finding in findings if finding["code"] == "unused-ignore"] == ["unused-ignore"]


def test_deep_goes_with_findings_only(workspace: Workspace) -> None:
    assert workspace.run("check", "--deep", "--profile", "cis").code == 2


ASKING = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: asks}}\n"
    'data: {{has: {{{{ .Capabilities.APIVersions.Has "{api}" | quote }}}}}}\n'
)
DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.org}
spec:
  group: example.org
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
"""
LATER = "components:\n- {name: widgets, namespace: widgets, wave: 500, manifests: [widgets.yaml]}\n"


def mismatches(workspace: Workspace) -> list[dict[str, Any]]:
    document = workspace.run("check", "--deep", "--format", "json").json
    return [finding for finding in document["findings"] if finding["code"] == "api-mismatch"]


@pytest.fixture
def asking(workspace: Workspace) -> Workspace:
    """A workspace whose chart asks for an API that a component of a late wave brings."""
    workspace.replace("input/config.yaml", "components:\n", LATER)
    return workspace.write(
        {
            "input/widgets.yaml": DEFINITION,
            "input/charts/web/templates/asks.yaml": ASKING.format(api="example.org/v1/Widget"),
        }
    )


def test_an_api_of_a_later_wave_that_changes_the_output_is_found(asking: Workspace) -> None:
    [finding] = mismatches(asking)
    assert (finding["severity"], finding["component"]) == ("warning", "web")
    assert "example.org/v1, brought later, by widgets in wave 500" in finding["message"]
    assert "`data.has`" in finding["message"]
    assert finding["fix"].startswith("write `needs: [widgets]`")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("wave: 500, ", ""),
        (
            "manifests: [widgets.yaml]",
            "exclude: [customresourcedefinition.apiextensions.k8s.io_widgets.example.org.yaml], manifests: [widgets.yaml]",
        ),
    ],
)
def test_one_that_is_there_in_time_or_not_in_the_stack_is_none(asking: Workspace, before: str, after: str) -> None:
    asking.replace("input/config.yaml", before, after)
    assert mismatches(asking) == []


@pytest.mark.parametrize(
    "template",
    [
        '{{ if .Capabilities.APIVersions.Has "example.org/v1" }}{{ end }}',
        '{{ if .Capabilities.APIVersions.Has "example.org/v1" }}apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: a}{{ end }}',
    ],
    ids=["nothing", "an object of the API, which is ordered"],
)
def test_one_that_changes_nothing_else_is_none(asking: Workspace, template: str) -> None:
    asking.write({"input/charts/web/templates/asks.yaml": template})
    assert mismatches(asking) == []


def test_a_chart_that_fails_without_the_api_is_found(asking: Workspace) -> None:
    template = '{{ if not (.Capabilities.APIVersions.Has "example.org/v1") }}{{ fail "no widgets" }}{{ end }}'
    asking.write({"input/charts/web/templates/asks.yaml": template})
    [finding] = mismatches(asking)
    assert "without it, the chart does not render" in finding["message"]


@pytest.mark.parametrize(("provides", "found_too"), [("[metrics.example.org]", True), ("[example.net]", False)])
def test_an_api_that_the_cluster_has_by_itself(workspace: Workspace, provides: str, found_too: bool) -> None:
    workspace.replace("input/config.yaml", "components:\n", f"target: {{provides: {provides}}}\ncomponents:\n")
    workspace.write({"input/charts/web/templates/asks.yaml": ASKING.format(api="metrics.example.org/v1")})
    messages = [finding["message"] for finding in mismatches(workspace)]
    assert [message.partition(",")[0] for message in messages] == (
        ["is rendered without metrics.example.org/v1"] if found_too else []
    )
