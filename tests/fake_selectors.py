"""Selectors of labels and fields, as kubectl writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cluster_forge.manifests.manifest import Body


def matches(selector: str, labels: Mapping[str, str]) -> bool:
    """A label selector as kubectl's: ``a=b,c!=d,e in (x,y),f notin (z),g,!h``."""
    return all(_matches(term.strip(), labels) for term in re.split(r",(?![^(]*\))", selector) if term.strip())


def _matches(term: str, labels: Mapping[str, str]) -> bool:
    if found := re.fullmatch(r"(\S+)\s+(in|notin)\s+\((.*)\)", term):
        values = [value.strip() for value in found[3].split(",")]
        return (labels.get(found[1]) in values) == (found[2] == "in")
    if term.startswith("!"):
        return term[1:] not in labels
    if "!=" in term:
        key, _, value = term.partition("!=")
        return labels.get(key.strip()) != value.strip()
    key, equals, value = term.replace("==", "=").partition("=")
    return labels.get(key.strip()) == value.strip() if equals else key in labels


def has_field(body: Body, term: str) -> bool:
    path, _, wanted = term.replace("==", "=").partition("=")
    is_different, path = path.endswith("!"), path.removesuffix("!")
    value: Any = body
    for step in path.split("."):
        value = value.get(step, "") if isinstance(value, Mapping) else ""
    return (str(value) == wanted) != is_different
