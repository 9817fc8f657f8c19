"""What calls of functions and operators cost, without their arguments, and how large their results may be.

Sources: ``k8s.io/apiserver``, ``pkg/cel/library/cost.go`` (``EstimateCallCost``); cel-go, ``checker/cost.go``
(``functionCost``) and ``ext/sets.go``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from cluster_forge.cel.cost.declared import LARGEST, ONE, UNKNOWN_SIZE, Declared, Kind, Size, limited, share
from cluster_forge.cel.cost.estimate import Estimate
from cluster_forge.cel.errors import UnsupportedError

_TEXT: Final = 0.1
"""For each character that is read."""
_PATTERN: Final = 0.25
"""For each character of a regular expression."""
_FORMAT_PATTERN: Final = 128

Result = tuple[int, Declared, Size | None]
"""Cost, type and size of a call; the size is None where the type says it."""
Cost = Callable[[Sequence[Estimate]], Result]

BOOL: Final = Declared(kind=Kind.BOOL)
INT: Final = Declared(kind=Kind.INT)
DOUBLE: Final = Declared(kind=Kind.DOUBLE)
STRING: Final = Declared(kind=Kind.STRING)
BYTES: Final = Declared(kind=Kind.BYTES)
DYN: Final = Declared(kind=Kind.DYN)
OTHER: Final = Declared(kind=Kind.OTHER)
TYPE: Final = Declared(kind=Kind.TYPE)
_TEXTS: Final = frozenset({Kind.STRING, Kind.BYTES})


def optional(of: Declared) -> Declared:
    return Declared(kind=Kind.OPTIONAL, entry=of)


def entry(of: Declared) -> Declared:
    """The type of what is in a list, map or optional value."""
    return of.entry or DYN


def list_of(declared: Declared) -> Declared:
    return Declared(kind=Kind.LIST, entry=declared)


def _read(one: Estimate, factor: float = _TEXT) -> int:
    return share(one.known_size.most, factor)


def _fixed(result: Declared) -> Cost:
    return lambda _: (1, result, None)


def _reading(result: Declared, place: int, factor: float = 1) -> Cost:
    """A function that reads one of its arguments."""
    return lambda values: (_read(values[place], factor * _TEXT), result, None)


def _same_size(values: Sequence[Estimate]) -> Result:
    return _read(values[0]), STRING, values[0].known_size


def _equal(values: Sequence[Estimate]) -> Result:
    one, other = values
    if one.type.kind is other.type.kind is Kind.OTHER:
        return 1, BOOL, None
    return share(min(one.known_size.most, other.known_size.most), _TEXT), BOOL, None


def _unequal(values: Sequence[Estimate]) -> Result:
    return share(min(value.known_size.most for value in values), _TEXT), BOOL, None


def _ordered(values: Sequence[Estimate]) -> Result:
    kinds = {value.type.kind for value in values}
    as_texts = share(min(value.known_size.most for value in values), _TEXT)
    if kinds <= {Kind.DYN}:
        return max(1, as_texts), BOOL, None
    return as_texts if kinds & _TEXTS else 1, BOOL, None


def _sum(values: Sequence[Estimate]) -> Result:
    one, other = values
    declared = other.type if one.type.kind is Kind.DYN else one.type
    both = one.known_size.plus(other.known_size)
    if declared.kind in _TEXTS or declared.kind is Kind.DYN:
        return max(1, share(both.most, _TEXT)) if declared.kind is Kind.DYN else share(both.most, _TEXT), declared, both
    return 1, declared, both if declared.kind is Kind.LIST else None


def _number(values: Sequence[Estimate]) -> Result:
    declared = next((value.type for value in values if value.type.kind is not Kind.DYN), DYN)
    return 1, declared, None


def _within(values: Sequence[Estimate]) -> Result:
    _, whole = values
    most = whole.known_size.most
    match whole.type.kind:
        case Kind.MAP:
            return 1, BOOL, None
        case Kind.DYN:
            return max(1, most), BOOL, None
    return most, BOOL, None


def _chosen(values: Sequence[Estimate]) -> Result:
    _, one, other = values
    declared = other.type if one.type.kind is Kind.NULL else one.type
    return 0, declared, one.known_size.or_else(other.known_size)


def _matching(result: Declared) -> Cost:
    def cost(values: Sequence[Estimate]) -> Result:
        text, pattern = values[0], values[1]
        read = share(limited(text.known_size.most + 1), _TEXT)
        size = Size(0, text.known_size.most) if result.kind is not Kind.BOOL else None
        return limited(read * _read(pattern, _PATTERN)), result, size

    return cost


def _contained(values: Sequence[Estimate]) -> Result:
    return limited(_read(values[0]) * _read(values[1])), BOOL, None


def _bytes(values: Sequence[Estimate]) -> Result:
    size = values[0].known_size
    if values[0].type.kind is Kind.BYTES:
        return 1, BYTES, None
    return _read(values[0]), BYTES, Size(size.least, limited(size.most * 4))


def _string(values: Sequence[Estimate]) -> Result:
    size = values[0].known_size
    if values[0].type.kind in (Kind.BYTES, Kind.DYN):
        return max(1, _read(values[0])), STRING, Size(size.least // 4, size.most)
    return 1, STRING, None


def _each(values: Sequence[Estimate]) -> Result:
    """A function that looks at each entry of a list, or at a text."""
    target = values[0]
    if target.type.kind is not Kind.LIST:
        return _read(target), INT, None
    per_entry = 1
    if entry(target.type).kind in _TEXTS:
        per_entry += share(_entry_size(target).most, _TEXT)
    return limited(target.known_size.most * per_entry), entry(target.type), None


def _entry_size(target: Estimate) -> Size:
    """The size of a list's entries, where the schema says it: not of one that is computed."""
    return target.entry_size if target.path and target.entry_size else UNKNOWN_SIZE


