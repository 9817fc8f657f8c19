"""One Kubernetes object and its provenance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import orjson

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import facts, header
from cluster_forge.manifests.facts import Facts
from cluster_forge.manifests.identity import ObjectId

Body = Mapping[str, Any]
"""An object as JSON knows it: mappings, lists, strings, numbers, booleans and null. Never changed in place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """The component of an object, and the template, file or URL in it (with a line where known)."""

    component: ComponentName
    origin: str

    def __str__(self) -> str:
        return f"{self.component} ({self.origin})"


class Document:
    """The content of an object in several forms: tree, JSON, YAML and facts, each computed from another when first used.

    A stack holds thousands of objects, most of which only go from the cache to a file: they never become a tree. Two
    documents are equal if their contents are.
    """

    __slots__ = ("_body", "_facts", "_is_emitted", "_json", "_read", "_read_header", "_text")

    def __init__(  # noqa: PLR0913 - each form
        self,
        *,
        body: Body | None = None,
        json: bytes | None = None,
        text: bytes | None = None,
        facts: Facts | None = None,
        read: Callable[[], Body] | None = None,
        read_header: Callable[[], Body] | None = None,
        is_emitted: bool = True,
    ) -> None:
        """Needs ``body``, ``json`` with sorted keys, or ``read``, which gives the tree; ``text`` and ``facts`` where they
        are known, ``read_header`` where the `header` is cheaper than the tree. ``is_emitted``: ``text`` is what the
        `emitter` writes, not a file that may have been edited by hand.
        """
        self._body = body
        self._json = json
        self._text = text
        self._facts = facts
        self._read = read
        self._read_header = read_header
        self._is_emitted = is_emitted

    @property
    def body(self) -> Body:
        """As a tree."""
        if self._body is None:
            self._body = self.passing_body()
        return self._body

    def passing_body(self) -> Body:
        """As a tree that is not kept unless it was before: for CRDs, of which a large stack has hundreds of MB."""
        if self._body is not None:
            return self._body
        if self._json is not None:
            return cast(Body, orjson.loads(self._json))
        assert self._read is not None
        return self._read()

    @property
    def header(self) -> Body:
        """The tree with ``apiVersion``, ``kind`` and ``metadata`` at least, as Kubernetes' PartialObjectMetadata."""
        if self._body is None and self._json is not None:
            return header.of(self._json)
        return self._read_header() if self._body is None and self._read_header else self.body

    @property
    def json(self) -> bytes:
        """As JSON, the keys sorted."""
        if self._json is None:
            # A copy has the size of its content: what orjson returns keeps its buffer, 8 KB for 1 KB.
            self._json = bytes(memoryview(orjson.dumps(self.body, option=orjson.OPT_SORT_KEYS)))
        return self._json

    @property
    def text(self) -> bytes:
        """As one YAML document (see `emitter`)."""
        if self._text is None:
            self._text = _emitted(self.body)
        return self._text

    @property
    def facts(self) -> Facts:
        if self._facts is None:
            self._facts = facts.of(self.body)
        return self._facts

    def with_metadata(self, metadata: Mapping[str, Any], facts: Facts | None = None) -> Document:
        """The document with other ``metadata``, and ``facts`` where hooks, labels, annotations or owners differ."""
        former = Document(json=self._json, body=self._body, read=self._read)  # the former text is not needed any more
        is_spliced = self._text is not None and self._is_emitted
        return Document(
            read=lambda: {**former.body, "metadata": metadata},
            text=header.replaced(self.text, _emitted({"metadata": metadata})) if is_spliced else None,
            facts=facts or self._facts,
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Document):
            return NotImplemented
        return self.json == other.json

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Document({self.json.decode()})"


def _emitted(body: Body) -> bytes:
    from cluster_forge.manifests import emitter  # noqa: PLC0415 - 0.013 s of a warm `smelt`, which writes nothing

    return emitter.document(body).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One object of the stack."""

    id: ObjectId
    document: Document
    provenance: Provenance

    @classmethod
    def of(cls, body: Body, provenance: Provenance) -> Manifest:
        return cls(id=ObjectId.of(body), document=Document(body=body), provenance=provenance)

    @property
    def body(self) -> Body:
        return self.document.body

    @property
    def header(self) -> Body:
        """Its `Document.header`."""
        return self.document.header

    @property
    def text(self) -> bytes:
        """Its YAML document, ended by a line break."""
        return self.document.text

    @property
    def facts(self) -> Facts:
        return self.document.facts
