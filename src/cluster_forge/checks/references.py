"""What in a stack's objects leads nowhere: an address without a Service, a Secret that nobody makes, a route without a
Gateway.

Only what is certain counts. What operators make at run time (`inventory.OPERATED`), what every cluster has, monitors of
all namespaces that find nothing yet, and texts with placeholders are left alone: a false alarm is worse than a miss.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from cluster_forge.checks.inventory import Inventory, Place, spec_of, texts
from cluster_forge.checks.production import Breach, is_exempt
from cluster_forge.manifests.manifest import Body, Manifest
from cluster_forge.manifests.pods import pod_of

if TYPE_CHECKING:
    from cluster_forge.catalog.component_format import Exemption

_ADDRESS: Final = re.compile(
    r"(?<![\w.$(){}*%-])(?:(?P<scheme>[a-z+]+)://(?:[^\s/@\"']*@)?)?(?:[\w$(){}-]+\.)*"
    r"(?P<name>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)\.svc(?![\w-])(?:\.cluster\.local)?\.?(?::(?P<port>\d+))?"
)
_PORTS: Final = {"http": 80, "https": 443}
_CORE: Final = ""
_GATEWAYS: Final = "gateway.networking.k8s.io"
_CERTIFICATES: Final = "cert-manager.io"
_MONITORING: Final = "monitoring.coreos.com"
_STORES: Final = "external-secrets.io"
_ROUTES: Final = frozenset({"HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"})
_WEBHOOKS: Final = frozenset({"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"})
_CRD: Final = "CustomResourceDefinition"
_WORDS: Final = frozenset({_CRD, "Certificate"})
"""Kinds that name addresses without calling them, in descriptions and as what a certificate is good for."""

Rule = Callable[[Inventory, Manifest], Iterator[Breach]]


def breaches(
    manifests: Sequence[Manifest],
    *,
    secrets: Collection[Place] = (),
    exceptions: Mapping[str, Sequence[Exemption]] = MappingProxyType({}),
) -> list[Breach]:
    """Everything in a stack's objects that leads nowhere; ``object`` is the `ObjectId` of the one that names it.

    ``secrets`` are those that others make: people, a store, or a program when it runs. ``exceptions`` are components',
    by name. Addresses are those inside the cluster (kubernetes.io/docs/concepts/services-networking/dns-pod-service).
    """
    there = Inventory(manifests, secrets)
    return [
        breach
        for each in manifests
        for rule in _rules_for(each)
        for breach in rule(there, each)
        if not is_exempt(breach.rule, f"{each.id.kind}/{each.id.name}", exceptions.get(each.provenance.component, ()))
    ]


def _rules_for(manifest: Manifest) -> Iterator[Rule]:
    group, kind = manifest.id.group, manifest.id.kind
    if kind not in _WORDS and b".svc" in manifest.document.json:
        yield _addresses
    if kind != _CRD:
        yield _secrets
    if group == _GATEWAYS and kind in _ROUTES:
        yield _routes
    if kind in _WEBHOOKS or (kind == _CRD and b'"webhook"' in manifest.document.json):
        yield _webhooks
    found = _RULES.get((group, kind))
    if found:
        yield found


def _breach(rule: str, manifest: Manifest, message: str) -> Breach:
    return Breach(rule=rule, object=str(manifest.id), message=message)


def _addresses(there: Inventory, manifest: Manifest) -> Iterator[Breach]:
    for found in (match for text in texts(manifest.body) for match in _ADDRESS.finditer(text)):
        port = int(found["port"]) if found["port"] else _PORTS.get(found["scheme"] or "")
        lost = _lost(there, (found["namespace"], found["name"]), port)
        if lost:
            yield _breach("address", manifest, f"{found[0]}: {lost}")


def _lost(there: Inventory, place: Place, port: int | None) -> str:
    """What is wrong with a Service's address; nothing if it leads somewhere. Headless ones lead to their pods' ports."""
    if there.is_to_come(place):
        return ""
    service = there.service_of(place)
    if service is None:
        return "no such Service"
    spec = spec_of(service)
    ports = sorted((each.get("port") for each in spec.get("ports") or ()), key=str)
    if port is None or port in ports or spec.get("type") == "ExternalName":
        return ""
    if spec.get("clusterIP") == "None":
        pods = there.behind(service)
        if not pods or any(each.has(port) for each in pods):
            return ""
    return f"its Service has no port {port}, only {', '.join(map(str, ports))}"


def _secrets(there: Inventory, manifest: Manifest) -> Iterator[Breach]:
    for name in sorted(set(_secrets_wanted(manifest))):
        if (manifest.id.namespace, name) not in there.secrets:
            yield _breach("secret", manifest, f"nobody makes the Secret {name}")


def _secrets_wanted(manifest: Manifest) -> Iterator[str]:
    """The names of Secrets without which an object's pods do not start, or an operator cannot do what it says."""
    yield from _secrets_in(pod_of(manifest.body))
    kind, spec = (manifest.id.group, manifest.id.kind), spec_of(manifest)
    if "." in manifest.id.group:
        yield from _secrets_in(spec.get("env"))
    if kind == (_GATEWAYS, "Gateway"):
        tls = [listener.get("tls") or {} for listener in spec.get("listeners") or ()]
        references = [each for one in tls for each in one.get("certificateRefs") or ()]
        yield from (str(each.get("name")) for each in references if not each.get("namespace") and not each.get("group"))
    elif kind == (_CERTIFICATES, "Issuer") and spec.get("ca"):
        yield str(spec["ca"].get("secretName"))
    elif kind == ("postgresql.cnpg.io", "Cluster"):
        store = (spec.get("backup") or {}).get("barmanObjectStore") or {}
        for each in (store.get("s3Credentials") or {}).values():
            if isinstance(each, Mapping):
                yield each["name"]


