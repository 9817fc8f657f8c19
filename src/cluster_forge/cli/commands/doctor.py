"""doctor: what is missing on this machine or in a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import DELIVERS, DESCRIBES, verb
from cluster_forge.service_options import RenderOptions, StoreOptions

if TYPE_CHECKING:
    from cluster_forge.stages.deliver.deployment import Deployment
    from cluster_forge.stages.deliver.doctor import Diagnosis


@verb(*DELIVERS, StoreOptions, *DESCRIBES)
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

    diagnosis = _examined(session, _chosen(session, stack) if stack else None)
    for line in doctor_text.lines(diagnosis):
        session.print(line)
    session.print_json("doctor", **doctor_text.json(diagnosis))
    return 0 if diagnosis.is_good else 1


def _chosen(session: Session, stack: str) -> Deployment:
    """The cast stack of that name.

    Raises:
        UnknownNameError, StaleError, EditedError: if there is none, or it is damaged.
    """
    from cluster_forge import composition
    from cluster_forge.cli import stack_folders
    from cluster_forge.stages.build.cast import STACKS
    from cluster_forge.stages.deliver import deployment
    from cluster_forge.stages.supply import cast_stack

    files = composition.workspace_files(session.workspace)
    name = stack_folders.chosen(stack, cast_stack.folders(files), "doctor")
    return deployment.read(f"{STACKS}/{name}", files)


def _examined(session: Session, chosen: Deployment | None) -> Diagnosis:
    """A kubeconfig that cannot be used is a thing that is missing, not the end of the examination.

    Raises:
        DescriptionError, ExceptionGroup: every error in the description.
    """
    from dataclasses import replace

    from cluster_forge import composition
    from cluster_forge.cli import deployer, description
    from cluster_forge.foundation.error_groups import expected
    from cluster_forge.foundation.errors import KubeconfigError
    from cluster_forge.stages.deliver import doctor
    from cluster_forge.stages.deliver.doctor import DoctorRequest

    request = DoctorRequest(
        stack=description.stack_if_any(session),
        folders=(str(session.workspace), str(composition.store_root(session.store))),
        plan=chosen.plan if chosen else None,
    )
    machine, plugins = composition.machine(), composition.installed_plugins(RenderOptions())
    if not (chosen or session.cluster.context or session.cluster.kubeconfig):
        return doctor.doctor(request, machine, plugins, None)
    with session.reporting("doctor") as reporter:
        try:
            tools = session.delivery(reporter)
        except (KubeconfigError, ExceptionGroup) as error:
            diagnosis = doctor.doctor(request, machine, plugins, None)
            return replace(diagnosis, cluster=tuple(map(doctor.unusable, expected(error))))
        parts = deployer.parts(session, chosen, tools) if chosen else ()
        return doctor.doctor(replace(request, parts=parts), machine, plugins, tools)
