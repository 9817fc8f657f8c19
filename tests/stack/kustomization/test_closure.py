"""The files of a kustomization: all that it names, and an error at its line for what cannot be read or must not be fetched."""

from __future__ import annotations

import json

import pytest
from tests.kustomizations.corpus import BASE, KUSTOMIZATIONS

from cluster_forge.stack.kustomization import remotes
from cluster_forge.stack.kustomization.closure import Closure, TreeFiles, closure
from cluster_forge.stack.kustomization.fetched import with_files

KUSTOMIZATION = "top/kustomization.yaml"
COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"


def closed(files: dict[str, str], *, root: str = "") -> Closure:
    contents = {path: text.encode() for path, text in files.items()}
    return closure("top", TreeFiles(contents), root=root, where="input/config.yaml:5")


def errors(text: str, **files: str) -> list[str]:
    """The errors of a kustomization over the base; names of files have ``__`` for the dot."""
    more = {f"top/{name.replace('__', '.')}": content for name, content in files.items()}
    return [str(error) for error in closed({**BASE, KUSTOMIZATION: text, **more}).errors]


@pytest.mark.parametrize("files", KUSTOMIZATIONS.values(), ids=KUSTOMIZATIONS)
def test_every_file_of_a_kustomization_is_found(files: dict[str, str]) -> None:
    unused = {"top/README.md": "", "unused/kustomization.yaml": "resources: [missing.yaml]\n"}
    needed = closed({**files, **unused})
    assert needed.errors == ()
    assert set(needed.files) == set(files)


@pytest.mark.parametrize(
    ("text", "key", "meant"),
    [
        ("Resources: [../../outside]", "Resources", "resources"),
        ("re\u017fources: ['http://127.0.0.1/x.yaml']", "re\u017fources", "resources"),
        ("HELMCHARTS: [{name: a}]", "HELMCHARTS", "helmCharts"),
        ("patches: [{Path: 'http://127.0.0.1/x.yaml'}]", "Path", "path"),
        ("ConfigMapGenerator: [{name: a}]", "ConfigMapGenerator", "configMapGenerator"),
        (
            "generators: ['{apiVersion: builtin, kind: ConfigMapGenerator, metadata: {name: a}, Files: [/etc/passwd]}']",
            "Files",
            "files",
        ),
    ],
)
def test_keys_that_kustomize_takes_for_others_are_refused(text: str, key: str, meant: str) -> None:
    (error,) = closed({**BASE, KUSTOMIZATION: text}).errors
    assert (str(error), error.fix) == (
        f"{KUSTOMIZATION}:1: {key!r} is not a key of a kustomization",
        f"write `{meant}`",
    )


