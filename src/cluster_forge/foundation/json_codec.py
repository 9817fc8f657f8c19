"""Dataclasses as JSON and back, by the types of their fields.

A type with ``to_plain`` and ``from_plain`` has a form of its own; other dataclasses are objects, and one of several (``A | B``)
is an object with its type's name as ``is``. A field may be annotated:
``Annotated[Digest, Key("sha256"), Form(…)]`` gives it another key and another form, `OMITTED` leaves it out, `ADDED` allows that it is missing.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Literal, TypeVar

import orjson

Kind = TypeVar("Kind")
_Convert = Callable[[Any], Any]
_TAG: Final = "is"


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """The key of a field, where it differs from the field's name."""

    name: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a value is written and read: ``dump`` gives what JSON has (None: the value itself), ``load`` reads that.

    ``load`` raises ValueError or TypeError for anything else.
    """

    load: _Convert
    dump: _Convert | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class _Omitted:
    pass


OMITTED: Final = _Omitted()
"""The field is not written; a value that was read has its default."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Added:
    pass


ADDED: Final = _Added()
"""Earlier versions did not write the field: a value that was read without it has its default."""


class DecodeError(ValueError):
    """JSON that is not the expected value; ``path`` says where: ``parts[3].objects[0].sha256``."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.message = message
        self.path = path

    def inside(self, step: str) -> DecodeError:
        """The same error, seen from the value around it."""
        separator = "." if self.path and not self.path.startswith("[") else ""
        return DecodeError(self.message, f"{step}{separator}{self.path}")


def dump(value: Any, *, indent: bool = False) -> bytes:
    """Dataclasses, enums, tuples, mappings and JSON's own types, in their own order; ``indent`` for people.

    Raises:
        TypeError: for anything else, and for integers of more than 64 bits.
    """
    kind: Any = type(value)
    encode = _form(kind).dump
    option = orjson.OPT_NON_STR_KEYS | ((orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE) if indent else 0)
    return orjson.dumps(encode(value) if encode else value, default=_to_dict, option=option)


def load(kind: type[Kind], content: bytes) -> Kind:
    """The value of type ``kind`` that `dump` wrote. Every field must be there and have its type; other keys are ignored.

    Raises:
        DecodeError: if ``content`` is not JSON, or not such a value.
    """
    try:
        tree = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise DecodeError(f"not JSON: {error}") from error
    wanted: Any = kind
    value: Kind = _form(wanted).load(tree)
    return value


def _to_dict(value: object) -> dict[Any, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


@functools.cache
def _form(kind: Any) -> Form:
    """The form of the values of a type, put together once from those of its parts."""
    own = _own_form(kind)
    if own:
        return Form(dump=own.dump, load=_guarded(own.load))
    outer, arguments = typing.get_origin(kind), typing.get_args(kind)
    if outer is Annotated:
        return _form(arguments[0])
    if outer in _GENERIC:
        return _GENERIC[outer](arguments)
    return _object(kind) if dataclasses.is_dataclass(kind) else Form(load=_plain(kind))


def _own_form(kind: Any) -> Form | None:
    """The form that an annotation or the type itself declares."""
    bare, *notes = typing.get_args(kind) if typing.get_origin(kind) is Annotated else (kind,)
    noted = next((note for note in notes if isinstance(note, Form)), None)
    if noted is None and hasattr(bare, "from_plain") and hasattr(bare, "to_plain"):
        return Form(dump=bare.to_plain, load=bare.from_plain)
    return noted


def _plain(kind: Any) -> _Convert:
    """For JSON's own types, and those that are written as text: enums, names."""
    if kind is Any:
        return lambda value: value
    if kind is float:
        return lambda value: value if type(value) in (int, float) else _refuse(value, kind)
    if kind in (int, bool, str):
        return lambda value: value if type(value) is kind else _refuse(value, kind)
    convert = _guarded(kind)
    return lambda value: convert(value) if type(value) is str else _refuse(value, str)


def _union(arguments: Sequence[Any]) -> Form:
    """``X | None``, or one of several dataclasses."""
    *others, last = arguments
    return _optional(others[0]) if last is types.NoneType else _tagged({kind.__name__: kind for kind in arguments})


def _tagged(kinds: Mapping[str, Any]) -> Form:
    """One of the dataclasses, by name."""
    forms = {name: _form(kind) for name, kind in kinds.items()}

    def dump(value: Any) -> dict[str, Any]:
        name = type(value).__name__
        encode = forms[name].dump
        return {_TAG: name, **(encode(value) if encode else {})}

    def load(value: Any) -> Any:
        name = value.get(_TAG) if type(value) is dict else _refuse(value, dict)
        if not isinstance(name, str) or name not in forms:
            raise DecodeError(f"{name!r} is not {' or '.join(forms)}", _TAG)
        return forms[name].load(value)

    return Form(dump=dump, load=load)


