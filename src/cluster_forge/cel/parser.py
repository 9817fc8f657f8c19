"""From tokens to a tree ("Language Definition", section "Syntax"): recursive descent, with a limit on depth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from cluster_forge.cel import macros, tokens
from cluster_forge.cel.errors import InvalidExpressionError, UnsupportedError
from cluster_forge.cel.syntax import Call, Field, Item, ListOf, Literal, MapOf, Name, Node
from cluster_forge.cel.tokens import Kind, Token
from cluster_forge.cel.values import LARGEST_INT

LONGEST: Final = 32 << 10
"""Characters of an expression."""
DEEPEST: Final = 40
"""Brackets, negations and conditions in each other."""
MOST_OPERATORS: Final = 120
"""Of one kind in a row, but for ``&&`` and ``||``; members of members."""

_LEVELS: Final = (("||",), ("&&",), ("==", "!=", "<", "<=", ">", ">=", "in"), ("+", "-"), ("*", "/", "%"))
_FLAT: Final = ("||", "&&")
_RESERVED: Final = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)
NAMESPACES: Final = frozenset(["optional", "ip", "format", "lists", "strings", "sets", "base64", "math", "cel"])
"""Words before the names of functions: ``optional.of(…)``."""


def parse(source: str) -> Node:
    """The tree of an expression.

    Raises:
        InvalidExpressionError: if it cannot be read.
        UnsupportedError: if it is longer or deeper than the limits, or makes a message.
    """
    if len(source) > LONGEST:
        raise UnsupportedError(f"the expression has {len(source):,} characters (limit {LONGEST:,})")
    parser = _Parser(tuple(tokens.of(source)))
    node = parser.expression()
    parser.expect_end()
    return node


class _Parser:
    def __init__(self, sequence: Sequence[Token]) -> None:
        self._tokens = sequence
        self._place = 0
        self._depth = 0

    def expression(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise UnsupportedError(f"more than {DEEPEST} levels of brackets")
        condition = self._binary(0)
        if self._take("?"):
            chosen = self._binary(0)
            self._expect(":")
            condition = Call("_?_:_", None, (condition, chosen, self.expression()))
        self._depth -= 1
        return condition

    def expect_end(self) -> None:
        if self._next.kind is not Kind.END:
            raise self._unexpected()

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        first = self._binary(level + 1)
        symbols = _LEVELS[level]
        operands, count = [first], 0
        while self._next.kind is Kind.SYMBOL and self._next.value in symbols:
            token = self._advance()
            count += 1
            operand = self._binary(level + 1)
            if token.value in _FLAT:
                operands.append(operand)
                continue
            if count > MOST_OPERATORS:
                raise UnsupportedError(f"more than {MOST_OPERATORS} operators in a row")
            name = "@in" if token.value == "in" else f"_{token.value}_"
            first = Call(name, None, (first, operand), token.offset)
        return first if len(operands) == 1 else Call(f"_{symbols[0]}_", None, tuple(operands))

    def _unary(self) -> Node:
        count, symbol = 0, self._next.value if self._next.kind is Kind.SYMBOL else ""
        while symbol in ("!", "-") and self._take(symbol):
            count += 1
        if symbol == "-" and count % 2 and self._is_number():
            return self._member(Literal(-self._advance().value))
        node = self._member(self._primary())
        return Call(f"{symbol}_", None, (node,)) if count % 2 else self._checked(node, symbol, count)

    def _checked(self, node: Node, symbol: str, count: int) -> Node:
        """An even number of negations: nothing is left of them but that the operand must be one of their type."""
        return Call(f"{symbol}_", None, (Call(f"{symbol}_", None, (node,)),)) if count else node

    def _is_number(self) -> bool:
        return self._next.kind is Kind.LITERAL and type(self._next.value) in (int, float)

    def _member(self, node: Node) -> Node:
        for _ in range(MOST_OPERATORS):
            if self._take("."):
                is_optional = self._take("?")
                name = self._name()
                if not is_optional and self._take("("):
                    node = self._call(node, name)
                else:
                    node = Field(node, name.value, is_optional=is_optional)
            elif self._take("["):
                is_optional = self._take("?")
                index = self.expression()
                self._expect("]")
                node = Item(node, index, is_optional)
            elif self._next.value == "{" and self._next.kind is Kind.SYMBOL and isinstance(node, Name | Field):
                raise UnsupportedError("the expression makes a message")
            else:
                return node
        raise UnsupportedError(f"more than {MOST_OPERATORS} members of members")

    def _call(self, target: Node, name: Token) -> Node:
        arguments = self._arguments()
        macro = macros.of_member(name.value, target, arguments, name.offset)
        if macro:
            return macro
        if isinstance(target, Name) and target.name in NAMESPACES:
            return Call(f"{target.name}.{name.value}", None, arguments, name.offset)
        return Call(name.value, target, arguments, name.offset)

    def _primary(self) -> Node:
        token = self._advance()
        match token.kind, token.value:
            case Kind.LITERAL, value:
                return self._literal(value, token)
            case Kind.NAME, _:
                return self._named(token)
            case Kind.SYMBOL, ".":
                return self._named(self._name())
            case Kind.SYMBOL, "(":
                node = self.expression()
                self._expect(")")
                return node
            case Kind.SYMBOL, "[":
                return self._list()
            case Kind.SYMBOL, "{":
                return self._map()
        self._place -= 1
        raise self._unexpected()

    def _literal(self, value: Any, token: Token) -> Node:
        if type(value) is int and value > LARGEST_INT:
            raise InvalidExpressionError("the number has more than 64 bits", offset=token.offset)
        return Literal(value)

    def _named(self, token: Token) -> Node:
        if token.value in _RESERVED:
            raise InvalidExpressionError(f"{token.value!r} is a reserved word", offset=token.offset)
        if not self._take("("):
            return Name(token.value)
        arguments = self._arguments()
        return macros.of_function(token.value, arguments, token.offset) or Call(
            token.value, None, arguments, token.offset
        )

    def _arguments(self) -> tuple[Node, ...]:
        arguments: list[Node] = []
        while not self._take(")"):
            arguments.append(self.expression())
            if not self._take(","):
                self._expect(")")
                break
        return tuple(arguments)

    def _list(self) -> Node:
        entries: list[Node] = []
        optional: set[int] = set()
        while not self._take("]"):
            if self._take("?"):
                optional.add(len(entries))
            entries.append(self.expression())
            if not self._take(","):
                self._expect("]")
                break
        return ListOf(tuple(entries), frozenset(optional))

    def _map(self) -> Node:
        entries: list[tuple[Node, Node]] = []
        optional: set[int] = set()
        while not self._take("}"):
            if self._take("?"):
                optional.add(len(entries))
            key = self.expression()
            self._expect(":")
            entries.append((key, self.expression()))
            if not self._take(","):
                self._expect("}")
                break
        return MapOf(tuple(entries), frozenset(optional))

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _advance(self) -> Token:
        token = self._tokens[self._place]
        if token.kind is not Kind.END:
            self._place += 1
        return token

    def _take(self, symbol: str) -> bool:
        if self._next.kind is not Kind.SYMBOL or self._next.value != symbol:
            return False
        self._place += 1
        return True

    def _name(self) -> Token:
        token = self._advance()
        if token.kind is not Kind.NAME:
            self._place -= token.kind is not Kind.END
            raise self._unexpected()
        return token

    def _expect(self, symbol: str) -> None:
        if not self._take(symbol):
            raise self._unexpected(f", expected {symbol!r}")

    def _unexpected(self, more: str = "") -> InvalidExpressionError:
        if self._next.kind is Kind.END:
            return InvalidExpressionError(f"the expression ends too early{more}", offset=self._next.offset)
        return InvalidExpressionError(f"unexpected {self._next.value!r}{more}", offset=self._next.offset)
