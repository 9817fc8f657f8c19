from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster_forge.foundation.errors import DescriptionError, UnknownNameError
from cluster_forge.oci.compression import Compression
from cluster_forge.stack.component import HelmSource, Upstream
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.model import Format, GitOpsEngine, Ignore, KubernetesVersion, Node, Size
from cluster_forge.stack.parse import parse_description
from cluster_forge.stack.selection import Selection

Native = Callable[..., Any]
HEAD = "apiVersion: cluster-forge/v1\nkind: Stack\n"

SHOP = """\
target: {kubernetes: "1.31", size: large, architectures: [arm64], nodes: [{count: 3, cpu: 16, labels: {a: b}, taints: [x=y:NoSchedule]}]}
gitops: {engine: none, finalizers: true}
image: {compression: zstd}
components:
- monitoring
- name: shop
  namespace: shop
  extraNamespaces: [jobs]
  wave: 20
  needs: [loki]
  helm: {repository: https://charts.example.com, chart: shop, version: ^1.2}
  valuesFiles: [shop/a.yaml, shop/b.yaml]
  sizes: {small: {size: s}, large: {size: l, deep: {from: sizes}}}
  values: {replicas: 2, deep: {gone: null}}
  exclude: [Job_migrate.yaml]
  keepNamespace: true
- loki
- {name: extras, manifests: [https://example.com/crds.yaml, extras/, extras/one.yaml], laterReplaces: true}
define:
- {name: loki, helm: {chart: ./charts/loki}}
- {name: unused, helm: {chart: charts/nowhere}, valuesFiles: [nowhere.yaml]}
collections: {monitoring: [loki]}
checks: {ignore: [{code: unpinned-image, component: shop, reason: ours}]}
"""
FILES = {
    "shop/a.yaml": "size: a\ndeep: {from: a, gone: a, kept: a}\nlist: [1, 2]\n",
    "shop/b.yaml": "deep: {from: b}\nlist: [3]\n",
    "charts/loki/Chart.yaml": "name: loki",
    "extras/one.yaml": "",
}


def test_a_description_is_parsed_into_a_stack(native: Native) -> None:
    loaded = native(SHOP, FILES).load()
    stack = loaded.stack
    assert [component.name for component in stack.components] == ["loki", "shop", "extras"]
    shop = stack.component("shop")
    assert shop.helm == HelmSource(
        repository="https://charts.example.com", chart="shop", version="^1.2", release="shop"
    )
    assert shop.values == {
        "size": "l",
        "replicas": 2,
        "list": [3],
        "deep": {"from": "sizes", "gone": None, "kept": "a"},
    }
    assert (shop.namespace, shop.extra_namespaces, shop.wave, shop.needs) == ("shop", ("jobs",), 20, ("loki",))
    assert (shop.exclude, shop.keep_namespace, shop.where) == (("Job_migrate.yaml",), True, "input/config.yaml:9")
    assert stack.component("loki").helm == HelmSource(chart="charts/loki", release="loki")
    assert stack.component("extras").manifests == ("https://example.com/crds.yaml", "extras", "extras/one.yaml")
    assert stack.component("extras").later_replaces
    assert stack.target.kubernetes == KubernetesVersion(1, 31)
    assert stack.target.size is Size.LARGE
    assert stack.target.nodes == (Node(count=3, cpu="16", labels={"a": "b"}, taints=("x=y:NoSchedule",)),)
    assert (stack.gitops.engine, stack.gitops.finalizers) == (GitOpsEngine.NONE, True)
    assert stack.image.compression is Compression.ZSTD
    assert stack.finding_policy.ignores == (
        Ignore(code="unpinned-image", component="shop", reason="ours", where="input/config.yaml:26"),
    )
    assert loaded.format is Format.NATIVE
    assert loaded.files == ("input/config.yaml", "input/shop/a.yaml", "input/shop/b.yaml")
    assert loaded.notices == ()


def test_the_effective_description_has_its_origins(native: Native) -> None:
    loaded = native(SHOP, FILES).load()
    assert loaded.effective["components"][1]["values"] == {"replicas": 2, "deep": {"gone": None}}
    assert loaded.origins["components", 1, "values", "replicas"] == "input/config.yaml:17"
    assert loaded.origins["target", "size"] == "input/config.yaml:4"


def test_an_engine_has_a_place_only_where_it_is_written(native: Native) -> None:
    assert native("gitops: {engine: argocd}\n").load().stack.gitops.engine_where.startswith("input/config.yaml:")
    assert native("gitops: {mode: ui}\n").load().stack.gitops.engine_where == ""


