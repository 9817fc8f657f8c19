"""What a smelted stack holds, part by part: the record that smelt leaves beside its files, cast reads and deploy shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import StaleError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.identity import ObjectId

RECORD = "working/.smelt.json"
_SCHEMA = "cluster-forge/smelt/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRecord:
    """One object: its file (relative to ``working/``), that file's digest, and what cast must know of it.

    ``hook`` is the value of ``helm.sh/hook``, empty for an ordinary object; ``images`` are the references in it.
    """

    path: str
    id: ObjectId
    digest: Digest
    images: tuple[str, ...] = ()
    hook: str = ""
    weight: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRecord:
    """One component of the smelted stack; ``source``, ``version`` and ``digest`` are empty for one without a chart."""

    name: ComponentName
    namespace: str
    wave: int
    needs: tuple[ComponentName, ...] = ()
    version: str = ""
    source: str = ""
    digest: str = ""
    objects: tuple[ObjectRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What smelt made, from which inputs.

    ``inputs`` is the fingerprint of description, lock and files; ``files`` holds the digest of every file of
    ``working/``, so that hand edits can be told; ``errors`` and ``warnings`` count the findings as they were judged,
    ``found`` holds what smelt found by itself, before it was judged.
    """

    tool: str
    stack: str
    inputs: Digest
    revision: str
    parts: tuple[PartRecord, ...]
    files: Mapping[str, Digest]
    errors: int = 0
    warnings: int = 0
    found: tuple[Finding, ...] = ()

    @property
    def objects(self) -> int:
        """How many objects all parts hold together."""
        return sum(len(part.objects) for part in self.parts)

    def to_json(self) -> bytes:
        """One line for each object and file, so that Git shows what changed."""
        record = {
            "schema": _SCHEMA,
            "tool": self.tool,
            "stack": self.stack,
            "inputs": str(self.inputs),
            "revision": self.revision,
            "findings": {"error": self.errors, "warning": self.warnings},
            "found": [_finding_to_json(each) for each in self.found],
            "parts": [_part_to_json(part) for part in self.parts],
            "files": {path: digest.hex for path, digest in sorted(self.files.items())},
        }
        return orjson.dumps(record, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def from_json(cls, content: bytes) -> Record:
        """Read what `to_json` wrote.

        Raises:
            StaleError: if it is damaged or of another version of Cluster-Forge.
        """
        try:
            record = orjson.loads(content)
            if record["schema"] != _SCHEMA:
                raise ValueError(f"schema {record['schema']!r}, not {_SCHEMA!r}")
            return cls(
                tool=_text(record["tool"]),
                stack=_text(record["stack"]),
                inputs=Digest.parse(record["inputs"]),
                revision=_text(record["revision"]),
                parts=tuple(map(_part_from_json, record["parts"])),
                files={path: Digest(text) for path, text in record["files"].items()},
                errors=_number(record["findings"]["error"]),
                warnings=_number(record["findings"]["warning"]),
                found=tuple(map(_finding_from_json, record.get("found", ()))),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StaleError(f"cannot be read: {error}", where=RECORD, fix="smelt again") from error


def _finding_to_json(each: Finding) -> dict[str, Any]:
    return {
        "code": each.code,
        "severity": each.severity.value,
        "message": each.message,
        "component": each.component,
        "object": _id_to_json(each.object) if each.object else None,
        "where": each.where,
        "fix": each.fix,
    }


def _finding_from_json(each: Mapping[str, Any]) -> Finding:
    return Finding(
        code=_text(each["code"]),
        severity=Severity(each["severity"]),
        message=_text(each["message"]),
        component=ComponentName(each["component"]) if each["component"] else None,
        object=_id_from_json(each["object"]) if each["object"] else None,
        where=_text(each["where"]),
        fix=_text(each["fix"]),
    )


def _id_to_json(each: ObjectId) -> list[str]:
    return [each.group, each.kind, each.namespace, each.name]


def _id_from_json(parts: Sequence[str]) -> ObjectId:
    group, kind, namespace, name = map(_text, parts)
    return ObjectId(group=group, kind=kind, namespace=namespace, name=name)


def _part_to_json(part: PartRecord) -> dict[str, Any]:
    return {
        "name": part.name,
        "namespace": part.namespace,
        "wave": part.wave,
        "needs": list(part.needs),
        "version": part.version,
        "source": part.source,
        "digest": part.digest,
        "objects": [
            {
                "path": each.path,
                "id": _id_to_json(each.id),
                "sha256": each.digest.hex,
                "images": list(each.images),
                "hook": each.hook,
                "weight": each.weight,
            }
            for each in part.objects
        ],
    }


def _part_from_json(part: Mapping[str, Any]) -> PartRecord:
    return PartRecord(
        name=ComponentName(part["name"]),
        namespace=_text(part["namespace"]),
        wave=_number(part["wave"]),
        needs=tuple(map(ComponentName, part["needs"])),
        version=_text(part["version"]),
        source=_text(part["source"]),
        digest=_text(part["digest"]),
        objects=tuple(_objects_from_json(part["objects"])),
    )


def _objects_from_json(objects: Iterable[Mapping[str, Any]]) -> Iterable[ObjectRecord]:
    for each in objects:
        yield ObjectRecord(
            path=_text(each["path"]),
            id=_id_from_json(each["id"]),
            digest=Digest(each["sha256"]),
            images=tuple(map(_text, each["images"])),
            hook=_text(each["hook"]),
            weight=_number(each["weight"]),
        )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no whole number")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class CastImage:
    """The OCI image of a cast stack: the digest of its index, its platforms, and the bytes of its blobs."""

    digest: Digest
    platforms: tuple[str, ...]
    size: int


def stack_json(record: Record, target: Mapping[str, Any], image: CastImage, commit: str) -> bytes:
    """``stack.json``: what a cast stack holds. ``target`` is the description's."""
    content = {
        "schema": "cluster-forge/stack/v1",
        "name": record.stack,
        "version": record.revision,
        "target": dict(target),
        "components": [
            {
                "name": part.name,
                "version": part.version,
                "source": part.source,
                "digest": part.digest,
                "namespace": part.namespace,
                "wave": part.wave,
                "needs": list(part.needs),
                "objects": len(part.objects),
                "images": sorted({image for each in part.objects for image in each.images}),
            }
            for part in record.parts
        ],
        "objects": record.objects,
        "image": {"digest": str(image.digest), "platforms": list(image.platforms), "size": image.size},
        "git": {"commit": commit},
        "findings": {"error": record.errors, "warning": record.warnings},
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
