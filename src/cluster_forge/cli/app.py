"""The program: its verbs, loaded when they are called, and the one place where errors become exit codes."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
from collections.abc import Sequence

import click

from cluster_forge import __version__
from cluster_forge.cli import arguments, termination

VERBS = {
    "init": "Write a workspace: the starter stack, or one of the catalog's components.",
    "mine": "Fetch, verify, lock and render what the description names.",
    "smelt": "Make working/ from the description, the lock and input/.",
    "cast": "Compile working/ into stacks/<name>/: repository, image, deploy script.",
    "forge": "Mine what is missing, smelt and cast in one go.",
    "catalog": "The components that there are, and what each is.",
    "config": "Show the effective description, or only check it.",
    "secrets": "The Secrets that the stack expects, and how to make them.",
    "store": "What the store holds, and clearing it of what was long not used.",
    "convert": "Write the native form of a description in the first format.",
    "completion": "Print the script that lets a shell complete names with TAB.",
    "help": "Explain exit codes and errors, or a verb.",
}
_INTERRUPTED = 130
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class Verbs(click.Group):
    """A group whose commands live in `cluster_forge.cli.commands`, one module each."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        arguments.remember(ctx, args)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if name not in VERBS:
            return None
        module = importlib.import_module(f"cluster_forge.cli.commands.{name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            from cluster_forge.foundation.names import did_you_mean

            raise click.UsageError(f"no such verb: {args[0]!r}{did_you_mean(args[0], VERBS)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group(
    cls=Verbs,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "CLUSTER_FORGE",
        "max_content_width": 100,
    },
    epilog="Exit codes: 0 done, 1 the answer is no, 2 usage, 10-29 a typed error (cluster-forge help errors), 70 a bug.",
)
@click.option("-C", "workspace", metavar="WORKSPACE", default=".", help="The folder that holds input/ (default: here).")
@click.version_option(__version__, prog_name="cluster-forge")
@click.pass_context
def cluster_forge(context: click.Context, workspace: str) -> None:
    """From a short stack description to a complete, deployable Kubernetes platform."""
    context.obj = workspace


def run(typed: Sequence[str]) -> int:
    """Run one command line; the exit code is the contract's."""
    try:
        code = cluster_forge.main(list(typed), prog_name="cluster-forge", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except SystemExit as stop:  # a signal (cluster_forge.cli.termination), or click's way to say that stdout was closed
        return (
            _stopped("terminated", stop.code) if isinstance(stop.code, int) and stop.code in termination.STOPPED else 0
        )
    except (click.Abort, KeyboardInterrupt):  # click makes the one of the other
        return _stopped("interrupted", _INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - whatever it is, the user gets an explanation and an exit code
        return _failed(error, typed)


def _failed(error: Exception, typed: Sequence[str]) -> int:
    if isinstance(error, BrokenPipeError):
        # Whoever reads has seen enough; or nobody reads stderr, where click wanted to end the line of a ^C.
        return _INTERRUPTED if isinstance(error.__context__, KeyboardInterrupt) else 0
    if isinstance(error, click.ClickException):
        with contextlib.suppress(OSError):
            error.show()
            _tell_variable(error)
            _tell_place(error)
        return error.exit_code
    from cluster_forge.cli.output import error_text
    from cluster_forge.foundation.errors import WorkspaceError

    if isinstance(error, OSError) and error.errno in _FULL and error.filename is None:
        error = WorkspaceError(
            f"the output cannot be written: {error.strerror}", fix="see where it is directed to, and free some space"
        )
    return error_text.failure(error, typed, color=_color(typed))


def _stopped(how: str, code: int) -> int:
    with contextlib.suppress(OSError):
        click.echo(how, err=True)
    return code


def _color(typed: Sequence[str]) -> bool | None:
    """Whether an error may be coloured; None: if stderr is a terminal. It is told when the verb's own context is gone."""
    return False if "--no-color" in typed or os.environ.get("NO_COLOR") else None


def _tell_place(error: click.ClickException) -> None:
    """Say where an option belongs that stands on the wrong side of the verb."""
    if not isinstance(error, click.NoSuchOption) or not error.ctx:
        return
    if error.option_name == "-C" and error.ctx.parent:
        click.echo(f"-C stands before the verb: cluster-forge -C WORKSPACE {error.ctx.info_name}", err=True)
    elif error.ctx.parent is None:
        click.echo("The options of a verb stand behind it: cluster-forge VERB --OPTION", err=True)


def _tell_variable(error: click.ClickException) -> None:
    """Name the environment variable that a wrong value came from: nobody typed it just now."""
    if not isinstance(error, click.BadParameter) or not error.ctx or not error.param or not error.param.name:
        return
    if error.ctx.get_parameter_source(error.param.name) is click.core.ParameterSource.ENVIRONMENT:
        variable = f"{error.ctx.auto_envvar_prefix}_{error.param.name}".upper()
        click.echo(f"The value is that of the environment variable {variable}.", err=True)
