"""A registry in memory with the habits that single registries are known for, and faults: what distribution does not do."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.servers import threaded

_ROUTE = re.compile(
    r"/v2/(?P<name>.+?)/(?P<kind>manifests|blobs/uploads|blobs|tags/list|referrers|upload-here)/?(?P<rest>.*)"
)


@dataclass(slots=True)
class Habits:
    """How the registry differs from distribution's.

    ``refusals`` are answers (status, code, message) to a method of a kind, ``"PUT manifests"``. ``breaks`` is how many
    chunks end in a closed connection after their first half, ``is_forgetful``: it has nothing of them then. ``failing`` (0 to
    1) is the share of requests that fail, by ``seed``; the first answer to the method ``loses`` does not arrive.
    """

    mounts: bool = True
    chunks: bool = True
    smallest_chunk: int = 0
    foreign_links: bool = False
    links: bool = True
    page: int = 0
    tells_digest: bool = True
    referrers_api: bool = False
    relative_location: bool = False
    breaks: int = 0
    is_forgetful: bool = False
    loses: str = ""
    failing: float = 0.0
    seed: int = 0
    refusals: dict[str, tuple[int, str, str]] = field(default_factory=dict)


@dataclass(slots=True)
class HabitualRegistry:
    """The registry: its content by repository, and every request."""

    habits: Habits = field(default_factory=Habits)
    host: str = ""
    manifests: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    sessions: dict[str, bytearray] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)

    def next_failure(self, line: str) -> str:
        """Whether the last request fails, and how: by its line, and how often that came."""
        if self.habits.loses and line.startswith(self.habits.loses) and self.count(self.habits.loses) == 1:
            return "lost"
        chance = random.Random(f"{self.habits.seed} {line} {self.requests.count(line)}")
        if chance.random() >= self.habits.failing:
            return ""
        failure = chance.choice(["closed", "busy", "lost", "truncated"])
        self.failures[failure] += 1
        return failure

    def count(self, method: str, kind: str = "") -> int:
        """How many requests of a method had ``kind`` in their path."""
        return sum(line.startswith(f"{method} ") and kind in line for line in self.requests)


def digest_of(content: bytes | bytearray) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@contextlib.contextmanager
def running(habits: Habits | None = None) -> Iterator[HabitualRegistry]:
    """The registry on a free port, until the context ends."""
    registry = HabitualRegistry(habits or Habits())
    handler = type("Handler", (_Handler,), {"registry": registry})
    with _Server(("127.0.0.1", 0), handler) as server:
        registry.host = f"127.0.0.1:{server.server_address[1]}"
        with threaded.running(server):
            yield registry


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Connections break here on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    registry: HabitualRegistry

    def log_message(self, *_: Any) -> None: ...

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        line = f"{self.command} {self.path}"
        self.registry.requests.append(line)
        self.failure = self.registry.next_failure(line)
        parts = urlsplit(self.path)
        match = _ROUTE.fullmatch(parts.path)
        self.length = int(self.headers.get("Content-Length") or 0)
        if not match:
            self._send(404)
            return
        if self.failure in ("closed", "busy"):
            self._fail()
            return
        kind = (
            match["kind"]
            .replace("blobs/uploads", "uploads")
            .replace("tags/list", "tags")
            .replace("upload-here", "session")
        )
        refusal = self.registry.habits.refusals.get(f"{self.command} {kind}")
        if refusal:
            self.rfile.read(self.length)
            self._refuse(*refusal)
            return
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        getattr(self, f"_{kind}")(match["name"], match["rest"], query)

    def _fail(self) -> None:
        """Nothing of the request counts."""
        self.rfile.read(self.length // 2 if self.failure == "closed" else self.length)
        if self.failure == "busy":
            self.failure = ""
            self._send(503)
        else:
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.close()

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._send(status, json.dumps({"errors": [{"code": code, "message": message}]}).encode())

    def _send(self, status: int, content: bytes = b"", **headers: str) -> None:
        if self.failure == "lost":  # the request counts, its answer does not arrive
            self._hang_up()
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content[: len(content) // 2] if self.failure == "truncated" else content)
        if self.failure == "truncated":
            self.wfile.flush()
            self._hang_up()

    def _manifests(self, name: str, reference: str, _: dict[str, str]) -> None:
        store = self.registry.manifests
        if self.command == "PUT":
            content = self.rfile.read(self.length)
            stored = (self.headers["Content-Type"], content)
            store[name, reference] = store[name, digest_of(content)] = stored
            subject = json.loads(content).get("subject", {}).get("digest", "")
            noticed = {"OCI_Subject": subject} if self.registry.habits.referrers_api and subject else {}
            self._send(201, b"", Docker_Content_Digest=digest_of(content), **noticed)
        elif (name, reference) in store:
            media_type, content = store[name, reference]
            digest = {"Docker_Content_Digest": digest_of(content)} if self.registry.habits.tells_digest else {}
            self._send(200, content, Content_Type=media_type, **digest)
        else:
            self._refuse(404, "MANIFEST_UNKNOWN", "manifest unknown")

    def _blobs(self, name: str, digest: str, _: dict[str, str]) -> None:
        content = self.registry.blobs.get((name, digest))
        if content is None:
            self._refuse(404, "BLOB_UNKNOWN", "blob unknown to registry")
        else:
            self._send(200, content, ETag=f'"{digest}"')

    def _uploads(self, name: str, _: str, query: dict[str, str]) -> None:
        source = self.registry.blobs.get((query.get("from", ""), query.get("mount", "")))
        if source is not None and self.registry.habits.mounts:
            self.registry.blobs[name, query["mount"]] = source
            self._send(201)
            return
        session = str(len(self.registry.sessions))
        self.registry.sessions[session] = bytearray()
        least = self.registry.habits.smallest_chunk
        more = {"OCI_Chunk_Min_Length": str(least)} if least else {}
        self._send(202, b"", Location=self._place(name, session), **more)

    def _place(self, name: str, session: str) -> str:
        path = f"/v2/{name}/upload-here/{session}?_state=a%2Fb%3D&x=1"
        return path if self.registry.habits.relative_location else f"http://{self.registry.host}{path}"

    def _session(self, name: str, session: str, query: dict[str, str]) -> None:
        assert query["_state"] == "a/b=", "the query of a location is kept"
        received = self.registry.sessions.get(session)
        if received is None:
            self.rfile.read(self.length)
            self._refuse(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        elif self.command == "PATCH":
            self._chunk(name, session, received)
        elif self.command == "PUT":
            self._close_session(name, session, received, query["digest"])
        elif self.command == "DELETE":
            del self.registry.sessions[session]
            self._send(204)
        else:
            self._send(204, Location=self._place(name, session), Range=f"0-{max(len(received) - 1, 0)}")

    def _chunk(self, name: str, session: str, received: bytearray) -> None:
        begin, _, end = self.headers["Content-Range"].partition("-")
        habits = self.registry.habits
        if not habits.chunks:
            self.rfile.read(self.length)
            self._refuse(405, "UNSUPPORTED", "The operation is unsupported.")
        elif int(begin) != len(received) or int(end) - int(begin) + 1 != self.length:
            self.rfile.read(self.length)
            self._send(416, Range=f"0-{max(len(received) - 1, 0)}")
        elif habits.breaks:
            habits.breaks -= 1
            half = self.rfile.read(self.length // 2)
            received += b"" if habits.is_forgetful else half
            self._hang_up()
        else:
            received += self.rfile.read(self.length)
            self._send(202, Location=self._place(name, session), Range=f"0-{len(received) - 1}")

    def _close_session(self, name: str, session: str, received: bytearray, digest: str) -> None:
        received += self.rfile.read(self.length)
        if digest_of(received) != digest:
            self._refuse(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
            return
        self.registry.blobs[name, digest] = bytes(received)
        del self.registry.sessions[session]
        self._send(201)

    def _tags(self, name: str, _: str, query: dict[str, str]) -> None:
        habits = self.registry.habits
        tags = sorted({tag for repository, tag in self.registry.manifests if repository == name and ":" not in tag})
        tags = [tag for tag in tags if tag > query.get("last", "")]
        size = habits.page or int(query.get("n", "100"))
        shown = tags[:size]
        link = {}
        if habits.links and len(tags) > size:
            host = "http://elsewhere.invalid" if habits.foreign_links else ""
            link = {"Link": f'<{host}/v2/{name}/tags/list?n={size}&last={shown[-1]}>; rel="next"'}
        self._send(200, json.dumps({"name": name, "tags": shown or None}).encode(), **link)

    def _referrers(self, name: str, digest: str, _: dict[str, str]) -> None:
        if not self.registry.habits.referrers_api:
            self._send(404)
            return
        entries = [
            {
                "mediaType": media_type,
                "digest": digest_of(content),
                "size": len(content),
                "artifactType": json.loads(content).get("artifactType", ""),
            }
            for (repository, reference), (media_type, content) in self.registry.manifests.items()
            if repository == name
            and ":" in reference
            and json.loads(content).get("subject", {}).get("digest") == digest
        ]
        media_type = "application/vnd.oci.image.index.v1+json"
        index = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries}
        self._send(200, json.dumps(index).encode(), Content_Type=media_type)
