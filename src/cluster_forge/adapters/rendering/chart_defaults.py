"""The default values of a chart and of the charts in it, and the nulls among them.

Helm 4.2 drops a null of a chart's ``values.yaml`` before it removes the default of a subchart (helm/helm#32132), and does not
show it to templates; Helm 3 does both. Given with the values of the user, the same null means the same to all of them (ADR 0025).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cluster_forge.adapters.rendering.chart_tree import Chart, Dependency, Table, merged, with_values
from cluster_forge.foundation.chart_archives import ChartArchive

GLOBAL: Final = "global"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A chart under its key in the values, with those of its subcharts that no condition or tag switches off."""

    name: str
    chart: Chart
    dependency: Dependency | None
    subcharts: tuple[Installed, ...]

    @property
    def has_declared(self) -> bool:
        """Whether one of its subcharts is declared: then Helm merges the defaults of all below it twice."""
        return any(sub.dependency for sub in self.subcharts)


def explicit(archive: ChartArchive, chart: Chart, values: Table) -> tuple[ChartArchive, Table]:
    """The archive and the values that every version of Helm renders as Helm 3.22 renders the given ones."""
    part = installed(chart, values)
    changed = dict(_changed(part, values, is_merged=False))
    given = with_nulls(values, completed(part, values, {} if part.has_declared else table(values, GLOBAL)))
    return with_values(archive, changed), given


def installed(chart: Chart, values: Table) -> Installed:
    """The charts that ``values`` switch on (Helm, ``processDependencyEnabled``)."""
    everything = _everything(chart, values)
    subcharts = tuple(_switched_on(chart, "", everything, table(everything, "tags")))
    return Installed(name=chart.name, chart=chart, dependency=None, subcharts=subcharts)


def completed(part: Installed, given: Table, globals_above: Table) -> dict[str, Any]:
    """The values of a chart and of those in it: the given ones over the defaults, nulls kept (Helm, ``MergeValues``).

    A global of a subchart is left out where a chart above has it: the one above wins, unless both are tables.
    """
    own = merged(given, part.chart.values)
    above = merged(globals_above, table(part.chart.values, GLOBAL))
    for sub in part.subcharts:
        if isinstance(own.get(sub.name, {}), Mapping):
            below = completed(sub, table(own, sub.name), above)
            shared = {
                key: value
                for key, value in table(below, GLOBAL).items()
                if key not in above or (isinstance(value, Mapping) and isinstance(above[key], Mapping))
            }
            own[sub.name] = {**below, GLOBAL: shared} if GLOBAL in below else below
    for sub in (sub for sub in part.subcharts if sub.dependency and sub.dependency.imports):
        default = completed(sub, table(part.chart.values, sub.name), above)
        for child, parent in sub.dependency.imports if sub.dependency else ():
            imported = lookup(default, child.split("."))
            if isinstance(imported, Mapping):
                for key in reversed(parent.split(".") if parent != "." else []):
                    imported = {key: imported}
                own = merged(own, imported)
    return own


def with_nulls(values: Table, default: Table) -> dict[str, Any]:
    """``values`` with each null of ``default``, which has them on top, for which they say nothing."""
    result = dict(values)
    for key, value in default.items():
        if value is None:
            result.setdefault(key, None)
        elif isinstance(value, Mapping) and isinstance(result.get(key, {}), Mapping):
            filled = with_nulls(result.get(key, {}), value)
            if filled:
                result[key] = filled
    return result


def table(values: Table, key: str) -> Table:
    """A table in a table; empty if it is something else."""
    value = values.get(key)
    return value if isinstance(value, Mapping) else {}


def with_globals(values: Table, above: Table) -> Table:
    """The values of a subchart with the globals of the chart above it, which win."""
    shared = table(above, GLOBAL)
    return {**values, GLOBAL: merged(shared, table(values, GLOBAL))} if shared else values


def lookup(values: Any, path: Collection[str]) -> Any:
    """What is at a path; None if there is nothing."""
    for key in path:
        if not isinstance(values, Mapping):
            return None
        values = values.get(key)
    return values


def condition_of(dependency: Dependency, values: Table, prefix: str) -> tuple[bool | None, list[str]]:
    """What a dependency's conditions say, and those that are skipped because their value is neither true nor false."""
    skipped: list[str] = []
    for condition in dependency.conditions:
        value = lookup(values, f"{prefix}{condition}".split("."))
        if isinstance(value, bool):
            return value, skipped
        if value is not None and not isinstance(value, Mapping):
            skipped.append(condition)
    return None, skipped


def tags_of(dependency: Dependency, tags: Table) -> tuple[bool, list[str]]:
    """What a dependency's tags say, and those that are skipped because their value is neither true nor false."""
    values = {tag: tags[tag] for tag in dependency.tags if tag in tags}
    skipped = [tag for tag, value in values.items() if not isinstance(value, bool | None)]
    booleans = [value for value in values.values() if isinstance(value, bool)]
    return any(booleans) or not booleans, skipped


def _everything(chart: Chart, values: Table) -> dict[str, Any]:
    """The values over the defaults of a chart and of all charts in it, switched on or not."""
    result = merged(values, chart.values)
    for name, sub, _ in chart.subcharts():
        result[name] = _everything(sub, with_globals(table(result, name), result))
    return result


def _changed(part: Installed, given: Table, *, is_merged: bool) -> Iterator[tuple[str, Table]]:
    """The charts with other values: without the nulls that only Helm 4 removes, and as one document. By folder.

    ``is_merged``: Helm removes these nulls itself, because a chart above declares its subcharts.
    """
    values, names = part.chart.values, {sub.name for sub in part.subcharts}
    kept = {
        key: value for key, value in values.items() if is_merged or value is not None or key in names or key in given
    }
    if part.chart.folder is not None and (len(kept) < len(values) or part.chart.is_split):
        yield part.chart.folder, kept
    for sub in part.subcharts:
        below = table(merged(given, values), sub.name)
        yield from _changed(sub, below, is_merged=is_merged or part.has_declared)


def _switched_on(chart: Chart, prefix: str, values: Table, tags: Table) -> Iterator[Installed]:
    tags = merged(tags, table(chart.values, "tags"))
    for name, sub, dependency in chart.subcharts():
        if dependency:
            condition, _ = condition_of(dependency, values, prefix)
            by_tags, _ = tags_of(dependency, tags)
            if not (by_tags if condition is None else condition):
                continue
        subcharts = tuple(_switched_on(sub, f"{prefix}{name}.", values, tags))
        yield Installed(name=name, chart=sub, dependency=dependency, subcharts=subcharts)
