"""A component of the description as models that check it and give its JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StrictBool, StrictInt, StrictStr, Tag

from cluster_forge.stack.schema.changes import ChangesSchema
from cluster_forge.stack.schema.key_types import (
    Address,
    HelmValues,
    KindName,
    Label,
    Namespace,
    NamingPath,
    ObjectName,
    Schema,
    Text,
)
from cluster_forge.stack.schema.plugins import TransformerSchema


class HelmSchema(Schema):
    """A Helm chart."""

    chart: Text
    """The name of the chart in the repository; without `repository`, a folder or `.tgz` relative to `input/`."""
    repository: Address = ""
    """The URL of the repository: `https://`, `http://`, `file://`, `oci://`, or of a folder in Git, `git+https://HOST/REPO@REF//PATH`; or one with the scheme of a source plug-in: `s3://`."""
    version: StrictStr = ""
    """An exact version, a range in Helm's syntax, or in a registry a digest; default: the newest stable version."""
    release: StrictStr = ""
    """The name of the release; default: the name of the component."""
    skip_schema_validation: StrictBool = False
    """`true`: do not check the values against the chart's `values.schema.json`, as `helm --skip-schema-validation`."""


class SizesSchema(Schema):
    """Helm values for each `target.size`, merged over `valuesFiles` and under `values`."""

    small: HelmValues = {}
    """Values if `target.size` is `small`."""
    medium: HelmValues = {}
    """Values if `target.size` is `medium`."""
    large: HelmValues = {}
    """Values if `target.size` is `large`."""


class UpstreamSchema(Schema):
    """The source of a folder of rendered manifests: `mine` regenerates the folder, `smelt` only reads it."""

    folder: Text
    """The folder, relative to `input/`; add it to `manifests` too."""
    namespace: Namespace = ""
    """The namespace for which the chart is rendered."""
    helm: HelmSchema | None = None
    """The chart that is rendered into the folder."""
    manifests: list[Text] = []
    """URLs of manifests that are downloaded into the folder."""
    values_files: list[Text] = []
    """Values files for the chart, relative to `input/`."""
    values: HelmValues = {}
    """Values for the chart, merged over `valuesFiles`."""
    exclude: list[Text] = []
    """Objects to leave out, by file name (`deployment.apps_shop_web.yaml` or `Deployment_web.yaml`)."""


def _named_file(value: Any) -> str:
    """Which of the two an entry of ``files`` is meant to be, so that errors speak of that one only."""
    return "mapping" if isinstance(value, dict) else "name"


Files = list[
    Annotated[
        Annotated[Text, Tag("name")] | Annotated[dict[StrictStr, Text], Tag("mapping")], Discriminator(_named_file)
    ]
]


class ConfigMapSchema(Schema):
    """A ConfigMap with the content of files."""

    name: Text
    """The name of the ConfigMap."""
    files: Annotated[Files, Field(min_length=1)]
    """The files, relative to `input/`: files, folders, patterns such as `dashboards/*.json`; `KEY: FILE` for another key than the file's name."""
    namespace: Namespace = ""
    """The namespace; default: that of the component."""
    labels: dict[StrictStr, StrictStr] = {}
    """Labels of the ConfigMap: `grafana_dashboard: "1"`."""
    annotations: dict[StrictStr, StrictStr] = {}
    """Annotations of the ConfigMap."""


class SecretSchema(Schema):
    """A Secret that must exist before the stack is deployed, or one with the content of files."""

    name: ObjectName
    """The name of the Secret."""
    keys: dict[StrictStr, StrictStr] = {}
    """The keys of a Secret that you create, each with a description."""
    purpose: StrictStr = ""
    """What the Secret is for."""
    namespace: Namespace = ""
    """The namespace; default: that of the component."""
    files: Files = []
    """Instead of `keys`: the files that it is made of, as in `configMaps`."""
    plaintext: StrictBool = False
    """`true`, needed with `files`: their content may be in the repository and the image for everyone who reads these."""
    type: StrictStr = ""
    """With `files`: the type of the Secret, such as `kubernetes.io/tls`; default: `Opaque`."""
    labels: dict[StrictStr, StrictStr] = {}
    """With `files`: labels of the Secret."""
    annotations: dict[StrictStr, StrictStr] = {}
    """With `files`: annotations of the Secret."""


class OperatedPodsSchema(Schema):
    """Pods that the component makes of an object; paths are fields of the object: `spec.resources`."""

    entries: Text = ""
    """The path of a list, if each of its entries has such Pods; the other paths are in an entry then."""
    replicas: Text = ""
    """The path of their number."""
    default: StrictInt = Field(1, ge=0)
    """Their number in an object without that."""
    resources: Text = ""
    """The path of the requests and limits of one."""
    template: Text = ""
    """The path of their Pod template, where the object has one."""


