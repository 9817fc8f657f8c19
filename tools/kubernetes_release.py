"""What a release of Kubernetes says of its kinds: its own source, the Go module k8s.io/kubernetes.

- What exists: the paths in api/openapi-spec/swagger.json, written by a server with every API switched on, and
  checked against that server's discovery (api/discovery), which is there from 1.28;
- what is served by default: the lists in pkg/controlplane/instance.go, from which kube-apiserver makes its
  own default. New beta versions are off since 1.24 (KEP-3136), alpha versions always were.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MODULE: Final = "k8s.io/kubernetes"
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
