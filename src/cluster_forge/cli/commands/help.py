"""help: exit codes and errors, or a verb's own help."""

from __future__ import annotations

import click


@click.command(help="Explain exit codes and errors (help errors), or a verb (help VERB).")
@click.argument("topic", nargs=-1)
@click.pass_context
def command(context: click.Context, topic: tuple[str, ...]) -> None:
    """Also what the page in the documentation is made from."""
    root = context.find_root()
    if topic == ("errors",):
        click.echo(errors_text(), nl=False)
        return
    found, inner = root.command, root
    for word in topic:
        if not isinstance(found, click.Group):
            raise click.UsageError(f"`{' '.join(topic)}` is no verb", context)
        below = found.resolve_command(inner, [word])[1]
        assert below is not None
        found, inner = below, click.Context(below, info_name=word, parent=inner)
    click.echo(found.get_help(inner))


def errors_text() -> str:
    """The table of exit codes."""
    from cluster_forge.foundation.errors import every_type

    rows = [
        (0, "", "Done."),
        (1, "", "The answer is no: findings that are errors, differences, not healthy."),
        (2, "", "Usage: an option or argument that the verb does not have."),
        *((kind.exit_code, kind.__name__, kind.meaning) for kind in every_type()),
        (70, "", "A bug of Cluster-Forge; the message names a file with a report."),
        (129, "", "Ended by SIGHUP: its terminal was closed."),
        (130, "", "Interrupted."),
        (143, "", "Ended by SIGTERM."),
    ]
    return "".join(f"{code:>4}  {name:<20}  {meaning}\n" for code, name, meaning in rows)
