"""`configMaps`, and `secrets` with files: which files they hold under which keys, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pytest

from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.stack.component import Component, FilesKind
from cluster_forge.stack.object_files import LARGEST

if TYPE_CHECKING:
    from tests.stack.conftest import Workspace

    Native = Callable[..., Workspace]

FILES = {
    "boards/a.json": "{}",
    "boards/b.json": "{}",
    "boards/notes.md": "x",
    "deep/one/a.sh": "a",
    "deep/b.sh": "b",
    "start page.json": "{}",
    "pw": "secret",
    "[x].txt": "x",
}


def description(members: str) -> str:
    return f"components:\n- name: web\n  namespace: shop\n{members}"


def component(native: Native, members: str, files: Mapping[str, str] = FILES) -> Component:
    (built,) = native(description(members), files).load().stack.components
    return built


def config_map(files: str) -> str:
    return f"  configMaps: [{{name: a, files: {files}}}]\n"


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("[pw]", {"pw": "input/pw"}),
        ("[./boards/../pw]", {"pw": "input/pw"}),
        ("['../input/pw']", {"pw": "input/pw"}),
        ("[boards]", {name: f"input/boards/{name}" for name in ("a.json", "b.json", "notes.md")}),
        ("[boards/]", {name: f"input/boards/{name}" for name in ("a.json", "b.json", "notes.md")}),
        ("['boards/*.json']", {name: f"input/boards/{name}" for name in ("a.json", "b.json")}),
        ("['*/?.json', pw]", {**{name: f"input/boards/{name}" for name in ("a.json", "b.json")}, "pw": "input/pw"}),
        ("['deep/*']", {"b.sh": "input/deep/b.sh"}),
        ("['deep/*', deep/one]", {"b.sh": "input/deep/b.sh", "a.sh": "input/deep/one/a.sh"}),
        ("[pw, './pw']", {"pw": "input/pw"}),
        ("[{password: pw}]", {"password": "input/pw"}),
        ("[{start.json: start page.json, other: pw}]", {"start.json": "input/start page.json", "other": "input/pw"}),
        ("[{'..x': pw}]", None),
        ("[{x.txt: '[x].txt'}]", {"x.txt": "input/[x].txt"}),
    ],
)
def test_the_files_of_a_config_map_by_key(native: Native, named: str, expected: Mapping[str, str] | None) -> None:
    if expected is None:
        assert native(description(config_map(named)), FILES).errors()
        return
    (described,) = component(native, config_map(named)).objects_of_files
    assert (described.kind, described.name, dict(described.files)) == (FilesKind.CONFIG_MAP, "a", expected)
    assert described.where == "input/config.yaml:7"


def test_what_else_a_config_map_has(native: Native) -> None:
    members = "  configMaps:\n  - {name: a, namespace: other, files: [pw], labels: {a: '1'}, annotations: {b: c}}\n"
    (described,) = component(native, members).objects_of_files
    assert (described.namespace, described.labels, described.annotations) == ("other", {"a": "1"}, {"b": "c"})


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("[none.json]", "web: input/none.json does not exist"),
        ("[{a: none.json}]", "web: input/none.json does not exist"),
        ("['boards/*.yaml']", "web: no file matches input/boards/*.yaml"),
        ("['boards/**']", "web: `**` is not supported"),
        ("[deep]", "web: input/deep has folders (input/deep/one/a.sh), and a key has none"),
        ("[{a: boards}]", "web: input/boards is a folder, and the key 'a' takes one file"),
        ("['../../etc/passwd']", "web: ../../etc/passwd is outside of the workspace"),
        ("[{a: ../../x}]", "web: ../../x is outside of the workspace"),
        ("['../../*']", "web: ../../* is outside of the workspace"),
        ("[/etc/passwd]", "web: /etc/passwd is an absolute path"),
        ("[{a: /etc/passwd}]", "web: /etc/passwd is an absolute path"),
        ("[start page.json]", "web: 'start page.json' cannot be a key: letters, digits, `-`, `_` and `.`, at most 253"),
        ("[{'a/b': pw}]", "web: 'a/b' cannot be a key: letters, digits, `-`, `_` and `.`, at most 253"),
        ("[{..: pw}]", "web: '..' cannot be a key: letters, digits, `-`, `_` and `.`, at most 253"),
        ("[boards/a.json, {a.json: pw}]", "web: the key 'a.json' stands for input/boards/a.json and for input/pw"),
        ("[https://example.org/a.json]", "web: https://example.org/a.json is a URL"),
        ("[{}]", "web: the entry names no file"),
        ("['']", "components[0].configMaps[0].files[0]: must not be empty"),
        ("[null]", "components[0].configMaps[0].files[0]: must be text, not empty"),
        ("[{a: {b: c}}]", "components[0].configMaps[0].files[0].a: must be text, not a mapping"),
        ("[]", "components[0].configMaps[0].files: must not be an empty list"),
        ("[5]", "components[0].configMaps[0].files[0]: must be text, not the number 5"),
        ("pw", "components[0].configMaps[0].files: must be a list, not 'pw'"),
    ],
)
def test_what_is_wrong_is_an_error_with_its_place_and_a_fix(native: Native, named: str, message: str) -> None:
    error = native(description(config_map(named)), FILES).errors()[0]
    assert error.startswith(f"input/config.yaml:7: {message}"), error


def test_an_invalid_key_comes_with_the_line_to_write(native: Native) -> None:
    with pytest.raises(DescriptionError) as caught:
        native(description(config_map("[start page.json]")), FILES).load()
    assert caught.value.fix == "give it another one: `files: [{start-page.json: start page.json}]`"


def test_more_than_a_server_takes_is_refused(native: Native) -> None:
    files = {"a": "x" * (LARGEST - 1), "b": "y"}
    assert component(native, config_map("[a, b]"), files).objects_of_files
    (error,) = native(description(config_map("[a, b]")), {**files, "b": "yy"}).errors()
    assert "'a' has 1,048,577 bytes of files; an API server takes 1,048,576 at most" in error


def test_a_secret_of_files_needs_consent(native: Native) -> None:
    secret = "  secrets: [{{name: login, files: [{{password: pw}}]{more}}}]\n"
    with pytest.raises(DescriptionError) as caught:
        native(description(secret.format(more="")), FILES).load()
    error = caught.value
    assert "web: the content of the Secret 'login' would be in the repository and the image" in error.message
    assert error.where == "input/config.yaml:7"
    assert "`plaintext: true`" in str(error.fix)
    built = component(native, secret.format(more=", plaintext: true, type: example.com/login"))
    (described,) = built.objects_of_files
    assert (described.kind, described.type, dict(described.files)) == (
        FilesKind.SECRET,
        "example.com/login",
        {"password": "input/pw"},
    )
    assert built.secrets == (), "the user need not create it"


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        ("{name: a}", "the Secret 'a' has neither `keys` nor `files`"),
        ("{name: a, keys: {b: c}, files: [pw], plaintext: true}", "the Secret 'a' has both `keys` and `files`"),
        ("{name: a, keys: {b: c}, labels: {d: e}}", "`labels` without `files`"),
        ("{name: a, keys: {b: c}, plaintext: true}", "`plaintext` without `files`"),
    ],
)
def test_a_secret_has_keys_or_files(native: Native, secret: str, message: str) -> None:
    (error,) = native(description(f"  manifests: [boards/a.json]\n  secrets: [{secret}]\n"), FILES).errors()
    assert message in error


@pytest.mark.parametrize("name", ["x;id", "a*b", "$(id)", "App", "-a"])
def test_a_secret_has_a_name_that_kubernetes_takes(native: Native, name: str) -> None:
    """`deploy.sh` prints it in a command that people paste."""
    secret = f"{{name: '{name}', keys: {{b: c}}}}"
    (error,) = native(description(f"  manifests: [boards/a.json]\n  secrets: [{secret}]\n"), FILES).errors()
    assert f"{name!r} cannot be the name of an object" in error


def test_a_secret_of_a_component_without_a_namespace_is_expected_in_the_default_one(native: Native) -> None:
    secrets = "secrets: [{name: a, keys: {b: c}}, {name: d, keys: {b: c}, namespace: other}]"
    described = f"components:\n- name: web\n  manifests: [boards/a.json]\n  {secrets}\n"
    (built,) = native(described, FILES).load().stack.components
    assert [secret.namespace for secret in built.secrets] == ["default", "other"]


def test_secrets_with_and_without_files_stand_side_by_side(native: Native) -> None:
    secrets = "[{name: a, keys: {b: c}}, {name: d, files: [pw], plaintext: true}]"
    built = component(native, f"  secrets: {secrets}\n")
    assert [secret.name for secret in built.secrets] == ["a"]
    assert [described.name for described in built.objects_of_files] == ["d"]


def test_a_file_that_is_added_changes_the_record_of_inputs(native: Native) -> None:
    workspace = native(description(config_map("['boards/*.json']")), FILES)
    loaded = workspace.load()
    assert loaded.inputs.is_current(workspace)
    more = native(description(config_map("['boards/*.json']")), {**FILES, "boards/c.json": "{}"})
    assert not loaded.inputs.is_current(more)
    changed = native(description(config_map("['boards/*.json']")), {**FILES, "boards/b.json": "[]"})
    assert not loaded.inputs.is_current(changed)
