"""The format of a component's file in a catalog, as models that validate it and yield its JSON Schema.

Importing this module loads pydantic, as `stack.schema.key_types` does.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, StrictBool, StrictInt, StrictStr, model_validator

from cluster_forge.catalog.field_types import FindingCode, Level, ObjectName, Range, StatusField
from cluster_forge.stack.schema.component import OperatedPodsSchema, RefersToSchema, SizesSchema
from cluster_forge.stack.schema.key_types import HelmValues, Label, Schema, Text

API_VERSION = "cluster-forge/v1"

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


class Lifecycle(Schema):
    """How long the component's maintainers will support it."""

    state: Literal["active", "deprecated", "eol"] = "active"
    """`deprecated`: it works, but do not start with it; `eol`: its maintainers ended it."""
    date: StrictStr = ""
    """Since when."""
    reason: StrictStr = ""
    """Why."""
    successor: StrictStr = ""
    """The component of the catalog that replaces it."""


class PartialHelm(Schema):
    """A Helm chart; a version's keys override those of the component."""

    repository: StrictStr = ""
    """The repository: `https://`, `http://`, `file://` or `oci://`."""
    chart: StrictStr = ""
    """The chart's name in the repository."""
    release: StrictStr = ""
    """The release's name; without it the component's."""


class Version(Schema):
    """A version of the component, and the Kubernetes versions that it supports."""

    version: Text
    """The chart's version; for a component of manifests, the release's."""
    kubernetes: Range
    """`1.25+`, `1.27-1.33` or `1.30`: minor versions, both ends included."""
    helm: PartialHelm = PartialHelm()
    """Keys of the chart that differ from the component's `helm`."""
    manifests: list[Text] = []
    """URLs of its manifests."""
    values: HelmValues = {}
    """Values for this version only, merged over the component's; null removes."""
    sizes: SizesSchema = SizesSchema()
    """Values for each size, for this version only."""


class Need(Schema):
    """A component or capability that must be in the stack."""

    name: Text
    """The component or capability."""
    sizes: list[SizeName] = list(ALL_SIZES)
    """Only at these sizes."""
    reason: StrictStr = ""
    """Why, in one sentence."""


class Exclusion(Schema):
    """A component or capability that must not be in the same stack."""

    name: Text
    """The component or capability."""
    reason: Text
    """Why, in one sentence."""


class Conditions(Schema):
    """In which stacks something applies (`StackContext.meets`)."""

    with_: list[Text] | Text = Field([], alias="with")
    """Only if all of these components or capabilities are in the stack or the target."""
    without: list[Text] | Text = []
    """Only if none of these is in the stack or the target."""
    sizes: list[SizeName] = list(ALL_SIZES)
    """Only at these sizes."""

    @property
    def all_of(self) -> list[str]:
        """`with` as a list."""
        return _listed(self.with_)

    @property
    def none_of(self) -> list[str]:
        """`without` as a list."""
        return _listed(self.without)


def _listed(value: list[str] | str) -> list[str]:
    return [value] if isinstance(value, str) else value


class Secret(Conditions):
    """A Secret that the user creates."""

    name: Text
    """Its name."""
    keys: dict[StrictStr, StrictStr]
    """Its keys, and what each is."""
    purpose: Text
    """What it is for."""
    namespace: StrictStr = ""
    """Its namespace; by default the component's."""
    with_: list[Text] | Text = Field([], alias="when")
    """Only if all of these components or capabilities are in the stack or the target."""
    by_hand: StrictBool = False
    """Whether it cannot come from a secret store: the store itself needs it, or cannot hold it."""


class Wiring(Conditions):
    """How the component changes if other components are in the stack."""

    purpose: Text
    """What it is for, in one sentence."""
    values: HelmValues = {}
    """Values that are merged over the component's own."""
    append: dict[StrictStr, Any] = {}
    """Text or lists that are appended to the value at a dotted path."""
    objects: list[dict[StrictStr, Any]] = []
    """Kubernetes objects that are added."""


class Caution(Conditions):
    """Known trouble: a finding (a warning) in every stack to which all of the conditions apply."""

    code: FindingCode
    """The finding's code: `kubernetes-range`, `missing-provider`."""
    reason: Text
    """What goes wrong, as the finding says it: `nothing in the stack sends logs to it`."""
    fix: Text
    """What to do about it: `add alloy`."""
    kubernetes: Range | None = None
    """Only on these minor versions of Kubernetes."""
    target: list[Text] | Text = []
    """Only if the target brings all of these capabilities itself, by `target.provides` or as its distribution does."""

    @property
    def brought(self) -> list[str]:
        """`target` as a list."""
        return _listed(self.target)


class RuleException(Schema):
    """A finding that is accepted for objects of the component."""

    rule: FindingCode
    """The finding's code: `memory-limit`."""
    objects: list[Text] | Text = "*"
    """For which objects: `DaemonSet/foo*`."""
    reason: Text
    """Why."""

    @property
    def patterns(self) -> list[str]:
        """`objects` as a list."""
        return _listed(self.objects)


