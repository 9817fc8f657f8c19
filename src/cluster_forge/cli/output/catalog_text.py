"""The catalog as people read it: lists, the page of a component, what `catalog test` found."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cluster_forge.checks.exemption import subject

if TYPE_CHECKING:
    from cluster_forge.stages.catalog.test import Verdict


def listed(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Components (`catalog.listing.entry`) by category."""
    names = max((len(each["name"]) for each in entries), default=0)
    versions = max((len(each["version"] or "-") for each in entries), default=0)
    categories = dict.fromkeys(sorted(each["category"] for each in entries))
    for number, category in enumerate(categories):
        yield f"{chr(10) if number else ''}{category}"
        for each in entries:
            if each["category"] == category:
                state = "" if each["lifecycle"] == "active" else f" ({each['lifecycle']})"
                version = each["version"] or "-"
                yield f"  {each['name']:<{names}}  {version:<{versions}}  {each['description']}{state}"


def page(shown: Mapping[str, Any], size: str) -> Iterator[str]:
    """The page of a component (`catalog.listing.page`) at a size."""
    yield f"{shown['title']}: {shown['description']}"
    yield ""
    life = shown["lifecycle"]
    state = life["state"] + "".join(
        f"{before}{life[key]}"
        for key, before in (("date", " since "), ("reason", ": "), ("successor", " Instead: "))
        if key in life
    )
    facts = {
        "homepage": shown["homepage"],
        "license": shown["license"],
        "lifecycle": state,
        "namespace": f"{shown['namespace']} (Pod Security: {shown['podSecurity']})",
        "versions": "; ".join(f"{each['version']} for Kubernetes {each['kubernetes']}" for each in shown["versions"]),
        "architectures": ", ".join(shown["architectures"]),
        "provides": ", ".join(shown["provides"]),
        "in collections": ", ".join(shown["collections"]),
        "needed by": ", ".join(shown["neededBy"]),
        "images at run time": ", ".join(shown["runtimeImages"]),
        "health": shown["health"],
    }
    width = max(map(len, facts))
    for name, text in facts.items():
        if text:
            yield from wrapped(f"{name:<{width}}  ", text)
    if shown["footprint"]:
        yield "\nfootprint (requests; with what it needs present, but without it)"
        yield from footprint(shown["footprint"])
    sections = {
        f"needs at size {size}": [(_by(each), each["reason"]) for each in shown["needs"]],
        "excludes": [(each["name"], each["reason"]) for each in shown["excludes"]],
        "wiring": [(_when(each), each["purpose"]) for each in shown["wiring"]],
        "Secrets to be made": [
            (f"{each['namespace']}/{each['name']}", f"{each['purpose'].rstrip('.')}: {', '.join(each['keys'])}")
            for each in shown["secrets"]
        ],
        f"images at size {size}": [("", each) for each in shown["images"]],
        "exceptions from the rules for production": [(each["rule"], each["reason"]) for each in shown["exceptions"]],
        "notes": [("", text) for text in _paragraphs(shown["notes"])],
        "before an upgrade": [("", text) for text in _paragraphs(shown["upgrade"])],
    }
    for title, rows in sections.items():
        if rows:
            yield f"\n{title}"
            width = max(len(left) for left, _ in rows)
            for left, right in rows:
                yield from wrapped(f"  {left:<{width}}  " if width else "  ", right)


def footprint(sizes: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What a component asks of a cluster at each size (`catalog.facts`)."""
    yield f"  {'size':<8}{'pods':>5}{'CPU':>8}{'memory':>10}{'limit':>10}{'volumes':>10}  on each node"
    for size, found in sizes.items():
        each = f"{found['cpuOnEachNode']} CPU, {found['memoryOnEachNode']}" if found["memoryOnEachNode"] != "0" else ""
        yield (
            f"  {size:<8}{found['pods']:>5}{found['cpu']:>8}{found['memory']:>10}{found['memoryLimit']:>10}"
            f"{found['storage']:>10}  {each}"
        ).rstrip()


def verdict(result: Verdict) -> Iterator[str]:
    """What was tested of a component, and the findings."""
    yield f"{result.component}: {result.summary}"
    for finding, trials in result.findings.items():
        about = subject(finding)
        yield from wrapped(f"  {finding.code}: ", f"{about}: {finding.message}" if about else finding.message)
        sizes: dict[str, list[str]] = {}
        for trial in trials:
            sizes.setdefault(f"{trial.version} on Kubernetes {trial.kubernetes}", []).append(trial.size)
        if sizes:
            yield from wrapped("    ", "; ".join(f"{where}: {', '.join(at)}" for where, at in sizes.items()))
        if finding.fix:
            yield from wrapped("    fix: ", finding.fix)


def _paragraphs(text: str) -> Iterator[str]:
    """The text's sentences that begin on lines of their own, each on one line."""
    lines: list[str] = []
    for line in text.splitlines():
        lines.append(line.strip())
        if line.endswith((".", ":")):
            yield " ".join(lines)
            lines = []
    if lines:
        yield " ".join(lines)


def wrapped(start: str, text: str) -> Iterator[str]:
    """Text behind its start, broken at 110 columns."""
    yield from textwrap.wrap(text, 110, initial_indent=start, subsequent_indent=" " * len(start)) or [start.rstrip()]


def _by(need: Mapping[str, Any]) -> str:
    by = [each for each in need["by"] if each != need["name"]]
    return f"{need['name']} ({' or '.join(by)})" if by else str(need["name"])


def _when(wired: Mapping[str, Any]) -> str:
    parts = [f"with {' and '.join(wired['with'])}"] if wired["with"] else []
    parts += [f"without {' and '.join(wired['without'])}"] if wired["without"] else []
    return " ".join(parts) or "always"
