"""What users of Helmfile, Argo CD, Flux, Kustomize, Zarf and Helm write: one error each, which says what to write here."""

from __future__ import annotations

import pytest

from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.parse import parse_description


def errors_of(text: str) -> list[ForgeError]:
    """The errors of a description that is this text alone."""
    files = {"input/config.yaml": text.encode()}
    try:
        parse_description(InputFiles(files.get, lambda path: None))
    except (ForgeError, ExceptionGroup) as error:
        return [leaf for leaf in leaves(error) if isinstance(leaf, ForgeError)]
    return []


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        ("releases:\n- {name: a, chart: b/c}\n", "a helmfile", "`helm: {repository: ADDRESS, chart: NAME}`"),
        ("repositories: []\nreleases: []\n", "a helmfile", "`helm:"),
        ("kind: Kustomization\nresources: [a.yaml]\n", "a kustomization", "`kustomize: FOLDER`"),
        ("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n", "a kustomization", "`kustomize: FOLDER`"),
        ("apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\n", "an Application of Argo CD", "`repository`"),
        ("apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {}\n", "a HelmRelease of Flux", "`helm:"),
        ("kind: ZarfPackageConfig\ncomponents: [{name: a, charts: []}]\n", "a Zarf package", "`helm.chart`"),
        ("apiVersion: v2\nname: a\nversion: 1.0.0\ndependencies: []\n", "the Chart.yaml of a chart", "`helm: {chart: ./FOLDER}`"),
        ("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n", "a Kubernetes object (Deployment)", "`manifests`"),
        ("services: {web: {image: nginx}}\n", "a Compose file", "manifests"),
    ],
)  # fmt: skip
def test_a_file_of_another_tool_is_one_error(text: str, what: str, line: str) -> None:
    (error,) = errors_of(text)
    assert (error.where, error.message) == ("input/config.yaml:1", f"this is {what}, not a stack description")
    assert line in (error.fix or "")
    assert "`apiVersion: cluster-forge/v1` and `kind: Stack`" in (error.fix or "")


def test_a_list_of_names_is_one_error() -> None:
    (error,) = errors_of("- grafana\n- loki\n")
    assert error.message == "a stack description must be a mapping, not a list of names (grafana, loki)"
    assert "`components: [grafana, loki]`" in (error.fix or "")


def test_missing_first_lines_are_given() -> None:
    assert [error.fix for error in errors_of("name: a\n")] == [
        "add `apiVersion: cluster-forge/v1`",
        "add `kind: Stack`",
    ]


@pytest.mark.parametrize(
    ("settings", "fix"),
    [
        ("repositories: []\n", "write the address in each component"),
        ("namespace: a\n", "write `namespace` in each entry of `components`"),
        ("manifests: [a.yaml]\n", "write `manifests` in each entry of `components`"),
        ("version: 1.0.0\n", "write `version` in each entry of `components`"),
        ("spec: {components: []}\n", "at the top level"),
        ("metadata: {name: a}\n", "`name: NAME`"),
        ("syncPolicy: {}\n", "`gitops`"),
        ("components: {web: {namespace: a}}\n", "`- name: web`"),
        ("components: {web: }\n", "`- name: NAME`"),
        ("catalogs: {web: 1}\n", "`- …`"),
        ("components:\n- {name: a, createNamespace: true}\n", "missing namespaces are created"),
        ("components:\n- {name: a, wait: true}\n", "each wave waits"),
        ("components:\n- {name: a, installed: false}\n", "`--skip NAME`"),
        ("components:\n- {name: a, condition: a.enabled}\n", "`--skip NAME`"),
        ("components:\n- {name: a, postRenderers: []}\n", "write `patches` instead of `postRenderers`"),
        ("namePrefix: a\n", "write `helm: {release: NAME}`"),
        ("components:\n- {name: a, helm: {chart: ./a, chartVersion: '1'}}\n", "`version` instead of `chartVersion`"),
        ("components:\n- {name: a, valuesFile: a.yaml}\n", "`valuesFiles` instead of `valuesFile`"),
        ("releases: [{name: a}]\n", "`components` instead of `releases`"),
    ],
)
def test_a_key_of_another_tool_has_the_line_to_write(settings: str, fix: str) -> None:
    (error,) = errors_of(f"apiVersion: cluster-forge/v1\nkind: Stack\nname: a\n{settings}")
    assert isinstance(error, DescriptionError)
    assert "did you mean" not in error.message
    assert fix in (error.fix or "")


@pytest.mark.parametrize("text", ["\ufeffapiVersion: cluster-forge/v1\r\nkind: Stack\r\nname: a\r\n"])
def test_a_byte_order_mark_and_windows_line_ends_are_read(text: str) -> None:
    assert errors_of(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "--- \n",
        "hello\n",
        "apiVersion: cluster-forge/v1\nkind: Stack\nname: a\n---\nb: 2\n",
        "name:\n\t- a\n",
    ],
)
def test_what_is_not_one_mapping_is_one_error_with_a_fix(text: str) -> None:
    (error,) = errors_of(text)
    assert error.fix
