"""One Kubernetes object and its provenance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import facts
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

    __slots__ = ("_body", "_facts", "_json", "_parse", "_text")

    def __init__(
        self,
        *,
        body: Body | None = None,
        json: bytes | None = None,
        text: bytes | None = None,
        facts: Facts | None = None,
        parse: Callable[[str], Body] | None = None,
    ) -> None:
        """Needs ``body``, ``json``, or ``text`` with ``parse``, its reader; ``text`` and ``facts`` where they are known."""
        self._parse = parse
        self._body = body
        self._json = json
        self._text = text
        self._facts = facts

    @property
    def body(self) -> Body:
        """As a tree."""
        if self._body is None:
            if self._json is not None:
                self._body = orjson.loads(self._json)
            else:
                assert self._parse is not None
                assert self._text is not None
                self._body = self._parse(self._text.decode())
        return self._body

    @property
    def json(self) -> bytes:
        """As JSON, the keys sorted."""
        if self._json is None:
            self._json = orjson.dumps(self.body, option=orjson.OPT_SORT_KEYS)
        return self._json

    @property
    def text(self) -> bytes:
        """As one YAML document (see `emitter`)."""
        if self._text is None:
            from cluster_forge.manifests import emitter  # noqa: PLC0415 - 0.013 s of a warm `smelt`, which writes nothing

            self._text = emitter.document(self.body).encode()
        return self._text

    @property
    def facts(self) -> Facts:
        if self._facts is None:
            self._facts = facts.of(self.body)
        return self._facts

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Document):
            return NotImplemented
        return self.json == other.json

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Document({self.json.decode()})"


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
    def text(self) -> bytes:
        """Its YAML document, ended by a line break."""
        return self.document.text

    @property
    def facts(self) -> Facts:
        return self.document.facts
