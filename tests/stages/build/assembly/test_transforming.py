"""Plug-ins and functions in a stack: what they change is in `working/`, in their order, and makes it stale when they change."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.plugin_packages import install

from cluster_forge.adapters.plugins.allowed_functions import AllowedFunctions
from cluster_forge.adapters.plugins.functions import FunctionPrograms
from cluster_forge.adapters.plugins.process import Limits
from cluster_forge.adapters.plugins.python_plugins import InstalledPlugins
from cluster_forge.adapters.threads import ThreadWorkers
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import PluginError
from cluster_forge.manifests.finding import Severity
from cluster_forge.stack.component import Component
from cluster_forge.stack.plugin_uses import PluginUse

if TYPE_CHECKING:
    from tests.stages.conftest import Harness

LABELS = """
from cluster_forge.plugin_api import Finding, Severity
class Labels:
    api_version = 1
    def transform(self, objects, context):
        for body in objects:
            labels = body["metadata"].setdefault("labels", {})
            labels["by"] = labels.get("by", "") + context.settings["by"] + context.files.get("x.txt", b"").decode()
            yield body
class Other:
    api_version = 1
    def transform(self, objects, context):
        yield from objects
        yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}, "data": {"by": context.component}}
        yield Finding(code="added", message="added one", object=objects[0])
class Nonsense:
    api_version = 1
    def transform(self, objects, context):
        return [{"kind": "ConfigMap"}]
class Twice:
    api_version = 1
    def transform(self, objects, context):
        return [*objects, *objects]
class Check:
    api_version = 1
    def check(self, objects, context):
        for one in objects:
            if one.body["kind"] == "ConfigMap":
                yield Finding(code="map", message=f"{one.component} in wave {one.wave}", severity=Severity.ERROR, object=one.body)
