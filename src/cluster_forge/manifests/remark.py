"""What rendering a chart showed besides its objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cluster_forge.manifests.finding import Severity

_FIX: Final = "; fix: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something about a chart and its values. In the lock and in batches it is a text: ``warning: …; fix: …``."""

    severity: Severity
    message: str
    fix: str = ""

    @classmethod
    def parse(cls, text: str) -> Remark:
        """Read what `__str__` writes; anything else is a warning."""
        severity, _, rest = text.partition(": ")
        is_known = bool(rest) and severity in tuple(Severity)
        message, _, fix = (rest if is_known else text).partition(_FIX)
        return cls(severity=Severity(severity) if is_known else Severity.WARNING, message=message, fix=fix)

    def __str__(self) -> str:
        return f"{self.severity}: {self.message}{_FIX if self.fix else ''}{self.fix}"
