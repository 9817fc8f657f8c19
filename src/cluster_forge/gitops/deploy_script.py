"""`deploy.sh`: deploys a cast stack with kubectl alone.

The script is short because the objects are in the files beside it (`bootstrap`). Here the facts and the order of a plan
are filled into the shell sources of ``scripts/``.
"""

from __future__ import annotations

import shlex
import textwrap

from cluster_forge.gitops import bootstrap, script_source
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.plan import ArgoCdPlan, DeployPlan
from cluster_forge.gitops.steps import StepFile

_WIDTH = 118


def script(plan: DeployPlan) -> str:
    """The text of `deploy.sh`: POSIX sh, the same for the same plan."""
    read = script_source.read
    texts = (_head(plan), read("options"), _namespace(plan), read("checks"), _steps(), *_deploy(plan), read("main"))
    return "".join(texts)


def _steps() -> str:
    """The functions for the steps; a component's files are written into their loop in the order of the plan."""
    files = " ".join(f'"$1"/{file}' for file in StepFile)
    lines = textwrap.wrap(f"  for file in {files}; do", _WIDTH, subsequent_indent="    ", break_on_hyphens=False)
    return script_source.read("steps").replace('  for file in "$1"/*; do', " \\\n".join(lines))


def _deploy(plan: DeployPlan) -> tuple[str, ...]:
    """The function ``deploy``, and what it needs."""
    read = script_source.read
    if plan.argocd is None:
        rows = (f"{bootstrap.FOLDER}/{part.folder} {part.wave} {part.objects}" for part in plan.components)
        return read("permissions"), read("deploy_direct").replace("{waves}", "\n".join(rows))
    server, call = (read("git_server"), "  repository\n") if plan.argocd.server else ("", "")
    is_installed = plan.delivery is Delivery.INSTALL
    permissions, deploy = (
        (read("permissions"), read("deploy_install")) if is_installed else ("", read("deploy_existing"))
    )
    return server, read("root_application"), permissions, deploy.replace("  repository\n", call)


def _head(plan: DeployPlan) -> str:
    values = {"stack": plan.stack, "target_minor": str(plan.kubernetes.minor), "summary": _summary(plan)}
    if plan.argocd:
        values |= _argocd(plan, plan.argocd)
    return (
        "#!/bin/sh\n"
        f"# Brings the stack {plan.stack} into a cluster, with kubectl alone: sh deploy.sh --help\n"
        "# Made by Cluster-Forge; what it applies lies in bootstrap/ beside it.\n"
        "set -eu\n"
        "LC_ALL=C\n"
        "export LC_ALL\n\n" + "".join(f"{key}={shlex.quote(value)}\n" for key, value in values.items())
    )


def _argocd(plan: DeployPlan, argocd: ArgoCdPlan) -> dict[str, str]:
    values = {
        "namespace": argocd.namespace,
        "root": argocd.sync.name,
        "revision": argocd.sync.revision,
        "namespace_known": "yes" if plan.delivery is Delivery.INSTALL else "",
    }
    if argocd.server:
        values |= {"git_server": argocd.server.name, "commit": plan.commit}
        values["image_known"] = "yes" if argocd.is_image_known else ""
    return values


def _summary(plan: DeployPlan) -> str:
    count = len(plan.components)
    match plan.delivery:
        case Delivery.DIRECT:
            return f"{count} components, {plan.objects} objects, applied by kubectl"
        case Delivery.INSTALL:
            return f"Argo CD and {count} components by it"
        case Delivery.EXISTING:
            return f"{count} components by the Argo CD that is there"


def _namespace(plan: DeployPlan) -> str:
    """What ``--namespace`` means: it is only for an Argo CD that is in the cluster already."""
    if plan.delivery is Delivery.EXISTING:
        return "namespace=${wanted_namespace:-$namespace}\n"
    fixed = plan.argocd.namespace if plan.argocd else ""
    reason = (
        f"this stack was cast with Argo CD in the namespace {fixed}"
        if fixed
        else "--namespace is for an Argo CD that is there already; every object of this stack has its own"
    )
    return f'[ "${{wanted_namespace:-{fixed}}}" = {shlex.quote(fixed)} ] || give_up 2 {shlex.quote(reason)}\n'
