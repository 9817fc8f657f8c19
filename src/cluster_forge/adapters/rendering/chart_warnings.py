"""What Helm warns of when it renders a chart: values that are not used as they are written.

Computed instead of taken from Helm's output: the versions of Helm word it differently, each run prints it in another order, and
the text has the values themselves, among them passwords. The places in Helm are `coalesce.go` and `dependencies.go`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from cluster_forge.adapters.rendering.chart_defaults import (
    GLOBAL,
    Installed,
    condition_of,
    installed,
    lookup,
    table,
    tags_of,
    with_globals,
)
from cluster_forge.adapters.rendering.chart_tree import Chart, Dependency, Table, merged
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.remark import Remark

_MOST: Final = 20
"""Remarks of one severity about a chart."""
_LONGEST: Final = 200
"""Characters of a path."""
_BOOLEAN: Final = "write true or false"

_Text = tuple[str, str]
"""A message, and how the user can mend it."""


def remarks(chart: Chart, values: Table) -> tuple[Remark, ...]:
    """Warnings about the values of the user, and notices about what the chart does by itself; sorted, each once."""
    by_itself = set(_texts(chart, {}))
    of_values = set(_texts(chart, values)) - by_itself
    if chart.is_deprecated:
        text = f"the chart {_cut(chart.name)} is deprecated: its maintainers no longer update it"
        of_values.add((text, "look for its successor in the chart's README, or in its repository"))
    return (
        *(Remark(severity=Severity.WARNING, message=text, fix=fix) for text, fix in _shortened(of_values)),
        *(Remark(severity=Severity.NOTICE, message=text) for text, _ in _shortened(by_itself)),
    )


def _shortened(texts: Collection[_Text]) -> Iterator[_Text]:
    yield from islice(sorted(texts), _MOST)
    if len(texts) > _MOST:
        yield f"{len(texts) - _MOST} more of this kind", ""


def _texts(chart: Chart, values: Table) -> Iterator[_Text]:
    part = installed(chart, values)
    yield from _conflicts(part, values, "")
    yield from _skipped(part, values, "", {})


def _conflicts(part: Installed, given: Table, prefix: str) -> Iterator[_Text]:
    """Tables over what is not a table, and the other way round, in a chart and in those that are switched on in it."""
    for key, default in part.chart.values.items():
        if isinstance(given.get(key), Mapping):
            yield from _conflict(given[key], default, f"{prefix}{key}")
    values = merged(given, part.chart.values)
    for sub in part.subcharts:
        path = f"{prefix}{sub.name}"
        below = table(values, sub.name)
        yield from _global_conflicts(values, below, path)
        yield from _conflicts(sub, with_globals(below, values), f"{path}.")


def _conflict(over: Any, under: Any, path: str) -> Iterator[_Text]:
    if over is None or under is None:
        return
    if isinstance(over, Mapping) and isinstance(under, Mapping):
        for key, default in under.items():
            if key in over:
                yield from _conflict(over[key], default, f"{path}.{key}")
    elif isinstance(over, Mapping):
        text = f"{_quoted(path)} is a table, and its default {_kind(under)}: the default is ignored"
        yield text, f"write {_kind(under)}, unless the chart takes a table, too"
    elif isinstance(under, Mapping):
        text = f"{_quoted(path)} is {_kind(over)}, and its default a table: all of the table is overwritten"
        yield text, "write a table, or null to remove the default"


def _global_conflicts(above: Table, below: Table, path: str) -> Iterator[_Text]:
    for values, place in ((above, GLOBAL), (below, f"{path}.{GLOBAL}")):
        shared = values.get(GLOBAL, {})
        if not isinstance(shared, Mapping):
            text = f"{_quoted(place)} is {_kind(shared)}, not a table: {_quoted(path)} gets no globals from above"
            yield text, "write a table"
    for key, value in table(above, GLOBAL).items():
        other = table(below, GLOBAL).get(key)
        if other is not None and isinstance(value, Mapping) != isinstance(other, Mapping):
            both = f"{_quoted(f'{GLOBAL}.{key}')} is {_kind(value)}, and {_quoted(f'{path}.{GLOBAL}.{key}')} {_kind(other)}"
            yield f"{both}: the former is not passed on", "write the same kind of value in both"


def _skipped(part: Installed, given: Table, prefix: str, tags: Table) -> Iterator[_Text]:
    """Conditions, tags and imports of dependencies that have no effect."""
    values = merged(given, part.chart.values)
    for name, chart, _ in part.chart.subcharts():
        values[name] = merged(with_globals(table(values, name), values), chart.values)
    tags = merged(tags, table(values, "tags"))
    for dependency in part.chart.dependencies:
        yield from _skipped_switches(dependency, values, prefix, tags)
    for sub in part.subcharts:
        for child, _ in sub.dependency.imports if sub.dependency else ():
            if not isinstance(lookup(values, [sub.name, *child.split(".")]), Mapping):
                text = (
                    f"import-values {_quoted(child)} of {_quoted(prefix + sub.name)}: not a table: nothing is imported"
                )
                yield text, "write a table there"
        yield from _skipped(sub, table(values, sub.name), f"{prefix}{sub.name}.", tags)


def _skipped_switches(dependency: Dependency, values: Table, prefix: str, tags: Table) -> Iterator[_Text]:
    _, conditions = condition_of(dependency, values, "")
    for condition in conditions:
        kind = _kind(lookup(values, condition.split(".")))
        text = f"the condition {_quoted(prefix + condition)} of {_quoted(dependency.name)} is {kind}"
        yield f"{text}: skipped, as it is neither true nor false", _BOOLEAN
    _, skipped = tags_of(dependency, tags)
    for tag in skipped:
        text = f"the tag {_quoted(f'tags.{tag}')} of {_quoted(dependency.name)} is {_kind(tags[tag])}"
        yield f"{text}: skipped, as it is neither true nor false", _BOOLEAN


def _kind(value: Any) -> str:
    """The type of a value; never the value, which may be a password."""
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, bool):
        return "a boolean"
    return "a string" if isinstance(value, str) else "a number"


def _quoted(path: str) -> str:
    return f"`{_cut(path)}`"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