"""
ENTRY_POINTS = """
[cluster_forge.transformers]
labels = some:Labels
other = some:Other
nonsense = some:Nonsense
twice = some:Twice
[cluster_forge.checks]
look = some:Check
"""


@pytest.fixture
def packages(harness: Harness, tmp_path: Path) -> Path:
    install(tmp_path, "some-plugins", ENTRY_POINTS, some=LABELS)
    use_packages(harness, tmp_path)
    return tmp_path


def use_packages(harness: Harness, folder: Path) -> None:
    plugins = InstalledPlugins(limits=Limits(seconds=30), path=[*sys.path, str(folder)])
    harness.toolbox = replace(harness.toolbox, plugins=plugins)


def own(harness: Harness, name: str, **changes: Any) -> Component:
    return harness.component(name, manifests=(harness.input(f"{name}.yaml", harness.config_map(name)),), **changes)


def use(name: str, by: str = "", **changes: Any) -> PluginUse:
    return PluginUse(name=name, settings={"by": by}, where="input/config.yaml:5", **changes)


def test_the_stack_s_transformers_run_first_then_those_of_a_component(harness: Harness, packages: Path) -> None:
    harness.input("x.txt", "-x")
    a = own(harness, "a", transformers=(use("labels", "c"), use("labels", "d")))
    stack = harness.stack(
        a, own(harness, "b"), transformers=(use("labels", "a"), use("labels", "b", files=("input/x.txt",)))
    )
    harness.forge(stack)
    assert "by: ab-xcd" in harness.working["a/configmap_a_a.yaml"]
    assert "by: ab-x" in harness.working["b/configmap_b_b.yaml"]


def test_a_new_object_gets_the_namespace_and_a_finding_its_place(harness: Harness, packages: Path) -> None:
    smelted = harness.forge(harness.stack(own(harness, "a"), transformers=(use("other"),)))
    assert "namespace: a" in harness.working["a/configmap_a_new.yaml"]
    (finding,) = [one for one in smelted.findings if "/" in one.code]
    assert (finding.code, finding.severity, finding.component) == ("other/added", Severity.WARNING, "a")
    assert (str(finding.object), finding.where) == ("ConfigMap/a/a", "input/a.yaml:1")


def test_what_no_transformer_changes_has_the_same_bytes(harness: Harness, packages: Path) -> None:
    plain = harness.stack(own(harness, "a"), own(harness, "b"))
    harness.forge(plain)
    before = harness.working
    harness.forge(replace(plain, transformers=(use("other"),)))
    assert {path: text for path, text in harness.working.items() if path in before and "smelt" not in path} == before


def test_the_result_is_the_same_with_one_and_eight_workers(harness: Harness, packages: Path) -> None:
    components = [own(harness, name, transformers=(use("labels", name), use("other"))) for name in "abcdef"]
    stack = harness.stack(*components, transformers=(use("labels", "x"),))
    harness.forge(stack)
    many = harness.again()
    many.toolbox = replace(many.toolbox, plugins=harness.toolbox.plugins, workers=ThreadWorkers(8))
    many.files.files = {path: text for path, text in many.files.files.items() if not path.startswith("working/")}
    many.forge(stack)
    assert many.working == harness.working


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nonsense", "plug-in nonsense: component a: not a Kubernetes object"),
        ("twice", "plug-in twice: component a: it gave ConfigMap/a/a twice"),
        (
            "label",
            "no transformer plug-in 'label' (installed are labels, nonsense, other, twice), did you mean 'labels'",
        ),
    ],
)
def test_a_wrong_object_or_name_is_an_error_with_the_line(
    harness: Harness, packages: Path, name: str, reason: str
) -> None:
    stack = harness.stack(own(harness, "a"), transformers=(use(name),))
    (error,) = harness.errors(lambda: harness.forge(stack))
    assert isinstance(error, PluginError)
    assert reason in error.message
    assert error.where == "input/config.yaml:5"
    assert not harness.working


def test_a_check_is_a_finding_with_the_plugin_s_name(harness: Harness, packages: Path) -> None:
    stack = harness.stack(own(harness, "a"), checks=(use("look"),))
    smelted = harness.forge(stack)
    (finding,) = [one for one in smelted.findings if one.code == "look/map"]
    assert (finding.severity, finding.message, finding.component) == (Severity.ERROR, "a in wave -90", "a")
    assert not smelted.is_written
    assert harness.forge(stack, allow=frozenset({"look/map"})).is_written


def test_a_changed_plugin_its_settings_and_its_files_make_working_stale(harness: Harness, packages: Path) -> None:
    harness.input("x.txt", "1")
    stack = harness.stack(own(harness, "a"), transformers=(use("labels", "a", files=("input/x.txt",)),))
    first = harness.forge(stack)
    assert not first.is_current
    assert harness.forge(stack).is_current
    moved = replace(stack, transformers=(replace(stack.transformers[0], where="input/config.yaml:99"),))
    assert harness.forge(moved).is_current
    harness.input("x.txt", "2")
    assert not harness.forge(stack).is_current
    assert not harness.forge(replace(stack, transformers=(use("labels", "b", files=("input/x.txt",)),))).is_current
    harness.forge(stack)
    (packages / "some.py").write_text(LABELS.replace('+ context.settings["by"]', '+ "z" + context.settings["by"]'))
    use_packages(harness, packages)
    assert not harness.forge(stack).is_current
    assert "by: za2" in harness.working["a/configmap_a_a.yaml"]


def test_a_missing_file_of_a_plugin_is_an_error(harness: Harness, packages: Path) -> None:
    stack = harness.stack(own(harness, "a"), transformers=(use("labels", files=("input/gone.csv",)),))
    (error,) = harness.errors(lambda: harness.forge(stack))
    assert "input/gone.csv does not exist" in error.message


def function(harness: Harness, program: str) -> PluginUse:
    harness.input("fn.sh", program)
    return PluginUse(name="fn", program="input/fn.sh", digest=Digest.of(program.encode()), where="input/config.yaml:5")


def allow(harness: Harness, *uses: PluginUse) -> None:
    allowed = frozenset(one.digest for one in uses if one.digest)
    functions = AllowedFunctions(FunctionPrograms(harness.toolbox.reader, Limits(seconds=30)), lambda: allowed)
    harness.toolbox = replace(harness.toolbox, functions=functions)


@pytest.mark.skipif(not shutil.which("sed"), reason="sed")
def test_a_function_changes_objects(harness: Harness) -> None:
    fn = function(harness, "#!/bin/sh\nexec sed 's/a: b/a: c/'\n")
    allow(harness, fn)
    harness.forge(harness.stack(own(harness, "a"), transformers=(fn,)))
    assert "a: c" in harness.working["a/configmap_a_a.yaml"]


def test_a_function_with_another_digest_or_without_consent_does_not_run(harness: Harness) -> None:
    fn = function(harness, "#!/bin/sh\ncat\n")
    stack = harness.stack(own(harness, "a"), transformers=(fn,))
    (refused,) = harness.errors(lambda: harness.forge(stack))
    assert "you have not agreed" in refused.message
    allow(harness, fn)
    harness.input("fn.sh", "#!/bin/sh\nrm -rf /\n")
    (changed,) = harness.errors(lambda: harness.forge(stack))
    assert f"and the description has {fn.digest}" in changed.message
