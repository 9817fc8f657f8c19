"""Answers in the place of Pods behind webhooks and aggregated APIs, and the CA that their callers need.

Every admission is allowed unless `Webhooks.refusals` says otherwise; objects are converted by changing ``apiVersion``; an
aggregated API serves no resource. The CA is written where a cainjector or an operator would: into webhook configurations,
APIServices and CRDs. Sources: Kubernetes, "Dynamic Admission Control", "Versions in CustomResourceDefinitions".
"""

from __future__ import annotations

import base64
import contextlib
import json
import ssl
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

import orjson
from tests.e2e.certificates import Certificates
from tests.e2e.cluster import Cluster
from tests.e2e.contents import JSON_PATCH

from cluster_forge.manifests.manifest import Body

METADATA = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
CALLERS = (
    f"{ADMISSION}/validatingwebhookconfigurations",
    f"{ADMISSION}/mutatingwebhookconfigurations",
    "/apis/apiregistration.k8s.io/v1/apiservices",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
)
HTTPS = 443


class Part(Protocol):
    """A part of the stand-in."""

    def work(self) -> None:
        """Do what is missing in the cluster now."""

    def stop(self) -> None:
        """End what runs."""


class Webhooks:
    """A server at the address of each Service that is called. `refusals` has messages by the webhook's path."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.asked: Counter[str] = Counter()
        self.refusals: dict[str, str] = {}
        self._cluster = cluster
        place = folder / "webhooks"
        place.mkdir()
        self._certificates = Certificates(place)
        self._authority = base64.b64encode(self._certificates.authority.read_bytes()).decode()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._guard = threading.Lock()
        self._servers: dict[tuple[str, int], ThreadingHTTPServer] = {}
        self._seen: dict[str, str] = {}

    def work(self) -> None:
        for kind in CALLERS:
            for path in self._changed(kind):
                body = self._cluster.get(path)
                if body is not None and self._is_served(path, body):
                    self._seen[path] = body["metadata"]["resourceVersion"]

    def stop(self) -> None:
        for server in self._servers.values():
            server.shutdown()
            server.server_close()

    def answer(self, path: str, body: Any) -> dict[str, Any]:
        """The review with its response."""
        request, kind = body["request"], body["kind"]
        self.asked[kind] += 1
        response: dict[str, Any] = {"uid": request["uid"]}
        if kind == "ConversionReview":
            version = request["desiredAPIVersion"]
            response["result"] = {"status": "Success"}
            response["convertedObjects"] = [{**one, "apiVersion": version} for one in request["objects"]]
        else:
            refusal = self.refusals.get(path.partition("?")[0])
            response["allowed"] = refusal is None
            if refusal:
                response["status"] = {"message": refusal, "code": 403}
        return {"apiVersion": body["apiVersion"], "kind": kind, "response": response}

    def _changed(self, kind: str) -> list[str]:
        """Objects that are not as they were left: CRDs are large, so only these are read."""
        listed = orjson.loads(self._cluster.http.request("GET", kind, headers=METADATA).data)
        versions = {
            f"{kind}/{one['metadata']['name']}": one["metadata"]["resourceVersion"] for one in listed["items"] or ()
        }
        return [path for path, version in versions.items() if self._seen.get(path) != version]

    def _is_served(self, path: str, body: Body) -> bool:
        """Listen for what the object calls; whether it has this CA already (else it is written, and the object changes)."""
        operations = []
        for place, client in _clients(body):
            service = client["service"]
            self._listen(service["namespace"], service["name"], int(service.get("port", HTTPS)))
            if client.get("caBundle") != self._authority and not client.get("insecureSkipTLSVerify"):
                operations.append({"op": "add", "path": f"{place}/caBundle", "value": self._authority})
        if operations:
            self._cluster.http.request(
                "PATCH", f"{path}?fieldManager=stand-in", body=orjson.dumps(operations), headers=JSON_PATCH
            )
        return not operations

    def _listen(self, namespace: str, name: str, port: int) -> None:
        service = self._cluster.get(f"/api/v1/namespaces/{namespace}/services/{name}")
        address = service["spec"].get("clusterIP", "None") if service else "None"
        if address == "None" or (address, port) in self._servers:
            return
        server = _Server((address, port), _Handler)
        server.webhooks = self
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificates.server, self._certificates.key(self._certificates.server))
        context.sni_callback = self._by_name
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self._servers[address, port] = server
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def _by_name(self, connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        """Show the certificate of the Service that is called."""
        if not name:
            return
        with self._guard:
            if name not in self._contexts:
                certificate = self._certificates.for_server(name, name)
                self._contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self._contexts[name].load_cert_chain(certificate, self._certificates.key(certificate))
        connection.context = self._contexts[name]


def _clients(body: Body) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The places (JSON pointers) in an object that name a Service to call, and what they say."""
    spec = body.get("spec", {})
    for number, webhook in enumerate(body.get("webhooks") or ()):
        if "service" in webhook["clientConfig"]:
            yield f"/webhooks/{number}/clientConfig", webhook["clientConfig"]
    conversion = spec.get("conversion", {}).get("webhook", {}).get("clientConfig", {})
    if "service" in conversion:
        yield "/spec/conversion/webhook/clientConfig", conversion
    if spec.get("service") and "groupPriorityMinimum" in spec:
        yield "/spec", spec


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    webhooks: Webhooks

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        """Discovery of an aggregated API: its version, without resources."""
        version = self.path.partition("?")[0].removeprefix("/apis/").strip("/")
        self._reply({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": []})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._reply(self.server.webhooks.answer(self.path, body))

    def _reply(self, value: object) -> None:
        data = orjson.dumps(value)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        """Say nothing."""