class OperatesSchema(Schema):
    """A kind of object for which the component creates pods, Services and Secrets at run time."""

    group: Text
    """The API group: `postgresql.cnpg.io`."""
    kind: Text
    """The kind: `Cluster`."""
    services: list[Text] = []
    """Names of the Services, in the object's namespace; `{name}` is the object's name: `{name}-rw`."""
    secrets: list[Text] = []
    """Names of the Secrets, likewise."""
    pods: list[OperatedPodsSchema] = []
    """Its Pods, as far as the object says what they request: they count for the nodes."""


class NamingFieldSchema(Schema):
    """A field that names an object: its value is the name, or a mapping with `name` and maybe `namespace`, `kind` and `key`."""

    path: NamingPath
    """The path of the field: `spec.login`; `spec.stores[].login` in each entry of a list, `spec.stores.{}.login` in each member of a mapping."""
    to: KindName
    """The kind that it names, with the API group where it has one: `Secret`, `Issuer.cert-manager.io`."""
    optional: StrictBool = False
    """`true`: the object works without the one that it names."""


class RefersToSchema(Schema):
    """A kind of custom resource whose fields name other objects."""

    group: Text
    """The API group: `shop.example.com`."""
    kind: Text
    """The kind: `Store`."""
    fields: Annotated[list[NamingFieldSchema], Field(min_length=1)]
    """The fields that name other objects."""


class AcceptsSchema(Schema):
    """A warning that is accepted for objects of the component: it becomes a notice with the reason."""

    code: Text
    """The finding's code: `rbac-wide`."""
    objects: list[Text] = ["*"]
    """For which objects: `ClusterRole/shop-*`."""
    reason: Text
    """Why."""


class ComponentSchema(ChangesSchema):
    """A component: one unit of the stack."""

    name: Label
    """The name of the component: a DNS label. With the name of a catalog component, this changes that component."""
    namespace: Namespace = ""
    """The namespace for objects that set none."""
    extra_namespaces: list[Label] = []
    """Additional namespaces to create."""
    wave: StrictInt | None = None
    """The sync wave, lower first; computed by default."""
    needs: list[Label] = []
    """Components that must be ready before this one."""
    helm: HelmSchema | None = None
    """The Helm chart of the component."""
    version: StrictStr = ""
    """The version of the chart: as `helm.version`, for a component that is defined elsewhere."""
    kustomize: Text = ""
    """The folder of a kustomization, relative to `input/` or in Git (`git+https://HOST/REPO@REF//PATH`); the component has the objects that `kustomize build` writes."""
    manifests: list[Text] = []
    """Manifests of the component: URLs, and files and folders relative to `input/`."""
    values_files: list[Text] = []
    """Values files for the chart, relative to `input/`; later files win."""
    sizes: SizesSchema = SizesSchema()
    """Values for each `target.size`, merged over `valuesFiles` and under `values`."""
    values: HelmValues = {}
    """Values for the chart: mappings are merged, lists are replaced, null removes the chart's default."""
    exclude: list[Text] = []
    """Objects to leave out, by file name (`deployment.apps_shop_web.yaml` or `Deployment_web.yaml`)."""
    keep_namespace: StrictBool = False
    """`true`: do not set a namespace on objects that have none."""
    later_replaces: StrictBool = False
    """`true`: an object of a later entry of `manifests` replaces the same object of an earlier entry."""
    substitute: StrictBool = False
    """`true`: `${name}` and `${{ … }}` are replaced in its own files, too: in its `valuesFiles` and in the files of `manifests` and `patches` below `input/`."""
    upstream: UpstreamSchema | None = None
    """The source of a folder in `manifests`, from which `mine` regenerates it."""
    objects: list[dict[StrictStr, Any]] = []
    """Kubernetes objects of the component, as YAML."""
    pod_security: Literal["", "restricted", "baseline", "privileged"] = ""
    """The Pod Security level of its namespace."""
    config_maps: list[ConfigMapSchema] = []
    """ConfigMaps with the content of files."""
    transformers: list[TransformerSchema] = []
    """Plug-ins and functions that change the component's objects, after those of the stack."""
    operates: list[OperatesSchema] = []
    """Kinds of objects for which it creates pods, Services and Secrets at run time: nothing in the stack has them, and they are not missing."""
    refers_to: list[RefersToSchema] = []
    """Kinds of custom resources and their fields that name other objects: these come first, and one that nothing makes is missing."""
    makes_secrets: list[Text] = []
    """Secrets in its namespace that its programs create at run time."""
    accepts: list[AcceptsSchema] = []
    """Warnings about its objects that are accepted, with a reason: they become notices, unless `checks.errors` names the code."""
    secrets: list[SecretSchema] = []
    """Secrets that must exist before deployment: `secrets list` shows how to create them. Or Secrets with the content of files."""


class EntrySchema(ComponentSchema):
    """A component in one file or environment: a part of it, if lower layers have the rest."""

    remove: StrictBool = False
    """`true`, beside `name` alone: take the entry of lower layers out of the list."""
