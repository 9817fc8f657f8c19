"""cast: `stacks/<name>/` from `working/`: repository, image, bootstrap, deploy script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cluster_forge import __version__
from cluster_forge.bundle import CastImage, PartRecord, Record, stack_json
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import StaleError
from cluster_forge.foundation.file_tree import FileTree, join
from cluster_forge.gitops import argocd_part, bootstrap, deploy_script
from cluster_forge.gitops.parts import Part
from cluster_forge.manifests import images
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.manifest import Body
from cluster_forge.oci import content, image, index, layer
from cluster_forge.ports import Reporter, Repositories, Repository
from cluster_forge.stack.model import Stack
from cluster_forge.stages import delivery, working
from cluster_forge.stages.means import Tools
from cluster_forge.stages.smelt import Smelted
from cluster_forge.stages.working import Working

STACKS, SCRIPT = "stacks", "deploy.sh"


@dataclass(frozen=True, slots=True, kw_only=True)
class CastRequest:
    """The stack, the fingerprint of its present inputs, and the time (seconds since 1970) that everything is dated to.

    ``smelted`` is what smelt made in this run, so that nothing need be read. ``is_stale_fine`` casts a `working/` of
    other inputs.
    """

    stack: Stack
    inputs: Digest
    time: int
    smelted: Smelted | None = None
    is_stale_fine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """What was cast. ``sizes`` are the bytes of ``repo.git``, ``image`` and ``bootstrap``."""

    stack: str
    folder: str
    components: int
    objects: int
    revision: str
    commit: str
    image: Digest
    platforms: tuple[str, ...]
    images: tuple[str, ...]
    sizes: Mapping[str, int]