def test_inline_objects_and_nulls_have_their_lines(native: Native) -> None:
    description = """\
    components:
    - name: notes
      objects:
      - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
      - apiVersion: v1
        kind: ConfigMap
        metadata: {name: b}
    - name: shop
      helm: {chart: charts/shop}
      valuesFiles: [a.yaml]
      values:
        image: null
    """
    files = {"a.yaml": "x: 1\ntag:\n", "charts/shop/Chart.yaml": ""}
    notes, shop = native(description, files).load().stack.components
    assert notes.object_places == ("input/config.yaml:7", "input/config.yaml:8")
    assert {place.keys: place.where for place in shop.null_places} == {
        ("tag",): "input/a.yaml:2",
        ("image",): "input/config.yaml:15",
    }


def test_comments_and_order_do_not_change_the_digest(native: Native) -> None:
    one = native("target: {size: small}\ngitops: {mode: ui}\n").load()
    same = native("gitops:\n  mode: ui   # a comment\ntarget: {size: small, nodes: null}\n").load()
    other = native("target: {size: large}\ngitops: {mode: ui}\n").load()
    assert one.digest == same.digest != other.digest


def workspace(files: dict[str, str]) -> Callable[[str], bytes | None]:
    return lambda path: files[path].encode() if path in files else None


LAYERS = {
    "base.yaml": HEAD
    + "name: base\ntarget: {kubernetes: '1.30', size: medium}\nenvironments: {production: {target: {size: small}, gitops: {url: null}}}\ngitops: {url: a, source: oci}\n",
    "shared/more.yaml": HEAD
    + "extends: [../base.yaml]\ngitops: {mode: headless}\ndefine: [{name: a, manifests: [a]}]\n",
    "input/config.yaml": HEAD
    + "name: top\nextends: [../shared/more.yaml]\ncomponents: [a]\nenvironments:\n  production:\n    target: {size: large}\n    define: [{name: a, manifests: [b]}]\n    gitops: {source: internal}\n  staging: {name: stage, extends: null}\n",
}


def test_extended_files_and_environments_are_merged() -> None:
    plain = parse_description(InputFiles(workspace(LAYERS)))
    assert (plain.stack.name, plain.stack.target.kubernetes.minor, plain.stack.target.size) == ("top", 30, "medium")
    assert (plain.stack.gitops.mode, plain.stack.gitops.url) == ("headless", "a")
    assert plain.origins["target", "size"] == "base.yaml:4"
    assert plain.origins["gitops", "mode"] == "shared/more.yaml:4"
    assert plain.files == ("input/config.yaml", "shared/more.yaml", "base.yaml")
    assert not {"extends", "environments"} & set(plain.effective)
    production = parse_description(InputFiles(workspace(LAYERS)), Selection(environment="production"))
    assert production.stack.target.size is Size.LARGE
    assert production.stack.gitops.url == ""
    assert production.stack.component("a").manifests == ("b",)
    assert production.origins["target", "size"] == "input/config.yaml:8"


def test_an_environment_is_merged_before_names_are_resolved(errors_of: Any) -> None:
    staging = errors_of(lambda: parse_description(InputFiles(workspace(LAYERS)), Selection(environment="staging")))
    assert staging == ["input/config.yaml:5: unknown component or collection 'a'"]


def test_an_unknown_environment_is_an_error() -> None:
    with pytest.raises(UnknownNameError, match="'producton', did you mean 'production'") as caught:
        parse_description(InputFiles(workspace(LAYERS)), Selection(environment="producton"))
    assert caught.value.fix == "defined environments: production, staging"
    with pytest.raises(UnknownNameError) as caught:
        parse_description(
            InputFiles(workspace({"input/config.yaml": HEAD + "name: a\n"})), Selection(environment="prod")
        )
    assert caught.value.fix == "the description defines no environments"


