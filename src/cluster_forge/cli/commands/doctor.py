"""doctor: what is missing on this machine or in a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import DELIVERS, verb
from cluster_forge.service_options import StoreOptions

if TYPE_CHECKING:
    from cluster_forge.stages.deliver.doctor import Diagnosis, DoctorRequest


@verb(*DELIVERS, StoreOptions)
@click.argument("stack", required=False)
def command(session: Session, stack: str | None) -> int:
    """Say what is missing on this machine or in a cluster, with the remedy.

    Looks for the programs that the workspace's stack needs, and for room. With --context or --kubeconfig it looks at that
    cluster, too; with STACK, a folder below stacks/, at everything that its deployment would ask for. Nothing is changed;
    exit code 1: something that is needed is missing.

    Examples:
        cluster-forge doctor
        cluster-forge doctor --context production
        cluster-forge doctor platform --context production --format json
    """
    from cluster_forge.cli.output import doctor_text

    diagnosis = _examined(session, _request(session, stack), has_cluster=_has_cluster(session, stack))
    for line in doctor_text.lines(diagnosis):
        session.print(line)
    session.print_json("doctor", **doctor_text.json(diagnosis))
    return 0 if diagnosis.is_good else 1


def _has_cluster(session: Session, stack: str | None) -> bool:
    """Whether a cluster is asked for: without one named, a machine need not have one."""
    return bool(stack or session.cluster.context or session.cluster.kubeconfig)


def _request(session: Session, stack: str | None) -> DoctorRequest:
    """What is looked at: the described stack, and the cast one that was named.

    Raises:
        DescriptionError, ExceptionGroup: every error in the description.
        UnknownNameError, StaleError, EditedError: if there is no such cast stack, or it is damaged.
    """
    from cluster_forge import composition
    from cluster_forge.cli import cast_stacks, description
    from cluster_forge.stages.build.cast import STACKS
    from cluster_forge.stages.deliver import deployment
    from cluster_forge.stages.deliver.doctor import DoctorRequest
    from cluster_forge.stages.supply import cast_stack

    folders = (str(session.workspace), str(composition.store_root(session.store)))
    described = description.stack_if_any(session)
    if stack is None:
        return DoctorRequest(stack=described, folders=folders)
    files = composition.workspace_files(session.workspace)
    name = cast_stacks.chosen(stack, cast_stack.folders(files), "doctor")
    plan = deployment.read(f"{STACKS}/{name}", files).plan
    return DoctorRequest(stack=described, folders=folders, plan=plan)


def _examined(session: Session, request: DoctorRequest, *, has_cluster: bool) -> Diagnosis:
    """A kubeconfig that cannot be used is a thing that is missing, not the end of the examination."""
    from dataclasses import replace

    from cluster_forge import composition
    from cluster_forge.foundation.errors import KubeconfigError, expected
    from cluster_forge.stages.deliver import doctor

    machine = composition.machine()
    if not has_cluster:
        return doctor.doctor(request, machine, None)
    with session.reporting("doctor") as reporter:
        try:
            tools = session.delivery(reporter)
        except (KubeconfigError, ExceptionGroup) as error:
            diagnosis = doctor.doctor(request, machine, None)
            return replace(diagnosis, cluster=tuple(map(doctor.unusable, expected(error))))
        return doctor.doctor(request, machine, tools)
