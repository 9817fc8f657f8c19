"""Values for the Secrets that a stack expects: read from text or from variables, held in memory, sent to the API server only."""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import DescriptionError, ManifestError
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.gitops import requirements
from cluster_forge.manifests import split
from cluster_forge.ports.rendering import YamlReader
from cluster_forge.stack.component import ExpectedSecret

Place = tuple[str, str]
"""Namespace and name."""
ENVIRONMENT: Final = "env:"
_VARIABLES: Final = "the environment"
VARIABLE: Final = "CLUSTER_FORGE_SECRET_"
_DOTENV_LINE: Final = re.compile(r"(?P<namespace>[^\s/=:]+)/(?P<name>[^\s/=:]+)/(?P<key>[^\s/=]+)=(?P<value>.*)")
_NOT_OF_A_VARIABLE: Final = re.compile(r"[^A-Z0-9]")
_LINE: Final = re.compile(r"line (\d+)")
_FORM: Final = "write `NAMESPACE/NAME: {KEY: value}`, Secrets as Kubernetes has them, or lines NAMESPACE/NAME/KEY=value"
_EXPECT: Final = "correct the name, or list the Secret under `secrets` of its component, forge and cast"


@dataclass(frozen=True, slots=True)
class GivenSecrets:
    """The values of keys, by namespace and name. They are never shown."""

    values: Mapping[Place, Mapping[str, bytes]] = field(default_factory=dict, repr=False)

    def of(self, secret: ExpectedSecret) -> Mapping[str, bytes]:
        """The keys of a Secret that are given, with their values."""
        return self.values.get((secret.namespace, secret.name), {})


NONE: Final = GivenSecrets()


def parse(text: str, where: str, expected: Iterable[ExpectedSecret], reader: YamlReader) -> GivenSecrets:
    """Values from YAML, JSON or lines (dotenv).

    Raises:
        DescriptionError, ExceptionGroup: for everything that is not a value of an expected Secret. No message has a value.
    """
    problems: list[DescriptionError] = []
    values: dict[Place, dict[str, bytes]] = {}
    lines = _dotenv(text)
    entries = _of_lines(lines) if lines else _of_documents(text, where, reader)
    known = {(secret.namespace, secret.name) for secret in expected}
    for place, key, value in entries:
        problem = _problem(place, key, value, known)
        if problem:
            problems.append(DescriptionError(problem, where=where, fix=_FORM if place in known else _EXPECT))
        elif isinstance(value, bytes):
            values.setdefault(place, {})[key] = value
        else:
            values.setdefault(place, {})[key] = str(value).encode()
    raise_all(problems)
    if not values:
        raise DescriptionError("has no value of a Secret", where=where, fix=_FORM)
    return GivenSecrets(values)


def from_environment(expected: Iterable[ExpectedSecret], environment: Mapping[str, str]) -> GivenSecrets:
    """Values from variables such as ``CLUSTER_FORGE_SECRET_MONITORING_GRAFANA_ADMIN_PASSWORD``.

    Raises:
        DescriptionError: if none is set, one is empty, or one would be that of two keys.
    """
    wanted = {
        ((secret.namespace, secret.name), key): variable(secret, key)
        for secret in expected
        for key in requirements.keys(secret)
    }
    twice = sorted(name for name, count in Counter(wanted.values()).items() if count > 1 and name in environment)
    if twice:
        raise DescriptionError(
            f"{', '.join(twice)} would be the value of several keys",
            where=_VARIABLES,
            fix="give them on stdin: --secrets -",
        )
    if empty := sorted(name for name in wanted.values() if environment.get(name) == ""):
        raise DescriptionError(
            f"{', '.join(empty)} is empty",
            where=_VARIABLES,
            fix="give it a value, or unset it: no Secret is made of nothing",
        )
    values: dict[Place, dict[str, bytes]] = {}
    for (place, key), name in wanted.items():
        if name in environment:
            values.setdefault(place, {})[key] = environment[name].encode(errors="surrogateescape")
    if wanted and not values:
        raise DescriptionError(
            "no variable has a value for a Secret that the stack expects",
            where=_VARIABLES,
            fix=f"set {', '.join(sorted(wanted.values())[:5])}",
        )
    return GivenSecrets(values)


def none_expected(stack: str) -> DescriptionError:
    """The error where values are given for a stack that expects none: they would reach nothing, silently."""
    return DescriptionError(
        f"the stack {stack} expects no Secrets, so --secrets would give nothing",
        where="--secrets",
        fix="leave it out, or list the Secrets under `secrets` of their components, forge and cast",
    )


def variable(secret: ExpectedSecret, key: str) -> str:
    """The variable for a key."""
    return VARIABLE + _NOT_OF_A_VARIABLE.sub("_", f"{secret.namespace}_{secret.name}_{key}".upper())


def _problem(place: Place, key: str, value: object, known: set[Place]) -> str:
    shown = "/".join(filter(None, (*place, key)))
    if place not in known:
        names = ["/".join(place) for place in sorted(known)]
        return f"the stack expects no Secret {'/'.join(place)}{did_you_mean('/'.join(place), names)}"
    if not isinstance(value, str | bytes):
        return f"{shown} is not a text: put it into quotes"
    return "" if value else f"{shown} is empty: give it a value (is a variable unset?), or leave it out"


def _dotenv(text: str) -> list[re.Match[str]]:
    """The lines of a dotenv text; none if one of them is something else."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    matches = [_DOTENV_LINE.fullmatch(line) for line in lines]
    return [match for match in matches if match] if all(matches) else []


def _of_lines(lines: Iterable[re.Match[str]]) -> Iterator[tuple[Place, str, object]]:
    for line in lines:
        value = line["value"]
        is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        yield (line["namespace"], line["name"]), line["key"], value[1:-1] if is_quoted else value.replace("\\n", "\n")


def _of_documents(text: str, where: str, reader: YamlReader) -> Iterator[tuple[Place, str, object]]:
    for document in split.written(text):
        try:
            content = reader.read(document.text)
        except ManifestError as error:  # which may quote a value
            line = _LINE.search(str(error))
            at = f" ({line[0]} of a document)" if line else ""
            raise DescriptionError(f"is not YAML or JSON{at}", where=where, fix=_FORM) from None
        match content:
            case None:
                continue
            case {"kind": "Secret", "metadata": dict(metadata)}:
                yield from _of_secret(content, metadata)
            case dict():
                yield from _of_mapping(content, where)
            case _:
                raise DescriptionError("is not a mapping", where=where, fix=_FORM)


def _of_secret(body: Mapping[str, Any], metadata: Mapping[str, Any]) -> Iterator[tuple[Place, str, object]]:
    place = str(metadata.get("namespace") or "default"), str(metadata.get("name") or "")
    for key, value in (body.get("data") or {}).items():
        try:
            yield place, key, base64.b64decode(value, validate=True)
        except (TypeError, ValueError, binascii.Error):
            yield place, key, None
    for key, value in (body.get("stringData") or {}).items():
        yield place, key, value


def _of_mapping(content: Mapping[str, Any], where: str) -> Iterator[tuple[Place, str, object]]:
    for name, keys in content.items():
        namespace, slash, secret = str(name).partition("/")
        if not slash or not isinstance(keys, Mapping):
            raise DescriptionError(f"{name!r} is not NAMESPACE/NAME with keys and values", where=where, fix=_FORM)
        for key, value in keys.items():
            yield (namespace, secret), str(key), value