@pytest.mark.parametrize(
    ("files", "errors"),
    [
        ({}, ["file input/config.yaml does not exist"]),
        ({"input/config.yaml": ""}, ["input/config.yaml:1: the file is empty"]),
        (
            {"input/config.yaml": "hello"},
            ["input/config.yaml:1: a stack description must be a mapping, not 'hello'"],
        ),
        ({"input/config.yaml": "a: ["}, ["input/config.yaml:1: a value is missing here"]),
        ({"input/config.yaml": HEAD}, ["input/config.yaml:1: the stack has no name"]),
        (
            {"input/config.yaml": HEAD + "name: a\n---\nb: 1\n"},
            ["input/config.yaml:5: a second YAML document starts here; a description has only one"],
        ),
        (
            {"input/config.yaml": "[]\n---\na: 1\n"},
            [
                "input/config.yaml:1: the file mixes lists and mappings",
                "input/config.yaml:3: a second YAML document starts here; a description has only one",
            ],
        ),
        (
            {"input/config.yaml": HEAD + "name: a\nextends: [b.yaml]\ncomponents: [x]\n"},
            ["input/config.yaml:4: file input/b.yaml does not exist"],
        ),
        (
            {"input/config.yaml": HEAD + "name: a\nextends: [b.yaml]\n", "input/b.yaml": "- name: a\n"},
            ["input/b.yaml:1: a list in the legacy format cannot be extended"],
        ),
        (
            {
                "input/config.yaml": HEAD + "name: a\nextends: [../b.yaml]\n",
                "b.yaml": HEAD + "extends:\n- c.yaml\n",
                "c.yaml": HEAD + "extends: [b.yaml]\n",
            },
            ["c.yaml:3: `extends` cycle: b.yaml → c.yaml → b.yaml"],
        ),
    ],
)
def test_unreadable_descriptions_are_errors(files: dict[str, str], errors: list[str], errors_of: Any) -> None:
    assert errors_of(lambda: parse_description(InputFiles(workspace(files)))) == errors


def test_all_errors_of_all_files_are_raised_together(native: Native) -> None:
    description = """\
    extends: [base.yaml]
    target: {size: huge}
    gitops: {source: external}
    components:
    - unknown
    - {name: shop, helm: {chart: charts/shop}, valuesFiles: [a.yaml, none.yaml], needs: [shp]}
    """
    base = HEAD + "imag: {}\ncollections: {m: [nothing]}\n"
    assert native(description, {"base.yaml": base, "a.yaml": "a: [\n"}).errors() == [
        "input/config.yaml:5: target.size: must be one of small, medium, large, not 'huge'",
        "input/config.yaml:6: gitops: `source: external` requires the URL of a repository",
        "input/config.yaml:8: unknown component or collection 'unknown'",
        "input/config.yaml:9: shop needs the unknown component 'shp', did you mean 'shop'?",
        "input/config.yaml:9: shop: chart input/charts/shop does not exist",
        "input/config.yaml:9: shop: values file input/none.yaml does not exist",
        "input/base.yaml:3: unknown key 'imag', did you mean 'image'?",
        "input/base.yaml:4: collection m contains the unknown name 'nothing'",
        "input/a.yaml:1: a value is missing here",
    ]


@pytest.mark.parametrize(
    ("component", "error"),
    [
        ("{name: a}", "a: has neither `helm` nor `manifests` nor `kustomize`"),
        ("{name: a, manifests: [m], values: {b: 1}}", "a: `values` without `helm`"),
        ("{name: a, manifests: [m], version: 1.2.3}", "a: `version` without `helm`"),
        ("{name: a, version: '1', helm: {chart: c, version: '2'}}", "a: `version: 1` and `helm.version: 2` differ"),
        (
            "{name: a, helm: {chart: c, release: A_}}",
            "a: 'A_' is not a Helm release name: lower-case letters, digits and hyphens, at most 53",
        ),
        ("{name: a, helm: {chart: 'oci://x.org/y/z'}}", "a: `helm.chart` is a URL"),
        ("{name: a, helm: {chart: /c}}", "a: /c is an absolute path"),
        ("{name: a, helm: {chart: m}}", "a: input/m is not a chart: it contains no Chart.yaml"),
        ("{name: a, helm: {chart: nowhere}}", "a: chart input/nowhere does not exist"),
        ("{name: a, manifests: [/m]}", "a: /m is an absolute path"),
        ("{name: a, manifests: ['git://x.org']}", "a: cannot download git://x.org"),
        ("{name: a, manifests: [nowhere]}", "a: input/nowhere does not exist"),
        ("{name: a, manifests: [text]}", "a: input/text contains no YAML files"),
        ("{name: a, helm: {chart: c}, valuesFiles: [/v.yaml]}", "a: /v.yaml is an absolute path"),
        (
            "{name: a, helm: {chart: c}, valuesFiles: [nowhere.yaml]}",
            "a: values file input/nowhere.yaml does not exist",
        ),
        (
            "{name: a, manifests: [m], upstream: {folder: m}}",
            "a: `upstream` has neither `helm` nor `manifests`",
        ),
        ("{name: a, manifests: [m], upstream: {folder: m, manifests: [x]}}", "a: cannot download x"),
    ],
)
def test_invalid_components_are_errors(native: Native, component: str, error: str) -> None:
    files = {"m/a.yaml": "", "c/Chart.yaml": "", "text/README": ""}
    assert native(f"components:\n- {component}\n", files).errors() == [f"input/config.yaml:5: {error}"]


