"""The catalog as text: lists, the page of a component, the results of `catalog test`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cluster_forge.checks.exemption import subject

if TYPE_CHECKING:
    from cluster_forge.stages.catalog.test import Verdict


def listed(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Components (`catalog.views.entry`) by category."""
    names = max((len(entry["name"]) for entry in entries), default=0)
    versions = max((len(entry["version"] or "-") for entry in entries), default=0)
    categories = dict.fromkeys(sorted(entry["category"] for entry in entries))
    for number, category in enumerate(categories):
        yield f"{chr(10) if number else ''}{category}"
        for entry in entries:
            if entry["category"] == category:
                state = "" if entry["lifecycle"] == "active" else f" ({entry['lifecycle']})"
                version = entry["version"] or "-"
                yield f"  {entry['name']:<{names}}  {version:<{versions}}  {entry['description']}{state}"


def page(component: Mapping[str, Any], size: str) -> Iterator[str]:
    """The page of a component (`catalog.views.page`) at a size."""
    yield f"{component['title']}: {component['description']}"
    yield ""
    facts = _facts(component)
    width = max(map(len, facts))
    for name, text in facts.items():
        if text:
            yield from wrapped(f"{name:<{width}}  ", text)
    if component["footprint"]:
        yield "\nfootprint (resource requests, without those of required components)"
        yield from footprint(component["footprint"])
    for title, rows in _sections(component, size).items():
        if rows:
            yield f"\n{title}"
            width = max(len(left) for left, _ in rows)
            for left, right in rows:
                yield from wrapped(f"  {left:<{width}}  " if width else "  ", right)


def _facts(component: Mapping[str, Any]) -> dict[str, str]:
    lifecycle = component["lifecycle"]
    state = lifecycle["state"] + "".join(
        f"{before}{lifecycle[key]}"
        for key, before in (("date", " since "), ("reason", ": "), ("successor", " Successor: "))
        if key in lifecycle
    )
    versions = (f"{version['version']} for Kubernetes {version['kubernetes']}" for version in component["versions"])
    return {
        "homepage": component["homepage"],
        "license": component["license"],
        "lifecycle": state,
        "namespace": f"{component['namespace']} (Pod Security: {component['podSecurity']})",
        "versions": "; ".join(versions),
        "architectures": ", ".join(component["architectures"]),
        "provides": ", ".join(component["provides"]),
        "in collections": ", ".join(component["collections"]),
        "required by": ", ".join(component["neededBy"]),
        "images at run time": ", ".join(component["runtimeImages"]),
        "health": component["health"],
    }


def _sections(component: Mapping[str, Any], size: str) -> dict[str, list[tuple[str, str]]]:
    """Rows of two columns by title; the first column may be empty."""
    return {
        f"requires at size {size}": [(_by(need), need["reason"]) for need in component["needs"]],
        "excludes": [(other["name"], other["reason"]) for other in component["excludes"]],
        "wiring": [(_when(wiring), wiring["purpose"]) for wiring in component["wiring"]],
        "known trouble": [
            (caution_when(caution), f"{caution['reason']}: {caution['fix']}") for caution in component["cautions"]
        ],
        "Secrets to create": [
            (f"{secret['namespace']}/{secret['name']}", f"{secret['purpose'].rstrip('.')}: {', '.join(secret['keys'])}")
            for secret in component["secrets"]
        ],
        f"images at size {size}": [("", image) for image in component["images"]],
        "exceptions from the production checks": [
            (exception["rule"], exception["reason"]) for exception in component["exceptions"]
        ],
        "notes": [("", text) for text in _paragraphs(component["notes"])],
        "before an upgrade": [("", text) for text in _paragraphs(component["upgrade"])],
    }


def footprint(sizes: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The resources that a component requests at each size (`catalog.measurements`)."""
    yield f"  {'size':<8}{'pods':>5}{'CPU':>8}{'memory':>10}{'limit':>10}{'volumes':>10}  on each node"
    for size, sums in sizes.items():
        node = f"{sums['cpuOnEachNode']} CPU, {sums['memoryOnEachNode']}" if sums["memoryOnEachNode"] != "0" else ""
        yield (
            f"  {size:<8}{sums['pods']:>5}{sums['cpu']:>8}{sums['memory']:>10}{sums['memoryLimit']:>10}"
            f"{sums['storage']:>10}  {node}"
        ).rstrip()


def verdict(tested: Verdict, *, with_sizes: bool) -> Iterator[str]:
    """The result of testing a component: how many trials, the findings, and on request the footprint at each size."""
    yield f"{tested.component}: {tested.summary}"
    for finding, trials in tested.findings.items():
        about = subject(finding)
        yield from wrapped(f"  {finding.code}: ", f"{about}: {finding.message}" if about else finding.message)
        sizes: dict[str, list[str]] = {}
        for trial in trials:
            sizes.setdefault(f"{trial.version} on Kubernetes {trial.kubernetes}", []).append(trial.size)
        if sizes:
            yield from wrapped("    ", "; ".join(f"{where}: {', '.join(at)}" for where, at in sizes.items()))
        if finding.fix:
            yield from wrapped("    fix: ", finding.fix)
    if with_sizes:
        yield from footprint(tested.sizes)


def _paragraphs(text: str) -> Iterator[str]:
    """The text in paragraphs of one line: a paragraph ends with a line that ends with a period or a colon."""
    lines: list[str] = []
    for line in text.splitlines():
        lines.append(line.strip())
        if line.endswith((".", ":")):
            yield " ".join(lines)
            lines = []
    if lines:
        yield " ".join(lines)


def wrapped(start: str, text: str) -> Iterator[str]:
    """Text after ``start``, wrapped at 110 columns."""
    yield from textwrap.wrap(text, 110, initial_indent=start, subsequent_indent=" " * len(start)) or [start.rstrip()]


def _by(need: Mapping[str, Any]) -> str:
    providers = [provider for provider in need["by"] if provider != need["name"]]
    return f"{need['name']} ({' or '.join(providers)})" if providers else str(need["name"])


def caution_when(caution: Mapping[str, Any]) -> str:
    """When a caution (`catalog.views.page`) applies: ``Kubernetes 1.34+``, ``without log-agent``."""
    kubernetes = [f"Kubernetes {caution['kubernetes']}"] if caution["kubernetes"] else []
    target = [f"the target has {' and '.join(caution['target'])}"] if caution["target"] else []
    conditions = [_when(caution)] if caution["with"] or caution["without"] else []
    return ", ".join((*kubernetes, *target, *conditions)) or "always"


def _when(wiring: Mapping[str, Any]) -> str:
    parts = [f"with {' and '.join(wiring['with'])}"] if wiring["with"] else []
    parts += [f"without {' and '.join(wiring['without'])}"] if wiring["without"] else []
    return " ".join(parts) or "always"
