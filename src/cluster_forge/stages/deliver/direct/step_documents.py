"""The documents of a step with the identities of their objects, which take no parsing of what is large."""

from __future__ import annotations

from dataclasses import dataclass, field

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ManifestError
from cluster_forge.gitops.steps import FIELD_MANAGER, Apply, ApplyCrds, ApplyHooks, Step
from cluster_forge.manifests import header
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.rendering import YamlReader


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDocument:
    """An object as it is applied by ``manager``. ``digest`` is that of its text, shortened."""

    id: ObjectId
    digest: str
    content: bytes = field(repr=False, compare=False)
    manager: str = FIELD_MANAGER

    def body(self, reader: YamlReader) -> Body:
        """The object as a tree."""
        return _parsed(self.content, reader)


def of(step: Step, reader: YamlReader) -> tuple[StepDocument, ...]:
    """The documents of a step that applies some; none of another one.

    Raises:
        ManifestError: if one is not an object.
    """
    match step:
        case Apply(manager=manager):
            return tuple(_document(content, manager, reader) for content in step.documents)
        case ApplyCrds() | ApplyHooks():
            return tuple(_document(content, FIELD_MANAGER, reader) for content in step.documents)
    return ()


def _document(content: bytes, manager: str, reader: YamlReader) -> StepDocument:
    identity = ObjectId.of(_parsed(header.cut_out(content), reader))
    return StepDocument(id=identity, digest=Digest.of(content).hex[:16], content=content, manager=manager)


def _parsed(content: bytes, reader: YamlReader) -> Body:
    body = reader.read(content.decode())
    match body:
        case {"apiVersion": str(), "kind": str(), "metadata": {"name": str()}}:
            return dict(body)
    raise ManifestError("a document of the deployment is not a Kubernetes object", fix="run `cluster-forge cast` again")
