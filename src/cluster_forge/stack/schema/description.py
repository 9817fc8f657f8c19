"""The stack description as models that check it and give its JSON Schema (CONTRACT.md)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StrictBool, StrictInt, StrictStr, Tag

from cluster_forge.stack.schema.component import ComponentSchema
from cluster_forge.stack.schema.key_types import Label, Quantity, Schema, Text, Version

API_VERSION = "cluster-forge/v1"
KIND = "Stack"


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