def test_keys_that_name_nothing_to_read_are_free() -> None:
    assert errors("commonLabels: {Path: a}\nconfigMapGenerator: [{name: a, options: {labels: {Files: b}}}]") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("resources: [../base, missing.yaml]", "1: top/missing.yaml does not exist"),
        ("resources:\n- ../bas\n", "2: bas does not exist"),
        ("components: [missing]", "1: top/missing does not exist"),
        ("patches:\n- path: p.yaml\n", "2: top/p.yaml does not exist"),
        ("patchesStrategicMerge:\n- p.yaml\n", "2: top/p.yaml does not exist"),
        ("patchesJson6902:\n- target: {kind: A}\n  path: p.yaml\n", "3: top/p.yaml does not exist"),
        ("configMapGenerator:\n- name: a\n  files:\n  - k=v.txt\n", "4: top/v.txt does not exist"),
        ("secretGenerator:\n- name: a\n  envs: [e.env]\n", "3: top/e.env does not exist"),
        ("configMapGenerator:\n- {name: a, env: e.env}\n", "2: top/e.env does not exist"),
        ("replacements:\n- path: r.yaml\n", "2: top/r.yaml does not exist"),
        ("configurations: [c.yaml]", "1: top/c.yaml does not exist"),
        ("crds: [c.json]", "1: top/c.json does not exist"),
        ("openapi: {path: s.json}", "1: top/s.json does not exist"),
        ("transformers: [t.yaml]", "1: top/t.yaml does not exist"),
        ("generators: [g.yaml]", "1: top/g.yaml does not exist"),
        ("validators: [v.yaml]", "1: top/v.yaml does not exist"),
        ("resources: [/etc/passwd]", "1: /etc/passwd is an absolute path"),
        ("resources: [../../other]", "1: ../../other is outside of the repository"),
        ("resources: [../base/deployment.yaml]", "1: base/deployment.yaml is not in the folder of its kustomization"),
        ("configMapGenerator: [{name: a, files: [../base/service.yaml]}]", "1: base/service.yaml is not in the folder"),
        ("patches: [{path: ../base}]", "1: base is a folder, where a file is needed"),
        ("components: [kustomization.yaml]", "1: top/kustomization.yaml is a file, where a folder is needed"),
        ("resources: [.]", "1: the kustomizations form a cycle: top → top"),
        ("resources: [..]", "1: the kustomizations form a cycle: top → ."),
        ("resources: [empty]", "1: top/empty is not a kustomization: it contains no kustomization.yaml"),
    ],
)
def test_what_cannot_be_read_is_an_error_with_its_line(text: str, message: str) -> None:
    found = [str(error) for error in closed({**BASE, KUSTOMIZATION: text, "top/empty/README": ""}).errors]
    assert [error for error in found if error.startswith(f"{KUSTOMIZATION}:{message}")] == found
    assert len(found) == 1


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/team/repo",
        "https://github.com/team/repo//base?ref=v1",
        "https://example.com/crds.yaml",
        "HTTP://example.com/crds.yaml",
        "github.com/team/repo",
        "GitHub.com/team/repo//base",
        "git@github.com:team/repo.git",
        "git@example.com:team/repo.git//base?ref=v1",
        "ssh://git@example.com/team/repo.git",
        "git::https://example.com/team/repo.git",
        "git::git@example.com:team/repo",
        "gh:team/repo",
        "file:///srv/repo.git",
        "org-1234@github.com:team/repo",
    ],
)
@pytest.mark.parametrize("key", ["resources", "bases", "components", "crds", "transformers", "patchesStrategicMerge"])
def test_nothing_is_left_to_kustomize_to_fetch(key: str, address: str) -> None:
    (error,) = errors(f"namePrefix: a-\n{key}: ['{address}']\n")
    assert error.startswith(f"{KUSTOMIZATION}:2: ")
    assert "is fetched by kustomize itself, unpinned" in error


def test_only_manifests_by_url_in_resources_may_be_fetched() -> None:
    urls = ["https://example.com/a.yaml", "http://example.com/b.yml?v=1", "https://example.com/c/d.JSON"]
    others = ["https://example.com", "https://example.com/a", "http://example.com/a/b", "s3::https://example.com/a"]
    text = f"resources: {urls + others}\npatches: [{{path: {urls[0]}}}]\ncomponents: [{urls[0]}]\n"
    files = {KUSTOMIZATION: text.encode()}
    needed = closure("top", TreeFiles(files), root="", where="", may_fetch=lambda _: True)
    assert needed.remotes == tuple(sorted(urls))
    assert len(needed.errors) == len(others) + 2


def test_a_kustomization_with_urls_names_files_instead() -> None:
    url = "https://example.com/a.yaml"
    files = {
        KUSTOMIZATION: f"resources: [b.yaml, '{url}']\nnamePrefix: '012'\n".encode(),
        "base/kustomization.yaml": b"# as it was\nresources: [b.yaml]\n",
    }
    placed = with_files(files, {url: b"a: b\n"}, {})
    (name,) = (path for path in placed if path not in files)
    assert placed[name] == b"a: b\n"
    assert placed["base/kustomization.yaml"] == files["base/kustomization.yaml"]
    kept = {"resources": ["b.yaml", name.removeprefix("top/")], "namePrefix": "012"}
    assert json.loads(placed[KUSTOMIZATION]) == kept


