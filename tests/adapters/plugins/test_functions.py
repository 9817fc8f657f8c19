"""KRM functions: programs that read and write a ResourceList, where their user agreed to their digest."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from tests.processes import becomes_true, is_alive, needs_proc

from cluster_forge.adapters.plugins import consent, resource_list
from cluster_forge.adapters.plugins.allowed_functions import AllowedFunctions
from cluster_forge.adapters.plugins.caching import CachingFunctions
from cluster_forge.adapters.plugins.functions import FunctionPrograms
from cluster_forge.adapters.plugins.process import Limits
from cluster_forge.adapters.storage.cache import FolderCache
from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import PluginError, WorkspaceError
from cluster_forge.manifests.finding import Severity
from cluster_forge.ports.plugins import PluginContext, PluginFinding, Transformed, TransformTask
from cluster_forge.stack.plugin_uses import PluginUse

MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"n": "1"}}
CONTEXT = PluginContext(
    stack="s", environment="", kubernetes="1.33.0", size="small", component="shop", namespace="shop"
)
PYTHON = f"#!{sys.executable}\n"


def run(
    program: str, *, settings: Any = None, seconds: float = 20, memory: int = 1024, is_allowed: bool = True
) -> Transformed:
    content = dedent(program).encode()
    allowed = {Digest.of(content)} if is_allowed else set()
    functions = AllowedFunctions(
        FunctionPrograms(PurePythonYaml(), Limits(seconds=seconds, memory=memory)), lambda: allowed
    )
    use = PluginUse(name="fn", program="input/fn.sh", settings=settings or {}, where="input/config.yaml:9")
    return functions.run(use, content, TransformTask(context=CONTEXT, objects=[MAP]))


def failure(program: str, **options: Any) -> PluginError:
    with pytest.raises(PluginError) as caught:
        run(program, **options)
    assert caught.value.where == "input/config.yaml:9"
    assert caught.value.fix
    return caught.value


def test_a_function_that_passes_everything_on_changes_nothing() -> None:
    assert run("#!/bin/sh\ncat\n") == Transformed(objects=(MAP,))


def test_a_function_gets_its_configuration_and_gives_results() -> None:
    program = PYTHON + dedent(
        """
        import json, sys
        text = sys.stdin.read()
        assert 'color: red' in text and 'kind: ConfigMap' in text, text
        print(json.dumps({"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": [], "results": [
            {"message": "gone", "severity": "error", "field": {"path": "data.n"},
             "resourceRef": {"apiVersion": "v1", "kind": "ConfigMap", "name": "a"}},
            {"message": "told"}]}))
        """
    )
    result = run(program, settings={"color": "red"})
    assert result.objects == ()
    assert [(one.code, one.severity, one.message) for one in result.findings] == [
        ("fn/result", Severity.ERROR, "data.n: gone"),
        ("fn/result", Severity.NOTICE, "told"),
    ]
    assert result.findings[0].object == {"apiVersion": "v1", "kind": "ConfigMap", "namespace": "", "name": "a"}


def test_a_configuration_that_is_an_object_stays_as_it_is() -> None:
    assert "functionConfig:\n  apiVersion: x/v1\n  kind: Set\n" in resource_list.written(
        [], {"apiVersion": "x/v1", "kind": "Set"}
    )


def test_annotations_of_orchestrators_and_local_objects_do_not_reach_the_cluster() -> None:
    items = [
        {**MAP, "metadata": {"name": "a", "annotations": {"internal.config.kubernetes.io/index": "0", "mine": "x"}}},
        {**MAP, "metadata": {"name": "b", "annotations": {"config.kubernetes.io/path": "x.yaml"}}},
        {**MAP, "metadata": {"name": "c", "annotations": {"config.kubernetes.io/local-config": "true"}}},
    ]
    read = resource_list.read({"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": items}, "fn")
    assert [one["metadata"] for one in read.objects] == [{"name": "a", "annotations": {"mine": "x"}}, {"name": "b"}]


COUNTING = """
    #!/bin/sh
    echo ran >>{log}
    cat
