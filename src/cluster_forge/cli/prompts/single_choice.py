"""A question with a few options on the terminal: arrow keys or letters point to one, Enter takes it."""

from __future__ import annotations

from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import Dimension, HSplit, Layout, ScrollbarMargin, Window
from prompt_toolkit.layout.controls import FormattedTextControl
from prompt_toolkit.output import Output

from cluster_forge.cli.output.streams import to_stderr
from cluster_forge.cli.prompts import screen
from cluster_forge.cli.prompts.one_of import OneOf

_KEYS = ("up/down: move", "enter: choose", "type: find", "ctrl-c: stop")


def ask(question: str, choice: OneOf, *, color: bool | None = None) -> str:
    """The name of the option that the user takes; the question and the answer stay on the screen.

    Raises:
        KeyboardInterrupt: if the user stops. The terminal is as it was before.
    """
    drawing = _Drawing(question, choice, screen.terminal_output())
    screen.run(drawing.layout(), _keys(choice, drawing), drawing.output, color=color)
    to_stderr(f"{question}: {choice.pointed.name}")
    return choice.pointed.name


class _Drawing:
    """The screen: question, options, footer."""

    def __init__(self, question: str, choice: OneOf, output: Output) -> None:
        self.output = output
        self._question = question
        self._choice = choice
        self._width = max(len(option.name) for option in choice.options)

    def layout(self) -> Layout:
        options = Window(
            FormattedTextControl(self._options, focusable=True, show_cursor=False),
            height=lambda: Dimension.exact(self.list_height),
            right_margins=[ScrollbarMargin()] if len(self._choice.options) > self.list_height else [],
            always_hide_cursor=True,
        )
        head = Window(FormattedTextControl(self._head), height=1)
        foot = Window(FormattedTextControl(self._foot), height=lambda: Dimension.exact(self._foot_height))
        return Layout(HSplit([head, options, foot]), options)

    @property
    def list_height(self) -> int:
        return max(1, min(len(self._choice.options), self.output.get_size().rows - 2 - self._foot_height))

    @property
    def _columns(self) -> int:
        return self.output.get_size().columns - 1

    @property
    def _foot_height(self) -> int:
        return min(len(screen.key_lines(_KEYS, self._columns)), max(1, self.output.get_size().rows - 5))

    def _head(self) -> StyleAndTextTuples:
        typed = f" {self._choice.typed}" if self._choice.typed else ""
        return [("class:question", screen.cut(f"{self._question}:{typed}", self._columns))]

    def _options(self) -> StyleAndTextTuples:
        parts: StyleAndTextTuples = []
        for option in self._choice.options:
            is_pointed = option is self._choice.pointed
            pointer: StyleAndTextTuples = [("[SetCursorPosition]", ""), ("", "> ")] if is_pointed else [("", "  ")]
            about = screen.cut(option.about, max(0, self._columns - self._width - 4))
            name = option.name.ljust(self._width if about else 0)
            parts += [*pointer, ("class:pointed" if is_pointed else "", name), ("class:about", f"  {about}\n")]
        return [*parts[:-1], ("class:about", parts[-1][1].rstrip("\n"))]

    def _foot(self) -> StyleAndTextTuples:
        lines = screen.key_lines(_KEYS, self._columns)[: self._foot_height]
        if problem := self._choice.problem:
            return [("class:message", "\n".join(screen.wrapped(problem, self._columns, self._foot_height)))]
        return [("class:hint", "\n".join(lines))]


def _keys(choice: OneOf, drawing: _Drawing) -> KeyBindings:
    bindings = screen.list_keys(choice, rows=len(choice.options), page=lambda: drawing.list_height)

    @bindings.add("enter")
    def accept(event: KeyPressEvent) -> None:
        if not choice.problem:
            event.app.exit()

    @bindings.add(Keys.Any)
    @bindings.add(Keys.BracketedPaste)
    def find(event: KeyPressEvent) -> None:
        choice.type("".join(letter for letter in event.data if letter.isprintable() and letter != " "))

    return bindings
