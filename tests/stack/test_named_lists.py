"""Lists of named things merge by name across `extends` and `environments` (ADR 0021)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.stack import name_scan
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.parse import ParsedDescription
from cluster_forge.stack.resolve import MOST_HINTS
from cluster_forge.stack.selection import Selection
from cluster_forge.stages.describe.read_description import read_description

from .conftest import HEAD, Workspace

Native = Callable[..., Workspace]

CHART = "helm: {repository: 'https://charts.example.com', chart: shop, version: 1.2.3}"
BASE = f"""\
apiVersion: cluster-forge/v1
kind: Stack
components:
- loki
- name: shop
  namespace: shop
  {CHART}
  values: {{replicas: 1, host: shop.test, list: [a, b]}}
- name: extras
  namespace: extras
  manifests: [extras/a.yaml]
define:
- {{name: loki, namespace: logs, manifests: [loki.yaml]}}
- {{name: alloy, namespace: logs, manifests: [alloy.yaml]}}
collections:
  logging: [loki, alloy]
"""
FILES = {"extras/a.yaml": "", "loki.yaml": "", "alloy.yaml": "", "base.yaml": BASE}


def load(native: Native, own: str, environment: str | None = None, **files: str) -> ParsedDescription:
    return native(f"extends: [base.yaml]\n{own}", {**FILES, **files}).load(environment=environment)


def names(parsed: ParsedDescription) -> list[str]:
    return [str(component.name) for component in parsed.stack.components]


def errors(native: Native, own: str, environment: str | None = None) -> list[ForgeError]:
    try:
        load(native, own, environment)
    except (ForgeError, ExceptionGroup) as error:
        return [leaf for leaf in leaves(error) if isinstance(leaf, ForgeError)]
    pytest.fail("no error was raised")


@pytest.mark.parametrize("environment", [None, "production"])
def test_one_value_is_one_line(native: Native, environment: str | None) -> None:
    change = "components:\n- {name: shop, values: {replicas: 3}}\n"
    if environment:
        change = f"environments:\n  production:\n    {change.replace(chr(10), chr(10) + '    ')}\n"
    parsed = load(native, change, environment)
    assert names(parsed) == ["loki", "shop", "extras"]
    shop = parsed.stack.component("shop")
    assert shop.helm is not None
    assert shop.helm.version == "1.2.3"
    assert shop.namespace == "shop"
    assert shop.values == {"replicas": 3, "host": "shop.test", "list": ["a", "b"]}


def test_the_origins_of_a_merged_component_are_those_of_its_values(native: Native) -> None:
    parsed = load(
        native,
        "environments:\n  production:\n    components:\n    - {name: shop, values: {replicas: 3}}\n",
        "production",
    )
    assert parsed.effective["components"][1]["name"] == "shop"
    assert parsed.origins["components", 1, "values", "replicas"] == "input/config.yaml:8"
    assert parsed.origins["components", 1, "values", "host"] == "input/base.yaml:8"
    assert parsed.origins["components", 1] == "input/base.yaml:5"


def test_other_lists_replace(native: Native) -> None:
    parsed = load(native, "components: [{name: shop, values: {list: [c]}}]\ncollections: {logging: [alloy]}\n")
    assert parsed.stack.component("shop").values["list"] == ["c"]
    assert parsed.effective["collections"] == {"logging": ["alloy"]}


def test_the_order_is_that_of_the_base_and_new_ones_come_after(native: Native) -> None:
    own = "components:\n- {name: new, namespace: new, manifests: [loki.yaml]}\n- {name: extras, wave: 3}\n- alloy\n- loki\n"
    parsed = load(native, own)
    assert names(parsed) == ["loki", "shop", "extras", "new", "alloy"]
    assert parsed.stack.component("extras").wave == 3


def test_a_name_gets_settings_and_settings_stay_under_a_name(native: Native) -> None:
    parsed = load(native, "components:\n- {name: loki, wave: 2}\n- shop\n")
    assert names(parsed) == ["loki", "shop", "extras"]
    assert parsed.stack.component("loki").wave == 2
    assert parsed.stack.component("shop").values["replicas"] == 1


@pytest.mark.parametrize(
    "change",
    ["version: 2.0.0", "helm: {version: 2.0.0}", "helm: {version: '>=2'}", "version: 2.0.0, helm: {version: 2.0.0}"],
)
@pytest.mark.parametrize("base", [CHART, CHART.replace(", version: 1.2.3", "") + "\n  version: 1.2.3"])
def test_the_higher_layers_version_wins_wherever_it_is_written(native: Native, base: str, change: str) -> None:
    parsed = load(native, f"components: [{{name: shop, {change}}}]\n", **{"base.yaml": BASE.replace(CHART, base)})
    helm = parsed.stack.component("shop").helm
    assert helm is not None
    assert helm.chart == "shop"
    assert helm.version == (">=2" if ">=2" in change else "2.0.0")


def test_definitions_merge_by_name(native: Native) -> None:
    parsed = load(native, "define:\n- {name: alloy, wave: 7}\ncomponents: [alloy]\n")
    assert parsed.stack.component("alloy").wave == 7
    assert parsed.stack.component("alloy").manifests == ("alloy.yaml",)


def test_catalogs_merge_by_folder() -> None:
    files = {
        "base.yaml": HEAD + "catalogs: [mine, ours/]\n",
        "input/config.yaml": HEAD + "extends: [../base.yaml]\ncatalogs: [theirs, ./ours, {name: mine, remove: true}]\n",
    }
    description, _ = name_scan.merged(InputFiles(Workspace(files).read))
    assert [named.string for named in description.strings("catalogs")] == ["ours/", "theirs"]


def test_an_entry_is_removed_and_can_be_added_again(native: Native) -> None:
    removal = "components: [{name: shop, remove: true}, {name: extras, remove: false}]\n"
    parsed = load(native, removal)
    assert names(parsed) == ["loki", "extras"]
    assert "remove" not in str(parsed.effective)
    again = "environments:\n  p:\n    components: [{name: shop, namespace: other, manifests: [loki.yaml]}]\n"
    parsed = load(native, removal + again, "p")
    assert names(parsed) == ["loki", "extras", "shop"]
    assert parsed.stack.component("shop").helm is None


def test_an_environment_removes_what_an_extended_file_has(native: Native) -> None:
    own = "components: [alloy]\nenvironments:\n  p:\n    components: [{name: loki, remove: true}]\n    define: []\n"
    assert names(load(native, own, "p")) == ["shop", "extras", "alloy"]


def test_null_removes_the_whole_list_of_the_layers_below(native: Native) -> None:
    own = "components: null\nenvironments:\n  p:\n    components: [alloy]\n"
    assert names(load(native, own, "p")) == ["alloy"]
    assert names(load(native, "components: []\n")) == ["loki", "shop", "extras"]


def test_an_empty_environment_changes_nothing(native: Native) -> None:
    assert names(load(native, "environments:\n  p:\n", "p")) == ["loki", "shop", "extras"]


@pytest.mark.parametrize(
    ("own", "where", "message", "fix"),
    [
        ("components: [{name: shpo, remove: true}]", 5, "components: nothing to remove: no lower layer has 'shpo' in `components`, did you mean 'shop'?", "correct the name"),
        ("components: [{name: zzz, remove: true}]", 5, "components: nothing to remove: no lower layer has 'zzz' in `components`", "delete the entry; to leave out a member of a collection, write those that stay under `collections`"),
        ("components: [{name: alloy, remove: true}]", 5, "components: nothing to remove: no lower layer has 'alloy' in `components`", "it is a member of the collection logging: write the members that stay under `collections`"),
        ("define: [{name: extras, remove: true}]", 5, "define: nothing to remove: no lower layer has 'extras' in `define`", "it is in `components`: remove it there"),
        ("components: [{name: shop, remove: true, wave: 3}]", 5, "components: 'shop' is removed, and has settings (wave)", "delete the settings, or `remove: true` to keep shop"),
        ("components:\n- alloy\n- {name: alloy, wave: 1}", 7, "components: 'alloy' stands twice, as a name and with settings; first at input/config.yaml:6", "delete `- alloy` (input/config.yaml:6): the entry with settings is enough"),
        ("components:\n- alloy\n- alloy", 7, "components: 'alloy' stands twice; first at input/config.yaml:6", "delete one of the two"),
        ("components:\n- {name: shop, remove: true}\n- shop", 7, "components: 'shop' stands twice, also to be removed; first at input/config.yaml:6", "delete one of the two; a key of a lower layer is removed with null"),
        ("environments:\n  p:\n    define:\n    - {name: alloy, wave: 1}\n    - {name: alloy, wave: 2}", 9, "duplicate component 'alloy': already defined at input/config.yaml:8", "rename one of the two, or merge them into one"),
        ("components:\n- logging\n- {name: loki, remove: true}", 7, "components: 'loki' is removed here, and still in the stack through the collection logging", "write the members that stay: `collections: {logging: [alloy]}`"),
        ("catalogs: [{name: mine, remove: true}]", 5, "catalogs: nothing to remove: no lower layer has 'mine' in `catalogs`", "delete the entry"),
    ],
)  # fmt: skip
def test_mistakes_have_a_place_and_a_fix(native: Native, own: str, where: int, message: str, fix: str) -> None:
    (error,) = errors(native, f"{own}\n")
    assert (error.where, error.message, error.fix) == (f"input/config.yaml:{where}", message, fix)


def test_an_environment_without_a_usable_name_is_an_error(native: Native) -> None:
    (error,) = errors(native, "environments:\n  Prod EU: {}\n")
    assert (error.where, "is not a DNS label" in error.message) == ("input/config.yaml:6", True)


def test_what_no_layer_completes_is_an_error(native: Native) -> None:
    for own in (
        "components: [{name: new, namespace: a, helm: {version: 1.0.0}}]",
        "define: [{name: new, helm: {version: 1.0.0}}]",
    ):
        (error,) = errors(native, f"{own}\nenvironments: {{p: {{name: other}}}}\n")
        assert error.message == "new.helm: 'chart' is missing"
        assert error.where == "input/config.yaml:5"


def test_a_missing_key_is_reported_beside_other_errors(native: Native) -> None:
    found = errors(native, "components: [{name: new, namespace: a, helm: {version: 1.0.0}}, unknown]\n")
    assert sorted(error.message for error in found) == [
        "new.helm: 'chart' is missing",
        "unknown component or collection 'unknown'",
    ]


def test_a_catalogs_component_gets_one_value(native: Native) -> None:
    """Also below `helm`, of which the catalog has the rest."""
    own = (
        "components: [cert-manager]\nenvironments:\n  p:\n    components: [{name: cert-manager, helm: {release: cm}}]\n"
    )
    parsed = read_description(native(own), Selection(environment="p"))
    helm = parsed.stack.component("cert-manager").helm
    assert helm is not None
    assert (helm.chart, helm.release) == ("cert-manager", "cm")


def test_similar_names_are_looked_for_a_few_times_only(native: Native) -> None:
    """Each search goes through all names: thousands of wrong removals would take minutes."""
    removals = ", ".join(f"{{name: shop{number}, remove: true}}" for number in range(MOST_HINTS + 5))
    messages = [error.message for error in errors(native, f"components: [{removals}]")]
    assert len(messages) == MOST_HINTS + 5
    assert sum("did you mean 'shop'?" in message for message in messages) == MOST_HINTS


def test_what_still_names_a_removed_component_is_an_error(native: Native) -> None:
    own = """\
define: [{name: loki, needs: [extras]}]
collections: {logging: [shop, alloy]}
components: [{name: shop, remove: true}, {name: extras, remove: true}]
"""
    found = {error.message: error for error in errors(native, own)}
    assert set(found) == {
        "collection logging contains shop, which is removed at input/config.yaml:7",
        "loki needs extras, which is removed at input/config.yaml:7",
    }
    fixes = [error.fix or "" for error in found.values()]
    assert any("`collections: {logging: […]}`" in fix for fix in fixes)
    assert any("take it out of the `needs` of loki as well" in fix for fix in fixes)
