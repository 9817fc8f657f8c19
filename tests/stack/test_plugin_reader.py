"""`transformers` and `checks.plugins` in the description: plug-ins by name, functions by file and digest."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from cluster_forge.foundation.digest import Digest
from cluster_forge.stack.plugin_uses import PluginUse

if TYPE_CHECKING:
    from tests.stack.conftest import Workspace

    Native = Callable[..., Workspace]

DIGEST = Digest.of(b"#!/bin/sh\ncat\n")
FILES = {"fn.sh": "#!/bin/sh\ncat\n", "teams.csv": "a,b\n", "folder/x.csv": "", "a.yaml": ""}


def described(transformers: str, checks: str = "[]") -> str:
    return (
        f"components: [{{name: web, manifests: [a.yaml], transformers: {transformers}}}]\n"
        f"transformers: {transformers}\nchecks: {{plugins: {checks}}}\n"
    )


def test_a_plugin_has_settings_and_files(native: Native) -> None:
    text = described("[{plugin: cost, with: {label: team, deep: {m: 1}}, files: [teams.csv, ./teams.csv]}]")
    stack = native(text, FILES).load().stack
    expected = PluginUse(name="cost", settings={"label": "team", "deep": {"m": 1}}, files=("input/teams.csv",))
    for uses in (stack.transformers, stack.components[0].transformers):
        (use,) = uses
        assert use.where.startswith("input/config.yaml:")
        assert PluginUse(name=use.name, settings=use.settings, files=use.files) == expected
    assert len(stack.transforming) == 2


def test_a_function_has_its_digest_and_the_name_of_its_file(native: Native) -> None:
    stack = native(described(f"[{{exec: ./fn.sh, digest: '{DIGEST}', with: {{color: red}}}}]"), FILES).load().stack
    (use,) = stack.transformers
    assert (use.name, use.program, use.digest, use.settings) == ("fn", "input/fn.sh", DIGEST, {"color": "red"})


@pytest.mark.parametrize(
    ("file", "name"), [("Set_Tier.v2.sh", "set-tier"), (".fn", "function"), ("ä.sh", "function"), ("a b.py", "a-b")]
)
def test_the_name_of_a_function_fits_before_a_code(native: Native, file: str, name: str) -> None:
    stack = native(described(f"[{{exec: '{file}', digest: '{DIGEST}'}}]"), {**FILES, file: "#!/bin/sh\n"}).load().stack
    assert stack.transformers[0].name == name


def test_a_check_is_a_plugin(native: Native) -> None:
    (use,) = native(described("[]", "[{plugin: policy, with: {a: 1}}]"), FILES).load().stack.checks
    assert (use.name, use.settings) == ("policy", {"a": 1})


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("{}", "has neither `plugin` nor `exec`"),
        (f"{{plugin: a, exec: fn.sh, digest: '{DIGEST}'}}", "has both `plugin` and `exec`"),
        ("{exec: fn.sh}", "`exec` without `digest`"),
        ("{exec: fn.sh, digest: abc}", "'abc' is not a sha256 digest"),
        (f"{{plugin: a, digest: '{DIGEST}'}}", "`digest` without `exec`"),
        (f"{{exec: gone.sh, digest: '{DIGEST}'}}", "input/gone.sh does not exist"),
        (f"{{exec: folder, digest: '{DIGEST}'}}", "input/folder is a folder, not a file"),
        (f"{{exec: ../../fn.sh, digest: '{DIGEST}'}}", "../../fn.sh is outside of the workspace"),
        (f"{{exec: /bin/sh, digest: '{DIGEST}'}}", "/bin/sh is not a path relative to input/"),
        (f"{{exec: 'https://a/fn.sh', digest: '{DIGEST}'}}", "https://a/fn.sh is not a path relative to input/"),
        (f"{{exec: fn.sh, digest: '{DIGEST}', files: [teams.csv]}}", "`files` are for plug-ins"),
        (f"{{exec: fn.sh, digest: '{DIGEST}', with: {{m: 3}}}}", "`m` of a function is not text"),
        ("{plugin: a, files: [gone.csv]}", "input/gone.csv does not exist"),
        ("{plugin: a, wiht: {}}", "unknown key 'wiht', did you mean 'with'?"),
        ("a", "must be a mapping"),
    ],
)
def test_a_wrong_entry_is_an_error_with_its_line(native: Native, entry: str, reason: str) -> None:
    errors = native(described(f"[{entry}]"), FILES).errors()
    assert any(reason in error and error.startswith("input/config.yaml:") for error in errors), errors


def test_an_object_as_configuration_of_a_function_may_have_any_values(native: Native) -> None:
    text = described(f"[{{exec: fn.sh, digest: '{DIGEST}', with: {{apiVersion: a/v1, kind: B, m: 3}}}}]")
    (use,) = native(text, FILES).load().stack.transformers
    assert use.settings == {"apiVersion": "a/v1", "kind": "B", "m": 3}
