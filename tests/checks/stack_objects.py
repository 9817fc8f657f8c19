"""Objects of small stacks, for tests of checks that look at a whole stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.stack.component import Component
from cluster_forge.stack.model import Stack


def resource(api: str, kind: str, name: str = "web", *, of: str = "web", **fields: Any) -> Manifest:
    """An object of component ``of``, in namespace ``shop`` unless ``namespace`` says otherwise; ``labels`` and ``annotations``
    are those of its metadata.
    """
    metadata = {"name": name, "namespace": fields.pop("namespace", "shop")}
    metadata |= {key: fields.pop(key) for key in ("labels", "annotations") if key in fields}
    body = {
        "apiVersion": api,
        "kind": kind,
        "metadata": {key: value for key, value in metadata.items() if value},
        **fields,
    }
    return Manifest.of(body, Provenance(component=ComponentName(of), origin=f"{of}.yaml:1"))


def workload(kind: str = "Deployment", name: str = "web", *, of: str = "web", **fields: Any) -> Manifest:
    """A workload whose Pods have the label ``app``; ``pod`` and ``container`` are changes of their spec."""
    container = {"name": "main", "image": "registry.example.com/team/web:1", **fields.pop("container", {})}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container], **fields.pop("pod", {})}}
    spec = {"selector": {"matchLabels": {"app": name}}, "template": template, **fields.pop("spec", {})}
    return resource("apps/v1", kind, name, of=of, spec=spec, **fields)


def service(name: str = "web", *, of: str = "web", **fields: Any) -> Manifest:
    """A Service that leads to port 80 of the Pods with the label ``app``."""
    spec = {"selector": {"app": name}, "ports": [{"name": "http", "port": 80}], **fields.pop("spec", {})}
    return resource("v1", "Service", name, of=of, spec=spec, **fields)


def checked(
    *manifests: Manifest, stack: Stack | None = None, levels: Mapping[str, str] | None = None, **options: Any
) -> CheckedStack:
    """A stack of these objects; ``levels`` are what its components ask for as Pod Security level, if no ``stack`` is given."""
    names = dict.fromkeys(manifest.provenance.component for manifest in manifests)
    components = tuple(Component(name=name, pod_security=(levels or {}).get(name, "")) for name in names)
    waves = dict.fromkeys(names, 0)
    return CheckedStack(stack or Stack(name="shop", components=components), manifests, waves=waves, **options)