def test_values_files_must_be_mappings(native: Native) -> None:
    description = "components:\n- {name: a, helm: {chart: c.tgz}, valuesFiles: [list.yaml, twice.yaml, empty.yaml]}\n"
    files = {"list.yaml": "- a\n", "twice.yaml": "a: 1\na: 2\na: 3\n", "empty.yaml": "# nothing\n", "c.tgz": ""}
    assert native(description, files).errors() == [
        "input/list.yaml:1: Helm values must be a mapping",
        "input/twice.yaml:2: duplicate key 'a', first used in line 1",
        "input/twice.yaml:3: duplicate key 'a', first used in line 1",
    ]


def test_the_folder_of_upstream_need_not_exist(native: Native) -> None:
    description = """\
    components:
    - name: loki
      manifests: [loki/manifests/sourced]
      upstream:
        folder: ./loki/manifests/sourced
        namespace: loki
        helm: {repository: https://x.org, chart: loki, version: 6.15.0, release: l}
        valuesFiles: [loki/values.yaml]
        values: {a: {c: 2}}
        exclude: [a.yaml]
    """
    stack = native(description, {"loki/values.yaml": "a: {b: 1}"}).load().stack
    assert stack.component("loki").upstream == Upstream(
        folder="loki/manifests/sourced",
        namespace="loki",
        helm=HelmSource(repository="https://x.org", chart="loki", version="6.15.0", release="l"),
        values={"a": {"b": 1, "c": 2}},
        exclude=("a.yaml",),
    )


def test_without_a_listing_paths_are_not_checked(native: Native) -> None:
    workspace = native("components: [{name: a, manifests: [x]}, {name: b, helm: {chart: z}}]")
    assert parse_description(InputFiles(workspace.read)).stack.components


def test_errors_of_the_source_are_raised() -> None:
    def read(path: str) -> bytes | None:
        raise DescriptionError("links out of the workspace", where=path)

    with pytest.raises(DescriptionError, match="links out"):
        parse_description(InputFiles(read))


@pytest.mark.corpus
@pytest.mark.parametrize(("name", "components"), [("prd", 29), ("everything", 58)])
def test_real_descriptions_are_parsed(corpus: Path, name: str, components: int) -> None:
    text = (corpus / "stacks" / name / "input" / "config.yaml").read_bytes()
    stack = parse_description(
        InputFiles(lambda path: text if path == "input/config.yaml" else None, lambda _: None)
    ).stack
    assert (stack.name, len(stack.components)) == (name, components)


def extending(length: int, width: int) -> dict[str, str]:
    """Files that extend one another in a chain, ``width`` times."""
    head = "apiVersion: cluster-forge/v1\nkind: Stack\n"
    files = {f"{n}.yaml": f"{head}extends: [{', '.join([f'{n + 1}.yaml'] * width)}]\n" for n in range(length)}
    return {**files, f"{length}.yaml": head}


@pytest.mark.parametrize(("length", "width"), [(1_000, 1), (40, 2), (20, 9)])
def test_the_number_of_extended_files_is_limited(native: Native, length: int, width: int) -> None:
    (error,) = native("extends: [0.yaml]", extending(length, width)).errors()
    assert "too many files extend each other (limit 30 in a row, 200 in total)" in error


def test_the_nesting_of_collections_is_limited(native: Native) -> None:
    members = "".join(f"  c{n}: [c{n + 1}]\n" for n in range(2_000))
    errors = native(f"components: [c0]\ncollections:\n{members}  c2000: []\n").errors()
    assert errors
    assert all("collections are nested too deep (limit 50)" in error for error in errors)


def test_a_thousand_unknown_names_are_reported_fast(native: Native) -> None:
    unknown = "".join(f"- an-unknown-name-{n}\n" for n in range(500))
    known = "".join(f"- {{name: a-known-name-{n}, manifests: [https://x.org/y]}}\n" for n in range(500))
    errors = native(f"components:\n{unknown}define:\n{known}").errors()
    assert len(errors) == 500
    assert "did you mean" in errors[0]


def test_at_most_a_hundred_schema_errors_are_reported(native: Native) -> None:
    errors = native("components:\n" + "- {nam: x, helm: 1}\n" * 1_000).errors()
    assert "2,900 more errors of this kind" in errors[0]
    assert len(errors) == 101


def test_the_number_of_collection_cycles_is_limited(native: Native) -> None:
    names = [f"c{n}" for n in range(120)]
    described = "".join(f"  {name}: [{', '.join(other for other in names if other != name)}]\n" for name in names)
    errors = native(f"collections:\n{described}").errors()
    assert len(errors) == 100
    assert any("collection cycle: " in error for error in errors)
