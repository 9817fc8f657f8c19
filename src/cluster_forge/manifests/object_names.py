"""The rules of Kubernetes for names of objects, labels and annotations.

Sources: Kubernetes, "Object Names and IDs" and "Labels and Selectors"; ``k8s.io/apimachinery``, ``pkg/util/validation``
and ``pkg/api/validation/path``; the ``Validate…Name`` functions of each kind in ``k8s.io/kubernetes``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from cluster_forge.foundation.names import LABEL, SUBDOMAIN, is_label_key, is_label_value

_SERVICE: Final = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?\Z")
_CRON_JOB: Final = re.compile(rf"(?=.{{1,52}}\Z){SUBDOMAIN.pattern}")
_PATH: Final = re.compile(r"(?!\.\.?\Z)(?![^\n]*(?:\$[{(]|{{))[^/%\x00-\x1f\x7f]+\Z")
"""Stricter than the API server: it takes a placeholder and control characters, which no one means."""

_Rule = tuple[re.Pattern[str], str]

_SUBDOMAIN_RULE: Final[_Rule] = (
    SUBDOMAIN,
    "lower-case letters, digits, hyphens and dots, at most 253, a letter or digit at both ends",
)
_LABEL_RULE: Final[_Rule] = (
    LABEL,
    "lower-case letters, digits and hyphens, at most 63, a letter or digit at both ends",
)
_PATH_RULE: Final[_Rule] = (_PATH, "no `/`, no `%`, no placeholder and no line break, and not `.` or `..`")
_RBAC: Final = "rbac.authorization.k8s.io"
_RULES: Final[Mapping[tuple[str, str], _Rule]] = MappingProxyType(
    {
        ("", "Namespace"): _LABEL_RULE,
        ("", "Service"): (
            _SERVICE,
            "lower-case letters, digits and hyphens, at most 63, a letter first, a letter or digit last",
        ),
        ("batch", "CronJob"): (
            _CRON_JOB,
            "lower-case letters, digits, hyphens and dots, at most 52, a letter or digit at both ends",
        ),
        ("apiregistration.k8s.io", "APIService"): _PATH_RULE,
        **{(_RBAC, kind): _PATH_RULE for kind in ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")},
    }
)
"""The kinds whose names do not follow the common rule, that of a DNS subdomain."""


def name_problem(group: str, kind: str, name: str) -> str:
    """Why ``name`` cannot be the name of an object of that kind; empty if it can."""
    pattern, rule = _RULES.get((group, kind), _SUBDOMAIN_RULE)
    return "" if pattern.match(name) else f"{shown(name)} cannot be the name of a {kind}: {rule}"


def namespace_problem(namespace: str) -> str:
    """Why ``namespace`` cannot be one; empty if it can."""
    pattern, rule = _LABEL_RULE
    return "" if pattern.match(namespace) else f"{shown(namespace)} cannot be a namespace: {rule}"


def is_name_prefix(group: str, kind: str, prefix: str) -> bool:
    """Whether ``prefix`` can be a ``generateName``: the API server cuts it to 58 characters and adds five."""
    pattern, _ = _RULES.get((group, kind), _SUBDOMAIN_RULE)
    return bool(pattern.match(f"{prefix[:58]}{'x' * 5}"))


NOT_TEXT: Final = ", not text: quote it"
"""How a sentence about a label or annotation ends that is not text."""


def label_problems(body: Mapping[str, Any]) -> Iterator[str]:
    """What the API server refuses in the labels and annotations of an object, and of the pods that it describes."""
    yield from _metadata_problems(body.get("metadata"), "metadata")
    spec = body.get("spec")
    if not isinstance(spec, dict):
        return
    for path in (("template",), ("jobTemplate", "spec", "template")):
        inner: Any = spec
        for key in path:
            inner = inner.get(key) if isinstance(inner, dict) else None
        if isinstance(inner, dict) and isinstance(inner.get("spec"), dict):
            yield from _metadata_problems(inner.get("metadata"), f"spec.{'.'.join(path)}.metadata")


def shown(text: str) -> str:
    """A name as messages quote it, shortened."""
    return repr(text if len(text) <= 80 else f"{text[:77]}…") + (f" ({len(text)} characters)" if len(text) > 52 else "")


def _metadata_problems(metadata: Any, path: str) -> Iterator[str]:
    if not isinstance(metadata, dict):
        return
    for member in ("labels", "annotations"):
        entries = metadata.get(member)
        if entries is None:
            continue
        if not isinstance(entries, dict):
            yield f"{path}.{member} is not a mapping"
            continue
        for key, value in entries.items():
            yield from _entry_problems(member, str(key), value, path)


def _entry_problems(member: str, key: str, value: Any, path: str) -> Iterator[str]:
    if not is_label_key(key):
        yield f"{shown(key)} in {path}.{member} is not a key: letters, digits, `-`, `_` and `.`, at most 63, after an optional DNS name and `/`"
    if value is None:
        return
    if not isinstance(value, str):
        written = str(value).lower() if isinstance(value, bool) else str(value)
        yield f"{path}.{member}.{key} is {shown(written)[1:-1] if len(written) > 80 else written}{NOT_TEXT}"
    elif member == "labels" and not is_label_value(value):
        yield (
            f"{shown(value)} cannot be the value of the label {key} in {path}: letters, digits, `-`, `_` and `.`, at most 63, "
            "a letter or digit at both ends"
        )
