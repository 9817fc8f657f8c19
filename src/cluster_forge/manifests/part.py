"""A part: one component as it is delivered, its objects in their files, and its wave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Annotated, Any, Final

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.json_codec import ADDED, OMITTED, Form, Key
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import header
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body, Document, Manifest

BARE: Final = Form(dump=attrgetter("hex"), load=Digest.from_plain)
"""A digest as its hex digits alone."""

_NAMESPACE: Final = b"\n  namespace:"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartObject:
    """One object and its file, which holds this one YAML document.

    ``path`` is relative to ``working/`` and to the repository: ``grafana/deployment.apps_monitoring_grafana.yaml``.
    ``digest`` is that of the file, ``images`` are the references in the object, sorted, ``hook`` is the value of
    ``helm.sh/hook``, empty for an ordinary object. The record of a smelted stack has all of it but the ``document``.
    """

    path: str
    id: ObjectId
    digest: Annotated[Digest, Key("sha256"), BARE]
    images: tuple[str, ...] = ()
    hook: str = ""
    hook_weight: Annotated[int, Key("weight")] = 0
    document: Annotated[Document | None, OMITTED] = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, manifest: Manifest, path: str) -> PartObject:
        """The object of ``manifest``, whose file is ``path``."""
        return cls(
            path=path,
            id=manifest.id,
            digest=Digest.of(manifest.text),
            images=manifest.facts.images,
            hook=manifest.facts.hook,
            hook_weight=manifest.facts.weight,
            document=manifest.document,
        )

    @property
    def content(self) -> bytes:
        """The file."""
        return self._known.text

    @property
    def body(self) -> Body:
        """The object as a tree."""
        return self._known.body

    def labeled(self, key: str, value: str) -> PartObject:
        """The object with a label; one whose labels Kubernetes would refuse stays as it is. The file's digest is not that of the new text."""
        metadata = self._known.header["metadata"]
        labels = metadata.get("labels") or {}
        if not isinstance(labels, Mapping):
            return self
        return replace(self, document=self._known.with_metadata({**metadata, "labels": {**labels, key: value}}))

    @property
    def placed(self) -> PartObject:
        """The object as the API server keeps it: a cluster-scoped one loses the namespace that a chart wrote into it. The file's
        digest is not that of the new text.
        """
        if self.id.namespace or _NAMESPACE not in self.content:
            return self
        metadata = self._known.header["metadata"]
        if "namespace" not in metadata:
            return self
        left = {key: value for key, value in metadata.items() if key != "namespace"}
        return replace(self, document=self._known.with_metadata(left))

    @property
    def kind(self) -> tuple[str, str]:
        """Group and kind."""
        return (self.id.group, self.id.kind)

    @property
    def labels(self) -> Mapping[str, Any]:
        return (self.body.get("metadata") or {}).get("labels") or {}

    @property
    def _known(self) -> Document:
        assert self.document is not None, f"{self.path}: a recorded object has no document before `Part.with_documents`"
        return self.document


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One component with the objects that an installation applies, sorted by identity; a lower ``wave`` comes first.

    ``after`` are the parts that come before this one although it does not need them.
    ``version``, ``source`` and ``digest`` are those of its chart; without a chart ``source`` are the URLs of its
    manifests, and the others are empty.
    """

    name: ComponentName
    namespace: str
    wave: int
    needs: tuple[ComponentName, ...] = ()
    after: Annotated[tuple[ComponentName, ...], ADDED] = ()
    version: str = ""
    source: str = ""
    digest: str = ""
    objects: tuple[PartObject, ...] = ()

    def with_documents(self, files: Mapping[str, bytes], parse: Callable[[str], Body]) -> Part:
        """The part with a document for every object: a missing one is its file, parsed when its tree is first needed."""
        objects = tuple(
            known if known.document else replace(known, document=_document_of(files[known.path], parse))
            for known in self.objects
        )
        return replace(self, objects=objects)


def _document_of(file: bytes, parse: Callable[[str], Body]) -> Document:
    """The document of a file that smelt wrote: edited ones have documents already."""

    def read() -> Body:
        return parse(file.decode())

    def read_header() -> Body:
        return parse(header.cut_out(file).decode())

    return Document(read=read, read_header=read_header, text=file)
