"""Generates src/cluster_forge/manifests/merge_key_table.py: how the lists of Kubernetes' own kinds merge.

Run: python tools/merge_keys.py [--output FILE]        (needs pip and a package index)

The source is the OpenAPI document of each minor, as the package kubernetes-validate has it: the `definitions` of
Kubernetes' api/openapi-spec/swagger.json with their x-kubernetes extensions. Kept are the fields that lead to a list with
keys, a set, a mapping that is one value, or another patch strategy; the status and what only servers write are left out.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.kubernetes_apis import ranges

PACKAGE: Final = "kubernetes-validate==1.37.0"
MEMBER: Final = "kubernetes_validate/kubernetes-json-schema/v1.{minor}.0-local/_definitions.json"
MINORS: Final = range(25, 38)
OUTPUT: Final = Path(__file__).parents[1] / "src/cluster_forge/manifests/merge_key_table.py"

# The document of version 2 has no defaults; in that of version 3 the only key with one that is not 0 is this.
DEFAULTS: Final = {"protocol": "TCP"}
NOT_WRITTEN: Final = {"status", "managedFields"}

Definitions = Mapping[str, Any]
KindRow = tuple[str, str, str, str]
"""Group, version and kind, and the definition of its objects."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Field:
    """One line of a table: `owner.name` is of a `type` (`[]X` a list, `{}X` a mapping of such), of which `marks` say more."""

    owner: str
    name: str
    type: str
    marks: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    output: Path = parser.parse_args().output
    _, fields = gathered(useful)
    output.write_text(render(fields), encoding="utf-8")
    return 0


def gathered(
    fields_of_minor: Callable[[Definitions, Iterable[str]], Iterator[Field]],
) -> tuple[Mapping[KindRow, set[int]], Mapping[Field, set[int]]]:
    """The kinds of all minors, and of what their objects are made of the fields that a function finds: each with its minors."""
    fields: defaultdict[Field, set[int]] = defaultdict(set)
    kinds: defaultdict[KindRow, set[int]] = defaultdict(set)
    for minor, definitions in documents():
        roots = dict(kinds_in(definitions))
        for kind, definition in roots.items():
            kinds[(*kind, shortened(definition))].add(minor)
        for field in fields_of_minor(definitions, roots.values()):
            fields[field].add(minor)
        print(f"1.{minor}: {len(roots)} kinds", file=sys.stderr)
    return kinds, fields


def documents() -> Iterator[tuple[int, Definitions]]:
    """Each minor and its definitions."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", PACKAGE]
        subprocess.run(command, cwd=folder, check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for minor in MINORS:
                yield minor, json.loads(archive.read(MEMBER.format(minor=minor)))["$defs"]


def kinds_in(definitions: Definitions) -> Iterator[tuple[tuple[str, str, str], str]]:
    """Group, version and kind of what has metadata of its own, with its definition."""
    for name, definition in definitions.items():
        if referred(definition.get("properties", {}).get("metadata", {})).endswith(".ObjectMeta"):
            for kind in definition.get("x-kubernetes-group-version-kind", ()):
                yield (kind["group"], kind["version"], kind["kind"]), name


def useful(definitions: Definitions, roots: Iterable[str]) -> Iterator[Field]:
    """The fields from which a list or mapping is reached that merges in its own way."""
    found: dict[str, list[Field]] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = list(fields_of(name, definitions))
            waiting += (inner for field in found[name] if (inner := field.type.lstrip("[]{}")))
    leading: set[str] = set()
    while True:  # to a fixed point: definitions refer to each other, and some to themselves
        more = {name for name, fields in found.items() if any(leads(field, leading) for field in fields)} - leading
        if not more:
            break
        leading |= more
    for fields in found.values():
        for field in fields:
            if leads(field, leading):
                inner = field.type.lstrip("[]{}")
                kind = field.type.replace(inner, shortened(inner)) if inner in leading else ""
                yield Field(owner=shortened(field.owner), name=field.name, type=kind or "any", marks=field.marks)


def leads(field: Field, leading: set[str]) -> bool:
    return bool(field.marks) or field.type.lstrip("[]{}") in leading


def fields_of(owner: str, definitions: Definitions) -> Iterator[Field]:
    for name, schema in definitions[owner].get("properties", {}).items():
        if name in NOT_WRITTEN:
            continue
        target = referred(schema)
        if entries := schema.get("items"):
            target = f"[]{referred(entries)}" if referred(entries) else ""
        elif isinstance(schema.get("additionalProperties"), dict) and referred(schema["additionalProperties"]):
            target = f"{{}}{referred(schema['additionalProperties'])}"
        marks = " ".join(marks_of(schema, definitions.get(target, {})))
        yield Field(owner=owner, name=name, type=target, marks=marks)


def marks_of(schema: Mapping[str, Any], target: Mapping[str, Any]) -> Iterator[str]:
    """`set`, `map=KEY,KEY:DEFAULT`, `one` (a mapping that is one value), `patch=KEY` (or empty), `retain`, `replace`."""
    strategies = schema.get("x-kubernetes-patch-strategy", "").split(",")
    keys = schema.get("x-kubernetes-list-map-keys", ())
    merge_key = schema.get("x-kubernetes-patch-merge-key", "")
    if schema.get("type") in ("array", ["array", "null"]):
        if schema.get("x-kubernetes-list-type") == "set":
            yield "set"
        elif keys or ("merge" in strategies and merge_key):
            yield f"map={','.join(map(key_text, keys or (merge_key,)))}"
        elif "merge" in strategies:
            yield "set"
        if "merge" in strategies:
            yield f"patch={merge_key}"
    elif "replace" in strategies:
        yield "replace"
    if "properties" in target and target.get("x-kubernetes-map-type") == "atomic":
        yield "one"


def key_text(key: str) -> str:
    return f"{key}:{DEFAULTS[key]}" if key in DEFAULTS else key


def referred(schema: Mapping[str, Any]) -> str:
    reference = schema.get("$ref")
    if isinstance(reference, str):
        return reference.rpartition("/")[2]
    candidates = [
        referred(option) for option in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ()))
    ]
    return next(filter(None, candidates), "")


def shortened(definition: str) -> str:
    return definition.removeprefix("io.k8s.").removeprefix("api.")


def render(fields: Mapping[Field, set[int]]) -> str:
    lines = [
        '"""How the lists of the kinds of Kubernetes 1.25 to 1.37 merge; read them through merge_keys.',
        "",
        f"Generated by tools/merge_keys.py from {PACKAGE} (Apache-2.0). Do not edit.",
        '"""',
        "",
        "from typing import Final",
        "",
        "# Lines as in kubernetes_schema_table, of what merges in its own way or leads to it; the type is any where it does not",
        "# lead on. Marks: set; map=KEY,KEY:DEFAULT (the keys of a list's entries); one (a mapping that is one value); and for a",
        "# strategic merge patch: patch=KEY (the list merges by it, without one as a set), replace.",
        'FIELDS: Final = """',
        *lines_of(fields),
        '"""',
    ]
    return "\n".join(lines) + "\n"


def lines_of(fields: Mapping[Field, set[int]]) -> Iterator[str]:
    owner = ""
    for field, minors in sorted(fields.items()):
        if field.owner != owner:
            owner = field.owner
            yield owner
        yield f" {field.name} {ranges(minors)} {field.type} {field.marks}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
