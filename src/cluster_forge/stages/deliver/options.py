"""What a deployment may do: the options of `deploy`, in the words of `deploy.sh`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

STAGE: Final = "deploy"
"""What progress calls the delivery of components."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployOptions:
    """How far a deployment may go.

    ``timeout``: seconds until one object must be ready. ``waits``: until everything is ready. ``is_trial`` stores nothing
    (dry run). ``is_atomic``: go back to the release before if it fails. ``adopt`` takes objects of others,
    ``force_conflicts`` single fields. ``prune_data`` also prunes what holds data (`ObjectId.holds_data`); ``recreate``
    deletes objects with fields that cannot change, and creates them again; their Pods and volumes stay. ``allowed`` are codes
    of problems that `preflight` lets pass; ``tries_all``: the API server is asked about every object before the first change. ``namespace``: that of the Argo CD which delivers the
    stack, where the cluster has several; empty: the one to be found.
    """

    timeout: float = 600
    waits: bool = True
    is_trial: bool = False
    is_atomic: bool = False
    adopt: bool = False
    force_conflicts: bool = False
    force_version: bool = False
    force_environment: bool = False
    allow_missing_apis: bool = False
    allow_missing_secrets: bool = False
    prune_data: bool = False
    recreate: bool = False
    allowed: frozenset[str] = frozenset()
    namespace: str = ""
    tries_all: bool = False
