"""The kubectl commands that create a Secret, or add keys to one, with placeholders for the values."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Final

from cluster_forge.stack.component import ExpectedSecret

TLS_KEYS: Final = ("tls.crt", "tls.key")
PULL_KEY: Final = ".dockerconfigjson"


def create(secret: ExpectedSecret, context: str = "") -> str:
    """The command, of several lines, that creates it in the cluster of a kubeconfig's ``context``."""
    if set(secret.keys) == {PULL_KEY}:
        kind = "docker-registry"
        values = ["--docker-server=…", "--docker-username=…", "--docker-password=…"]
    elif set(secret.keys) == set(TLS_KEYS):
        kind = "tls"
        values = ["--cert=…", "--key=…"]
    else:
        kind = "generic"
        values = [f"--from-literal={_quoted(f'{key}=…')}" for key in secret.keys or ["KEY"]]
    start = _line("create", "secret", kind, secret.name, "--namespace", secret.namespace, context=context)
    return " \\\n".join([start, *(f"  {value}" for value in values)])


def add(secret: ExpectedSecret, keys: Sequence[str], context: str = "") -> str:
    """The command that adds ``keys`` to one that exists."""
    return _patch(secret, {"stringData": dict.fromkeys(keys, "…")}, context)


def take_out(secret: ExpectedSecret, keys: Sequence[str], context: str = "") -> str:
    """The command that takes ``keys`` out of one that exists."""
    return _patch(secret, {"data": dict.fromkeys(keys)}, context)


def create_namespace(name: str, context: str = "") -> str:
    return _line("create", "namespace", name, context=context)


def _patch(secret: ExpectedSecret, change: Mapping[str, Mapping[str, str | None]], context: str) -> str:
    patch = json.dumps(change, ensure_ascii=False)
    return _line("patch", "secret", secret.name, "--namespace", secret.namespace, "--patch", patch, context=context)


def _line(*words: str, context: str) -> str:
    return " ".join(map(_quoted, ["kubectl", *(("--context", context) if context else ()), *words]))


def _quoted(text: str) -> str:
    """A word of a shell's command, on one line: a name with a line break is not one that Kubernetes takes."""
    return shlex.quote(" ".join(text.split()))
