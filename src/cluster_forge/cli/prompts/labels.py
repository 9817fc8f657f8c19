"""A component of a description in a few words, for lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster_forge.yaml.positioned import Positioned


def component(entry: Positioned) -> str:
    """Its chart or manifests, and its namespace, in either format."""
    chart = entry.at(("helm", "chart")) if entry.get("helm") else entry.get("helm-chart-name")
    version = entry.at(("helm",)).get("version") or entry.get("helm-version")
    namespace = entry.get("namespace")
    if not entry.get("helm") and not entry.get("manifests") and entry.file.startswith("catalog:"):
        return "from the catalog"
    parts = [f"chart {chart.string}" if chart and chart.string else "manifests"]
    parts += [str(version.content)] if version and version.string else []
    parts += [f"in {namespace.string}"] if namespace and namespace.string else []
    return " ".join(" ".join(parts).split())
