"""One object that depends on another one, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cluster_forge.graph.reference import Strength
from cluster_forge.manifests.manifest import Manifest


class Reason(StrEnum):
    """Why an object depends on another one; the text joins both in a sentence, ``detail`` in the place of ``{}``."""

    NAMES = "names"
    DEFINED_BY = "is of a kind that is defined by"
    NEEDS_MADE = "needs {}, which is made for"
    SERVED_BY = "is served by"
    ADMITTED_BY = "is admitted by"
    ALLOWED_BY = "has rights from"
    OPERATED_BY = "is handled by"
    CONVERTED_BY = "is converted by"
    USES = "needs {}, which comes with"
    IN_NAMESPACE = "is in"
    CALLS = "calls"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """``source`` depends on ``target``, both objects of the stack.

    ``field`` is the path in ``source`` that says so (`manifests.field_path`), empty where it follows from the whole object.
    """

    source: Manifest
    target: Manifest
    reason: Reason
    strength: Strength
    field: str = ""
    detail: str = ""

    @property
    def is_hard(self) -> bool:
        """Whether ``source`` cannot be there, or not become ready, before ``target``."""
        return self.strength is Strength.REQUIRED

    @property
    def is_ordering(self) -> bool:
        """Whether ``source`` should come after ``target`` at all."""
        return self.strength is not Strength.INFORMS

    @property
    def phrase(self) -> str:
        """Why, without the objects: ``names it``."""
        return f"{self.reason.format(self.detail)} it"

    @property
    def sentence(self) -> str:
        """As people read it: ``Certificate.cert-manager.io/grafana/tls names ClusterIssuer.cert-manager.io/letsencrypt``."""
        return f"{self.source.id} {self.reason.format(self.detail)} {self.target.id}"
