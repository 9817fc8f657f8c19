"""A component of the description as models that check it and give its JSON Schema (CONTRACT.md)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import StrictBool, StrictInt, StrictStr

from cluster_forge.stack.schema.key_types import Address, HelmValues, Label, Namespace, Schema, Text


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