def _secrets_in(value: Any) -> Iterator[str]:
    """The names of Secrets in a pod, but for those that may be missing."""
    if isinstance(value, list):
        for item in value:
            yield from _secrets_in(item)
    elif isinstance(value, Mapping) and value.get("optional") is not True:
        for key, member in value.items():
            if key == "secretName" and isinstance(member, str):
                yield member
            elif key in ("secretKeyRef", "secretRef", "secret") and isinstance(member, Mapping) and member.get("name"):
                if member.get("optional") is not True:
                    yield member["name"]
            else:
                yield from _secrets_in(member)


def _routes(there: Inventory, manifest: Manifest) -> Iterator[Breach]:
    spec, namespace = spec_of(manifest), manifest.id.namespace
    for parent in spec.get("parentRefs") or ():
        if (parent.get("group", _GATEWAYS), parent.get("kind", "Gateway")) != (_GATEWAYS, "Gateway"):
            continue
        where, name = parent.get("namespace") or namespace, parent.get("name")
        gateway = there.named.get((_GATEWAYS, "Gateway", where, name))
        if gateway is None:
            yield _breach("parent", manifest, f"there is no Gateway {where}/{name}")
        elif parent.get("sectionName") not in (
            None,
            *(each.get("name") for each in spec_of(gateway).get("listeners") or ()),
        ):
            yield _breach("parent", manifest, f"the Gateway {where}/{name} has no listener {parent['sectionName']}")
    for backend in (each for rule in spec.get("rules") or () for each in rule.get("backendRefs") or ()):
        if (backend.get("group") or _CORE, backend.get("kind", "Service")) == (_CORE, "Service"):
            place = (backend.get("namespace") or namespace, str(backend.get("name")))
            lost = _lost(there, place, backend.get("port"))
            if lost:
                yield _breach("backend", manifest, f"{'/'.join(place)}: {lost}")


def _service_monitor(there: Inventory, manifest: Manifest) -> Iterator[Breach]:
    spec, namespaces = spec_of(manifest), _watched(manifest)
    found = there.labelled_services.selected(spec.get("selector") or {})
    services = [each for each in found if namespaces is None or each.id.namespace in namespaces]
    if not services:
        if namespaces is not None and not there.is_operated(namespaces):
            yield _breach("service-monitor", manifest, "it selects no Service")
        return
    names = {port.get("name") for each in services for port in spec_of(each).get("ports") or ()}
    pods = [pods for each in services for pods in there.behind(each)]
    for endpoint in spec.get("endpoints") or ():
        port, target = endpoint.get("port"), endpoint.get("targetPort")
        if port and port not in names:
            yield _breach("service-monitor", manifest, f"no Service that it selects has a port {port}")
        elif not port and target and pods and not any(each.has(target) for each in pods):
            yield _breach("service-monitor", manifest, f"no pod behind what it selects has a port {target}")


