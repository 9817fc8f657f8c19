"""The processes of Pods that serve a stack's repository: what their containers would run, with the volumes as folders.

Such a Pod has the annotation of the commit that it serves. Its init container's script and its server are started as they stand in
the Pod, with ``git daemon`` at the address of the Service that selects the Pod.
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson
from tests.e2e import nodes
from tests.e2e.cluster import Cluster
from tests.e2e.stand_in import pulled_image
from tests.e2e.stand_in.operators import MERGE_PATCH
from tests.servers import process
from tests.servers.process import Server

from cluster_forge.gitops.git_server import COMMIT
from cluster_forge.manifests.manifest import Body

PORT = 9418


class GitServers:
    """One process for each such Pod."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._cluster = cluster
        self._folder = folder / "pods"
        self._servers: dict[str, Server] = {}

    def work(self) -> None:
        pods = {
            pod["metadata"]["uid"]: pod
            for pod in self._cluster.get("/api/v1/pods")["items"]
            if COMMIT in pod["metadata"].get("annotations", {}) and "deletionTimestamp" not in pod["metadata"]
        }
        for gone in self._servers.keys() - pods.keys():
            self._servers.pop(gone).stop()
        for uid, pod in pods.items():
            if uid not in self._servers and pod["spec"].get("nodeName"):
                self._start(uid, pod)

    def stop(self) -> None:
        for server in self._servers.values():
            server.stop()

    def _start(self, uid: str, pod: Body) -> None:
        address = self._address(pod)
        if not address:
            return
        folder = self._folder / uid
        folders = self._volumes(folder, pod)
        (unpack,), (serve,) = pod["spec"]["initContainers"], pod["spec"]["containers"]
        command, environment = _process(unpack, folders, pulled_image.added(unpack["image"], folder / "image"))
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            self._report(pod, is_ready=False, message=done.stderr)
            return
        command, environment = _process(serve, folders)
        daemon = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip()
        assert command[:2] == ["git", "daemon"]
        # `git` starts another process for it, which would outlive this one.
        command[:2] = [f"{daemon}/git-daemon", f"--listen={address}"]
        server = self._servers[uid] = process.start("git-daemon", command, folder, environment)
        server.wait_until(lambda: _is_open(address))
        self._report(pod, is_ready=True)

    def _address(self, pod: Body) -> str:
        """That of the Service which selects the Pod; empty if there is none yet."""
        labels = pod["metadata"].get("labels", {}).items()
        for service in self._cluster.get(f"/api/v1/namespaces/{pod['metadata']['namespace']}/services")["items"]:
            selector = service["spec"].get("selector")
            if selector and selector.items() <= labels:
                return str(service["spec"]["clusterIP"])
        return ""

    def _volumes(self, folder: Path, pod: Body) -> dict[str, Path]:
        """The folders in the place of a Pod's volumes, by the volumes' names."""
        shutil.rmtree(folder, ignore_errors=True)
        folders = {}
        for volume in pod["spec"]["volumes"]:
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            place = folders[volume["name"]] = self._folder / f"volume-{claim}" if claim else folder / volume["name"]
            place.mkdir(parents=True, exist_ok=True)
            for source in volume.get("projected", {}).get("sources", ()):
                self._project(source["configMap"], pod["metadata"]["namespace"], place)
        return folders

    def _project(self, source: Mapping[str, Any], namespace: str, place: Path) -> None:
        config = self._cluster.get(f"/api/v1/namespaces/{namespace}/configmaps/{source['name']}")
        for item in source["items"]:
            (place / item["path"]).write_bytes(base64.b64decode(config["binaryData"][item["key"]]))

    def _report(self, pod: Body, *, is_ready: bool, message: str = "") -> None:
        """Write the Pod's status as a kubelet would."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        state = {"running": {"startedAt": now}} if is_ready else {"waiting": {"reason": "PodInitializing"}}
        ended = {"exitCode": int(not is_ready), "message": message, "startedAt": now, "finishedAt": now}
        status = {
            "phase": "Running" if is_ready else "Pending",
            "startTime": now,
            "hostIP": nodes.ADDRESS,
            "podIP": nodes.ADDRESS,
            "podIPs": [{"ip": nodes.ADDRESS}],
            "conditions": [
                {"type": kind, "status": str(is_ready), "lastTransitionTime": now}
                for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
            ],
            "initContainerStatuses": [
                _container(pod["spec"]["initContainers"][0], {"terminated": ended}, ready=is_ready)
            ],
            "containerStatuses": [_container(pod["spec"]["containers"][0], state, ready=is_ready)],
        }
        path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}/status"
        self._cluster.http.request("PATCH", path, body=orjson.dumps({"status": status}), headers=MERGE_PATCH)


def _container(container: Mapping[str, Any], state: Mapping[str, Any], *, ready: bool) -> dict[str, Any]:
    facts = {"name": container["name"], "image": container["image"], "imageID": "", "restartCount": 0}
    return {**facts, "ready": ready, "state": dict(state)}


def _process(
    container: Mapping[str, Any], folders: Mapping[str, Path], files: Mapping[str, str] = MappingProxyType({})
) -> tuple[list[str], dict[str, str]]:
    """A container's command and environment, with the folders in the place of what is mounted, and of the image's ``files``."""
    mounts = {mount["mountPath"]: str(folders[mount["name"]]) for mount in container["volumeMounts"]} | dict(files)
    paths = re.compile(rf"(?<![\w./])({'|'.join(map(re.escape, mounts))})(?![\w.-])")

    def moved(text: str) -> str:
        return paths.sub(lambda found: mounts[found[1]], text)

    environment = {variable["name"]: moved(variable["value"]) for variable in container.get("env", ())}
    return [moved(part) for part in container["command"]], {"PATH": os.environ["PATH"], **environment}


def _is_open(address: str) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((address, PORT), timeout=1):
        return True
    return False
