"""Generates src/cluster_forge/manifests/kubernetes_api_table.py: the kinds that each Kubernetes minor brings.

Run: python tools/kubernetes_apis.py [--output FILE]        (needs `go` and the network)

Every release is read from its own source (tools/kubernetes_release.py).

Feature gates need no reading: those of RELEASES that hide a kind (pkg/registry/*/rest) hide one whose version
is off anyway, or are on by default. Look again when a release is added.
"""

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.kubernetes_release import (
    DELEGATED,
    MODULE,
    Defaults,
    Resource,
    download,
    minor_of,
    read_defaults,
    read_resources,
)

RELEASES: Final = (
    "v1.25.16",
    "v1.26.15",
    "v1.27.16",
    "v1.28.15",
    "v1.29.15",
    "v1.30.14",
    "v1.31.14",
    "v1.32.13",
    "v1.33.13",
    "v1.34.10",
    "v1.35.6",
    "v1.36.4",
    "v1.37.2",
)
OUTPUT: Final = Path(__file__).parents[1] / "src/cluster_forge/manifests/kubernetes_api_table.py"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Row:
    """One line of the table; minors are written as ranges: `25-37`, `25-26,30`, or nothing."""

    group: str
    version: str
    kind: str
    namespaced: bool
    served: str
    known: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    output: Path = parser.parse_args().output
    seen: dict[int, list[tuple[Resource, bool]]] = {}
    for release in RELEASES:
        with tempfile.TemporaryDirectory() as cache:
            source = download(release, Path(cache))
            resources, witness = read_resources(source)
            defaults = read_defaults(source)
        check_complete(release, resources, defaults)
        check_scopes(release, resources)
        seen[minor_of(release)] = [(resource, defaults.serves(resource)) for resource in resources]
        served = sum(is_served for _, is_served in seen[minor_of(release)])
        print(f"{release}: {len(resources)} resources, {served} served by default ({witness})", file=sys.stderr)
    objects, subresources = rows(seen)
    output.write_text(render(objects, subresources), encoding="utf-8")
    return 0


def check_complete(release: str, resources: Iterable[Resource], defaults: Defaults) -> None:
    """Both sources must speak of the same: no version that no list decides on, no served one without resources."""
    known = {resource.group_version for resource in resources}
    undecided = known - defaults.listed - DELEGATED
    absent = (defaults.versions | DELEGATED) - known
    if undecided or absent:
        sys.exit(f"{release}: in no list: {sorted(undecided)}; listed as served but not there: {sorted(absent)}")


def rows(seen: Mapping[int, Iterable[tuple[Resource, bool]]]) -> tuple[list[Row], list[Row]]:
    """The table's rows: kinds of objects, and kinds that only a subresource takes or returns."""
    known: defaultdict[tuple[str, str, str, bool], set[int]] = defaultdict(set)
    served: defaultdict[tuple[str, str, str, bool], set[int]] = defaultdict(set)
    objects: set[tuple[str, str, str]] = set()
    for minor, resources in seen.items():
        for resource, is_served in sorted(resources, key=lambda pair: pair[0].is_subresource):
            kind = (resource.group, resource.version, resource.kind)
            if not resource.is_subresource:
                objects.add(kind)
            elif kind in objects:
                continue
            key = (*kind, resource.namespaced)
            known[key].add(minor)
            if is_served:
                served[key].add(minor)
    table = [
        Row(group=g, version=v, kind=k, namespaced=n, served=ranges(served[g, v, k, n]), known=ranges(minors))
        for (g, v, k, n), minors in known.items()
    ]
    table.sort()
    return (
        [row for row in table if (row.group, row.version, row.kind) in objects],
        [row for row in table if (row.group, row.version, row.kind) not in objects],
    )


def check_scopes(release: str, resources: Iterable[Resource]) -> None:
    """Readers look a scope up without the version: within a release, a kind must have the same in all of them."""
    scopes: dict[tuple[str, str], bool] = {}
    for resource in resources:
        if resource.is_subresource:
            continue
        if scopes.setdefault((resource.group, resource.kind), resource.namespaced) != resource.namespaced:
            sys.exit(f"{release}: {resource.group}/{resource.kind} is namespaced in one version, not in another")


def ranges(minors: Iterable[int]) -> str:
    spans: list[list[int]] = []
    for minor in sorted(minors):
        if spans and spans[-1][-1] == minor - 1:
            spans[-1][1:] = [minor]
        else:
            spans.append([minor])
    return ",".join("-".join(map(str, span)) for span in spans)


def render(objects: Iterable[Row], subresources: Iterable[Row]) -> str:
    first, last = minor_of(RELEASES[0]), minor_of(RELEASES[-1])
    minors = ", ".join(str(minor_of(release)) for release in RELEASES)
    lines = [
        f'"""The kinds that Kubernetes 1.{first} to 1.{last} bring themselves; read them through kubernetes_apis.',
        "",
        f"Generated by tools/kubernetes_apis.py from {MODULE}",
        f"{', '.join(RELEASES[:7])},",
        f"{', '.join(RELEASES[7:])}. Do not edit.",
        '"""',
        "",
        "from typing import Final",
        "",
        f"MINORS: Final = ({minors})",
        "",
        "# (group, version, kind, namespaced, minors that serve it by default, minors that know it at all)",
        "KINDS: Final[tuple[tuple[str, str, str, bool, str, str], ...]] = (",
        *(
            f'    ("{row.group}", "{row.version}", "{row.kind}", {row.namespaced}, "{row.served}", "{row.known}"),'
            for row in objects
        ),
        ")",
        "",
        "# (group, version, kind, minors that serve it by default): only subresources take or return these, so that no",
        "# object is of such a kind; a cluster's discovery lists them all the same, under the resource's group and version.",
        "SUBRESOURCE_KINDS: Final[tuple[tuple[str, str, str, str], ...]] = (",
        *(f'    ("{row.group}", "{row.version}", "{row.kind}", "{row.served}"),' for row in subresources),
        ")",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
