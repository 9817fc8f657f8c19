"""Variables that look like secrets: their values would be in the repository and the image, for everyone who reads these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cluster_forge.manifests.comparison import masking
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.stack.parse import ParsedDescription
from cluster_forge.stages.describe import secret_values
from cluster_forge.yaml.positioned import Positioned

CODE = "plaintext-secret"


def findings(parsed: ParsedDescription) -> Iterator[Finding]:
    """An error for each variable that is a secret by its name or its value, which is not shown."""
    for name in _secret(parsed.variables):
        yield Finding(
            code=CODE,
            severity=Severity.ERROR,
            where=parsed.variables[name].where,
            message=f"the variable {name!r} looks like a secret, which would be in the repository and the image for everyone "
            "who reads them",
            fix="refer to a Secret by its name instead, and list it under `secrets`; if it is none, say why under `checks.ignore`",
        )


def without_secrets(described: Any, parsed: ParsedDescription) -> Any:
    """A plain value of the description with ``***`` for the values of variables that look like secrets."""
    parts = {part for name in _secret(parsed.variables) for part in _texts(parsed.variables[name])}
    return _masked(described, sorted(parts, key=len, reverse=True)) if parts else described


def _masked(value: Any, secrets: Sequence[str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _masked(member, secrets) for key, member in value.items()}
    if isinstance(value, list):
        return [_masked(item, secrets) for item in value]
    if value is None or isinstance(value, bool):
        return value
    return (
        masking.MASK if str(value) in secrets else masking.without(value, secrets) if isinstance(value, str) else value
    )


def _secret(variables: Mapping[str, Positioned]) -> list[str]:
    return [name for name, part in variables.items() if secret_values.is_secret(part.plain, name)]


def _texts(part: Positioned) -> Iterator[str]:
    if part.string:
        yield part.string
    elif isinstance(part.content, int | float) and not isinstance(part.content, bool):
        yield part.text or str(part.content)
    for inner in (*part.mapping.values(), *part.items):
        yield from _texts(inner)
