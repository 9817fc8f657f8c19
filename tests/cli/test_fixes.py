"""Fixes fit the verb: no mirror helps one that does not fetch sources, and it has no option for one."""

from __future__ import annotations

import pytest
from tests.cli.conftest import Workspace

from cluster_forge.cli import fixes
from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import FetchError, ForgeError


@pytest.mark.parametrize(
    ("fix", "left"),
    [
        ("try again later, or use a mirror that has it: --mirror DIR", "try again later"),
        ("use another version, or a mirror that has it: --mirror DIR", "use another version"),
        ("use another one, or a mirror that has the chart: --mirror DIR", "use another one"),
        ("send it as it is; or use a mirror that has them: --mirror DIR", "send it as it is"),
        ("check it, or use a mirror that has it: --mirror DIR; if not, wait", "check it; if not, wait"),
        ("use another version, or a mirror: --mirror DIR", "use another version"),
        ("use a mirror that has it: --mirror DIR", "use a mirror that has it: --mirror DIR"),
        (None, None),
    ],
)
def test_a_mirror_is_not_advised(fix: str | None, left: str | None) -> None:
    group: ExceptionGroup[ForgeError] = ExceptionGroup("", [FetchError("a", fix=fix), FetchError("b", fix="c")])
    with pytest.raises(ExceptionGroup) as caught, fixes.without_mirrors():
        raise group
    assert [inner.fix for inner in leaves(caught.value) if isinstance(inner, ForgeError)] == [left, "c"]


def test_bugs_and_interruptions_pass() -> None:
    for error in (KeyError("x"), KeyboardInterrupt(), SystemExit(3)):
        with pytest.raises(type(error)), fixes.without_mirrors():
            raise error


DESCRIPTION = """\
apiVersion: cluster-forge/v1
kind: Stack
name: a
gitops: {engine: none}
components: [{name: b, helm: {repository: "oci://127.0.0.1:1/team", chart: app, version: 1.0.0}}]
"""


@pytest.mark.parametrize(
    ("arguments", "advises"), [(("pull", "oci://127.0.0.1:1/team/app:1"), False), (("mine",), True)]
)
def test_a_registry_that_does_not_answer(workspace: Workspace, arguments: tuple[str, ...], *, advises: bool) -> None:
    workspace.write({"input/config.yaml": DESCRIPTION})
    output = workspace.run(*arguments)
    assert output.code == 13
    assert "127.0.0.1:1" in output.err
    assert ("--mirror DIR" in output.err) is advises
