"""A multi-choice on the terminal, with a search: draws `Rows` below the prompt and reads keys until Enter."""

from __future__ import annotations

from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import Dimension, HSplit, Layout, ScrollbarMargin, Window
from prompt_toolkit.layout.controls import FormattedTextControl
from prompt_toolkit.output import Output

from cluster_forge.cli.prompts import screen
from cluster_forge.cli.prompts.choice import Mark, Row, Rows
from cluster_forge.foundation.names import counted

_KEYS = (
    "up/down: move",
    "space: choose",
    "enter: continue",
    "ctrl-c: stop",
    "type: search",
    "esc: clear search",
    "ctrl-a: all/none",
)
"""The footer; on a screen that is too small for all of them the last ones are left out."""

_HEAD_LINES, _DETAIL_LINES, _LEAST_ROWS = 2, 3, 3


def ask(question: str, choice: Rows, *, color: bool | None = None) -> None:
    """Let the user change ``choice`` until Enter accepts it; it has at least one component then.

    Raises:
        KeyboardInterrupt: if the user stops. The terminal is as it was before.
    """
    drawing = _Drawing(question, choice, screen.terminal_output())
    screen.run(drawing.layout(), _keys(choice, drawing), drawing.output, color=color)


class _Drawing:
    """The screen: question, search, list, details of the row at the pointer, footer."""

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
        head = Window(FormattedTextControl(self._head), height=_HEAD_LINES)
        details = Window(FormattedTextControl(self._details), height=lambda: Dimension.exact(self._detail_height))
        foot = Window(FormattedTextControl(self._foot), height=lambda: Dimension.exact(self._foot_height))
        return Layout(HSplit([head, rows, details, foot]), rows)

    @property
    def list_height(self) -> int:
        return max(1, min(len(self._choice.rows), self._lines - self._foot_height - self._detail_height))

    @property
    def _lines(self) -> int:
        """The lines for list, details and footer; the last line of the screen stays empty."""
        return self.output.get_size().rows - 1 - _HEAD_LINES

    @property
    def _foot_height(self) -> int:
        return max(1, min(len(screen.key_lines(_KEYS, self._columns)), self._lines - _LEAST_ROWS))

    @property
    def _detail_height(self) -> int:
        return max(0, min(_DETAIL_LINES, self._lines - self._foot_height - _LEAST_ROWS))

    @property
    def _columns(self) -> int:
        return self.output.get_size().columns - 1

    def _head(self) -> StyleAndTextTuples:
        choice = self._choice
        count = f"  {len(choice.chosen)} of {counted(len(choice.components), 'component')}"
        matches = "" if choice.shown else "   (no match)"
        return [("class:question", self._question), ("", f"{count}\n"), ("", f"search: {choice.search}_{matches}")]

    def _rows(self) -> StyleAndTextTuples:
        parts: StyleAndTextTuples = []
        for row in self._choice.shown:
            parts.extend(self._row(row))
        return parts[:-1]

    def _row(self, row: Row) -> StyleAndTextTuples:
        mark, is_pointed = self._choice.mark(row), row is self._choice.pointed
        name = screen.cut(row.name, self._width).ljust(self._width)
        about = screen.cut(row.about, max(0, self._columns - self._width - 9))
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
        width = self._columns - 2
        first = screen.cut(f"{row.name}: {row.about}" if row.about else row.name, width)
        lines = [first, *screen.wrapped(row.requires, width, _DETAIL_LINES - 1)]
        return [("", "\n".join(f"  {line}" for line in lines))]

    def _foot(self) -> StyleAndTextTuples:
        if message := self._choice.message:
            return [("class:message", "\n".join(screen.wrapped(message, self._columns, self._foot_height)))]
        return [("class:hint", "\n".join(screen.key_lines(_KEYS, self._columns)[: self._foot_height]))]


def _keys(choice: Rows, drawing: _Drawing) -> KeyBindings:
    bindings = screen.list_keys(choice, rows=len(choice.rows), page=lambda: drawing.list_height)

    @bindings.add(" ")
    def toggle(_event: KeyPressEvent) -> None:
        choice.toggle()

    @bindings.add("c-a")
    def toggle_shown(_event: KeyPressEvent) -> None:
        choice.toggle_shown()

    @bindings.add("enter")
    def accept(event: KeyPressEvent) -> None:
        if choice.problem:
            choice.message = choice.problem
        else:
            event.app.exit()

    @bindings.add(Keys.Any)
    def search(event: KeyPressEvent) -> None:
        if event.data.isprintable():
            choice.type(event.data)

    @bindings.add(Keys.BracketedPaste)
    def paste(event: KeyPressEvent) -> None:
        choice.type("".join(letter for letter in event.data if letter.isprintable()))

    return bindings
