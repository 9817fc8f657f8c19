"""A mapping of a kubeconfig, read with checks: an error names the file and the field, never the value, which may be a secret."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cluster_forge.adapters.kubernetes.access import Pem
from cluster_forge.foundation.errors import KubeconfigError


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping of a kubeconfig, with its file and its path in it."""

    values: Mapping[str, Any] = field(repr=False)
    file: Path
    path: str = ""

    @property
    def where(self) -> str:
        """File and path in it, for errors."""
        return f"{self.file}: {self.path}" if self.path else str(self.file)

    def wrong(self, key: str, expected: str) -> KubeconfigError:
        """The error for a value of another kind; the value is not shown: it may be a secret."""
        return KubeconfigError(
            f"`{key}` is not {expected}",
            where=self.where,
            fix=f"correct `{key}`, or write the entry again with kubectl",
        )

    def text(self, key: str) -> str:
        """A text, empty if it is not there.

        Raises:
            KubeconfigError: if it is another kind of value.
        """
        value = self.values.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.wrong(key, "text")
        return value

    def flag(self, key: str) -> bool:
        """Whether it is set to true.

        Raises:
            KubeconfigError: as `text`.
        """
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return bool(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, empty if it is not there.

        Raises:
            KubeconfigError: as `text`.
        """
        value = self.values.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(key, "a list of texts")
        return tuple(value)

    def section(self, key: str) -> Section | None:
        """What is below a key; None if it is not there.

        Raises:
            KubeconfigError: as `text`.
        """
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise self.wrong(key, "a mapping")
        return Section(value, self.file, f"{self.path}.{key}" if self.path else key)

    def sections(self, key: str) -> Sequence[Section]:
        """A list of such, empty if it is not there.

        Raises:
            KubeconfigError: as `text`.
        """
        value = self.values.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
            raise self.wrong(key, "a list of mappings")
        prefix = f"{self.path}.{key}" if self.path else key
        return [Section(item, self.file, f"{prefix}[{number}]") for number, item in enumerate(value)]

    def path_of(self, key: str) -> Path | None:
        """A file, relative to the kubeconfig."""
        text = self.text(key)
        return self.file.parent / text if text else None

    def pem(self, key: str) -> Pem | None:
        """``key-data``, which is base64, or the file ``key``."""
        data = self.text(f"{key}-data")
        if data:
            try:
                content = b64decode("".join(data.split()), validate=True)
            except (binascii.Error, ValueError) as error:
                raise self.wrong(f"{key}-data", "base64") from error
            return Pem(where=f"{self.where}.{key}-data", content=content)
        file = self.path_of(key)
        return Pem(where=f"{self.where}.{key}: {file}", file=file) if file else None