def test_a_secret_in_a_remote_address_is_not_shown() -> None:
    (error,) = errors("resources: ['https://user:word@example.com/team/repo?token=abc']\n")
    assert "word" not in error
    assert "abc" not in error


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("github.com/team/repo//base/prod?ref=v1", "git+https://github.com/team/repo@v1//base/prod"),
        ("https://github.com/team/repo/base?ref=v1", "git+https://github.com/team/repo@v1//base"),
        ("https://github.com/team/repo.git?ref=v1", "git+https://github.com/team/repo.git@v1"),
        ("GITHUB.com:team/repo", "git+https://github.com/team/repo"),
        ("gh:team/repo/a/b", "git+https://github.com/team/repo//a/b"),
        ("https://example.com/a/b.git//c?timeout=90&ref=main&submodules=0", "git+https://example.com/a/b.git@main//c"),
        ("https://example.com/a/b/c/d?version=v2", "git+https://example.com/a/b@v2//c/d"),
        (
            "https://dev.example.com/org/project/_git/repo/path/to?ref=v1",
            "git+https://dev.example.com/org/project/_git/repo@v1//path/to",
        ),
        ("git@example.com:a/b.git//c", "git+ssh://git@example.com/a/b.git//c"),
        ("ssh://git@example.com:2222/a/b.git/c", "git+ssh://git@example.com:2222/a/b.git//c"),
        ("git::https://example.com/a/b//c", "git+https://example.com/a/b//c"),
        ("file:///srv/repo.git//c?ref=v1", "git+file:///srv/repo.git@v1//c"),
        ("file:///srv/repositories/repo", "git+file:///srv/repositories/repo"),
        ("https://example.com/a.yaml?x=1", "https://example.com/a.yaml?x=1"),
        ("https://example.com/a//../b", None),
        ("http://example.com/a/b", None),
        ("https://example.com/a/b?ref=--upload-pack=x", None),
        ("s3::https://example.com/a", None),
    ],
)
def test_what_kustomize_would_fetch_has_an_address_here(text: str, expected: str | None) -> None:
    assert remotes.address(text) == expected


def test_bases_and_components_in_git_may_be_fetched() -> None:
    bases = ["github.com/team/repo//base?ref=v1", "git@example.com:a/b.git", "https://example.com/a/b.git?ref=v1"]
    text = f"resources: {bases[:2]}\ncomponents: ['{bases[2]}']\ntransformers: ['{bases[0]}']\ncrds: ['{bases[0]}']\n"
    files = {KUSTOMIZATION: text.encode()}
    needed = closure("top", TreeFiles(files), root="", where="", may_fetch=lambda _: True)
    assert needed.remotes == tuple(sorted(bases))
    assert [error.where for error in needed.errors] == [f"{KUSTOMIZATION}:4", f"{KUSTOMIZATION}:3"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "helmCharts:\n- {name: redis, repo: 'https://charts.example.com', version: 1.10}\n",
            "2: `helmCharts` would have kustomize run helm",
        ),
        ("helmChartInflationGenerator:\n- {chartName: redis}\n", "2: `helmChartInflationGenerator` would have"),
        ("helmGlobals:\n  chartHome: charts\n", "1: `helmGlobals` would have kustomize run helm"),
        (
            "transformers:\n- |-\n  apiVersion: example.com/v1\n  kind: Sops\n  metadata: {name: a}\n",
            "2: Sops (example.com/v1) is a plug-in outside of kustomize",
        ),
        (
            "generators:\n- |-\n  apiVersion: builtin\n  kind: HelmChartInflationGenerator\n  metadata: {name: a}\n",
            "2: `HelmChartInflationGenerator` would have kustomize run helm",
        ),
        ("validators: [plugin.yaml]", "top/plugin.yaml:3: Run (v1) is a plug-in"),
        ("generators: [plugins]", "top/plugins/function.yaml:1: Run (v1) is a plug-in"),
    ],
)
def test_charts_and_plugins_are_refused(text: str, message: str) -> None:
    function = (
        "apiVersion: v1\nkind: Run\nmetadata:\n  annotations: {config.kubernetes.io/function: 'exec: {path: run}'}\n"
    )
    files = {
        **BASE,
        KUSTOMIZATION: text,
        "top/plugin.yaml": "# a\n---\n" + function,
        "top/plugins/kustomization.yaml": "resources: [function.yaml]\n",
        "top/plugins/function.yaml": function,
    }
    (error,) = (str(error) for error in closed(files).errors)
    assert error.startswith(message if message.startswith("top/") else f"{KUSTOMIZATION}:{message}")


