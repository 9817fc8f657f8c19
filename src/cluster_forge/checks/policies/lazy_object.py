"""A CRD as policies see it, without reading its tree for what its header and its facts say: a stack has 100 MB of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests.manifest import Manifest


class LazyObject(Mapping[str, Any]):
    """The object; its spec is one that knows its group."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def __getitem__(self, key: str) -> Any:
        header = self._manifest.header
        if key == "spec":
            return _LazySpec(self._manifest)
        return header[key] if key in header else self._body[key]

    def __contains__(self, key: object) -> bool:
        return key == "spec" or key in self._manifest.header or key in self._body

    def __iter__(self) -> Iterator[str]:
        return iter(self._body)

    def __len__(self) -> int:
        return len(self._body)

    @cached_property
    def _body(self) -> Mapping[str, Any]:
        return self._manifest.document.passing_body()


class _LazySpec(Mapping[str, Any]):
    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def __getitem__(self, key: str) -> Any:
        kind = self._manifest.facts.defines
        return kind.group if kind and key == "group" else self._spec[key]

    def __contains__(self, key: object) -> bool:
        return (key == "group" and self._manifest.facts.defines is not None) or key in self._spec

    def __iter__(self) -> Iterator[str]:
        return iter(self._spec)

    def __len__(self) -> int:
        return len(self._spec)

    @cached_property
    def _spec(self) -> Mapping[str, Any]:
        return mapping(self._manifest.document.passing_body().get("spec"))
