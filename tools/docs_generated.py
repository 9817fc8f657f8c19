"""Writes the generated parts of the documentation: keys of the description, options of the verbs, exit codes.

Run: python tools/docs_generated.py [--check]        (needs the package; a test fails when it is due)

A part stands between ``<!-- generated: NAME -->`` and ``<!-- /generated -->``; what it is called says what it holds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import click
from pydantic import BaseModel
from tools.tables import table

from cluster_forge.catalog import component_format
from cluster_forge.catalog.library import packaged
from cluster_forge.cli.app import VERBS, cluster_forge
from cluster_forge.cli.commands.help import exit_codes
from cluster_forge.cli.help_page import words_of
from cluster_forge.manifests.finding_codes import WHY
from cluster_forge.stack import json_schemas
from cluster_forge.stack.legacy import schema as legacy
from cluster_forge.stack.schema import changes, component, description
from cluster_forge.stack.schema.changes import ChangesSchema
from cluster_forge.stages.deliver.preflight import registry as preflight

DOCS: Final = Path(__file__).resolve().parents[1] / "docs"
_OPEN, _SHUT, _END = "<!-- generated: ", " -->", "<!-- /generated -->"


def main() -> int:
    stale = []
    for path in sorted(DOCS.rglob("*.md")):
        before = path.read_text(encoding="utf-8")
        after = renewed(before)
        if after != before:
            stale.append(path.relative_to(DOCS.parent).as_posix())
            if "--check" not in sys.argv:
                path.write_text(after, encoding="utf-8")
    print("\n".join(stale))
    if stale and "--check" in sys.argv:
        print("not current: run `python tools/docs_generated.py`")
        return 1
    return 0


def renewed(text: str) -> str:
    """The page with its generated parts generated again."""
    head, *rest = text.split(_OPEN)
    parts = [head]
    for part in rest:
        name, _, after = part.partition(_SHUT)
        _, end, tail = after.partition(_END)
        if not end:
            raise SystemExit(f"the part {name!r} has no {_END}")
        parts += [_OPEN, name, _SHUT, "\n\n", _part(name), "\n", _END, tail]
    return "".join(parts)


def _part(name: str) -> str:
    kind, _, rest = name.partition(" ")
    return "".join(f"{line}\n" for line in _GENERATORS[kind](rest))


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A table of plain text."""
    return table(head, ([cell.replace("<", "&lt;") for cell in row] for row in rows))


def _keys(model: str) -> Iterator[str]:
    """The keys of a model of the description: what they take, what they are without it, what they mean.

    Those of changes, which the stack and each component have, are in a table of their own.
    """
    modules = (changes, description, component, legacy, component_format)
    found = (getattr(module, model, None) for module in modules)
    shape = next(each for each in found if isinstance(each, type))
    assert issubclass(shape, BaseModel)
    described = shape.model_json_schema(by_alias=True)
    required = described.get("required", ())
    means = json_schemas.descriptions(shape)
    elsewhere = {field.alias for field in ChangesSchema.model_fields.values()} if shape in _CHANGED else ()
    own = ((key, value) for key, value in described["properties"].items() if key not in elsewhere)
    properties = sorted(own, key=lambda each: each[0] not in required)
    rows = [
        (f"`{key}`", _takes(value), "*needed*" if key in required else _default(value), means.get(key, ""))
        for key, value in properties
    ]
    return _table(("key", "takes", "default", "means"), rows)


_CHANGED: Final = (description.StackSchema, component.ComponentSchema)


def _default(value: Mapping[str, Any]) -> str:
    default = value.get("default")
    if default in (None, "", [], {}) or isinstance(default, dict):
        return ""
    text = str(default).lower() if isinstance(default, bool) else default
    return f"`{text}`" if not isinstance(default, list) else f"`[{', '.join(default)}]`"


def _takes(value: Mapping[str, Any]) -> str:
    """A schema in a few words."""
    if "enum" in value or "const" in value:
        return ", ".join(f"`{each}`" for each in value.get("enum", [value.get("const")]))
    if "$ref" in value:
        return "mapping"
    choices = value.get("anyOf") or value.get("oneOf")
    if choices:
        found = [_takes(each) for each in choices if each.get("type") != "null"]
        return " or ".join(dict.fromkeys(found))
    kind = value.get("type", "anything")
    if kind == "array":
        inner = _takes(value.get("items", {}))
        return f"list of {inner}" if inner not in ("text", "mapping") else f"list of {inner}s"
    names = {"string": "text", "integer": "number", "boolean": "`true`, `false`", "object": "mapping", "array": "list"}
    kinds = kind if isinstance(kind, list) else [kind]
    return " or ".join(names.get(each, str(each)) for each in kinds)


def _commands() -> Iterator[tuple[str, click.Command]]:
    """Every verb with its name as it is typed."""
    context = click.Context(cluster_forge)
    for verb in VERBS:
        found = cluster_forge.get_command(context, verb)
        assert found is not None
        if not isinstance(found, click.Group):
            yield verb, found
        group = found if isinstance(found, click.Group) else words_of(found)
        for name, inner in group.commands.items() if group else ():
            yield f"{verb} {name}", inner


