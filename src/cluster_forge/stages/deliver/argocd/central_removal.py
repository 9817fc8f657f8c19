"""Removing a stack from one cluster of a central Argo CD, through that Argo CD.

Its pin goes first, and with it its root, which would put the others back. Then its Applications go with their objects (Argo
CD, "App Deletion", cascading), those of the last wave first. Argo CD leaves what holds data (`manifests.retention`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, Final

from cluster_forge.foundation.errors import DeploymentError
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.gitops import engine
from cluster_forge.gitops.argocd import applications, central
from cluster_forge.gitops.parts import CLUSTER_LABEL, STACK_LABEL
from cluster_forge.gitops.steps import FIELD_MANAGER
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import Patch, Query
from cluster_forge.stages.deliver.argocd import operations
from cluster_forge.stages.deliver.argocd.central_stacks import CentralStack
from cluster_forge.stages.deliver.patience import tolerated
from cluster_forge.stages.deliver.removal import deletion
from cluster_forge.stages.deliver.removal.deletion import Deletion
from cluster_forge.stages.deliver.tools import DeliverTools

STAGE: Final = "remove"
_WAVE: Final = "argocd.argoproj.io/sync-wave"
_HOLDS_DATA: Final = "it holds data"
_PAUSE: Final = 1.0


@dataclass(frozen=True, slots=True)
class CentralRemoval:
    """The removal of a stack from the cluster of this name; ``timeout``: seconds until an Application must be gone."""

    stack: CentralStack
    cluster: str
    timeout: float
    tools: DeliverTools

    def applications(self) -> tuple[Body, ...]:
        """The Applications of the cluster, in the order in which they go; the root is not among them."""
        bodies = (body for body in self._of_cluster() if not central.is_root(body))
        return tuple(sorted(bodies, key=lambda body: (-_wave(body), body["metadata"]["name"])))

    def run(self) -> Deletion:
        """Remove the stack; what of it is gone, and what Argo CD leaves in the cluster.

        Raises:
            DeploymentError, ExceptionGroup: for each Application that does not go in time.
            ClusterError, RefusedError: if Argo CD's cluster does not answer, or refuses.
        """
        going = self.applications()
        self.tools.reporter.stage_started(STAGE, len(going))
        self._unpin()
        done = Deletion()
        for _, wave in groupby(going, key=_wave):
            done += self._delete(tuple(wave))
        self.tools.reporter.stage_finished(STAGE, done.summary)
        return done

    def _others(self) -> tuple[central.Pin, ...]:
        return tuple(pin for pin in self.stack.pins if pin.cluster != self.cluster)

    def _unpin(self) -> None:
        """Take the pin away, and wait until the ApplicationSet's controller has deleted the root.

        Raises:
            DeploymentError: if it does not in time.
        """
        if self.cluster in self.stack.clusters:
            spec = central.pinned(self._others(), at_once=self.stack.at_once)
            target = self.stack.application_set
            self.tools.cluster.patch(target, {"spec": spec}, Patch.MERGE, manager=FIELD_MANAGER)
        end = self.tools.clock.monotonic() + self.timeout
        while True:
            with tolerated(partial(self.tools.reporter.item_waiting, STAGE, self.cluster)):
                if not any(map(central.is_root, self._of_cluster())):
                    return
            if self.tools.clock.monotonic() >= end:
                raise DeploymentError(
                    f"Argo CD's ApplicationSet controller has not deleted the root of {self.cluster}",
                    where=str(self.stack.application_set),
                    fix="see that it runs (its Deployment is argocd-applicationset-controller), and run it again",
                )
            self.tools.clock.sleep(_PAUSE)

    def _delete(self, wave: Sequence[Body]) -> Deletion:
        """Delete Applications with their objects; what each has is read before."""
        done, targets = Deletion(), [ObjectId.of(body) for body in wave]
        for body in wave:
            name = central.folder(body)
            self.tools.reporter.item_started(STAGE, name)
            self._cascade(ObjectId.of(body))
            gone, kept = sorted_out(body)
            done += Deletion(deleted=gone, kept=kept)
        deletion.delete(targets, self.tools, spared=lambda _: "", timeout=self.timeout)
        for body in wave:
            gone, kept = sorted_out(body)
            detail = Deletion(deleted=gone, kept=kept).summary
            self.tools.reporter.item_finished(STAGE, central.folder(body), detail, objects=len(gone), state="removed")
        return done

    def _cascade(self, target: ObjectId) -> None:
        """Let an Application take its objects along; one that goes already (with its root) can get no finalizer any more."""
        metadata = mapping((self.tools.cluster.get(target) or {}).get("metadata"))
        finalizers = [str(name) for name in sequence(metadata.get("finalizers"))]
        if applications.FINALIZER not in finalizers and "deletionTimestamp" not in metadata:
            change = {"metadata": {"finalizers": [*finalizers, applications.FINALIZER]}}
            operations.patch(target.name, target.namespace, change, self.tools.cluster)

    def end(self) -> Deletion:
        """Delete what all clusters had in common, once the last one is gone."""
        namespace = self.stack.application_set.namespace
        project = ObjectId(
            group=engine.GROUP,
            kind="AppProject",
            namespace=namespace,
            name=applications.project_name(self.stack.name),
        )
        done = Deletion()
        for target in (
            project,
            self.stack.application_set,
        ):  # by the last one a removal that was killed finds the stack
            done += deletion.delete([target], self.tools, spared=lambda _: "", timeout=self.timeout)
        return done

    def _of_cluster(self) -> tuple[Body, ...]:
        return self._listed(f",{CLUSTER_LABEL}={self.cluster}")

    def _listed(self, labels: str = "") -> tuple[Body, ...]:
        query = Query(
            group=engine.GROUP,
            kind="Application",
            namespace=self.stack.application_set.namespace,
            labels=f"{STACK_LABEL}={self.stack.name}{labels}",
        )
        return self.tools.cluster.list(query).items


def sorted_out(application: Body) -> tuple[tuple[ObjectId, ...], tuple[tuple[ObjectId, str], ...]]:
    """The objects of an Application that go, and those that stay, as its status lists them."""
    ids = tuple(_ids(application))
    gone = tuple(target for target in ids if not target.holds_data)
    return gone, tuple((target, _HOLDS_DATA) for target in ids if target.holds_data)


def _ids(application: Body) -> Iterator[ObjectId]:
    for resource in map(mapping, sequence(mapping(application.get("status")).get("resources"))):
        yield ObjectId(
            group=_text(resource, "group"),
            kind=_text(resource, "kind"),
            namespace=_text(resource, "namespace"),
            name=_text(resource, "name"),
        )


def _text(resource: Mapping[str, Any], key: str) -> str:
    return str(resource.get(key) or "")


def _wave(application: Body) -> int:
    text = str(mapping(application["metadata"].get("annotations")).get(_WAVE) or "0")
    return int(text) if text.removeprefix("-").isdecimal() else 0