class Operates(Schema):
    """A kind of object for which the component creates pods, Services and Secrets at run time."""

    group: Text
    """The API group: `postgresql.cnpg.io`."""
    kind: Text
    """The kind: `Cluster`."""
    services: list[ObjectName] = []
    """Names of the Services, in the object's namespace; `{name}` is the object's name: `{name}-rw`."""
    secrets: list[ObjectName] = []
    """Names of the Secrets, likewise."""
    pods: list[OperatedPodsSchema] = []
    """Its Pods, as far as the object says what they request: they count for the nodes."""


class Readiness(Schema):
    """When an object of a kind that the component's controller answers is ready; without it, kstatus's rules hold."""

    group: Text
    """The API group: `cert-manager.io`."""
    kind: Text
    """The kind: `Certificate`."""
    conditions: list[Text] = []
    """The conditions that must all be true: `[Ready]`."""
    field: StatusField = ""
    """A field below `status`, instead of conditions or beside them: `currentState`."""
    ready: list[Text] = []
    """The values of the field that an object has once it is ready."""
    failed: list[Text] = []
    """Its values for an object that will not become ready without a change."""

    @model_validator(mode="after")
    def _says_something(self) -> Readiness:
        if bool(self.field) != bool(self.ready):
            raise ValueError(
                "`field` and `ready` belong together: the values that the field has once an object is ready"
            )
        if not self.field and not self.conditions:
            raise ValueError("nothing says when an object is ready: write `conditions`, or `field` and `ready`")
        return self


class Example(Schema):
    """A common change."""

    title: Text
    """What it does."""
    values: HelmValues = {}
    """The values for it."""
    exclude: list[Text] = []
    """The objects that it leaves out."""


class CatalogComponent(Schema):
    """A component of a catalog (`catalog/components/NAME.yaml`)."""

    api_version: Literal["cluster-forge/v1"]
    """The format's version."""
    kind: Literal["Component"]
    """What the file describes."""
    name: Label
    """The component's name: a DNS label, and the file's name."""
    title: Text
    """Its name as its maintainers write it."""
    description: Text
    """What it does, in one sentence."""
    category: Category
    """The category in lists."""
    homepage: Text
    """The address of its documentation."""
    license: Text
    """The license of the software (SPDX)."""
    lifecycle: Lifecycle = Lifecycle()
    """Whether it is still maintained."""
    namespace: Label
    """The namespace of its objects that name none."""
    pod_security: Level
    """The strictest Pod Security level that its pods keep; it becomes a label of the namespace."""
    wave: StrictInt | None = None
    """Its sync wave, lower first; computed by default."""
    architectures: list[Literal["amd64", "arm64"]] = ["amd64", "arm64"]
    """The architectures of its images."""
    helm: PartialHelm = PartialHelm()
    """The chart's keys that all versions share."""
    versions: list[Version] = Field(min_length=1)
    """Newest first: the first that supports the target's Kubernetes version is used."""
    values: HelmValues = {}
    """Values for production, for every size and version."""
    sizes: SizesSchema = SizesSchema()
    """Values for each size, merged over `values`."""
    needs: list[Need | Text] = []
    """Components and capabilities that must be in the stack."""
    provides: dict[StrictStr, dict[StrictStr, StrictStr]] = {}
    """Capabilities that it provides, each with attributes for others: addresses, names."""
    excludes: list[Exclusion] = []
    """Components and capabilities that must not be in the same stack."""
    secrets: list[Secret] = []
    """Secrets that it expects."""
    makes_secrets: list[Text] = []
    """Names of Secrets that it creates itself at run time."""
    operates: list[Operates] = []
    """Kinds of objects for which it creates pods, Services and Secrets at run time."""
    refers_to: list[RefersToSchema] = []
    """Kinds of custom resources and their fields that name other objects."""
    readiness: list[Readiness] = []
    """Kinds of objects that its controller answers, and when they are ready: what needs them waits for that."""
    images: list[Text] = []
    """Images that it pulls at run time and that are in no manifest."""
    objects: list[dict[StrictStr, Any]] = []
    """Kubernetes objects that belong to it."""
    wiring: list[Wiring] = []
    """How it changes if other components are in the stack."""
    cautions: list[Caution] = []
    """Known trouble in some stacks, each a finding."""
    exceptions: list[RuleException] = []
    """Findings that are accepted, with a reason."""
    health: StrictStr = ""
    """How to check that it is healthy."""
    notes: StrictStr = ""
    """What its user should know or do."""
    upgrade: StrictStr = ""
    """What to check before an upgrade."""
    examples: list[Example] = []
    """Common changes."""

    @property
    def needed(self) -> list[Need]:
        """`needs`, all in the long form."""
        return [Need(name=need) if isinstance(need, str) else need for need in self.needs]
