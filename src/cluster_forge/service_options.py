"""The options that decide which adapters a command gets: the command line declares them from here, `composition` reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.option_fields import option


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOptions:
    """Where fetched sources and rendered objects are stored; None: in the user's cache folder."""

    store: str | None = option(
        "--store",
        default=None,
        metavar="DIR",
        help="Folder for fetched and rendered files [default: ~/.cache/cluster-forge].",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorOptions:
    """Where sources are fetched from before the network."""

    HEADING: ClassVar = "Network options"

    mirror: tuple[str, ...] = option(
        "--mirror",
        default=(),
        metavar="DIR",
        is_path=True,
        help="Mirror to look in before the network: a folder, or oci://… (repeatable).",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkOptions:
    """Whether there is a network, and how it is used. ``timeout`` is in seconds."""

    offline: bool = option("--offline", default=False, help="Never open a network connection.")
    retries: int = option(
        "--retries",
        default=8,
        limits=(0, 100),
        shown_default=True,
        help="How often a request that failed for a while is sent again.",
    )
    timeout: float = option(
        "--timeout",
        default=900,
        limits=(1.0, 86_400.0),
        shown_default=True,
        help="Time limit for one download with its retries, in seconds.",
    )
    ca_file: str | None = option(
        "--ca-file",
        default=None,
        metavar="FILE",
        help="Certificate authorities to trust, besides those of the system.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderOptions:
    """How charts and manifests are rendered. ``render_seconds`` and ``render_memory`` (MiB) limit one chart."""

    helm_engine: str = option(
        "--helm-engine",
        default="auto",
        choices=("auto", "sdk", "helm"),
        help="Render with Helm's library (sdk) or with the helm program [default: auto, the library if it is installed].",
    )
    no_cache: bool = option("--no-cache", default=False, help="Ignore the cache: render everything again.")
    render_seconds: float = option(
        "--render-seconds",
        default=60,
        limits=(0.1, 3600),
        shown_default=True,
        help="Time limit for rendering one chart, in seconds.",
    )
    render_memory: int = option(
        "--render-memory",
        default=2048,
        limits=(256, 65536),
        shown_default=True,
        help="Memory limit for rendering one chart, in MiB.",
    )
    allow_exec: tuple[str, ...] = option(
        "--allow-exec",
        default=(),
        metavar="DIGEST",
        check=Digest.parse,
        help="Run the function of the workspace with this digest (repeatable).",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetOptions:
    """Which clusters of the description are meant, where a verb works on several."""

    HEADING: ClassVar = "Cluster options"

    names: tuple[str, ...] = option(
        "--cluster",
        default=(),
        metavar="NAME",
        help="A cluster of the description, or several: a,b (repeatable).",
    )
    selector: str | None = option(
        "--selector", default=None, metavar="LABELS", help="The clusters with these labels: region=eu,tier!=test."
    )
    every: bool = option("--all", default=False, help="All clusters of the description.")

    @property
    def is_used(self) -> bool:
        return bool(self.names or self.every) or self.selector is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterOptions:
    """Which cluster is meant, as for kubectl; None: the current context, of the files in KUBECONFIG or ~/.kube/config."""

    HEADING: ClassVar = "Cluster options"

    context: str | None = option(
        "--context", default=None, metavar="NAME", help="Context of the kubeconfig [default: its current context]."
    )
    kubeconfig: str | None = option(
        "--kubeconfig",
        default=None,
        metavar="FILE",
        help="File that says where clusters are [default: KUBECONFIG, or ~/.kube/config].",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextOptions:
    """Which clusters are meant, where a verb works on several; the fields of `ClusterOptions`, with any number of contexts."""

    HEADING: ClassVar = "Cluster options"

    contexts: tuple[str, ...] = option(
        "--context",
        default=(),
        metavar="NAME",
        help="Context of the kubeconfig; repeated: one cluster after the other [default: its current context].",
    )
    kubeconfig: str | None = option(
        "--kubeconfig",
        default=None,
        metavar="FILE",
        help="File that says where clusters are [default: KUBECONFIG, or ~/.kube/config].",
    )

    @property
    def first(self) -> ClusterOptions:
        """The cluster, where one is meant."""
        return ClusterOptions(context=next(iter(self.contexts), None), kubeconfig=self.kubeconfig)
