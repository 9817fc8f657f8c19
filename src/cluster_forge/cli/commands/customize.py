"""customize status|diff|save|drop: what was edited by hand in working/."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from cluster_forge.cli import help_page
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import DESCRIBES, verb
from cluster_forge.service_options import RenderOptions, StoreOptions

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from cluster_forge.cli.output.diff_text import Sides
    from cluster_forge.composition import Services
    from cluster_forge.foundation.errors import ForgeError
    from cluster_forge.manifests.comparison.objects import Comparison
    from cluster_forge.stack.model import Stack
    from cluster_forge.stages.build.edits import DiscardedEdits
    from cluster_forge.stages.customize.edited_files import EditedFile, Excerpt
    from cluster_forge.stages.customize.save import SavedEdit
    from cluster_forge.stages.describe.load_description import Description

_environment = click.option("--environment", metavar="NAME", help="The environment that smelt made working/ for.")

command = help_page.group(
    "customize",
    """Show, save or drop what was edited by hand in working/.

    Files in working/ may be changed, added and deleted. smelt keeps these edits, also when it renders something new, and
    cast delivers them. `save` makes patches of them in input/, where they can be reviewed and committed. A NAME is a component, an object (Deployment.apps/shop/web) or a file; none means everything.

    Examples:
        cluster-forge customize status
        cluster-forge customize diff grafana
        cluster-forge customize save
        cluster-forge customize drop Deployment.apps/shop/web
    """,
)


@verb(StoreOptions, RenderOptions, *DESCRIBES)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@_environment
def status(session: Session, names: tuple[str, ...], environment: str | None) -> int:
    """List the edited objects, and each field with its old and its new value.

    Values of Secrets are masked. Exit code 1 if there is any edit.

    Examples:
        cluster-forge customize status
        cluster-forge customize status grafana --format json
    """
    from cluster_forge.cli.output import customize_text
    from cluster_forge.manifests.comparison import excerpts

    compared, problems = _compared(_in(session, environment), names, excerpts.of)
    for line in customize_text.status(compared):
        session.print(line)
    return _ending(session, "customize status", compared, problems)


@verb(StoreOptions, RenderOptions, *DESCRIBES)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@_environment
def diff(session: Session, names: tuple[str, ...], environment: str | None) -> int:
    """Show the edited objects as a unified diff.

    On a terminal with colors, and through the pager that PAGER names (less by default). Values of Secrets are masked. Exit
    code 1 if there is any edit.

    Examples:
        cluster-forge customize diff
        cluster-forge customize diff Deployment.apps/shop/web
    """
    from cluster_forge.cli.output import changes_text, diff_text, pager

    compared, problems = _compared(_in(session, environment), names, _whole)
    if session.prints_results:
        lines = (line for one in compared.objects for line in diff_text.object_lines(one, _sides()))
        pager.print_paged(map(changes_text.colored, lines), color=session.color)
    return _ending(session, "customize diff", compared, problems)


def _in(session: Session, environment: str | None) -> Session:
    """The session for the environment that `working/` is of."""
    return replace(session, selection=replace(session.selection, environment=environment))


def _sides() -> Sides:
    from cluster_forge.cli.output.diff_text import Sides

    return Sides(before="smelted", after="working")


def _ending(session: Session, name: str, compared: Comparison, problems: list[ForgeError]) -> int:
    from cluster_forge.cli.output import customize_text

    for problem in problems:
        session.print_problem(problem)
    session.print(customize_text.total(compared, problems) or "no edits: working/ is as smelt wrote it")
    session.print_json(name, **customize_text.json(compared, problems))
    return 1 if compared or problems else 0


def _whole(_before: bytes, _after: bytes) -> None:
    """Read both versions of a file as a whole: `diff` shows lines around what differs."""


def _compared(session: Session, names: tuple[str, ...], excerpt: Excerpt) -> tuple[Comparison, list[ForgeError]]:
    """What the edits change, and why files cannot be read."""
    from cluster_forge.stages.customize import differences

    with session.services(offline=True, renders=False) as services:
        files = _edited(session, services, names, excerpt)
        return differences.comparison(files), [problem for file in files for problem in file.problems]


def _edited(session: Session, services: Services, names: tuple[str, ...], excerpt: Excerpt) -> tuple[EditedFile, ...]:
    from cluster_forge.cli.description import load
    from cluster_forge.stages.customize import edit_selection, edited_files

    working = edited_files.state(services.toolbox)
    chosen = edit_selection.chosen(working.edited, names, working.record)
    return edited_files.read(
        working,
        chosen,
        services.toolbox,
        edited_files.PresentInputs(
            stack=lambda: load(services, session.selection).stack, files=lambda: _made_again(session, services)
        ),
        excerpt,
    )


def _made_again(session: Session, services: Services) -> Mapping[str, bytes]:
    """The files that smelt makes from the present inputs."""
    from cluster_forge.cli.description import load

    description = load(services, session.selection)
    return _made(session, services, description, description.stack)


def _made(session: Session, services: Services, description: Description, stack: Stack) -> Mapping[str, bytes]:
    """The files that smelt makes of ``stack``, with the description's lock."""
    from cluster_forge.stages.build import fresh, input_fingerprint, locking

    lock = description.lock
    sources = locking.look_up(stack.components, lock, services.sources)
    inputs = input_fingerprint.fingerprint(stack, sources, lock, services.toolbox)
    with session.reporting("render") as reporter:
        return fresh.make(stack, sources, lock, services.toolbox, reporter, inputs=inputs, is_checked=False).tree.files


