"""What the questions on a terminal have in common: the application, colors, the footer that names the keys.

They are built on prompt_toolkit: ADR 0002 says what ready-made ones lack.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import Protocol

from prompt_toolkit.application import Application
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import Layout
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.output.defaults import create_output
from prompt_toolkit.styles import Style

from cluster_forge.cli.output.terminal_text import one_line

_BETWEEN = "  "

_STYLE = Style.from_dict(
    {
        "question": "bold",
        "pointed": "reverse",
        "chosen": "ansigreen",
        "about": "ansibrightblack",
        "hint": "ansibrightblack",
        "message": "ansiyellow",
        "scrollbar.background": "",
        "scrollbar.button": "reverse",
    }
)


def run(layout: Layout, keys: KeyBindings, output: Output, *, color: bool | None) -> None:
    """Show ``layout`` until one of ``keys`` ends it; Ctrl-C, Ctrl-D and SIGINT do, too.

    Raises:
        KeyboardInterrupt: if the user stops. The terminal is as it was before.
    """

    @keys.add("c-c")
    @keys.add("c-d")
    @keys.add("<sigint>")
    def stop(event: KeyPressEvent) -> None:
        event.app.exit(exception=KeyboardInterrupt)

    @keys.add("c-j")  # what some terminals send, and what the terminal makes of Enter between two questions
    def enter(event: KeyPressEvent) -> None:
        event.key_processor.feed(KeyPress(Keys.ControlM, "\r"), first=True)

    application: Application[None] = Application(
        layout=layout,
        key_bindings=keys,
        style=_STYLE,
        color_depth=ColorDepth.DEPTH_1_BIT if color is False else None,
        output=output,
        erase_when_done=True,
    )
    try:
        application.run()
    except EOFError as error:  # the terminal is gone
        raise KeyboardInterrupt from error
    except SystemExit:  # a signal (`termination`) in the middle of drawing: the application has not restored the screen
        application.renderer.erase()
        raise


class List(Protocol):
    """A list with a pointer, and what was typed."""

    def move(self, by: int) -> None: ...
    def erase(self, letters: int | None = None) -> None: ...


def list_keys(choice: List, *, rows: int, page: Callable[[], int]) -> KeyBindings:
    """The keys that every list has: of ``rows`` rows, ``page`` of them on the screen."""
    bindings = KeyBindings()

    def on(*keys: str, does: Callable[[], None]) -> None:
        for key in keys:
            bindings.add(key)(lambda _event: does())

    on("up", "c-p", does=lambda: choice.move(-1))
    on("down", "c-n", does=lambda: choice.move(1))
    on("pageup", does=lambda: choice.move(-max(2, page())))
    on("pagedown", does=lambda: choice.move(max(2, page())))
    on("home", does=lambda: choice.move(-rows - 1))
    on("end", does=lambda: choice.move(rows + 1))
    on("backspace", does=lambda: choice.erase(1))
    on("escape", "c-u", does=choice.erase)
    return bindings


def terminal_output() -> Output:
    """The output, without a request for the cursor's position: some terminals never answer, and others answer as keys."""
    if sys.platform == "win32":
        return create_output(sys.stdout)
    from prompt_toolkit.output.vt100 import Vt100_Output

    output = Vt100_Output.from_pty(sys.stdout)
    output.enable_cpr = False
    return output


def cut(text: str, width: int) -> str:
    """The text, safe to show, in one line of ``width`` columns."""
    text = one_line(text)  # names and descriptions of others
    return text if len(text) <= width else f"{text[: max(0, width - 1)]}…"


def wrapped(text: str, width: int, lines: int) -> list[str]:
    """The text, safe to show, in at most so many lines."""
    return textwrap.wrap(one_line(text), max(1, width), max_lines=lines, placeholder=" …") if lines else []


def key_lines(keys: Sequence[str], width: int) -> list[str]:
    """The lines of a footer: ``keys`` (``space: choose``) one after the other, none of them broken."""
    lines: list[str] = []
    for key in keys:
        if lines and len(lines[-1]) + len(_BETWEEN) + len(key) <= width:
            lines[-1] += _BETWEEN + key
        else:
            lines.append(key[:width])
    return lines
