"""A step of the search for values: Secrets that a chart would render with a password in them are named instead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cluster_forge.catalog import value_paths, value_probes
from cluster_forge.catalog.value_paths import Path
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.pods import pod_of
from cluster_forge.stages.catalog.value_search import ValueSearch

_CODE: Final = "plaintext-secret"
_LONGEST_NAME: Final = 63


def name_secrets(search: ValueSearch) -> None:
    """Find values that name existing Secrets, and remark on passwords that stay in the values."""
    for path in value_probes.existing_secrets(search.all_values):
        before = search.objects()
        plain = len(search.findings(before, _CODE))
        if not plain:
            break
        name = _secret_name(search, path)
        after = search.tried(value_paths.nested(path, name))
        if after is None or len(search.findings(after, _CODE)) >= plain:
            continue
        search.keep(path, name)
        keys = dict.fromkeys(_keys_read(after, name) or _keys_of_removed(before, after), "what it is")
        search.secrets.append({"name": name, "keys": keys, "purpose": f"Read by `{value_paths.dotted(path)}`."})
    numbered = value_probes.numbered(value_probes.passwords(search.all_values), lambda number: f"probe-{number}")
    text = value_probes.texts([manifest.body for manifest in search.probed(numbered)])
    for path in (path for path, value in numbered.values() if value in text):
        search.remarks.append(
            f"`{value_paths.dotted(path)}` looks like a password; its value would be committed to Git"
        )


def _secret_name(search: ValueSearch, path: Path) -> str:
    own = f"{search.name}-credentials"
    if all(secret["name"] != own for secret in search.secrets):
        return own
    words = re.sub(r"[^a-z0-9]+", "-", "-".join(path).lower()).strip("-")
    return f"{search.name}-{words}"[:_LONGEST_NAME].rstrip("-")


def _keys_read(objects: Sequence[Manifest], secret: str) -> list[str]:
    """The keys of a Secret that pods read one by one."""

    def keys(value: Any) -> Iterator[str]:
        if isinstance(value, Mapping):
            reference = value.get("secretKeyRef")
            if isinstance(reference, Mapping) and reference.get("name") == secret and reference.get("key"):
                yield str(reference["key"])
            for member in value.values():
                yield from keys(member)
        elif isinstance(value, list):
            for item in value:
                yield from keys(item)

    return sorted({key for manifest in objects for key in keys(pod_of(manifest.body) or {})})


def _keys_of_removed(before: Sequence[Manifest], after: Sequence[Manifest]) -> list[str]:
    """The keys of the Secrets that are no longer rendered."""
    remaining = {manifest.id for manifest in after}
    removed = [manifest.body for manifest in before if manifest.id.kind == "Secret" and manifest.id not in remaining]
    return sorted({key for body in removed for part in ("data", "stringData") for key in body.get(part) or ()})