def _optional(kind: Any) -> Form:
    """``X | None``."""
    inner = _form(kind)
    dump, load = inner.dump, inner.load
    return Form(
        dump=dump and (lambda value: None if value is None else dump(value)),
        load=lambda value: None if value is None else load(value),
    )


def _literal(arguments: Sequence[Any]) -> Form:
    def load(value: Any) -> Any:
        if value not in arguments:
            raise DecodeError(f"{value!r} is not {' or '.join(map(repr, arguments))}")
        return value

    return Form(load=load)


def _list(arguments: Sequence[Any]) -> Form:
    """``tuple[X, ...]``."""
    inner = _form(arguments[0])
    dump = inner.dump

    def load(value: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            _refuse(value, list)
        items: list[Any] = []
        try:
            for item in value:
                items.append(inner.load(item))  # noqa: PERF401 - their number is the place of a wrong item
        except DecodeError as error:
            raise error.inside(f"[{len(items)}]") from error
        return tuple(items)

    return Form(dump=dump and (lambda value: [dump(item) for item in value]), load=load)


def _set(arguments: Sequence[Any]) -> Form:
    """``frozenset[X]`` of what can be sorted: a sorted list."""
    items = _list(arguments)
    encode = items.dump or list
    return Form(dump=lambda value: encode(sorted(value)), load=lambda value: frozenset(items.load(value)))


def _mapping(arguments: Sequence[Any]) -> Form:
    """``Mapping[str, X]``."""
    inner = _form(arguments[1])
    dump = inner.dump

    def load(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            _refuse(value, dict)
        key, items = "", {}
        try:
            for key, item in value.items():
                items[key] = inner.load(item)
        except DecodeError as error:
            raise error.inside(f"[{key!r}]") from error
        return items

    return Form(dump=dump and (lambda value: {key: dump(item) for key, item in value.items()}), load=load)


_GENERIC: Final[Mapping[Any, Callable[[Sequence[Any]], Form]]] = {
    types.UnionType: _union,
    Literal: _literal,
    tuple: _list,
    frozenset: _set,
    Mapping: _mapping,
}


def _object(kind: Any) -> Form:
    """A dataclass."""
    fields = [(name, key, _form(hint), ADDED in notes) for name, key, hint, notes in _fields(kind)]
    loaders = [(name, key, form.load) for name, key, form, is_added in fields if not is_added]
    added = [(name, key, form.load) for name, key, form, is_added in fields if is_added]
    dumpers = [(name, key, form.dump) for name, key, form, _ in fields]
    build = _guarded(lambda arguments: kind(**arguments))

    def dump(value: Any) -> dict[str, Any]:
        return {key: inner(getattr(value, name)) if inner else getattr(value, name) for name, key, inner in dumpers}

    def load(value: Any) -> Any:
        if type(value) is not dict:
            _refuse(value, dict)
        key, arguments = "", {}
        try:
            for name, key, inner in loaders:
                arguments[name] = inner(value[key])
            for name, key, inner in added:
                if key in value:
                    arguments[name] = inner(value[key])
        except DecodeError as error:
            raise error.inside(key) from error
        except KeyError:
            raise DecodeError("is missing", key) from None
        return build(arguments)

    return Form(dump=dump, load=load)


def _fields(kind: Any) -> Iterator[tuple[str, str, Any, tuple[Any, ...]]]:
    """The name, key, type and notes of each field of a dataclass that JSON has."""
    hints = typing.get_type_hints(kind, include_extras=True)
    for field in dataclasses.fields(kind):
        hint = hints[field.name]
        notes = hint.__metadata__ if typing.get_origin(hint) is Annotated else ()
        if OMITTED not in notes:
            yield field.name, next((note.name for note in notes if isinstance(note, Key)), field.name), hint, notes


def _guarded(convert: _Convert) -> _Convert:
    """The conversion with its errors as `DecodeError`."""

    def decode(value: Any) -> Any:
        try:
            return convert(value)
        except DecodeError:
            raise
        except (ValueError, TypeError) as error:
            raise DecodeError(str(error)) from error

    return decode


_NAMES: Final[Mapping[type, str]] = {
    int: "an integer",
    float: "a number",
    bool: "true or false",
    str: "text",
    dict: "an object",
    list: "a list",
}
_LONGEST_SHOWN: Final = 50


def _refuse(value: object, kind: type) -> Any:
    shown = repr(value)
    if len(shown) > _LONGEST_SHOWN:
        shown = f"{shown[:_LONGEST_SHOWN]}…"
    raise DecodeError(f"{shown} is not {_NAMES[kind]}")