def test_a_chart_comes_with_the_component_to_write() -> None:
    text = "helmCharts:\n- {name: redis, repo: 'https://charts.example.com', version: 1.10}\n"
    (error,) = closed({KUSTOMIZATION: text}).errors
    assert error.fix is not None
    assert "`helm: {repository: https://charts.example.com, chart: redis, version: 1.10}`" in error.fix


def test_a_cycle_names_its_way() -> None:
    files = {
        KUSTOMIZATION: "resources: [../a]\n",
        "a/kustomization.yaml": "resources: [../b]\n",
        "b/kustomization.yaml": "namePrefix: b-\ncomponents:\n- ../a\n",
    }
    (error,) = closed(files).errors
    assert str(error) == "b/kustomization.yaml:3: the kustomizations form a cycle: a → b → a"


def test_all_errors_are_found_at_once() -> None:
    text = (
        "resources: [a.yaml, ../b, 'https://example.com/c.yaml']\npatches: [{path: d.yaml}]\nhelmCharts: [{name: e}]\n"
    )
    assert len(errors(text)) == 5


def test_a_base_outside_of_the_root_is_an_error() -> None:
    files = {"input/top/kustomization.yaml": "resources: [../../base]\n", "base/kustomization.yaml": "namespace: a\n"}
    contents = {path: text.encode() for path, text in files.items()}
    (error,) = closure("input/top", TreeFiles(contents), root="input", where="").errors
    assert str(error) == "input/top/kustomization.yaml:1: ../../base is outside of input"


def test_a_ladder_of_bases_is_walked_once() -> None:
    """Each rung has two references to the next one: 2 to the power of 40 ways down."""
    files = {f"{rung}/kustomization.yaml": f"resources: [../{rung + 1}, ../{rung + 1}]\n" for rung in range(40)}
    files |= {"40/kustomization.yaml": "namespace: a\n", KUSTOMIZATION: "resources: [../0]\n"}
    assert len(closed(files).files) == 42


def test_bases_of_bases_end() -> None:
    files = {f"{step}/kustomization.yaml": f"resources: [../{step + 1}]\n" for step in range(200)}
    (error,) = closed({**files, KUSTOMIZATION: "resources: [../0]\n"}).errors
    assert "more than 50 kustomizations in each other" in str(error)


def test_kustomizations_are_counted_and_folders_listed_once() -> None:
    files = {f"{number}/kustomization.yaml": "namespace: a\n" for number in range(1100)}
    entries = "\n".join(f"- ../{number}" for number in range(1100)) + "\n- ../0" * 5000
    errors = closed({**files, KUSTOMIZATION: f"resources:\n{entries}\n"}).errors
    assert "or 1,000 in all" in str(errors[0])


def test_a_very_long_reference_takes_no_time() -> None:
    (error,) = errors(f"resources: ['github.com/{'a/' * 200_000}']\n")
    assert "is fetched by kustomize itself" in error


def test_a_name_that_is_nearly_right_is_named() -> None:
    (error,) = errors("resources: [deploiment.yaml]\n", deployment__yaml="")
    assert "did you mean 'deployment.yaml'?" in error


def test_a_missing_kustomization_is_not_looked_for_in_other_folders() -> None:
    class Unlistable(TreeFiles):
        def listed(self, folder: str) -> list[str] | None:
            assert folder, "all of the input was listed"
            return None

    missing = closure("nowhere", Unlistable({}), root="", where="input/config.yaml:5")
    assert [str(error) for error in missing.errors] == ["input/config.yaml:5: nowhere does not exist"]
