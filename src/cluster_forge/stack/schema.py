"""The stack description's format, as models that check its shape and give its JSON Schema (CONTRACT.md).

Importing this module loads pydantic: only `shape` and the schema generator do so, when there is a text to check.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    Tag,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from cluster_forge.foundation.names import is_dns_label
from cluster_forge.stack.model import KubernetesVersion

API_VERSION = "cluster-forge/v1"
KIND = "Stack"
_LABEL_PATTERN = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
_SCHEMES = ("https://", "http://", "file://", "oci://")


def _label(text: str) -> str:
    if not is_dns_label(text):
        raise ValueError(
            f"{text!r} is not a DNS label: lower-case letters, digits and hyphens, at most 63, no hyphen at the ends"
        )
    return text


def _label_or_nothing(text: str) -> str:
    return text and _label(text)


def _kubernetes(text: str) -> str:
    KubernetesVersion.parse(text)
    return text


def _repository(text: str) -> str:
    if not text.startswith(_SCHEMES):
        schemes = ", ".join(_SCHEMES)
        raise ValueError(f"{text!r} is no address: it has to begin with {schemes} (a folder or .tgz goes into `chart`)")
    return text.rstrip("/") if text.startswith("oci://") else text


def _quantity(value: Any) -> Any:
    """Kubernetes takes ``cpu: 16`` as well as ``cpu: "16"``."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


Label = Annotated[StrictStr, AfterValidator(_label), Field(json_schema_extra={"pattern": _LABEL_PATTERN})]
Namespace = Annotated[
    StrictStr, AfterValidator(_label_or_nothing), Field(json_schema_extra={"pattern": f"{_LABEL_PATTERN}|^$"})
]
Text = Annotated[StrictStr, AfterValidator(_filled), Field(json_schema_extra={"minLength": 1})]
Version = Annotated[
    StrictStr, AfterValidator(_kubernetes), Field(json_schema_extra={"pattern": r"^v?\d+\.\d+(\.\d+)?$"})
]
Address = Annotated[
    StrictStr, AfterValidator(_repository), Field(json_schema_extra={"pattern": "^(https?|file|oci)://"})
]
Quantity = Annotated[StrictStr, BeforeValidator(_quantity), WithJsonSchema({"type": ["string", "number"]})]
HelmValues = dict[StrictStr, Any]


class Schema(BaseModel):
    """Keys are written in camelCase; one that is not known is an error."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=False,
    )


class NodeSchema(Schema):
    """Nodes alike that the stack has to fit on."""

    count: StrictInt = Field(1, ge=1)
    """How many of them there are."""
    cpu: Quantity = ""
    """CPU of one node, as Kubernetes writes it: `16` or `500m`."""
    memory: Quantity = ""
    """Memory of one node: `64Gi`."""
    storage: Quantity = ""
    """Local storage of one node: `500Gi`."""
    resources: dict[StrictStr, StrictInt] = {}
    """Extended resources of one node: `amd.com/gpu: 8`."""
    labels: dict[StrictStr, StrictStr] = {}
    """Labels of the nodes."""
    taints: list[StrictStr] = []
    """Taints of the nodes, as kubectl writes them: `key=value:NoSchedule`."""


class TargetSchema(Schema):
    """The cluster that the stack is built for."""

    kubernetes: Version = "1.33"
    """The cluster's Kubernetes version, in quotes: `"1.33"`."""
    size: Literal["small", "medium", "large"] = "small"
    """Picks the `sizes` values of the components."""
    architectures: list[Literal["amd64", "arm64"]] = Field(["amd64", "arm64"], min_length=1)
    """The architectures of the nodes."""
    nodes: list[NodeSchema] = []
    """What the stack has to fit on; without it nobody checks whether it fits."""
    domain: StrictStr = ""
    """The DNS domain below which user interfaces are to be reachable: `example.com`."""
    provides: list[Text] = []
    """What the cluster has already, so that no component has to bring it: `storage-class`, `loadbalancer`."""


class GitOpsSchema(Schema):
    """How the stack gets into the cluster and stays there."""

    engine: Literal["argocd", "flux", "none"] = "argocd"
    """The GitOps engine; `none` applies with kubectl, wave by wave."""
    mode: Literal["ui", "headless"] = "ui"
    """Argo CD with or without its server and login."""
    install: StrictBool = True
    """`false`: the engine already runs in the cluster."""
    source: Literal["internal", "external", "oci"] = "internal"
    """Where the engine reads from: a Git server in the cluster, a Git server of yours, an OCI registry."""
    persistent: StrictBool = False
    """`internal`: keep the repository on a volume."""
    url: StrictStr = ""
    """The repository's address, for `external` and `oci`."""
    finalizers: StrictBool = False
    """Whether Argo CD deletes a component's objects together with its Application."""


class ImageSchema(Schema):
    """The OCI image that `cast` makes."""

    repository: StrictStr = ""
    """Where `push` brings it: `registry.example.com/team/platform`."""
    compression: Literal["gzip", "zstd"] = "gzip"
    """How its layer is compressed."""
    base: StrictStr = ""
    """An image below our layer; empty: data only."""


class HelmSchema(Schema):
    """A Helm chart."""

    chart: Text
    """The chart's name in the repository; without a repository a folder or `.tgz` relative to `input/`."""
    repository: Address = ""
    """The repository: `https://`, `http://`, `file://` or `oci://`."""
    version: StrictStr = ""
    """An exact version or a range as Helm reads it; without it the newest stable one."""
    release: StrictStr = ""
    """The release's name; without it the component's."""
    skip_schema_validation: StrictBool = False
    """Whether the values are not checked against the chart's `values.schema.json` (as Helm's flag of that name)."""


