"""The cluster that a verb for one cluster works on, where `--cluster` names it: of the description, or of a central Argo CD."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cluster_forge.service_options import ClusterOptions

if TYPE_CHECKING:
    from cluster_forge.cli.session import Session


@dataclass(frozen=True, slots=True)
class Destination:
    """``session`` reaches the cluster that keeps the releases; ``name`` is that of a cluster to which the Argo CD there
    delivers, empty where the cluster itself is meant.
    """

    session: Session
    name: str = ""

    def command(self, verb: str, *names: str) -> str:
        """What to type for a verb on this cluster."""
        return self.session.cluster_command(verb, *names, *(("--cluster", self.name) if self.name else ()))


def chosen(session: Session, cluster: str | None) -> Destination:
    """What `--cluster`, `--context` and `--kubeconfig` say. With one of the last two no description is read.

    Raises:
        UnknownNameError, ExceptionGroup: if the description has no such cluster.
        DescriptionError, KubeconfigError, ExceptionGroup: as `fleet.members`.
    """
    if cluster is None:
        return Destination(session)
    if session.cluster != ClusterOptions():
        return Destination(session, cluster)
    from cluster_forge.cli import fleet

    described, one = fleet.described(session, cluster)
    if described.central:
        return Destination(fleet.reached(session, described.central), one.name)
    return Destination(fleet.reached(session, one))
