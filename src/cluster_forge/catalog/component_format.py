"""The format of a component's file in a catalog, as models that check it and give its JSON Schema.

Importing this module loads pydantic, as `stack.schema.key_types` does.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StrictBool, StrictInt, StrictStr

from cluster_forge.stack.schema.component import SizesSchema
from cluster_forge.stack.schema.key_types import HelmValues, Label, Schema, Text

API_VERSION = "cluster-forge/v1"
_RANGE = re.compile(r"1\.(\d+)(?:(\+)|-1\.(\d+))?")

Category = Literal[
    "core",
    "networking",
    "storage",
    "monitoring",
    "logging",
    "database",
    "gpu",
    "ml",
    "security",
    "secrets",
    "gitops",
    "backup",
]
SizeName = Literal["small", "medium", "large"]
ALL_SIZES: tuple[SizeName, ...] = ("small", "medium", "large")


def minors(text: str) -> range:
    """The minor versions of Kubernetes 1 that ``1.27-1.33``, ``1.25+`` or ``1.30`` stands for, both ends included.

    Raises:
        ValueError: for anything else.
    """
    found = _RANGE.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no range of Kubernetes versions: write 1.25+, 1.27-1.33 or 1.30")
    first, is_open, last = found.groups()
    return range(int(first), 1000 if is_open else int(last or first) + 1)


def _range(text: str) -> str:
    minors(text)
    return text


Range = Annotated[StrictStr, AfterValidator(_range), Field(json_schema_extra={"pattern": f"^{_RANGE.pattern}$"})]
Level = Literal["restricted", "baseline", "privileged"]


class Lifecycle(Schema):
    """How long the component's makers will still be there for it."""

    state: Literal["active", "deprecated", "eol"] = "active"
    """`deprecated`: it works, but nothing new should begin with it; `eol`: its makers ended it."""
    date: StrictStr = ""
    """Since when."""
    reason: StrictStr = ""
    """Why."""
    successor: StrictStr = ""
    """The component of the catalog that does the same."""


class PartialHelm(Schema):
    """A Helm chart; what a version does not say is as for all versions."""

    repository: StrictStr = ""
    """The repository: `https://`, `http://`, `file://` or `oci://`."""
    chart: StrictStr = ""
    """The chart's name in the repository."""
    release: StrictStr = ""
    """The release's name; without it the component's."""


class Version(Schema):
    """A version of the component, and the Kubernetes versions that it is for."""

    version: Text
    """The chart's version, or the release's for one that comes as manifests."""
    kubernetes: Range
    """`1.25+`, `1.27-1.33` or `1.30`: minor versions, both ends included."""
    helm: PartialHelm = PartialHelm()
    """What of the chart is another than for other versions."""
    manifests: list[Text] = []
    """URLs of manifests that it is made from."""
    values: HelmValues = {}
    """Values that only this version takes, laid over the component's; null removes."""
    sizes: SizesSchema = SizesSchema()
    """Values for a size that only this version takes."""


class Need(Schema):
    """Something that has to be there: a component or a capability."""

    name: Text
    """The component or capability."""
    sizes: list[SizeName] = list(ALL_SIZES)
    """Only at these sizes."""
    reason: StrictStr = ""
    """Why, in one sentence."""


class Exclusion(Schema):
    """Something that cannot be there at the same time."""

    name: Text
    """The component or capability."""
    reason: Text
    """Why, in one sentence."""


class Secret(Schema):
    """A Secret that somebody has to make."""

    name: Text
    """Its name."""
    keys: dict[StrictStr, StrictStr]
    """Its keys, and what each is."""
    purpose: Text
    """What it is for."""
    namespace: StrictStr = ""
    """Where; without it the component's namespace."""
    sizes: list[SizeName] = list(ALL_SIZES)
    """Only at these sizes."""
    when: list[Text] | Text = []
    """Only where these components or capabilities are there."""
    without: list[Text] | Text = []
    """Only where none of these is there."""
    by_hand: StrictBool = False
    """Whether it cannot come from a store of secrets: the store needs it, or its form is no store's."""

    @property
    def all_of(self) -> list[str]:
        """`when` as a list."""
        return [self.when] if isinstance(self.when, str) else self.when

    @property
    def none_of(self) -> list[str]:
        """`without` as a list."""
        return [self.without] if isinstance(self.without, str) else self.without


