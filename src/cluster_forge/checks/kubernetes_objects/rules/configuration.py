"""ConfigMaps and Secrets: keys, size, and what a type of Secret has (``ValidateConfigMap``, ``ValidateSecret``)."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from cluster_forge.checks.kubernetes_objects.constraints import data_key
from cluster_forge.checks.kubernetes_objects.problem import Problem, Rule
from cluster_forge.foundation.untyped import mapping

_MOST: Final = 1 << 20
"""Bytes of all values (``MaxSecretSize``)."""
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
_BASIC: Final = "kubernetes.io/basic-auth"
_TOKEN: Final = "kubernetes.io/service-account-token"  # noqa: S105 - a type
_ACCOUNT: Final = "kubernetes.io/service-account.name"


def config_map(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    texts, binary = mapping(value.get("data")), mapping(value.get("binaryData"))
    yield from _keys("data", texts)
    yield from _keys("binaryData", binary)
    for name in sorted(texts.keys() & binary.keys()):
        yield Problem(steps=("binaryData", name), message="the key is in data, too", fix="rename one of the two")
    size = sum(map(_length, texts.values())) + sum(map(_decoded_length, binary.values()))
    if size > _MOST:
        yield _too_large("data", size)


def secret(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    data = {**mapping(value.get("data")), **mapping(value.get("stringData"))}
    for field in ("data", "stringData"):
        yield from _keys(field, mapping(value.get(field)))
    size = sum(map(_decoded_length, mapping(value.get("data")).values()))
    size += sum(map(_length, mapping(value.get("stringData")).values()))
    if size > _MOST:
        yield _too_large("data", size)
    kind = value.get("type")
    for name in _KEYS.get(kind, ()) if isinstance(kind, str) else ():
        if name not in data:
            yield Problem(
                steps=("data", name), message=f"a Secret of type {kind} has the key {name}", fix=f"set data[{name}]"
            )
        elif name.startswith(".docker") and not _is_json(value, name):
            yield Problem(
                steps=("data", name), message=f"{name} is not JSON", fix="write the content of a docker configuration"
            )
    if kind == _BASIC and not data.keys() & {"username", "password"}:
        yield Problem(
            steps=("data",), message=f"a Secret of type {kind} has username or password", fix="set one of them"
        )
    annotations = mapping(mapping(value.get("metadata")).get("annotations"))
    if kind == _TOKEN and not annotations.get(_ACCOUNT):
        yield Problem(
            steps=("metadata", "annotations", _ACCOUNT),
            message=f"a Secret of type {kind} names its ServiceAccount",
            fix=f"set the annotation {_ACCOUNT}",
        )


def _keys(field: str, data: Mapping[str, Any]) -> Iterator[Problem]:
    for name in data:
        if not name:
            yield Problem(steps=(field, name), message="a key is empty", fix="name it")
        elif complaint := data_key(name):
            yield Problem(steps=(field, name), message=complaint[0], fix="rename it")


def _too_large(field: str, size: int) -> Problem:
    message = f"the values have {size:,} bytes, and an API server takes {_MOST:,}"
    return Problem(steps=(field,), message=message, fix="split it, or mount it from a volume")


def _length(value: Any) -> int:
    return len(value.encode("utf-8", "surrogatepass")) if isinstance(value, str) else 0


def _decoded_length(value: Any) -> int:
    """Of Base64, without decoding it: near enough to the limit it makes no difference of more than two bytes."""
    return len(value.strip()) * 3 // 4 - value[-3:].count("=") if isinstance(value, str) else 0


def _is_json(value: Mapping[str, Any], name: str) -> bool:
    text = mapping(value.get("stringData")).get(name)
    try:
        content = (
            text.encode() if isinstance(text, str) else base64.b64decode(str(mapping(value.get("data")).get(name)))
        )
        orjson.loads(content)
    except ValueError:
        return False
    return True


RULES: Final[Mapping[str, tuple[Rule, ...]]] = {"core.v1.ConfigMap": (config_map,), "core.v1.Secret": (secret,)}
