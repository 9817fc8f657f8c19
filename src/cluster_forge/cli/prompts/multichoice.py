"""A multi-choice on the terminal, with a search: draws `Rows` below the prompt and reads keys until Enter.

It is built on prompt_toolkit: ADR 0002 says what ready-made ones lack.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable

from prompt_toolkit.application import Application
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import Dimension, HSplit, Layout, ScrollbarMargin, Window
from prompt_toolkit.layout.controls import FormattedTextControl
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.output.defaults import create_output
from prompt_toolkit.styles import Style

from cluster_forge.cli.prompts.choice import Mark, Row, Rows

_HINT = "space: choose  enter: continue  type: search  ctrl-a: all/none  ctrl-c: stop"
_DETAIL_LINES = 3
_AROUND_LIST = 3 + _DETAIL_LINES
"""Lines that are not the list: question, search, details, hint."""

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


def ask(question: str, choice: Rows, *, color: bool | None = None) -> None:
    """Let the user change ``choice`` until Enter accepts it; it has at least one component then.

    Raises:
        KeyboardInterrupt: if the user stops. The terminal is as it was before.
    """
    screen = _Screen(question, choice, _output())
    application: Application[None] = Application(
        layout=screen.layout(),
        key_bindings=_keys(choice, screen),
        style=_STYLE,
        color_depth=ColorDepth.DEPTH_1_BIT if color is False else None,
        output=screen.output,
        erase_when_done=True,
    )
    try:
        application.run()
    except EOFError as error:  # the terminal is gone
        raise KeyboardInterrupt from error
    except SystemExit:  # a signal (`termination`) in the middle of drawing: the application has not restored the screen
        application.renderer.erase()
        raise


class _Screen:
    """The screen: question, search, list, details of the row at the pointer, hint."""

    def __init__(self, question: str, choice: Rows, output: Output) -> None:
        self.output = output
        self._question = question
        self._choice = choice
        self._width = min(max(len(row.name) for row in choice.rows), 30)

    def layout(self) -> Layout:
        rows = Window(
            FormattedTextControl(self._rows, focusable=True, show_cursor=False),
            height=lambda: Dimension.exact(self.list_height),
            right_margins=[ScrollbarMargin()],
            always_hide_cursor=True,
        )
        below = Window(FormattedTextControl(self._details), height=_DETAIL_LINES)
        head = Window(FormattedTextControl(self._head), height=2)
        return Layout(HSplit([head, rows, below, Window(FormattedTextControl(self._foot), height=1)]), rows)

    @property
    def list_height(self) -> int:
        return max(1, min(len(self._choice.rows), self.output.get_size().rows - _AROUND_LIST - 1))

    @property
    def _columns(self) -> int:
        return self.output.get_size().columns - 1

    def _head(self) -> StyleAndTextTuples:
        choice = self._choice
        count = f"  {len(choice.chosen)} of {len(choice.components)} components"
        matches = "" if choice.shown else "   (no match)"
        return [("class:question", self._question), ("", f"{count}\n"), ("", f"search: {choice.search}_{matches}")]

    def _rows(self) -> StyleAndTextTuples:
        parts: StyleAndTextTuples = []
        for row in self._choice.shown:
            parts.extend(self._row(row))
        return parts[:-1]

    def _row(self, row: Row) -> StyleAndTextTuples:
        mark, is_pointed = self._choice.mark(row), row is self._choice.pointed
        name = _cut(row.name, self._width).ljust(self._width)
        about = _cut(row.about, max(0, self._columns - self._width - 9))
        pointer: StyleAndTextTuples = [("[SetCursorPosition]", ""), ("", "> ")] if is_pointed else [("", "  ")]
        return [
            *pointer,
            ("class:chosen" if mark is not Mark.NONE else "", f"{mark} "),
            ("class:pointed" if is_pointed else "", name),
            ("class:about", f"  {about}"),
            ("", "\n"),
        ]

    def _details(self) -> StyleAndTextTuples:
        row = self._choice.pointed
        if row is None:
            return []
        first = _cut(f"  {row.name}: {row.about}" if row.about else f"  {row.name}", self._columns)
        wrapped = textwrap.wrap(row.requires, max(20, self._columns - 2), max_lines=_DETAIL_LINES - 1, placeholder=" …")
        return [("", "\n".join([first, *(f"  {line}" for line in wrapped)]))]

    def _foot(self) -> StyleAndTextTuples:
        message = self._choice.message
        return [("class:message" if message else "class:hint", _cut(message or _HINT, self._columns))]


def _keys(choice: Rows, screen: _Screen) -> KeyBindings:
    bindings = KeyBindings()

    def on(*keys: str, does: Callable[[], None]) -> None:
        for key in keys:
            bindings.add(key)(lambda _event: does())

    on("up", "c-p", does=lambda: choice.move(-1))
    on("down", "c-n", does=lambda: choice.move(1))
    on("pageup", does=lambda: choice.move(-screen.list_height))
    on("pagedown", does=lambda: choice.move(screen.list_height))
    on("home", does=lambda: choice.move(-len(choice.rows) - 1))
    on("end", does=lambda: choice.move(len(choice.rows) + 1))
    on(" ", does=choice.toggle)
    on("c-a", does=choice.toggle_shown)
    on("backspace", does=lambda: choice.erase(1))
    on("escape", "c-u", does=choice.erase)

    @bindings.add("enter")
    def accept(event: KeyPressEvent) -> None:
        if choice.problem:
            choice.message = choice.problem
        else:
            event.app.exit()

    @bindings.add("c-c")
    @bindings.add("c-d")
    @bindings.add("<sigint>")
    def stop(event: KeyPressEvent) -> None:
        event.app.exit(exception=KeyboardInterrupt)

    @bindings.add(Keys.Any)
    def search(event: KeyPressEvent) -> None:
        if event.data.isprintable():
            choice.type(event.data)

    @bindings.add(Keys.BracketedPaste)
    def paste(event: KeyPressEvent) -> None:
        choice.type("".join(letter for letter in event.data if letter.isprintable()))

    return bindings


def _output() -> Output:
    """The output, without a request for the cursor's position: some terminals never answer, and others answer as keys."""
    if sys.platform == "win32":
        return create_output(sys.stdout)
    from prompt_toolkit.output.vt100 import Vt100_Output

    output = Vt100_Output.from_pty(sys.stdout)
    output.enable_cpr = False
    return output


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: max(0, width - 1)]}…"