class SizesSchema(Schema):
    """Helm values for each size of the target, laid over those of the `valuesFiles` and under `values`."""

    small: HelmValues = {}
    """Where `target.size` is `small`."""
    medium: HelmValues = {}
    """Where `target.size` is `medium`."""
    large: HelmValues = {}
    """Where `target.size` is `large`."""


class UpstreamSchema(Schema):
    """How a folder of already rendered manifests is made anew: `mine` does, `smelt` only reads the folder."""

    folder: Text
    """The folder that is made, relative to `input/`; name it in `manifests` too."""
    namespace: Namespace = ""
    """The namespace that the chart is rendered for."""
    helm: HelmSchema | None = None
    """The chart that is rendered into the folder."""
    manifests: list[Text] = []
    """URLs that are fetched into the folder."""
    values_files: list[Text] = []
    """Values files for the chart, relative to `input/`."""
    values: HelmValues = {}
    """Values for the chart, over those of the files."""
    exclude: list[Text] = []
    """Objects that are left out, by file name (`deployment.apps_shop_web.yaml` or `Deployment_web.yaml`)."""


class SecretSchema(Schema):
    """A Secret that somebody has to make before the stack is deployed."""

    name: Text
    """Its name."""
    keys: dict[StrictStr, StrictStr]
    """Its keys, and what each is."""
    purpose: StrictStr = ""
    """What it is for."""
    namespace: Namespace = ""
    """Where; without it the component's namespace."""


class ComponentSchema(Schema):
    """A component: one unit of the stack."""

    name: Label
    """The component's name: a DNS label. That of a known component changes that one."""
    namespace: Namespace = ""
    """Where its objects go that name no namespace."""
    extra_namespaces: list[Label] = []
    """More namespaces that are made for it."""
    wave: StrictInt | None = None
    """When it goes into the cluster, lower first; computed if it is not given."""
    needs: list[Label] = []
    """Components that have to be there before it."""
    helm: HelmSchema | None = None
    """The chart that it is made from."""
    version: StrictStr = ""
    """The chart's version: `helm.version` for a component that is defined elsewhere."""
    manifests: list[Text] = []
    """Manifests that it is made from: URLs, and files and folders relative to `input/`."""
    values_files: list[Text] = []
    """Values files for the chart, relative to `input/`, earliest first."""
    sizes: SizesSchema = SizesSchema()
    """Values for each size of the target, between `valuesFiles` and `values`."""
    values: HelmValues = {}
    """Values for the chart: mappings merge, lists replace, null removes the chart's default."""
    exclude: list[Text] = []
    """Objects that are left out, by file name (`deployment.apps_shop_web.yaml` or `Deployment_web.yaml`)."""
    keep_namespace: StrictBool = False
    """`true`: no namespace is filled in."""
    later_replaces: StrictBool = False
    """`true`: an object of a later entry of `manifests` replaces an equal one of an earlier entry."""
    upstream: UpstreamSchema | None = None
    """How a folder of its manifests is made anew."""
    objects: list[dict[StrictStr, Any]] = []
    """Kubernetes objects that belong to it, written out."""
    pod_security: Literal["", "restricted", "baseline", "privileged"] = ""
    """The Pod Security level that is written on its namespace."""
    secrets: list[SecretSchema] = []
    """Secrets that it expects: `secrets list` tells how to make them."""


class IgnoreSchema(Schema):
    """A finding that is silenced."""

    code: Text
    """The finding's code: `unpinned-image`."""
    reason: Text
    """Why it may be silenced."""
    component: StrictStr = ""
    """Only in this component."""
    object: StrictStr = ""
    """Only for this object: `Deployment.apps/shop/web`."""


class ChecksSchema(Schema):
    """What `check` looks at."""

    ignore: list[IgnoreSchema] = []
    """Findings that are silenced."""


def _entry(value: Any) -> str | None:
    return "name" if isinstance(value, str) else "mapping" if isinstance(value, dict) else None


class LayerSchema(Schema):
    """A part of a description, to be merged over others."""

    name: Label | None = None
    """The stack's name: a DNS label. `cast` writes `stacks/NAME`."""
    extends: list[Text] = []
    """Other Stack files, relative to this one, earliest first; later files and this one win."""
    target: TargetSchema = TargetSchema()
    """The cluster that the stack is built for."""
    gitops: GitOpsSchema = GitOpsSchema()
    """How the stack gets into the cluster and stays there."""
    image: ImageSchema = ImageSchema()
    """The OCI image that `cast` makes."""
    components: list[
        Annotated[Annotated[Text, Tag("name")] | Annotated[ComponentSchema, Tag("mapping")], Discriminator(_entry)]
    ] = []
    """What is in the stack: names of components and collections, and components."""
    define: list[ComponentSchema] = []
    """Components that are in the stack only where something names them."""
    collections: dict[Label, list[Text]] = {}
    """Names for several components or collections."""
    catalogs: list[Text] = []
    """Catalogs of your own, folders relative to `input/`; a later one's components replace an earlier one's."""
    checks: ChecksSchema = ChecksSchema()
    """What `check` looks at."""


class StackSchema(LayerSchema):
    """A stack description for Cluster-Forge (`input/config.yaml`)."""

    api_version: Literal["cluster-forge/v1"]
    """The format's version."""
    kind: Literal["Stack"]
    """What the file describes."""
    environments: dict[StrictStr, LayerSchema] = {}
    """Changes by name: `--environment NAME` merges one over the whole file before anything else is read from it."""