def _options(which: str) -> Iterator[str]:
    """``common``: the options of the verb that has the fewest, which are all verbs'; ``other``: the rest, with the verbs that have them.
    Options with one name that mean something else for other verbs are rows of their own.
    """
    verbs: dict[tuple[str, str], list[str]] = {}
    for verb, command in _commands():
        for option in command.params:
            if isinstance(option, click.Option):
                verbs.setdefault((_label(option), option.help or ""), []).append(verb)
    most = max(map(len, verbs.values()))
    if which == "common":
        return _table(("option", "means"), (option for option, found in verbs.items() if len(found) == most))
    rows = (
        (label, ", ".join(f"`{verb}`" for verb in found), text)
        for (label, text), found in verbs.items()
        if len(found) < most
    )
    return _table(("option", "verbs", "means"), rows)


def _label(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in sorted(option.opts, key=len))
    if option.is_flag:
        return names
    if isinstance(option.type, click.Choice):
        return f"{names} {'|'.join(map(str, option.type.choices))}"
    return f"{names} {option.metavar or 'N'}"


def _errors(_: str) -> Iterator[str]:
    """The exit codes that ``cluster-forge help errors`` prints."""
    rows = (
        (str(code), f"`{name}`" if name else "", family, meaning)
        for family, codes in exit_codes()
        for code, name, meaning in codes
    )
    return _table(("exit code", "error", "family", "means"), rows)


def _preflight(_: str) -> Iterator[str]:
    """The codes of the checks before a deployment."""
    return _table(("code", "means"), ((f"`{code}`", meaning) for code, meaning in preflight.CODES.items()))


def _checks(_: str) -> Iterator[str]:
    """The finding codes that have a page, each with why it matters."""
    pages = ((code, why) for code, why in WHY.items() if (DOCS / "checks" / f"{code}.md").is_file())
    return _table(("finding", "why it matters"), ((f"[`{code}`]({code}.md)", why) for code, why in pages))


def _catalog(what: str) -> Iterator[str]:
    """Tables of the catalog: its components, collections, wirings, and the exceptions from its rules."""
    library = packaged()
    components = library.components()
    if what == "components":
        return _table(
            ("component", "what it does", "versions, each with its Kubernetes", "needs"),
            (
                (
                    f"[{each.name}](catalog/{each.name}.md){_state(each)}",
                    each.description,
                    "; ".join(f"{version.version} for {version.kubernetes}" for version in each.versions),
                    ", ".join(f"`{need.name}`{_at(need.sizes)}" for need in each.needed),
                )
                for each in components
            ),
        )
    if what == "collections":
        return _table(
            ("collection", "what it is for", "members"),
            (
                (
                    f"[{name}](catalog/collection-{name}.md)",
                    each.description,
                    ", ".join(f"`{member}`" for member in each.members),
                )
                for name, each in library.collections.items()
            ),
        )
    if what == "distributions":
        return _table(
            ("distribution", "`target.kubernetes` contains", "brings"),
            (
                (each.title, f"`{each.version}`", ", ".join(f"`{name}`" for name in each.provides))
                for each in library.distributions.values()
            ),
        )
    if what == "wiring":
        return _table(
            ("component", "where there is", "what for"),
            (
                (f"`{each.name}`", f"{_where(wiring)}{_at(wiring.sizes)}", wiring.purpose)
                for each in components
                for wiring in each.wiring
            ),
        )
    return _table(
        ("component", "rule", "objects", "why"),
        (
            (f"`{each.name}`", exception.rule, _patterns(exception.objects), exception.reason)
            for each in components
            for exception in each.exceptions
        ),
    )


def _state(component: component_format.CatalogComponent) -> str:
    return "" if component.lifecycle.state == "active" else f" ({component.lifecycle.state})"


def _at(sizes: Iterable[str]) -> str:
    given = list(sizes)
    return "" if given == list(component_format.ALL_SIZES) else f" (at {', '.join(given)})"


def _where(wiring: component_format.Wiring) -> str:
    parts = [" and ".join(f"`{name}`" for name in wiring.all_of)] if wiring.all_of else []
    parts += ["without " + " and ".join(f"`{name}`" for name in wiring.none_of)] if wiring.none_of else []
    return " ".join(parts) or "always"


def _patterns(objects: list[str] | str) -> str:
    return ", ".join(f"`{each}`" for each in ([objects] if isinstance(objects, str) else objects))


_GENERATORS: Final[Mapping[str, Callable[[str], Iterator[str]]]] = {
    "keys": _keys,
    "options": _options,
    "errors": _errors,
    "preflight": _preflight,
    "checks": _checks,
    "catalog": _catalog,
}

if __name__ == "__main__":
    sys.exit(main())
