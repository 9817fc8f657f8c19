"""Errors of one part of a description, whose messages begin with what they are about."""

from __future__ import annotations

from dataclasses import dataclass

from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.yaml.positioned import Positioned


@dataclass(frozen=True, slots=True)
class SubjectErrors:
    """``subject`` is a component, or ``the stack``; its errors go into ``errors``."""

    subject: str
    errors: list[ForgeError]

    def wrong(self, place: Positioned, message: str, *, fix: str) -> None:
        """Note what is wrong at a place of the description."""
        self.add(DescriptionError(f"{self.subject}: {message}", where=place.where, fix=fix))

    def add(self, error: ForgeError | None) -> None:
        """Note an error, if it is one."""
        if error:
            self.errors.append(error)
