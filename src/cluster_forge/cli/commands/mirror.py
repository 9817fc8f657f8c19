"""mirror create|verify: a copy of what the stack is made from."""

from __future__ import annotations

import click

from cluster_forge.cli import help_page
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import CONNECTS, DESCRIBES, FETCHES, verb
from cluster_forge.service_options import StoreOptions
from cluster_forge.stack.selection import Selection

command = help_page.group(
    "mirror",
    """Copy what the stack is made from into a mirror, or check one.

    A mirror is a directory, or an artifact in a registry, with everything that a stack is made from and an index.yaml.
    Verbs that fetch search it before the network: `--mirror DIR`, with `--offline` instead of it.

    Examples:
        cluster-forge mirror create /srv/mirror
        cluster-forge mirror verify /srv/mirror
    """,
)


@verb(StoreOptions, *FETCHES, Selection, *DESCRIBES)
@click.argument("folder", metavar="DIR")
def create(session: Session, folder: str) -> None:
    """Copy every source of the stack into a mirror, as locked.

    Sources come from the store; what it lacks is fetched and compared with the lock. DIR is a directory, or an address in
    an OCI registry. It is created, or gets what it does not have yet: several stacks may share a mirror. A directory with
    other files, and a tag of something else, are refused.

    Examples:
        cluster-forge mirror create /srv/mirror
        cluster-forge mirror create oci://registry.example.com/mirror:1.0
        cluster-forge mirror create /srv/mirror grafana     # a part of the stack
    """
    from cluster_forge import composition
    from cluster_forge.cli.description import locked_stack
    from cluster_forge.foundation.names import counted
    from cluster_forge.stages.supply import mirrored

    with session.services(renders=False) as services:
        stack = locked_stack(services, session.selection)
        mirror = composition.mirror_writer(session.settings(), folder, stack.stack.registries)
        with session.reporting("mirror") as reporter:
            result = mirrored.create(stack, mirror, services.toolbox, services.sources, reporter)
    session.print(f"{folder} has {counted(len(result.sources), 'source')} of the stack, {len(result.added)} added")
    session.print_json(
        "mirror create",
        stack=stack.stack.name,
        mirror=folder,
        sources=[
            {
                "address": source.address,
                "version": source.version,
                "digest": str(source.digest),
                "added": source in result.added,
            }
            for source in result.sources
        ],
    )


@verb(StoreOptions, *CONNECTS, Selection, *DESCRIBES)
@click.argument("folder", metavar="DIR")
def verify(session: Session, folder: str) -> int:
    """Check the digests of a mirror, and that it has everything that the stack is made from.

    No source is fetched. Outside of a workspace only the files of the mirror are checked. The exit code is 1 if something
    is missing or damaged.

    Examples:
        cluster-forge mirror verify /srv/mirror
        cluster-forge mirror verify /srv/mirror grafana
    """
    from cluster_forge import composition
    from cluster_forge.cli.description import locked_stack
    from cluster_forge.cli.output.error_text import error_json
    from cluster_forge.foundation.names import counted
    from cluster_forge.stages.supply import mirrored

    if (session.workspace / "input").is_dir():
        with session.services(offline=True, renders=False) as services:
            stack = locked_stack(services, session.selection)
        check = mirrored.verify(stack, composition.mirror_writer(session.settings(), folder, stack.stack.registries))
    else:
        check = composition.mirror_writer(session.settings(), folder, ()).check(())
    for problem in check.problems:
        session.print_problem(problem)
    files = counted(check.files, "file")
    session.print(
        f"{folder}: {files}, {counted(len(check.problems), 'problem')}"
        if check.problems
        else f"{folder}: {files}, all right"
    )
    session.print_json(
        "mirror verify", mirror=folder, files=check.files, problems=[error_json(problem) for problem in check.problems]
    )
    return 1 if check.problems else 0


command.add_command(create, "create")
command.add_command(verify, "verify")
