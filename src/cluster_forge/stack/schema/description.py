"""The stack description as models that check it and give its JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StrictBool, StrictInt, StrictStr, Tag

from cluster_forge.stack.schema.changes import ChangesSchema
from cluster_forge.stack.schema.component import EntrySchema
from cluster_forge.stack.schema.key_types import Domain, Host, Label, Schema, Text, Variable, Version
from cluster_forge.stack.schema.node_types import Cores, Memory, Resources, Storage, Taint
from cluster_forge.stack.schema.plugins import PluginSchema, TransformerSchema

API_VERSION = "cluster-forge/v1"
KIND = "Stack"


class NodeSchema(Schema):
    """A group of equal nodes."""

    count: StrictInt = Field(1, ge=1, le=10_000)
    """The number of nodes."""
    cpu: Cores = ""
    """CPU of one node that Pods may request, as a Kubernetes quantity: `16` or `500m`."""
    memory: Memory = ""
    """Memory of one node that Pods may request: `64Gi`."""
    storage: Storage = ""
    """Local storage of one node: `500Gi`."""
    pods: StrictInt = Field(110, ge=1, le=10_000)
    """The Pods that one node takes: the kubelet's `maxPods`."""
    resources: Resources = {}
    """Extended resources of one node: `amd.com/gpu: 8`; huge pages, too: `hugepages-2Mi: 1Gi`."""
    labels: dict[StrictStr, StrictStr] = {}
    """Labels of the nodes."""
    taints: list[Taint] = []
    """Taints of the nodes, as in `kubectl taint`: `key=value:NoSchedule`."""


class TargetSchema(Schema):
    """The cluster that the stack is built for."""

    kubernetes: Version = "1.33"
    """The cluster's Kubernetes version, in quotes: `"1.33"`, or as its server says: `"v1.33.4-gke.100"`."""
    size: Literal["small", "medium", "large"] = "small"
    """Selects the values under `sizes` of each component."""
    architectures: list[Literal["amd64", "arm64"]] = Field(["amd64", "arm64"], min_length=1)
    """The architectures of the nodes."""
    nodes: list[NodeSchema] = []
    """The nodes that the stack must fit on; not checked if empty."""
    domain: Domain = ""
    """The DNS domain under which user interfaces are reachable: `example.com`."""
    provides: list[Text] = []
    """Capabilities that the cluster has already, so that no component is added for them: `storage-class`, `loadbalancer`."""


class CentralSchema(Schema):
    """The cluster with the central Argo CD."""

    context: StrictStr = ""
    """Its context in the kubeconfig; default: the current one."""
    kubeconfig: StrictStr = ""
    """Its kubeconfig file, outside of the workspace; default: as kubectl finds it."""


class GitOpsSchema(Schema):
    """How the stack is deployed and kept in sync."""

    engine: Literal["argocd", "flux", "none"] = "argocd"
    """The GitOps engine; `none`: applied directly, nothing else runs in the cluster."""
    mode: Literal["ui", "headless"] = "ui"
    """Argo CD with its web interface (`ui`) or without (`headless`)."""
    install: StrictBool = True
    """`false`: the engine is already installed in the cluster."""
    source: Literal["internal", "external", "oci", "image"] = "internal"
    """Where the engine reads from: a Git server in the cluster (`internal`), your own Git server (`external`), an OCI registry (`oci`), or a Git server in the cluster that runs from the image of the stack (`image`)."""
    persistent: StrictBool = False
    """For `internal` and `image`: store the repository on a persistent volume."""
    url: StrictStr = ""
    """The URL of the repository, for `external` and `oci`."""
    path: StrictStr = ""
    """For `external`: the folder of the repository that holds the stack, where other files are in it, too: `clusters/production`."""
    branch: StrictStr = "main"
    """For `external`: the branch that the stack is pushed to."""
    secret: StrictStr = ""
    """For `external` and `oci`: the Secret with the login, in the namespace of Argo CD; with Flux, in `cluster-forge`. For `image`: the pull secret, in `cluster-forge`."""
    finalizers: StrictBool = False
    """`true`: deleting the root Application in Argo CD deletes all others, and what they have applied."""
    cluster_folders: StrictBool = False
    """For `external`, with `clusters`: each cluster has a folder of the repository, `clusters/NAME` below `path`, and tags of its own."""
    central: CentralSchema | None = None
    """One Argo CD delivers to all `clusters`, which it knows by their names: the cluster that it runs in. Needs `install: false` and `source: external`."""


class ImageSchema(Schema):
    """The OCI image that `cast` builds."""

    repository: StrictStr = ""
    """The repository that `push` uploads it to: `registry.example.com/team/platform`."""
    compression: Literal["gzip", "zstd"] = "gzip"
    """The compression of its layer."""
    base: StrictStr = ""
    """The image that the stack's layer is added to, for each architecture: `registry.example.com/tools:1.2`; default: none."""


class IgnoreSchema(Schema):
    """A finding to ignore."""

    code: Text
    """The finding's code: `unpinned-image`."""
    reason: Text
    """Why it can be ignored."""
    component: StrictStr = ""
    """Only in this component."""
    object: StrictStr = ""
    """Only for this object: `Deployment.apps/shop/web`."""


