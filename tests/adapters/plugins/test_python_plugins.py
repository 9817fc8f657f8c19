"""A plug-in runs in a process of its own: whatever it does, its user gets a result or an error that names it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from tests.plugin_packages import install
from tests.processes import becomes_true, is_alive, needs_proc

from cluster_forge.adapters.plugins.downloads import PluginDownloads
from cluster_forge.adapters.plugins.process import Limits
from cluster_forge.adapters.plugins.python_plugins import InstalledPlugins
from cluster_forge.foundation.errors import FetchError, OfflineError, PluginError
from cluster_forge.manifests.finding import Severity
from cluster_forge.ports.plugins import (
    CheckedObject,
    DeliveredComponent,
    DeliveredStack,
    PluginContext,
    PluginKind,
    TransformTask,
)
from cluster_forge.stack.plugin_uses import PluginUse

CONTEXT = PluginContext(
    stack="s", environment="production", kubernetes="1.33.0", size="small", component="shop", namespace="shop"
)
MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"n": "1"}}
USE = PluginUse(name="it", where="input/config.yaml:7")


class Plugins:
    """Plug-ins called ``it``, made from the body of their method."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def transformer(self, body: str, *, head: str = "", api_version: str = "1") -> None:
        self.plugin("transformers", "transform(self, objects, context)", body, head=head, api_version=api_version)

    def plugin(self, kind: str, method: str, body: str, *, head: str = "", api_version: str = "1") -> None:
        lines = [
            head,
            "class It:",
            '    """Does it."""',
            f"    api_version = {api_version}",
            f"    def {method}:",
            *(f"        {line}" for line in body.splitlines()),
        ]
        install(self.folder, "it-package", f"[cluster_forge.{kind}]\nit = it:It\n", it="\n".join(lines))

    def installed(self, seconds: float = 20, memory: int = 1024) -> InstalledPlugins:
        return InstalledPlugins(limits=Limits(seconds=seconds, memory=memory), path=[*sys.path, str(self.folder)])

    def result(self, *objects: Any, **limits: Any) -> Any:
        task = TransformTask(context=CONTEXT, objects=objects or [MAP])
        (result,) = self.installed(**limits).transform(USE, {"input/t.csv": b"a,b\n"}, [task])
        return result

    def error(self, **limits: Any) -> PluginError:
        with pytest.raises(PluginError) as caught:
            self.result(**limits)
        return caught.value


@pytest.fixture
def plugins(tmp_path: Path) -> Plugins:
    return Plugins(tmp_path)


def test_a_transformer_changes_adds_and_removes_objects_and_finds_something(plugins: Plugins) -> None:
    plugins.transformer(
        "first = objects[0]\n"
        "first['data']['file'] = context.files['t.csv'].decode()\n"
        "yield first\n"
        "yield {**first, 'metadata': {'name': context.component + context.settings.get('x', '-new')}}\n"
        "yield Finding(code='no-owner', message='none', severity=Severity.ERROR, object=first, fix='add one')",
        head="from cluster_forge.plugin_api import Finding, Severity",
    )
    result = plugins.result(MAP, {**MAP, "metadata": {"name": "gone"}})
    assert [one["metadata"]["name"] for one in result.objects] == ["a", "shop-new"]
    assert result.objects[0]["data"] == {"n": "1", "file": "a,b\n"}
    (finding,) = result.findings
    assert (finding.code, finding.severity, finding.fix) == ("it/no-owner", Severity.ERROR, "add one")
    assert finding.object == {"apiVersion": "v1", "kind": "ConfigMap", "namespace": "", "name": "a"}


def test_tasks_are_answered_in_their_order_by_one_process(plugins: Plugins) -> None:
    plugins.transformer("self.calls = getattr(self, 'calls', 0) + 1\nreturn [{'n': self.calls}]")
    tasks = [TransformTask(context=CONTEXT, objects=[]) for _ in range(3)]
    assert [one.objects for one in plugins.installed().transform(USE, {}, tasks)] == [[{"n": n}] for n in (1, 2, 3)]


def test_output_is_never_an_answer_and_input_never_a_request(plugins: Plugins) -> None:
    plugins.transformer(
        "print('x' * 200_000, flush=True)\nos.write(1, b'y' * 200_000)\nassert sys.stdin.read() == ''\nreturn objects",
        head="import os, sys",
    )
    assert plugins.result().objects == [MAP]


