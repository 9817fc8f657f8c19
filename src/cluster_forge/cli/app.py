"""The program: its verbs, loaded when they are called, and the one place where errors become exit codes."""

from __future__ import annotations

import contextlib
import errno
import importlib
import io
import os
from collections.abc import Sequence

import click

from cluster_forge.cli import arguments, click_options, termination
from cluster_forge.cli.help_page import HelpGroup, describe
from cluster_forge.cli.output.streams import to_stderr, to_stdout

VERBS = {
    "init": "Write a workspace with the starter stack, or with components of the catalog.",
    "mine": "Fetch, verify, lock and render what the description names.",
    "smelt": "Render working/ from the description, the lock and input/.",
    "customize": "Show, save or drop what was edited by hand in working/.",
    "cast": "Compile working/ into stacks/<name>/: repository, image, deploy script.",
    "forge": "Mine what is missing, smelt and cast in one go.",
    "lock": "Show what is locked, or compare it with the sources.",
    "outdated": "List the sources of which there are newer versions.",
    "mirror": "Copy what the stack is made from into a mirror, or check one.",
    "push": "Send a cast stack to an OCI registry: its image, and what GitOps engines read.",
    "pull": "Write a stack's folder again from an OCI registry.",
    "deploy": "Deploy a cast stack to a cluster, and wait until it is ready.",
    "status": "Show how far a cast stack is in a cluster, and why it is not healthy.",
    "diff": "Show what a deployment would change, or how two cast stacks differ.",
    "rollback": "Go back to an earlier release of a stack, from what the cluster keeps of it.",
    "remove": "Remove a stack, or one component of it, from a cluster.",
    "history": "List the releases of a stack in a cluster: each deployment is one.",
    "audit": "Show who changed the stacks in a cluster, when, and from which image.",
    "catalog": "List, search, show, write and test the components of the catalog.",
    "check": "List what is wrong with the stack, why it matters, and how to mend it.",
    "explain": "Show where an object comes from, and what changed each of its fields.",
    "config": "Show the effective description, or validate it.",
    "plugins": "List installed plug-ins, or allow functions of workspaces to run.",
    "secrets": "List the Secrets that the stack expects.",
    "login": "Log in to a registry or a chart repository.",
    "logout": "Remove the login for a registry or a chart repository.",
    "auth": "Show which login would be used for each host of the stack.",
    "store": "Show what the store holds, or remove unused entries.",
    "doctor": "Say what is missing on this machine or in a cluster, with the remedy.",
    "convert": "Convert a description in the legacy format to the native format.",
    "completion": "Print the script that lets a shell complete verbs, options and names with TAB.",
    "help": "Explain the exit codes, or a verb.",
}
"""Each verb, and the purpose that its help text opens with."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class Verbs(HelpGroup):
    """The verbs: modules of `cluster_forge.cli.commands`, imported when they are called."""

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
        if args and args[0] not in VERBS:
            from cluster_forge.cli import other_verbs

            if pointer := other_verbs.pointer(args[0]):
                raise click.UsageError(pointer, ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


def _version(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from cluster_forge.cli import version

        to_stdout(version.text())
        context.exit()


@click.group(
    cls=Verbs,
    options_metavar="[-C WORKSPACE]",
    subcommand_metavar="VERB [OPTION]... [NAME]...",
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "CLUSTER_FORGE",
        "max_content_width": 100,
    },
    epilog="Exit codes: 0 done, 1 check failed or differences found, 2 usage, 10-59 an error"
    " (cluster-forge help errors), 70 a bug.",
)
@click.option("-C", "workspace", metavar="WORKSPACE", default=".", help="Folder that holds input/ [default: .].")
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
@click.pass_context
def cluster_forge(context: click.Context, workspace: str) -> None:
    """Turn a short stack description into a complete, deployable Kubernetes platform.

    A workspace has the description in input/config.yaml. `forge` fetches and renders its components, and writes
    stacks/<name>/ with manifests in order, a Git repository, an OCI image and deploy.sh; it needs no cluster. `deploy`
    takes that to a cluster, `status`, `diff`, `rollback` and `remove` work on it there.

    Examples:
        cluster-forge init platform        # write a workspace
        cluster-forge -C platform forge    # build the stack
        cluster-forge -C platform deploy   # check the cluster, and deploy
        cluster-forge help deploy
    """
    click_options.refuse_empty(context)
    context.obj = workspace


describe(cluster_forge, cluster_forge.callback.__doc__ or "")


def run(typed: Sequence[str]) -> int:
    """Run a command line; its exit code."""
    try:
        code = cluster_forge.main(list(typed), prog_name="cluster-forge", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except SystemExit as stop:  # a signal (`termination`), or click: stdout was closed
        return (
            _stopped("terminated", stop.code, stop)
            if isinstance(stop.code, int) and stop.code in termination.STOPPED
            else 0
        )
    except (click.Abort, KeyboardInterrupt) as stop:  # click turns the second into the first
        return _stopped("interrupted", termination.INTERRUPTED, stop.__cause__ or stop)
    except Exception as error:  # noqa: BLE001 - every error gets a message and an exit code
        return _failed(error, typed)


def _failed(error: Exception, typed: Sequence[str]) -> int:
    if isinstance(error, BrokenPipeError):
        # The reader of stdout has closed it, or stderr is closed and click wanted to end the line of a ^C there.
        return termination.INTERRUPTED if isinstance(error.__context__, KeyboardInterrupt) else 0
    if isinstance(error, click.ClickException):
        with contextlib.suppress(OSError):
            usage = io.StringIO()
            error.show(usage)
            to_stderr(usage.getvalue().rstrip("\n"))
            _print_variable(error)
            _print_place(error)
        return error.exit_code
    from cluster_forge.cli.output import error_text
    from cluster_forge.foundation.errors import WorkspaceError

    if isinstance(error, OSError) and error.errno in _FULL and error.filename is None:
        error = WorkspaceError(
            f"the output cannot be written: {error.strerror}", fix="free space on the disk that it is redirected to"
        )
    return error_text.failure(error, typed, color=_color(typed))


def _stopped(how: str, code: int, stop: BaseException) -> int:
    """Print what the verb has noted (`deployer.going_on`), now that its display is closed, and how it was ended."""
    for line in (*getattr(stop, "__notes__", ()), how):
        to_stderr(line)
    return code


def _color(typed: Sequence[str]) -> bool | None:
    """Whether an error has colors, now that the verb's context is gone; None: if stderr is a terminal."""
    return False if "--no-color" in typed or os.environ.get("NO_COLOR") else None


def _print_place(error: click.ClickException) -> None:
    """Say where an option belongs that is on the wrong side of the verb."""
    if not isinstance(error, click.NoSuchOption) or not error.ctx:
        return
    if error.option_name == "-C" and error.ctx.parent:
        to_stderr(f"-C goes before the verb: cluster-forge -C WORKSPACE {error.ctx.info_name}")
    elif error.ctx.parent is None:
        to_stderr("Options of a verb go after it: cluster-forge VERB --OPTION")


def _print_variable(error: click.ClickException) -> None:
    """Name the environment variable that a wrong value comes from: it is not on the command line."""
    if not isinstance(error, click.BadParameter) or not error.ctx or not error.param or not error.param.name:
        return
    if error.ctx.get_parameter_source(error.param.name) is click.core.ParameterSource.ENVIRONMENT:
        variable = f"{error.ctx.auto_envvar_prefix}_{error.param.name}".upper()
        to_stderr(f"The value comes from the environment variable {variable}.")