@verb(StoreOptions, RenderOptions, *DESCRIBES)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@_environment
@click.option(
    "--as",
    "form",
    type=click.Choice(["patch", "overlay"]),
    default="patch",
    show_default=True,
    help="The smallest patch, or always a partial object, which repeats whole lists and texts.",
)
def save(session: Session, names: tuple[str, ...], environment: str | None, form: str) -> int:
    """Write hand edits into input/, so that they outlive working/.

    A changed object becomes a patch in input/<component>/patches/, as small as possible: a partial object, or a JSON patch
    where that cannot say it. A deleted one becomes a patch that deletes it, an added one a file in input/<component>/objects/.
    Comments are kept. After the next smelt the edits are part of the stack. Exit code 1 if an edit cannot be saved.

    Examples:
        cluster-forge customize save
        cluster-forge customize save Deployment.apps/shop/web
    """
    from cluster_forge.cli.output import saved_text

    session = _in(session, environment)
    with session.services(offline=True, renders=False) as services, services.files.locked():
        saved = _save(session, services, names, form)
    for line in saved_text.saved(saved):
        session.print(line)
    if any(one.path for one in saved):
        session.print(f"next: {session.selecting_command('smelt')}")
    unsaved = sum(not one.path for one in saved)
    session.print_json("customize save", saved=[saved_text.saved_json(one) for one in saved], unsaved=unsaved)
    return 1 if unsaved else 0


def _save(session: Session, services: Services, names: tuple[str, ...], form: str) -> tuple[SavedEdit, ...]:
    from cluster_forge.cli.description import load
    from cluster_forge.stages.customize import edit_selection, edited_files, present_stack
    from cluster_forge.stages.customize.save import Form, SaveRequest
    from cluster_forge.stages.customize.save import save as save_stage
    from cluster_forge.stages.customize.saved_files import SavedFiles

    toolbox = services.toolbox
    working = edited_files.state(toolbox)
    chosen = edit_selection.chosen(working.edited, names, working.record)
    description = load(services, session.selection)
    stack = description.stack
    inputs = edited_files.PresentInputs(stack=lambda: stack, files=lambda: _made_again(session, services))
    edited = edited_files.read(working, chosen, toolbox, inputs)

    def unpatched(paths: Collection[str]) -> Mapping[str, bytes]:
        return _made(session, services, description, present_stack.without_patches(stack, paths))

    request = SaveRequest(
        edited=edited,
        stack=stack,
        merge_keys=present_stack.merge_keys(stack.target.kubernetes.minor, working.record, edited, toolbox),
        unpatched=unpatched,
        read=toolbox.reader.read,
        form=Form(form),
    )
    return save_stage(request, SavedFiles(files=services.files))


@verb(StoreOptions, RenderOptions, *DESCRIBES)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@_environment
@click.option("--saved", is_flag=True, help="Remove what `customize save` wrote instead of hand edits in working/.")
def drop(session: Session, names: tuple[str, ...], saved: bool, environment: str | None) -> None:
    """Take hand edits in working/ back, or with --saved the patches and objects in input/.

    A copy of what is dropped stays in .cluster-forge/discarded/.

    Examples:
        cluster-forge customize drop Deployment.apps/shop/web
        cluster-forge customize drop --saved grafana
    """
    from cluster_forge.cli.output import result_json, saved_text

    session = _in(session, environment)
    with session.services(offline=True, renders=False) as services, services.files.locked():
        dropped = (_drop_saved if saved else _drop)(session, services, names)
    for line in saved_text.dropped(dropped):
        session.print(line)
    if saved and dropped:
        session.print(f"next: {session.selecting_command('smelt')}")
    session.print_json("customize drop", dropped=result_json.discarded_json([dropped] if dropped else []))


def _drop(session: Session, services: Services, names: tuple[str, ...]) -> DiscardedEdits:
    from cluster_forge.stages.customize import edit_selection, edited_files
    from cluster_forge.stages.customize.drop import drop_edits

    working = edited_files.state(services.toolbox)
    chosen = edit_selection.chosen(working.edited, names, working.record)
    known = edited_files.bases_of(working.record, chosen, services.toolbox, lambda: _made_again(session, services))
    return drop_edits(working, chosen, known, services.toolbox)


def _drop_saved(session: Session, services: Services, names: tuple[str, ...]) -> DiscardedEdits:
    from cluster_forge.cli.description import load
    from cluster_forge.stages.customize.drop import drop_saved

    stack = load(services, session.selection).stack
    return drop_saved(names, [component.name for component in stack.components], services.toolbox)


command.add_command(status, "status")
command.add_command(diff, "diff")
command.add_command(save, "save")
command.add_command(drop, "drop")
