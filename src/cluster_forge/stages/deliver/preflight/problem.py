"""What a check found: a code, what is wrong, where, how to mend it, and which option lets a deployment go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from cluster_forge.foundation.errors import PreflightError, RefusedError
from cluster_forge.manifests.finding import Severity

NOT_CHECKED: Final = "not-checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """``code`` is a word of the list in the documentation; ``where`` an object, a namespace or a node.

    ``option`` is what was or can be typed to go on all the same; empty: nothing can.
    """

    code: str
    message: str
    where: str = ""
    fix: str = ""
    severity: Severity = Severity.ERROR
    option: str = ""

    @classmethod
    def unseen(cls, what: str, error: RefusedError, severity: Severity = Severity.WARNING) -> Self:
        """The user may not look at ``what``."""
        return cls(
            code=NOT_CHECKED,
            message=f"cannot see {what}: {error.message}",
            where=error.where or "",
            fix=error.fix or "let an administrator allow the user to look",
            severity=severity,
            option=f"--allow {NOT_CHECKED}",
        )

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    def error(self) -> PreflightError:
        """The problem as an error, whose fix names the option."""
        return PreflightError(
            f"{self.message} ({self.code})", where=self.where or None, fix=self.remedy("pass") or None
        )

    def remedy(self, give: str) -> str:
        """How to mend it, and the option that lets it pass, below commands of several lines: they are copied.

        ``give`` is the word before the option: ``pass``, or ``deploy with``.
        """
        between = "\n" if "\n" in self.fix else "; "
        way = f"{'or ' if self.fix else ''}{give} {self.option}" if self.option else ""
        return between.join(filter(None, (self.fix, way)))