"""


def test_a_result_is_kept_by_all_that_a_function_gets_and_given_with_consent_alone(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = dedent(COUNTING.format(log=log)).strip().encode()
    allowed = {Digest.of(program)}
    functions = AllowedFunctions(
        CachingFunctions(FunctionPrograms(PurePythonYaml(), Limits(seconds=20)), FolderCache(tmp_path / "cache")),
        lambda: allowed,
    )

    def given(body: Any, settings: Any = None) -> Transformed:
        use = PluginUse(name="fn", program="input/fn.sh", settings=settings or {}, where="input/config.yaml:9")
        return functions.run(use, program, TransformTask(context=CONTEXT, objects=[body]))

    def runs() -> int:
        return len(log.read_text().splitlines())

    other = {**MAP, "data": {"n": "2"}}
    large = {**MAP, "data": {"n": 2**70}}
    assert [[*given(MAP).objects] for _ in range(2)] == [[MAP]] * 2
    assert runs() == 1
    assert [*given(other).objects] == [other]
    assert [*given(MAP, {"a": "b"}).objects] == [MAP]
    assert runs() == 3
    assert [[*given(large).objects] for _ in range(2)] == [[large]] * 2
    assert runs() == 5
    allowed.clear()
    with pytest.raises(PluginError, match="have not agreed"):
        given(MAP)


def test_findings_are_kept_with_the_result(tmp_path: Path) -> None:
    finding = PluginFinding(code="result", severity=Severity.WARNING, message="é", object={"kind": "A"}, fix="do")
    result = Transformed(objects=[MAP], findings=(finding,))

    class Once:
        left = 1

        def run(self, use: PluginUse, program: bytes, task: TransformTask) -> Transformed:
            self.left -= 1
            assert self.left == 0
            return result

    functions = CachingFunctions(Once(), FolderCache(tmp_path))
    use = PluginUse(name="fn", program="input/fn.sh")
    task = TransformTask(context=CONTEXT, objects=[MAP])
    assert [functions.run(use, b"x", task) for _ in range(2)] == [result] * 2


def test_a_function_without_consent_does_not_run(tmp_path: Path) -> None:
    program = f"#!/bin/sh\ntouch {tmp_path}/ran\ncat\n"
    error = failure(program, is_allowed=False)
    assert "you have not agreed to run it" in error.message
    assert f"cluster-forge plugins allow {Digest.of(program.encode())}" in (error.fix or "")
    assert not (tmp_path / "ran").exists()


def test_a_function_has_an_empty_folder_and_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    program = PYTHON + dedent(
        """
        import json, os
        seen = {"files": os.listdir("."), "keys": sorted(os.environ), "home": os.environ["HOME"] == os.getcwd()}
        print(json.dumps({"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": [seen]}))
        """
    )
    (seen,) = run(program).objects
    assert seen["files"] == []
    assert seen["home"] is True
    assert "AWS_SECRET_ACCESS_KEY" not in seen["keys"]


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("#!/bin/sh\necho broken >&2; exit 3\n", "component shop: it failed with exit code 3: broken"),
        (
            "#!/bin/sh\necho '{apiVersion: config.kubernetes.io/v1, kind: ResourceList, results: [{message: no team, severity: error}]}'; exit 1\n",
            "it failed with exit code 1: no team",
        ),
        ("#!/bin/sh\nkill -SEGV $$\n", "it was ended by signal 11"),
        ("#!/bin/sh\necho '{{'\n", "what it wrote is not YAML"),
        ("#!/bin/sh\nprintf '\\377'\n", "what it wrote is not UTF-8 text"),
        ("#!/bin/sh\n", "it wrote no ResourceList"),
        ("#!/bin/sh\necho 'hello'\n", "it wrote no ResourceList"),
        ("#!/bin/sh\nrm ../stdout ../stderr; mkfifo ../stdout ../stderr; echo 'hello'\n", "it wrote no ResourceList"),
        ("#!/bin/sh\necho '{apiVersion: config.kubernetes.io/v1, kind: ResourceList, items: 3}'\n", "are not a list"),
        ("no program", "it cannot be started"),
        ("#!/bin/sh\nsleep 30\n", "it took longer than 1 s and was stopped"),
        ("#!/bin/sh\nexec head -c 400000000 /dev/zero\n", "it wrote more than 64 MiB"),
        ("#!/bin/sh\nyes\n", "it wrote more than 64 MiB"),
        ("#!/bin/sh\nyes; cat\n", "it wrote more than 64 MiB"),
    ],
)
def test_a_failure_names_the_function_and_the_component(program: str, reason: str) -> None:
    error = failure(program, seconds=1 if "sleep" in program else 20)
    assert error.message.startswith("function input/fn.sh: component shop: ")
    assert reason in error.message


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit")
def test_memory_is_limited() -> None:
    assert "more than 256 MiB of memory" in failure(f"{PYTHON}x = 'x' * (1 << 30)\n", memory=256).message


@needs_proc
def test_what_a_function_started_ends_with_it(tmp_path: Path) -> None:
    started = tmp_path / "started"
    run(f"#!/bin/sh\nsleep 60 >/dev/null 2>&1 &\necho $! >{started}\ncat\n")
    process = int(started.read_text())
    assert becomes_true(lambda: not is_alive(process), 5)


def test_consent_is_kept_for_this_user_and_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    one, other = Digest.of(b"1"), Digest.of(b"2")
    assert consent.allowed() == frozenset()
    consent.allow([one, other])
    assert consent.allowed() == {one, other}
    consent.forget([other])
    file = tmp_path / "cluster-forge" / "allowed-functions"
    assert consent.allowed() == {one}
    assert file.stat().st_mode & 0o077 == 0
    file.write_text(file.read_text().replace(str(one), str(other)) + f"nonsense\n{other} x\n")
    assert consent.allowed() == frozenset()


def test_consent_needs_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cluster-forge").write_text("in the way")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with pytest.raises(WorkspaceError, match="no place where only you can write"):
        consent.allow([Digest.of(b"1")])
    assert consent.allowed() == frozenset()
    assert os.listdir(tmp_path) == ["cluster-forge"]  # noqa: PTH208 - nothing else came
