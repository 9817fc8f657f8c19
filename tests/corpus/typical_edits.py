"""What people change in rendered objects: 26 kinds of edits, each with the question whether it is still there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from cluster_forge.manifests.identity import ObjectId

Body = dict[str, Any]
Check = Callable[[Body], bool]
"""Whether the edit is in an object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One object before and after; ``mine`` is None if it was removed. ``is_in`` asks whether an object has the edit."""

    what: str
    id: ObjectId
    base: Body
    mine: Body | None
    is_in: Check


def edits(objects: Mapping[ObjectId, bytes], most: int) -> tuple[Edit, ...]:
    """``most`` edits at most, each kind of edit once before any is made a second time, to the next object."""
    rows = [list(_of_kind(what, change, objects, most)) for what, change in _KINDS.items()]
    rounds = (row[number] for number in range(most) for row in rows if number < len(row))
    return tuple(edit for _, edit in zip(range(most), rounds, strict=False))


def _of_kind(
    what: str, change: Callable[[Body], Check | None], objects: Mapping[ObjectId, bytes], most: int
) -> Iterator[Edit]:
    found = 0
    for identity, content in sorted(objects.items()):
        mine = orjson.loads(content)
        check = change(mine)
        if check is not None:
            is_removed = what == _REMOVAL
            yield Edit(
                what=what, id=identity, base=orjson.loads(content), mine=None if is_removed else mine, is_in=check
            )
            found += 1
        if found == most:
            return


def _pod(body: Body) -> Body:
    """The Pod template's spec of a workload; empty for other kinds."""
    template = body.get("spec", {}).get("template", {}) if body["kind"] in _WORKLOADS else {}
    spec: Body = template.get("spec", {})
    return spec


def _container(body: Body) -> Body:
    return next(iter(_pod(body).get("containers", ())), {})


def _same_container(body: Body, name: str) -> Body:
    return next((entry for entry in _pod(body).get("containers", ()) if entry["name"] == name), {})


def _in_container(body: Body, field: str, value: Any) -> Check | None:
    """Sets a field of the first container."""
    container = _container(body)
    if not container:
        return None
    container[field] = value
    return lambda merged: _same_container(merged, container["name"]).get(field) == value


def _replicas(body: Body) -> Check | None:
    if body["kind"] not in ("Deployment", "StatefulSet"):
        return None
    body["spec"]["replicas"] = 7
    return lambda merged: bool(merged["spec"]["replicas"] == 7)


def _resources(body: Body) -> Check | None:
    container = _container(body)
    if not container:
        return None
    container.setdefault("resources", {}).setdefault("limits", {})["memory"] = "77Mi"
    name = container["name"]
    return lambda merged: _same_container(merged, name).get("resources", {}).get("limits", {}).get("memory") == "77Mi"


def _image(body: Body) -> Check | None:
    return _in_container(body, "image", "mirror.example.com/own:1")


def _argument(body: Body) -> Check | None:
    container = _container(body)
    if not container.get("args"):
        return None
    container["args"].append("--edited")
    return lambda merged: "--edited" in _same_container(merged, container["name"]).get("args", ())


def _probe(body: Body) -> Check | None:
    container = _container(body)
    if not container.get("livenessProbe"):
        return None
    container["livenessProbe"]["periodSeconds"] = 77
    name = container["name"]
    return lambda merged: _same_container(merged, name).get("livenessProbe", {}).get("periodSeconds") == 77


def _new_variable(body: Body) -> Check | None:
    container = _container(body)
    if not container:
        return None
    container["env"] = [*(container.get("env") or ()), {"name": "EDITED", "value": "yes"}]
    return lambda merged: {"name": "EDITED", "value": "yes"} in _same_container(merged, container["name"])["env"]


def _variable(body: Body) -> Check | None:
    container = _container(body)
    variable = next((entry for entry in container.get("env") or () if "value" in entry), None)
    if variable is None:
        return None
    variable["value"] = "edited"
    return lambda merged: variable in (_same_container(merged, container["name"]).get("env") or ())


def _container_port(body: Body) -> Check | None:
    container = _container(body)
    if not container:
        return None
    port = {"containerPort": 7777, "name": "edited", "protocol": "TCP"}
    container["ports"] = [*(container.get("ports") or ()), port]
    return lambda merged: port in _same_container(merged, container["name"])["ports"]


def _sidecar(body: Body) -> Check | None:
    spec = _pod(body)
    if not spec:
        return None
    spec["containers"].append({"name": "edited", "image": "own:1"})
    return lambda merged: {"name": "edited", "image": "own:1"} in _pod(merged)["containers"]


def _volume(body: Body) -> Check | None:
    spec, container = _pod(body), _container(body)
    if not container:
        return None
    volume, mount = {"name": "edited", "emptyDir": {}}, {"name": "edited", "mountPath": "/edited"}
    spec["volumes"] = [*(spec.get("volumes") or ()), volume]
    container["volumeMounts"] = [*(container.get("volumeMounts") or ()), mount]
    name = container["name"]
    return lambda merged: (
        volume in _pod(merged)["volumes"] and mount in _same_container(merged, name).get("volumeMounts", ())
    )


def _toleration(body: Body) -> Check | None:
    spec = _pod(body)
    if not spec:
        return None
    toleration = {"key": "edited", "operator": "Exists"}
    spec["tolerations"] = [*(spec.get("tolerations") or ()), toleration]
    return lambda merged: toleration in _pod(merged)["tolerations"]


