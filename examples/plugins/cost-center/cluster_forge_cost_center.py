"""A transformer that labels objects, and the Pods that they make, with the cost center of their component.

The table is a CSV file with the columns ``namespace``, ``component`` and ``cost-center``. The first two are patterns (``team-*``;
empty matches everything); the first row that matches counts.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from cluster_forge.plugin_api import Context, Finding, KubernetesObject, ProblemError

COLUMNS: Final = ("namespace", "component", "cost-center")
_VALUE: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
"""The value of a label (Kubernetes, ``IsValidLabelValue``)."""
_TEMPLATES: Final = (("spec", "template"), ("spec", "jobTemplate", "spec", "template"))
"""Where workloads and CronJobs have the template of their Pods."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table."""

    namespace: str
    component: str
    cost_center: str

    def matches(self, context: Context) -> bool:
        pairs = ((context.namespace, self.namespace), (context.component, self.component))
        return all(fnmatchcase(name, pattern or "*") for name, pattern in pairs)


class CostCenter:
    """Labels objects and their Pods with the cost center of their component, from a table."""

    api_version = 1

    def transform(self, objects: Sequence[KubernetesObject], context: Context) -> Iterator[KubernetesObject | Finding]:
        label = str(context.settings.get("label", "cost-center"))
        rows = _table(context.files)
        center = next((row.cost_center for row in rows if row.matches(context)), "")
        if not center:
            yield Finding(
                code="no-cost-center",
                message=f"no row of the table matches component {context.component} in namespace {context.namespace}",
                fix="add one; with empty patterns it is for all others",
            )
        for body in objects:
            yield _labeled(body, label, center) if center else body


def _labeled(body: KubernetesObject, label: str, value: str) -> dict[str, Any]:
    """The object with the label, and with it in its template of Pods. Selectors stay as they are."""
    labeled = _with_label(body, label, value)
    for path in _TEMPLATES:
        labeled = _below(labeled, path, label, value)
    return labeled


def _below(body: Mapping[str, Any], path: Sequence[str], label: str, value: str) -> dict[str, Any]:
    """The mapping with the label in the template at a path, if there is one with Pods (``spec.containers``)."""
    inner = body.get(path[0])
    if not isinstance(inner, Mapping):
        return dict(body)
    if len(path) > 1:
        return {**body, path[0]: _below(inner, path[1:], label, value)}
    spec = inner.get("spec")
    is_pod = isinstance(spec, Mapping) and "containers" in spec
    return {**body, path[0]: _with_label(inner, label, value)} if is_pod else dict(body)


def _with_label(body: Mapping[str, Any], label: str, value: str) -> dict[str, Any]:
    metadata = body.get("metadata") or {}
    return {**body, "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), label: value}}}


def _table(files: Mapping[str, bytes]) -> list[Row]:
    """The rows of the only file.

    Raises:
        ProblemError: with the line of what is wrong.
    """
    if len(files) != 1:
        raise ProblemError("it needs one table", fix="write `files: [cost-centers.csv]`, a file below input/")
    ((name, content),) = files.items()
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ProblemError("the table is not UTF-8 text", where=f"input/{name}", fix="save it as UTF-8") from error
    reader = csv.DictReader(lines, strict=True)
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise ProblemError(
            f"the table has no column {', '.join(missing)}", where=f"input/{name}:1", fix=f"write {','.join(COLUMNS)}"
        )
    try:
        return [_row(row, f"input/{name}:{reader.line_num}") for row in reader]
    except csv.Error as error:
        raise ProblemError(
            f"not CSV: {error}", where=f"input/{name}:{reader.line_num}", fix="correct the row"
        ) from error


def _row(row: Mapping[str, str | None], where: str) -> Row:
    namespace, component, center = ((row.get(column) or "").strip() for column in COLUMNS)
    if not _VALUE.fullmatch(center):
        raise ProblemError(
            f"{center!r} cannot be the value of a label",
            where=where,
            fix="write letters, digits, `-`, `_` and `.`, at most 63, with a letter or digit at both ends",
        )
    return Row(namespace, component, center)