def _place(values: Sequence[Estimate]) -> Result:
    cost, _, _ = _each(values)
    return cost, INT, None


def _yes(values: Sequence[Estimate]) -> Result:
    cost, _, _ = _each(values)
    return cost, BOOL, None


def _joined(values: Sequence[Estimate]) -> Result:
    target = values[0]
    size = target.known_size.times(_entry_size(target))
    if len(values) > 1:
        between = Size(max(target.known_size.least - 1, 0), max(target.known_size.most - 1, 0))
        size = size.plus(values[1].known_size.times(between))
    return share(size.most, _TEXT), STRING, size


def _split(values: Sequence[Estimate]) -> Result:
    most = values[0].known_size.most
    if len(values) > 2 and type(values[2].literal) is int:
        most = values[2].literal if values[2].literal >= 0 else LARGEST
    return _read(values[0], 2 * _TEXT), list_of(STRING), Size(0, most)


def _replaced(values: Sequence[Estimate]) -> Result:
    text, old, new = (value.known_size for value in values[:3])
    times, kept = 0, text.most
    if old.least == 0:
        times = limited(text.most + 1)
    elif new.most > old.least:
        times, kept = -(-text.most // old.least), 0
    return share(text.most, 2 * _TEXT), STRING, Size(0, limited(times * new.most + kept))


def _sets(factor: int) -> Cost:
    def cost(values: Sequence[Estimate]) -> Result:
        return limited(values[0].known_size.times(values[1].known_size).most * factor + 1), BOOL, None

    return cost


def _in_network(more: int) -> Cost:
    def cost(values: Sequence[Estimate]) -> Result:
        own = _read(values[1]) if values[1].type.kind is Kind.STRING else 0
        return 4 + more + own, BOOL, None

    return cost


def _validated(values: Sequence[Estimate]) -> Result:
    per_text = int(_FORMAT_PATTERN * _PATTERN)
    return limited(_read(values[1]) * per_text), optional(list_of(STRING)), None


def _value_or(values: Sequence[Estimate]) -> Result:
    return 1, entry(values[0].type), None


def _same(values: Sequence[Estimate]) -> Result:
    return 1, values[0].type, None


def _wrapped(values: Sequence[Estimate]) -> Result:
    return 1, optional(values[0].type), None


OPERATORS: Final[Mapping[str, Cost]] = {
    "_==_": _equal,
    "_!=_": _unequal,
    **dict.fromkeys(("_<_", "_<=_", "_>_", "_>=_"), _ordered),
    "_+_": _sum,
    **dict.fromkeys(("_-_", "_*_", "_/_", "_%_", "-_"), _number),
    "!_": _fixed(BOOL),
    "@in": _within,
    "_?_:_": _chosen,
}
_OF_TIMES: Final = (
    *("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"),
    *("getHours", "getMinutes", "getSeconds", "getMilliseconds"),
)
_OF_ADDRESSES: Final = ("getScheme", "getHost", "getHostname", "getPort", "getEscapedPath")
GLOBALS: Final[Mapping[str, Cost]] = {
    **OPERATORS,
    "size": _fixed(INT),
    "int": _fixed(INT),
    "uint": _fixed(INT),
    "double": _fixed(DOUBLE),
    "bool": _fixed(BOOL),
    "string": _string,
    "bytes": _bytes,
    "duration": _fixed(Declared(kind=Kind.DURATION)),
    "timestamp": _fixed(Declared(kind=Kind.TIMESTAMP)),
    "type": _fixed(TYPE),
    "url": _reading(OTHER, 0),
    "quantity": _reading(OTHER, 0),
    "semver": _reading(OTHER, 0),
    "ip": _reading(OTHER, 0),
    "cidr": _reading(OTHER, 0),
    **dict.fromkeys(("isQuantity", "isSemver", "isIP", "isCIDR"), _reading(BOOL, 0)),
    "isURL": _fixed(BOOL),
    "ip.isCanonical": _reading(BOOL, 0, 2),
    "format.named": _fixed(optional(OTHER)),
    "sets.contains": _sets(1),
    "sets.intersects": _sets(1),
    "sets.equivalent": _sets(2),
    "optional.of": _wrapped,
    "optional.ofNonZeroValue": _wrapped,
    "optional.none": _fixed(optional(DYN)),
}
"""By name; ``isURL`` has no cost of its own in Kubernetes."""
MEMBERS: Final[Mapping[str, Cost]] = {
    "size": _fixed(INT),
    "startsWith": _reading(BOOL, 1),
    "endsWith": _reading(BOOL, 1),
    "contains": _contained,
    "matches": _matching(BOOL),
    "find": _matching(STRING),
    "findAll": _matching(list_of(STRING)),
    **dict.fromkeys(("lowerAscii", "upperAscii", "substring", "trim"), _same_size),
    "replace": _replaced,
    "split": _split,
    "join": _joined,
    "charAt": _fixed(STRING),
    "format": _reading(STRING, 0),
    "indexOf": _place,
    "lastIndexOf": _place,
    "isSorted": _yes,
    **dict.fromkeys(("sum", "min", "max"), _each),
    **dict.fromkeys(_OF_TIMES, _fixed(INT)),
    **dict.fromkeys(_OF_ADDRESSES, _fixed(STRING)),
    **dict.fromkeys(
        ("sign", "asInteger", "compareTo", "major", "minor", "patch", "family", "prefixLength"), _fixed(INT)
    ),
    **dict.fromkeys(("isInteger", "isGreaterThan", "isLessThan"), _fixed(BOOL)),
    **dict.fromkeys(("isUnspecified", "isLoopback", "isGlobalUnicast"), _fixed(BOOL)),
    **dict.fromkeys(("isLinkLocalMulticast", "isLinkLocalUnicast"), _fixed(BOOL)),
    "asApproximateFloat": _fixed(DOUBLE),
    **dict.fromkeys(("add", "sub", "masked", "ip"), _fixed(OTHER)),
    "containsIP": _in_network(0),
    "containsCIDR": _in_network(3),
    "validate": _validated,
    "hasValue": _fixed(BOOL),
    "value": _value_or,
    "orValue": _value_or,
    "or": _same,
}
"""By name; the target is the first of the values."""


_NAMED_FORMAT: Final = "format."


def of(name: str, *, is_member: bool) -> Cost:
    """What a function costs.

    Raises:
        UnsupportedError: for one that is not known here.
    """
    cost = (MEMBERS if is_member else GLOBALS).get(name)
    if cost is None and not is_member and name.startswith(_NAMED_FORMAT):
        cost = _fixed(OTHER)
    if cost is None:
        raise UnsupportedError(f"the function {name!r}")
    return cost


def sized(declared: Declared, size: Size | None) -> Size | None:
    """The size of a computed value."""
    return size if size is not None else ONE if declared.is_scalar else None