class Wiring(Schema):
    """How the component changes where others are in the stack."""

    with_: list[Text] | Text = Field([], alias="with")
    """Components or capabilities that all have to be there."""
    without: list[Text] | Text = []
    """Components or capabilities of which none is there."""
    sizes: list[SizeName] = list(ALL_SIZES)
    """Only at these sizes."""
    purpose: Text
    """What it is for, in one sentence."""
    values: HelmValues = {}
    """Values that are laid over the component's own."""
    append: dict[StrictStr, Any] = {}
    """Text or lists that are added at the end of the value at a dotted path."""
    objects: list[dict[StrictStr, Any]] = []
    """Kubernetes objects that are added."""

    @property
    def all_of(self) -> list[str]:
        """`with` as a list."""
        return [self.with_] if isinstance(self.with_, str) else self.with_

    @property
    def none_of(self) -> list[str]:
        """`without` as a list."""
        return [self.without] if isinstance(self.without, str) else self.without


class Exemption(Schema):
    """A rule for production that the component breaks."""

    rule: Text
    """The rule: `memory-limit`."""
    objects: list[Text] | Text = "*"
    """For which objects: `DaemonSet/foo*`."""
    reason: Text
    """Why."""


class Example(Schema):
    """A change that people make."""

    title: Text
    """What it does."""
    values: HelmValues = {}
    """The values for it."""
    exclude: list[Text] = []
    """The objects that are left out for it."""


class CatalogComponent(Schema):
    """A component of a catalog (`catalog/components/NAME.yaml`)."""

    api_version: Literal["cluster-forge/v1"]
    """The format's version."""
    kind: Literal["Component"]
    """What the file describes."""
    name: Label
    """The component's name: a DNS label, and the file's name."""
    title: Text
    """How its makers call it."""
    description: Text
    """What it does, in one sentence."""
    category: Category
    """Where lists show it."""
    homepage: Text
    """Where its documentation is."""
    license: Text
    """The license of the software (SPDX)."""
    lifecycle: Lifecycle = Lifecycle()
    """Whether its makers still keep it."""
    namespace: Label
    """Where its objects go that name no namespace."""
    pod_security: Level
    """The strictest Pod Security level that its pods keep; it is written on the namespace."""
    wave: StrictInt | None = None
    """When it goes into the cluster, lower first; computed if it is not given."""
    architectures: list[Literal["amd64", "arm64"]] = ["amd64", "arm64"]
    """What its images are made for."""
    helm: PartialHelm = PartialHelm()
    """The chart, as far as it is the same for all versions."""
    versions: list[Version] = Field(min_length=1)
    """Newest first: the first that is for the target's Kubernetes version is taken."""
    values: HelmValues = {}
    """Values for production, for every size and version."""
    sizes: SizesSchema = SizesSchema()
    """Values for each size, over these."""
    needs: list[Need | Text] = []
    """What has to be there."""
    provides: dict[StrictStr, dict[StrictStr, StrictStr]] = {}
    """Capabilities that it gives to others, each with what they have to know of it."""
    excludes: list[Exclusion] = []
    """What cannot be there at the same time."""
    secrets: list[Secret] = []
    """Secrets that it expects."""
    makes_secrets: list[Text] = []
    """Secrets that it makes itself when it runs, by name."""
    images: list[Text] = []
    """Images that it pulls at run time, and that stand in no manifest."""
    objects: list[dict[StrictStr, Any]] = []
    """Kubernetes objects that belong to it."""
    wiring: list[Wiring] = []
    """How it changes where others are in the stack."""
    exceptions: list[Exemption] = []
    """Rules for production that it breaks."""
    health: StrictStr = ""
    """How one sees that it is well."""
    notes: StrictStr = ""
    """What its user has to know or to do."""
    upgrade: StrictStr = ""
    """What to look at when its version moves."""
    examples: list[Example] = []
    """Changes that people make."""

    @property
    def needed(self) -> list[Need]:
        """`needs`, all in the long form."""
        return [Need(name=each) if isinstance(each, str) else each for each in self.needs]


class Capability(Schema):
    """Something that components give to others."""

    title: Text
    """What it is."""
    providers: list[Text]
    """The components that give it, the preferred one first."""
    sizes: dict[SizeName, list[Text]] = {}
    """Another order for a size."""


class CatalogCollection(Schema):
    """A name for several components and collections."""

    title: Text
    """How it is called in lists."""
    description: Text
    """What it is for, in one sentence."""
    members: list[Text]
    """Names of components or collections."""


SCHEMAS = {
    "component.schema.json": ("Cluster-Forge catalog component", CatalogComponent),
    "collections.schema.json": ("Cluster-Forge catalog collections", dict[str, CatalogCollection]),
    "capabilities.schema.json": ("Cluster-Forge catalog capabilities", dict[str, Capability]),
}
"""Titles and models of a catalog's files, by the names of their JSON Schemas (`stack.schema_files`)."""