def _pod_monitor(there: Inventory, manifest: Manifest) -> Iterator[Breach]:
    spec, namespaces = spec_of(manifest), _watched(manifest)
    found = there.pods.selected(spec.get("selector") or {})
    pods = [each for each in found if namespaces is None or each.namespace in namespaces]
    if not pods:
        if namespaces is not None and not there.is_operated(namespaces):
            yield _breach("pod-monitor", manifest, "it selects no pods")
        return
    for endpoint in spec.get("podMetricsEndpoints") or ():
        port = endpoint.get("port") or endpoint.get("portNumber") or endpoint.get("targetPort")
        if port and not any(each.has(port) for each in pods):
            yield _breach("pod-monitor", manifest, f"no pod that it selects has a port {port}")


def _watched(manifest: Manifest) -> frozenset[str] | None:
    """The namespaces in which a monitor looks; None for all."""
    selector = spec_of(manifest).get("namespaceSelector") or {}
    if selector.get("any"):
        return None
    return frozenset(selector.get("matchNames") or (manifest.id.namespace,))


def _certificate(there: Inventory, manifest: Manifest) -> Iterator[Breach]:
    issuer = spec_of(manifest).get("issuerRef") or {}
    kind = issuer.get("kind") or "Issuer"
    if (issuer.get("group") or _CERTIFICATES) != _CERTIFICATES:
        return
    where = manifest.id.namespace if kind == "Issuer" else ""
    if (_CERTIFICATES, kind, where, issuer.get("name")) not in there.named:
        yield _breach("issuer", manifest, f"there is no {kind} {issuer.get('name')}")


def _external_secret(there: Inventory, manifest: Manifest) -> Iterator[Breach]:
    store = spec_of(manifest).get("secretStoreRef")
    if not store:
        return
    kind = store.get("kind") or "SecretStore"
    where = manifest.id.namespace if kind == "SecretStore" else ""
    if (_STORES, kind, where, store.get("name")) not in there.named:
        yield _breach("secret-store", manifest, f"there is no {kind} {store.get('name')}")


def _claim(there: Inventory, manifest: Manifest) -> Iterator[Breach]:
    yield from _storage_classes(there, manifest, [manifest.body])


def _claim_templates(there: Inventory, manifest: Manifest) -> Iterator[Breach]:
    yield from _storage_classes(there, manifest, spec_of(manifest).get("volumeClaimTemplates") or ())


def _storage_classes(there: Inventory, manifest: Manifest, claims: Sequence[Body]) -> Iterator[Breach]:
    """A cluster may have classes that stand in no stack: only one that brings its own is looked at."""
    said = [(claim.get("spec") or {}).get("storageClassName") for claim in claims]
    for name in sorted({each for each in said if each}) if there.has_storage_classes else ():
        if not there.has_storage_class(name):
            yield _breach("storage-class", manifest, f"there is no StorageClass {name}")


def _webhooks(there: Inventory, manifest: Manifest) -> Iterator[Breach]:
    webhooks = manifest.body.get("webhooks") or ()
    clients = [each.get("clientConfig") for each in webhooks]
    clients.append(((spec_of(manifest).get("conversion") or {}).get("webhook") or {}).get("clientConfig"))
    for client in clients:
        yield from _called(there, manifest, "webhook", (client or {}).get("service"))


def _api_service(there: Inventory, manifest: Manifest) -> Iterator[Breach]:
    yield from _called(there, manifest, "api-service", spec_of(manifest).get("service"))


def _called(there: Inventory, manifest: Manifest, rule: str, service: Mapping[str, Any] | None) -> Iterator[Breach]:
    """Where the API server calls; the port is 443 if none is said."""
    if not service or not service.get("name") or not service.get("namespace"):
        return
    place = (service["namespace"], service["name"])
    lost = _lost(there, place, service.get("port") or _PORTS["https"])
    if lost:
        yield _breach(rule, manifest, f"{'/'.join(place)}: {lost}")


_RULES: Final[Mapping[tuple[str, str], Rule]] = {
    (_MONITORING, "ServiceMonitor"): _service_monitor,
    (_MONITORING, "PodMonitor"): _pod_monitor,
    (_CERTIFICATES, "Certificate"): _certificate,
    (_STORES, "ExternalSecret"): _external_secret,
    (_CORE, "PersistentVolumeClaim"): _claim,
    ("apps", "StatefulSet"): _claim_templates,
    ("apiregistration.k8s.io", "APIService"): _api_service,
}