def test_a_transformer_sees_nothing_of_the_environment_but_where_programs_are(
    plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("CF_ANYTHING", "x")
    plugins.transformer("return [{'env': sorted(os.environ), 'files': os.listdir('.')}]", head="import os")
    (seen,) = plugins.result().objects
    assert "AWS_SECRET_ACCESS_KEY" not in seen["env"]
    assert "CF_ANYTHING" not in seen["env"]
    assert seen["files"] == []


@pytest.mark.parametrize(
    ("body", "reason", "where"),
    [
        ("raise ValueError('bad row')", "component shop: ValueError: bad row", "it.py:6"),
        ("import sys\nsys.exit(3)", "component shop: it called sys.exit(3)", "it.py:7"),
        ("import os\nos._exit(5)", "component shop: ended its process with exit code 5", ""),
        ("import ctypes\nctypes.string_at(0)", "component shop: was ended by SIGSEGV", ""),
        ("return 5", "component shop: `transform` gave a value of the type int, not a list", ""),
        ("pass", "component shop: `transform` gave nothing, not a list or an iterator", ""),
        ("return 'text'", "`transform` gave a value of the type str", ""),
        ("return [3]", "object 1 that `transform` gave is a value of the type int, not a mapping", ""),
        ("return [{1: 2}]", "a key of it is of the type int: '1' must be text", ""),
        ("return [{'a': {'b': [float('nan')]}}]", "a.b[0] is nan, which JSON does not have", ""),
        ("return [{'a': 1 << 63}]", "a is an integer of more than 64 bits", ""),
        ("return [{'a': chr(0xd800)}]", "a has a character that UTF-8 does not have", ""),
        ("import datetime\nreturn [{'a': datetime.date.today()}]", "a is of the type date", ""),
        ("d = {}\nd['d'] = d\nreturn [d]", "nested deeper than 100 levels", ""),
        ("while True: pass", "component shop: took longer than 3 s and was stopped", ""),
        (
            "for fd in range(3, 20):\n    try: os.write(fd, b'A' * 64)\n    except OSError: pass\nreturn objects",
            "component shop: sent something else than an answer",
            "",
        ),
    ],
)
def test_a_failure_names_the_plugin_the_package_and_the_line(
    plugins: Plugins, body: str, reason: str, where: str
) -> None:
    plugins.transformer(body, head="import os")
    error = plugins.error(seconds=3)
    assert error.message.startswith("transformer plug-in it (it-package 1.0): ")
    assert reason in error.message
    assert error.where == (where or "input/config.yaml:7")
    assert error.fix


def test_memory_is_limited(plugins: Plugins) -> None:
    plugins.transformer("return [{'a': 'x' * (3 << 30)}]")
    error = plugins.error(memory=512)
    assert "memory" in error.message
    assert "--render-memory" in (error.fix or "")


@needs_proc
def test_what_a_plugin_started_ends_with_it(plugins: Plugins, tmp_path: Path) -> None:
    started = tmp_path / "started"
    plugins.transformer(
        f"subprocess.Popen(['/bin/sh', '-c', 'echo $$ >{started}; exec sleep 60'])\ntime.sleep(60)",
        head="import subprocess, time",
    )
    plugins.error(seconds=3)

    process = int(started.read_text())
    assert becomes_true(lambda: not is_alive(process), 5)


def test_a_problem_of_the_user_has_the_place_and_the_way_out_that_the_plugin_says(plugins: Plugins) -> None:
    plugins.transformer(
        "raise ProblemError('no team', where='input/t.csv:2', fix='add it')",
        head="from cluster_forge.plugin_api import ProblemError",
    )
    error = plugins.error()
    assert (error.where, error.fix) == ("input/t.csv:2", "add it")
    assert error.message.endswith("component shop: no team")


@pytest.mark.parametrize(
    ("head", "api_version", "reason"),
    [
        ("import not_there", "1", "ModuleNotFoundError: No module named 'not_there'"),
        ("def broken(:", "1", "SyntaxError"),
        ("raise RuntimeError('at import')", "1", "RuntimeError: at import"),
        ("", "2", "it:It was written for API version 2; this program has 1"),
        ("", "None", "it:It does not say its `api_version`"),
    ],
)
def test_what_cannot_be_loaded_is_listed_with_the_reason(
    plugins: Plugins, head: str, api_version: str, reason: str
) -> None:
    plugins.transformer("return objects", head=head, api_version=api_version)
    (shown,) = plugins.installed().installed()
    assert (shown.kind, shown.name, shown.package, shown.version) == (PluginKind.TRANSFORMER, "it", "it-package", "1.0")
    assert shown.api_version is None
    assert reason in shown.problem
    assert reason in plugins.error().message


def test_one_that_can_be_loaded_is_listed_with_its_first_line(plugins: Plugins) -> None:
    plugins.transformer("return objects")
    (shown,) = plugins.installed().installed()
    assert (shown.api_version, shown.summary, shown.problem) == (1, "Does it.", "")


def test_a_name_of_two_packages_is_of_neither(plugins: Plugins) -> None:
    plugins.transformer("return objects")
    install(plugins.folder, "other", "[cluster_forge.transformers]\nit = it:It\n")
    assert "several packages have a plug-in of this name (it-package, other)" in plugins.error().message


def test_a_name_that_is_not_installed_has_the_nearest_one(plugins: Plugins) -> None:
    plugins.transformer("return objects")
    with pytest.raises(PluginError, match=r"no transformer plug-in 'itt' \(installed are it\), did you mean 'it'\?"):
        plugins.installed().transform(PluginUse(name="itt"), {}, [])


def test_the_current_folder_brings_no_plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Plugins(tmp_path).transformer("return objects")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "it" not in [one.name for one in InstalledPlugins().installed()]


def test_the_identity_changes_with_the_version_and_each_file(plugins: Plugins, tmp_path: Path) -> None:
    plugins.transformer("return objects")
    before = plugins.installed().identity(PluginKind.TRANSFORMER, USE)
    assert before == plugins.installed().identity(PluginKind.TRANSFORMER, USE)
    assert before.startswith("it-package 1.0 ")
    (tmp_path / "it.py").write_text((tmp_path / "it.py").read_text() + "\n# a comment\n")
    after = plugins.installed().identity(PluginKind.TRANSFORMER, USE)
    assert after != before


def test_a_check_finds_something_in_the_whole_stack(plugins: Plugins) -> None:
    plugins.plugin(
        "checks",
        "check(self, objects, context)",
        "for one in objects:\n    yield Finding(code='x', message=f'{one.component} {one.wave} {context.stack}', object=one.body)",
        head="from cluster_forge.plugin_api import Finding",
    )
    objects = [CheckedObject(component="shop", wave=3, body=MAP)]
    (finding,) = plugins.installed().check(USE, {}, CONTEXT, objects)
    assert (finding.code, finding.message) == ("it/x", "shop 3 s")


def test_a_source_gets_the_environment_and_gives_bytes(plugins: Plugins, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IT_TOKEN", "t")
    plugins.plugin(
        "sources", "get(self, address, limit)", "return (address + os.environ['IT_TOKEN']).encode()", head="import os"
    )
    assert plugins.installed().fetch("it://bucket/x", 100) == b"it://bucket/xt"
    with pytest.raises(PluginError, match="14 bytes; the limit is 3"):
        plugins.installed().fetch("it://bucket/x", 3)


def test_a_source_without_content_says_so(plugins: Plugins) -> None:
    plugins.plugin("sources", "get(self, address, limit)", "raise FileNotFoundError(address)")
    with pytest.raises(FileNotFoundError):
        plugins.installed().fetch("it://bucket/x", 100)


STACK = DeliveredStack(
    folder="/somewhere/stacks/s",
    name="s",
    environment="",
    components=[DeliveredComponent(name="shop", namespace="shop", wave=0, objects=[MAP])],
    settings={"dir": "/tmp"},
)


def test_a_delivery_reports_its_events_as_they_come(plugins: Plugins) -> None:
    plugins.plugin(
        "deliveries",
        "deliver(self, stack)",
        "for one in stack.components:\n"
        "    yield Event(component=one.name, state=State.STARTED)\n"
        "    yield Event(component=one.name, state=State.DONE, message=f'{len(one.objects)} to {stack.settings[\"dir\"]}')",
        head="from cluster_forge.plugin_api import Event, State",
    )
    events = list(plugins.installed().deliver("it", STACK, patience=20))
    assert [(one.component, one.state, one.message) for one in events] == [
        ("shop", "started", ""),
        ("shop", "done", "1 to /tmp"),
    ]


def test_a_delivery_that_says_nothing_for_too_long_is_stopped(plugins: Plugins) -> None:
    plugins.plugin(
        "deliveries",
        "deliver(self, stack)",
        "yield Event(component='shop', state='started')\nwhile True: pass",
        head="from cluster_forge.plugin_api import Event",
    )
    events = plugins.installed().deliver("it", STACK, patience=2)
    assert next(events).state == "started"
    with pytest.raises(PluginError, match="took longer than 2 s"):
        next(events)


def test_what_a_source_cannot_fetch_is_a_failed_download(plugins: Plugins) -> None:
    plugins.plugin(
        "sources",
        "get(self, address, limit)",
        "raise ProblemError('no access', fix='log in')",
        head="from cluster_forge.plugin_api import ProblemError",
    )
    downloads = PluginDownloads(plugins.installed, is_offline=False)
    with pytest.raises(FetchError, match="no access") as caught:
        downloads.get("it://bucket/x", limit_bytes=100)
    assert caught.value.fix == "log in"
    with pytest.raises(OfflineError):
        PluginDownloads(plugins.installed, is_offline=True).get("it://bucket/x", limit_bytes=100)
