"""Generates src/cluster_forge/manifests/kubernetes_api_table.py: the kinds that each Kubernetes minor brings.

Run: python tools/kubernetes_apis.py [--output FILE]        (needs `go` and the network)

Every release is read from its own source, the Go module k8s.io/kubernetes:

- what exists: the paths in api/openapi-spec/swagger.json, written by a server with every API switched on, and
  checked against that server's discovery (api/discovery), which is there from 1.28;
- what is served by default: the lists in pkg/controlplane/instance.go, from which kube-apiserver makes its
  own default. New beta versions are off since 1.24 (KEP-3136), alpha versions always were.

Feature gates need no reading: those of RELEASES that hide a kind (pkg/registry/*/rest) hide one whose version
is off anyway, or are on by default. Look again when a release is added.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MODULE: Final = "k8s.io/kubernetes"
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

# Served by the two servers that kube-apiserver contains besides its own: kube-aggregator and
# apiextensions-apiserver. Neither has anything but these versions, and both are always on.
DELEGATED: Final = frozenset({("apiregistration.k8s.io", "v1"), ("apiextensions.k8s.io", "v1")})

GroupVersion = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One line of an APIResourceList; `name` is the plural, or `plural/subresource`."""

    group: str
    version: str
    name: str
    kind: str
    namespaced: bool

    @property
    def group_version(self) -> GroupVersion:
        return self.group, self.version

    @property
    def is_subresource(self) -> bool:
        return "/" in self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What kube-apiserver serves without --runtime-config: whole versions, and single resources of others."""

    versions: frozenset[GroupVersion]
    resources: frozenset[tuple[str, str, str]]
    listed: frozenset[GroupVersion]

    def serves(self, resource: Resource) -> bool:
        plural = resource.name.partition("/")[0]
        return (
            resource.group_version in self.versions | DELEGATED
            or (resource.group, resource.version, plural) in self.resources
        )


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


def minor_of(release: str) -> int:
    return int(release.split(".")[1])


def download(release: str, cache: Path) -> Path:
    """The folder of the release's source, in a module cache that can be deleted (125 MB a release)."""
    done = subprocess.run(
        ["go", "mod", "download", "-json", f"{MODULE}@{release}"],
        env={**os.environ, "GOMODCACHE": str(cache), "GOFLAGS": "-modcacherw"},
        cwd=cache,
        capture_output=True,
        text=True,
        check=False,
    )
    answer = json.loads(done.stdout or "{}")
    if done.returncode or "Dir" not in answer:
        sys.exit(f"{MODULE}@{release} cannot be had: {answer.get('Error') or done.stderr.strip()}")
    return Path(answer["Dir"])


def read_resources(source: Path) -> tuple[frozenset[Resource], str]:
    """All resources that the release knows, and by what they are witnessed."""
    resources = frozenset(from_swagger(source / "api/openapi-spec/swagger.json"))
    discovery = source / "api/discovery"
    if not (discovery / "api__v1.json").exists():  # 1.27 has a folder with a single group in it
        return resources, "swagger.json"
    if differing := resources ^ frozenset(from_discovery(discovery)):
        sys.exit(f"{source.name}: swagger.json and api/discovery differ: {sorted(map(str, differing))}")
    return resources, "swagger.json and api/discovery"


RESOURCE_PATH: Final = re.compile(
    r"/(?:api|apis/(?P<group>[^/]+))/(?P<version>v[^/]+)"
    r"(?P<namespace>/namespaces/\{namespace\})?"
    r"/(?P<plural>[a-z]+)(?:/\{name\}(?:/(?P<subresource>[a-z]+)(?:/\{path\})?)?)?"
)


