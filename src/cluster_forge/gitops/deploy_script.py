"""`deploy.sh`: brings a cast stack into a bare cluster with kubectl alone.

The script is short because what it applies, and in which order, lies in the files beside it (see `bootstrap` and
`wave_files`); only the few facts of a `Plan` stand in it.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from cluster_forge.gitops import deploy_text, deploy_text_argocd
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.stack.model import KubernetesVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """One part of a direct delivery: its folder, its wave and how many objects it brings."""

    folder: str
    wave: int
    objects: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the script has to know.

    ``namespace`` is Argo CD's, ``root`` the root Application, ``git_server`` the server's Deployment (empty where Argo CD
    reads from elsewhere), ``image_known`` whether its image is, or has to be looked up in the cluster.
    """

    stack: str
    kubernetes: KubernetesVersion
    delivery: Delivery
    namespace: str
    root: str
    revision: str
    commit: str
    git_server: str
    image_known: bool
    waves: tuple[Wave, ...]


def script(plan: Plan) -> str:
    """The text of `deploy.sh`: POSIX sh, the same for the same plan."""
    return "".join((_head(plan), deploy_text.OPTIONS, _namespace(plan), *_blocks(plan), deploy_text.MAIN))


def _blocks(plan: Plan) -> tuple[str, ...]:
    common = (deploy_text.CHECKS, deploy_text.STEPS)
    if plan.delivery is Delivery.DIRECT:
        table = "\n".join(f"{each.folder} {each.wave} {each.objects}" for each in plan.waves)
        return (*common, deploy_text.EVERYTHING, deploy_text.DIRECT.replace("{waves}", table))
    server = (deploy_text_argocd.GIT_SERVER,) if plan.git_server else ()
    installs = plan.delivery is Delivery.INSTALL
    own = (deploy_text.EVERYTHING, deploy_text_argocd.INSTALL) if installs else ("", deploy_text_argocd.EXISTING)
    call = "  repository\n" if plan.git_server else ""
    return (*common, *server, deploy_text_argocd.ROOT, *(text.replace("  {repository}\n", call) for text in own))


def _head(plan: Plan) -> str:
    values = {"stack": plan.stack, "target_minor": str(plan.kubernetes.minor), "summary": _summary(plan)}
    if plan.delivery is not Delivery.DIRECT:
        values |= {"namespace": plan.namespace, "root": plan.root, "revision": plan.revision}
        values["namespace_known"] = "yes" if plan.delivery is Delivery.INSTALL else ""
        if plan.git_server:
            values |= {"git_server": plan.git_server, "commit": plan.commit}
            values["image_known"] = "yes" if plan.image_known else ""
    return (
        "#!/bin/sh\n"
        f"# Brings the stack {plan.stack} into a cluster, with kubectl alone: sh deploy.sh --help\n"
        "# Made by Cluster-Forge; what it applies lies in bootstrap/ beside it.\n"
        "set -eu\n"
        "LC_ALL=C\n"
        "export LC_ALL\n\n" + "".join(f"{key}={shlex.quote(value)}\n" for key, value in values.items())
    )


def _summary(plan: Plan) -> str:
    match plan.delivery:
        case Delivery.DIRECT:
            objects = sum(each.objects for each in plan.waves)
            return f"{len(plan.waves)} components, {objects} objects, applied by kubectl"
        case Delivery.INSTALL:
            return f"Argo CD and {len(plan.waves)} components by it"
        case Delivery.EXISTING:
            return f"{len(plan.waves)} components by the Argo CD that is there"


def _namespace(plan: Plan) -> str:
    """What ``--namespace`` means: only where Argo CD was there first is it for the deployment to say."""
    if plan.delivery is Delivery.EXISTING:
        return "namespace=${wanted_namespace:-$namespace}\n"
    fixed, reason = {
        Delivery.DIRECT: (
            "",
            "--namespace is for an Argo CD that is there already; every object of this stack has its own",
        ),
        Delivery.INSTALL: (plan.namespace, f"this stack was cast with Argo CD in the namespace {plan.namespace}"),
    }[plan.delivery]
    return f'[ "${{wanted_namespace:-{fixed}}}" = {shlex.quote(fixed)} ] || give_up 2 {shlex.quote(reason)}\n'