def _node_selector(body: Body) -> Check | None:
    spec = _pod(body)
    if not spec:
        return None
    spec["nodeSelector"] = {**(spec.get("nodeSelector") or {}), "edited": "yes"}
    return lambda merged: _pod(merged)["nodeSelector"].get("edited") == "yes"


def _security_context(body: Body) -> Check | None:
    spec = _pod(body)
    if not spec:
        return None
    spec["securityContext"] = {**(spec.get("securityContext") or {}), "fsGroup": 7777}
    return lambda merged: bool(_pod(merged)["securityContext"].get("fsGroup") == 7777)


def _label(body: Body) -> Check:
    body["metadata"]["labels"] = {**(body["metadata"].get("labels") or {}), "edited": "yes"}
    return lambda merged: merged["metadata"]["labels"].get("edited") == "yes"


def _changed_label(body: Body) -> Check | None:
    labels = body["metadata"].get("labels") or {}
    if "app.kubernetes.io/version" not in labels:
        return None
    labels["app.kubernetes.io/version"] = "edited"
    return lambda merged: (merged["metadata"].get("labels") or {}).get("app.kubernetes.io/version") == "edited"


def _annotation(body: Body) -> Check:
    body["metadata"]["annotations"] = {**(body["metadata"].get("annotations") or {}), "edited": "yes"}
    return lambda merged: merged["metadata"]["annotations"].get("edited") == "yes"


def _service_port(body: Body) -> Check | None:
    if body["kind"] != "Service" or not body["spec"].get("ports"):
        return None
    port = body["spec"]["ports"][0]
    port["nodePort"] = 30777
    return lambda merged: any(
        entry.get("nodePort") == 30777 and entry["port"] == port["port"] for entry in merged["spec"]["ports"]
    )


def _service_type(body: Body) -> Check | None:
    if body["kind"] != "Service":
        return None
    body["spec"]["type"] = "LoadBalancer"
    return lambda merged: bool(merged["spec"]["type"] == "LoadBalancer")


def _config_line(body: Body) -> Check | None:
    return _in_text(body, lambda lines: [*lines[:1], "edited: yes", *lines[2:]])


def _new_config_line(body: Body) -> Check | None:
    return _in_text(body, lambda lines: [*lines, "edited: yes"])


def _in_text(body: Body, change: Callable[[list[str]], list[str]]) -> Check | None:
    """Changes the first text of a ConfigMap that has five lines."""
    data = (body.get("data") or {}) if body["kind"] == "ConfigMap" else {}
    name = next((key for key, text in sorted(data.items()) if text.count("\n") >= 5), None)
    if name is None:
        return None
    data[name] = "\n".join(change(data[name].rstrip("\n").split("\n"))) + "\n"
    return lambda merged: "edited: yes" in (merged.get("data") or {}).get(name, "").split("\n")


def _rule(body: Body) -> Check | None:
    if body["kind"] not in ("ClusterRole", "Role") or not body.get("rules"):
        return None
    rule = {"apiGroups": [""], "resources": ["edited"], "verbs": ["get"]}
    body["rules"].append(rule)
    return lambda merged: rule in merged["rules"]


def _webhook(body: Body) -> Check | None:
    if not body.get("webhooks"):
        return None
    webhook = body["webhooks"][0]
    webhook["failurePolicy"] = "Edited"
    return lambda merged: any(
        entry["name"] == webhook["name"] and entry["failurePolicy"] == "Edited"
        for entry in merged.get("webhooks") or ()
    )


def _default_of_definition(body: Body) -> Check | None:
    if body["kind"] != "CustomResourceDefinition":
        return None
    body["spec"]["conversion"] = {"strategy": "Edited"}
    return lambda merged: merged["spec"].get("conversion", {}).get("strategy") == "Edited"


def _gone_annotations(body: Body) -> Check | None:
    if not body["metadata"].get("annotations"):
        return None
    del body["metadata"]["annotations"]
    return lambda merged: not merged["metadata"].get("annotations")


def _gone_resources(body: Body) -> Check | None:
    container = _container(body)
    if not container.get("resources"):
        return None
    del container["resources"]
    return lambda merged: not _same_container(merged, container["name"]).get("resources")


def _removal(body: Body) -> Check | None:
    return (lambda merged: False) if body["kind"] in ("ServiceAccount", "ConfigMap", "Service", "ClusterRole") else None


_REMOVAL: Final = "object removed"
_WORKLOADS: Final = ("Deployment", "StatefulSet", "DaemonSet", "Job")
_KINDS: Final[Mapping[str, Callable[[Body], Check | None]]] = {
    "replicas": _replicas,
    "resources": _resources,
    "image": _image,
    "argument added": _argument,
    "probe": _probe,
    "variable added": _new_variable,
    "variable changed": _variable,
    "container port added": _container_port,
    "container added": _sidecar,
    "volume added": _volume,
    "toleration added": _toleration,
    "node selector": _node_selector,
    "security context": _security_context,
    "label added": _label,
    "version label changed": _changed_label,
    "annotation added": _annotation,
    "service port": _service_port,
    "service type": _service_type,
    "line changed": _config_line,
    "line added": _new_config_line,
    "rule added": _rule,
    "webhook": _webhook,
    "CRD conversion": _default_of_definition,
    "annotations removed": _gone_annotations,
    "resources removed": _gone_resources,
    _REMOVAL: _removal,
}