def from_swagger(file: Path) -> Iterator[Resource]:
    """Reads the paths: /apis/GROUP/VERSION[/namespaces/{namespace}]/PLURAL[/{name}[/SUBRESOURCE]]."""
    found: dict[tuple[str, str, str, str], bool] = {}
    paths = json.loads(file.read_text(encoding="utf-8"))["paths"]
    for path, operations in paths.items():
        match = RESOURCE_PATH.fullmatch(path)
        kinds = {
            operation["x-kubernetes-group-version-kind"]["kind"]
            for operation in operations.values()
            if isinstance(operation, dict) and "x-kubernetes-group-version-kind" in operation
        }
        if match is None or not kinds:
            continue
        (kind,) = kinds
        name = "/".join(filter(None, (match["plural"], match["subresource"])))
        key = (match["group"] or "", match["version"], name, kind)
        # A list over all namespaces has no {namespace}: one path that has it decides.
        found[key] = found.get(key, False) or match["namespace"] is not None
    for (group, version, name, kind), namespaced in found.items():
        yield Resource(group=group, version=version, name=name, kind=kind, namespaced=namespaced)


def from_discovery(folder: Path) -> Iterator[Resource]:
    """Reads the APIResourceLists. Group and version are the list's, as clients take them, not a subresource's own."""
    for file in sorted(folder.glob("api*__*.json")):
        answer = json.loads(file.read_text(encoding="utf-8"))
        if answer["kind"] != "APIResourceList":
            continue
        group, _, version = answer["groupVersion"].rpartition("/")
        for entry in answer["resources"]:
            yield Resource(
                group=group,
                version=version,
                name=entry["name"],
                kind=entry["kind"],
                namespaced=entry["namespaced"],
            )


GO_LIST: Final = re.compile(r"^\t(?P<name>\w+) = \[\]schema\.(?P<type>\w+)\{\n(?P<body>.*?)^\t\}", re.M | re.S)
GO_IMPORT: Final = re.compile(
    r'^\t(?P<alias>\w+) "k8s\.io/(?:api|kubernetes/pkg/apis)/(?P<folder>\w+)/(?P<version>\w+)"$', re.M
)
GO_ENTRY: Final = re.compile(
    r'^\t\t(?P<alias>\w+)\.SchemeGroupVersion(?:\.WithResource\("(?P<plural>\w+)"\))?,(?:\s*//.*)?$', re.M
)


def read_defaults(source: Path) -> Defaults:
    """Reads the lists that DefaultAPIResourceConfigSource enables and disables."""
    text = (source / "pkg/controlplane/instance.go").read_text(encoding="utf-8")
    imports: dict[str, GroupVersion] = {}
    for found in GO_IMPORT.finditer(text):
        imports[found["alias"]] = group_name(source, found["folder"]), found["version"]
    versions: set[GroupVersion] = set()
    resources: set[tuple[str, str, str]] = set()
    listed: set[GroupVersion] = set()
    for go_list in GO_LIST.finditer(text):
        name, body = go_list["name"], go_list["body"]
        entries = list(GO_ENTRY.finditer(body))
        code = [line for line in body.splitlines() if line.strip() and not line.lstrip().startswith("//")]
        if len(entries) != len(code):
            sys.exit(f"{source.name}: {name} in pkg/controlplane/instance.go is not a plain list any more")
        for entry in entries:
            group, version = imports[entry["alias"]]
            listed.add((group, version))
            if name.endswith("EnabledByDefaultResources"):
                resources.add((group, version, entry["plural"]))
            elif name.endswith("EnabledByDefault"):
                versions.add((group, version))
            elif not name.endswith("DisabledByDefault"):
                sys.exit(f"{source.name}: {name} in pkg/controlplane/instance.go is a list of an unknown sort")
    return Defaults(versions=frozenset(versions), resources=frozenset(resources), listed=frozenset(listed))


def group_name(source: Path, folder: str) -> str:
    """The API group whose types live in k8s.io/api/FOLDER, as pkg/apis/FOLDER/register.go says."""
    text = (source / "pkg/apis" / folder / "register.go").read_text(encoding="utf-8")
    found = re.search(r'^const GroupName = "(.*)"$', text, re.M)
    if found is None:
        sys.exit(f"{source.name}: pkg/apis/{folder}/register.go names no group")
    return found[1]


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