class ChecksSchema(Schema):
    """Settings of the checks."""

    errors: list[Text] = []
    """Codes whose warnings are errors, so that nothing is written with them: `[plaintext-secret]`."""
    ignore: list[IgnoreSchema] = []
    """Findings to ignore."""
    plugins: list[PluginSchema] = []
    """Plug-ins that check the stack."""


class RegistrySchema(Schema):
    """How one host is reached."""

    plain_http: StrictBool = False
    """`true`: by HTTP without TLS; everyone on the way can read and change what is sent, passwords included."""
    insecure: StrictBool = False
    """`true`: its certificate is not verified, so that another host may answer in its place."""
    ca_file: StrictStr = ""
    """The certificate of its authority (PEM), relative to `input/`; trusted for this host only."""
    cert_file: StrictStr = ""
    """A client certificate (PEM) to show to it, relative to `input/`."""
    key_file: StrictStr = ""
    """The key of the client certificate, relative to `input/`; keep it out of Git."""


class CatalogSchema(Schema):
    """A catalog that is taken out of the list."""

    name: Text
    """The catalog's folder, as lower layers have it."""
    remove: Literal[True]
    """`true`: take the catalog of lower layers out of the list."""


def _entry(value: Any) -> str | None:
    return "name" if isinstance(value, str) else "mapping" if isinstance(value, dict) else None


class ClusterSchema(Schema):
    """A cluster that the stack is deployed to."""

    name: Label
    """The cluster's name, for `--cluster`."""
    context: StrictStr = ""
    """Its context in the kubeconfig; default: the name."""
    kubeconfig: StrictStr = ""
    """Its kubeconfig file, outside of the workspace: `~/.kube/production`; default: as kubectl finds it."""
    environment: StrictStr = ""
    """The environment that the stack is cast for."""
    labels: dict[StrictStr, StrictStr] = {}
    """Labels, for `--selector region=eu`."""
    variables: dict[Variable, Any] = {}
    """Values for variables that `vars` declares, over those of its environment: the stack is cast for this cluster, with `--environment NAME` of the cluster."""
    remove: StrictBool = False
    """`true`, beside `name` alone: take the cluster of lower layers out of the list."""


class RolloutSchema(Schema):
    """How a stack gets to several clusters."""

    order: list[Text] = []
    """Names of clusters or environments, the first ones first; clusters that it does not name come last."""
    wait: Literal["healthy", "applied"] = "healthy"
    """What must be so on all clusters of one step before the next begins."""
    max_unavailable: StrictInt = Field(1, ge=1)
    """The number of clusters of one step that are deployed to at the same time."""


class LayerSchema(ChangesSchema):
    """A part of a description that is merged over others."""

    name: Label | None = None
    """The stack's name: a DNS label. `cast` writes `stacks/NAME`."""
    extends: list[Text] = []
    """Other Stack files that this one is merged over, relative to this file; later files win."""
    vars: dict[Variable, Any] = {}
    """Variables: `${name}` in the texts of the description stands for the value, `${{ … }}` for what an expression gives. `null`: it must be given, with `--set` or `--vars-file`."""
    target: TargetSchema = TargetSchema()
    """The cluster that the stack is built for."""
    gitops: GitOpsSchema = GitOpsSchema()
    """How the stack is deployed and kept in sync."""
    image: ImageSchema = ImageSchema()
    """The OCI image that `cast` builds."""
    components: list[
        Annotated[Annotated[Text, Tag("name")] | Annotated[EntrySchema, Tag("mapping")], Discriminator(_entry)]
    ] = []
    """The components of the stack: names of components and collections, and definitions of components."""
    define: list[EntrySchema] = []
    """Components that are defined, but in the stack only if `components` or a collection names them."""
    collections: dict[Label, list[Text]] = {}
    """Collections: names for several components or other collections."""
    catalogs: list[
        Annotated[Annotated[Text, Tag("name")] | Annotated[CatalogSchema, Tag("mapping")], Discriminator(_entry)]
    ] = []
    """Your own catalogs, as folders relative to `input/`, in Git (`git+https://HOST/REPO@REF//PATH`) or in a registry (`oci://HOST/REPO:TAG//PATH`); components of later catalogs replace those of earlier ones."""
    transformers: list[TransformerSchema] = []
    """Plug-ins and functions that change the objects of all components, in this order."""
    checks: ChecksSchema = ChecksSchema()
    """Settings of the checks."""
    clusters: list[ClusterSchema] = []
    """The clusters that `deploy`, `status` and `diff` work on with `--cluster`, `--selector` or `--all`."""
    rollout: RolloutSchema = RolloutSchema()
    """The order of the clusters."""
    registries: dict[Host, RegistrySchema] = {}
    """Hosts, like `registry.local:5000`, that are not reached by HTTPS with a certificate that everyone trusts."""


class StackSchema(LayerSchema):
    """A stack description for Cluster-Forge (`input/config.yaml`)."""

    api_version: Literal["cluster-forge/v1"]
    """The version of the format."""
    kind: Literal["Stack"]
    """The kind of file."""
    environments: dict[Label, LayerSchema] = {}
    """Changes by name (a DNS label): `--environment NAME` merges one of them over the file."""
