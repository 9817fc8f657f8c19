"""What a chart's folder lacks: as `helm dependency build` would fetch it. The digests were written by Helm 3.20 itself."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from cluster_forge.foundation.errors import DescriptionError, FetchError
from cluster_forge.stack import chart_dependencies
from cluster_forge.stack.chart_dependencies import ChartDependency

CHART = "apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n"
DB = "- {name: db, version: ^1.0, repository: https://charts.example.com/}\n"
ODD = """\
- name: common
  version: ">=2.0 <3"
  repository: file://../common
  alias: first
  tags: [a, "ü"]
  condition: x.y,first.enabled
  import-values:
  - data
  - {parent: up, child: down}
- {name: common, repository: file://../common, version: 2.0.1}
"""
ODD_LOCK = """\
dependencies:
- name: common
  repository: file://../common
  version: 2.0.1
- name: common
  repository: file://../common
  version: 2.0.1
digest: sha256:4c36cc3c39603c2a85cf499477ef248e5293f71deddf6e949a15321d8ed0eeb1
generated: "2026-11-29T20:56:34.096914484Z"
"""


def of(files: Mapping[str, bytes]) -> list[ChartDependency]:
    return chart_dependencies.missing(files, files.__getitem__, "app")


def test_without_a_lock_the_ranges_are_those_of_the_chart() -> None:
    files = {"Chart.yaml": (CHART + DB).encode()}
    (dependency,) = of(files)
    assert dependency.source.repository == "https://charts.example.com"
    assert (dependency.source.chart, dependency.source.version) == ("db", "^1.0")
    assert dependency.where == "app/Chart.yaml:5"
    assert dependency.path("1.2.3") == "charts/db-1.2.3.tgz"


def test_the_versions_of_the_lock_hold_once_each() -> None:
    files = {"Chart.yaml": (CHART + ODD).encode(), "Chart.lock": ODD_LOCK.encode()}
    assert [(one.name, one.version) for one in of(files)] == [("common", "2.0.1")]


@pytest.mark.parametrize(("old", "new"), [("<3", "<4"), ("first.enabled", "x"), ("down", "up"), ("[a,", "[b,")])
def test_a_lock_of_other_dependencies_is_refused_as_helm_does(old: str, new: str) -> None:
    files = {"Chart.yaml": (CHART + ODD.replace(old, new)).encode(), "Chart.lock": ODD_LOCK.encode()}
    with pytest.raises(FetchError, match=r"Chart\.lock is not that of the dependencies"):
        of(files)


@pytest.mark.parametrize(
    "there",
    [
        {"charts/db/Chart.yaml": "name: db\n"},
        {"charts/database/Chart.yaml": "version: 1\nname: 'db' # the same\n"},
        {"charts/db-1.2.3.tgz": ""},
        {"charts/db-v1.tgz": ""},
    ],
)
def test_what_is_in_charts_is_not_missing(there: dict[str, str]) -> None:
    files = {name: text.encode() for name, text in {"Chart.yaml": CHART + DB, **there}.items()}
    assert of(files) == []


@pytest.mark.parametrize("other", ["charts/db-proxy-1.2.3.tgz", "charts/my-db-1.0.0.tgz", "templates/db-1.0.0.tgz"])
def test_another_chart_is_not_the_dependency(other: str) -> None:
    assert len(of({"Chart.yaml": (CHART + DB).encode(), other: b""})) == 1


def test_a_chart_of_helm_2_has_them_in_requirements() -> None:
    chart, requirements = b"apiVersion: v1\nname: app\nversion: 0.1.0\n", f"dependencies:\n{DB}".encode()
    lock = b"dependencies:\n- {name: db, version: 1.2.3, repository: https://charts.example.com}\ndigest: sha256:x\n"
    assert [one.version for one in of({"Chart.yaml": chart, "requirements.yaml": requirements})] == ["^1.0"]
    files = {"Chart.yaml": chart, "requirements.yaml": requirements, "requirements.lock": lock}
    assert [one.version for one in of(files)] == ["1.2.3"]


def test_a_dependency_without_repository_must_be_in_charts_already() -> None:
    assert of({"Chart.yaml": (CHART + "- {name: db, version: 1.0.0}\n").encode()}) == []


@pytest.mark.parametrize("name", ["@stable", "alias:stable"])
def test_a_name_of_somebodys_machine_is_an_error(name: str) -> None:
    with pytest.raises(DescriptionError, match="helm repo add") as caught:
        of({"Chart.yaml": (CHART + f'- {{name: db, version: 1.0.0, repository: "{name}"}}\n').encode()})
    assert caught.value.where == "app/Chart.yaml:5"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("''", "a dependency has no name"),
        ("../db", r"'\.\./db' is not the name of a chart"),
        (".git", r"'\.git' is not the name of a chart"),
    ],
)
def test_a_name_that_is_a_path_is_an_error(name: str, said: str) -> None:
    with pytest.raises(DescriptionError, match=said):
        of({"Chart.yaml": (CHART + f"- {{name: {name}, version: 1.0.0, repository: https://x.example}}\n").encode()})


def test_a_chart_yaml_that_is_none() -> None:
    assert of({"values.yaml": b""}) == []
    with pytest.raises((DescriptionError, ExceptionGroup)):
        of({"Chart.yaml": b"a: [\n"})


def test_too_many_are_an_error_and_not_a_part_of_them() -> None:
    items = "".join(f"- {{name: db{number}, version: 1.0.0, repository: https://a.example}}\n" for number in range(201))
    with pytest.raises(DescriptionError, match="app: it declares 201 dependencies, and 200 are allowed") as caught:
        of({"Chart.yaml": (CHART + items).encode()})
    assert caught.value.where == "app/Chart.yaml:4"
