"""Registries with habits, and a client without waits."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

import pytest
from tests.servers import habits
from tests.servers.habits import Habits, HabitualRegistry

from cluster_forge.adapters.http.client import HttpClient
from cluster_forge.adapters.http.policy import Policy
from cluster_forge.adapters.registry.reader import RegistryReader
from cluster_forge.adapters.registry.uploads import HttpRegistryUploads
from cluster_forge.oci.image import MANIFEST_TYPE, Descriptor, encode
from cluster_forge.oci.reference import ImageReference
from cluster_forge.ports.registry import StoredManifest, Upload

CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Client:
    """Reading and writing one registry."""

    host: str
    reader: RegistryReader
    uploads: HttpRegistryUploads

    def repository(self, name: str) -> ImageReference:
        return ImageReference.from_address(f"oci://{self.host}/{name}")

    def tag(self, name: str, tag: str) -> ImageReference:
        return replace(self.repository(name), tag=tag)


@functools.cache
def http() -> HttpClient:
    """One for all tests: reading the system's certificates takes its time."""
    return HttpClient(Policy(first_pause=0.001, longest_pause=0.01))


def client(host: str) -> Client:
    reader = RegistryReader(http())
    return Client(host, reader, HttpRegistryUploads(http(), reader, chunk=CHUNK))


def upload(content: bytes, *origins: ImageReference) -> Upload:
    blob = Descriptor.of(content, "application/octet-stream")
    return Upload(blob=blob, open=lambda: io.BytesIO(content), origins=origins)


def manifest(subject: StoredManifest | None = None, kind: str = "application/vnd.example.kind") -> StoredManifest:
    empty = Descriptor.of(b"{}", "application/vnd.oci.empty.v1+json").to_json()
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "artifactType": kind,
        "config": empty,
        "layers": [empty],
    }
    if subject:
        document["subject"] = subject.descriptor.to_json()
    return StoredManifest.of(encode(document), MANIFEST_TYPE)


@pytest.fixture
def start() -> Iterator[Callable[[Habits], tuple[HabitualRegistry, Client]]]:
    with ExitStack() as stack:

        def begin(wanted: Habits) -> tuple[HabitualRegistry, Client]:
            registry = stack.enter_context(habits.running(wanted))
            return registry, client(registry.host)

        yield begin
