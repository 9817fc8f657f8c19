"""What calls of functions cost, without their arguments, and how large their results may be; operators are among them.

Sources: ``k8s.io/apiserver``, ``pkg/cel/library/cost.go`` (``EstimateCallCost``); cel-go, ``checker/cost.go``
(``functionCost``) and ``ext/sets.go``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from cluster_forge.cel.cost.call_costs import PER_CHARACTER, Cost, Result, fixed, read
from cluster_forge.cel.cost.declared import (
    BOOL,
    BYTES,
    DOUBLE,
    DYN,
    INT,
    LARGEST,
    OTHER,
    STRING,
    TEXTS,
    TYPE,
    UNKNOWN_SIZE,
    Declared,
    Kind,
    Size,
    entry,
    limited,
    list_of,
    optional,
    share,
)
from cluster_forge.cel.cost.estimate import Estimate
from cluster_forge.cel.cost.operators import OPERATORS
from cluster_forge.cel.errors import UnsupportedError

_PATTERN: Final = 0.25
"""For each character of a regular expression."""
_FORMAT_PATTERN: Final = 128


def _reading(result: Declared, place: int, factor: float = 1) -> Cost:
    """A function that reads one of its arguments."""
    return lambda values: (read(values[place], factor * PER_CHARACTER), result, None)


def _same_size(values: Sequence[Estimate]) -> Result:
    return read(values[0]), STRING, values[0].known_size


def _matching(result: Declared) -> Cost:
    def cost(values: Sequence[Estimate]) -> Result:
        text, pattern = values[0], values[1]
        searched = share(limited(text.known_size.most + 1), PER_CHARACTER)
        size = Size(0, text.known_size.most) if result.kind is not Kind.BOOL else None
        return limited(searched * read(pattern, _PATTERN)), result, size

    return cost


def _contained(values: Sequence[Estimate]) -> Result:
    return limited(read(values[0]) * read(values[1])), BOOL, None


def _bytes(values: Sequence[Estimate]) -> Result:
    size = values[0].known_size
    if values[0].type.kind is Kind.BYTES:
        return 1, BYTES, None
    return read(values[0]), BYTES, Size(size.least, limited(size.most * 4))


def _string(values: Sequence[Estimate]) -> Result:
    size = values[0].known_size
    if values[0].type.kind in (Kind.BYTES, Kind.DYN):
        return max(1, read(values[0])), STRING, Size(size.least // 4, size.most)
    return 1, STRING, None


def _each(values: Sequence[Estimate]) -> Result:
    """A function that looks at each entry of a list, or at a text."""
    target = values[0]
    if target.type.kind is not Kind.LIST:
        return read(target), INT, None
    per_entry = 1
    if entry(target.type).kind in TEXTS:
        per_entry += share(_entry_size(target).most, PER_CHARACTER)
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
    return share(size.most, PER_CHARACTER), STRING, size


def _split(values: Sequence[Estimate]) -> Result:
    most = values[0].known_size.most
    if len(values) > 2 and type(values[2].literal) is int:
        most = values[2].literal if values[2].literal >= 0 else LARGEST
    return read(values[0], 2 * PER_CHARACTER), list_of(STRING), Size(0, most)


def _replaced(values: Sequence[Estimate]) -> Result:
    text, old, new = (value.known_size for value in values[:3])
    times, kept = 0, text.most
    if old.least == 0:
        times = limited(text.most + 1)
    elif new.most > old.least:
        times, kept = -(-text.most // old.least), 0
    return share(text.most, 2 * PER_CHARACTER), STRING, Size(0, limited(times * new.most + kept))


def _sets(factor: int) -> Cost:
    def cost(values: Sequence[Estimate]) -> Result:
        return limited(values[0].known_size.times(values[1].known_size).most * factor + 1), BOOL, None

    return cost


def _in_network(more: int) -> Cost:
    def cost(values: Sequence[Estimate]) -> Result:
        own = read(values[1]) if values[1].type.kind is Kind.STRING else 0
        return 4 + more + own, BOOL, None

    return cost


def _validated(values: Sequence[Estimate]) -> Result:
    per_text = int(_FORMAT_PATTERN * _PATTERN)
    return limited(read(values[1]) * per_text), optional(list_of(STRING)), None


def _value_or(values: Sequence[Estimate]) -> Result:
    return 1, entry(values[0].type), None


def _same(values: Sequence[Estimate]) -> Result:
    return 1, values[0].type, None


def _wrapped(values: Sequence[Estimate]) -> Result:
    return 1, optional(values[0].type), None


_OF_TIMES: Final = (
    *("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"),
    *("getHours", "getMinutes", "getSeconds", "getMilliseconds"),
)
_OF_ADDRESSES: Final = ("getScheme", "getHost", "getHostname", "getPort", "getEscapedPath")
GLOBALS: Final[Mapping[str, Cost]] = {
    **OPERATORS,
    "size": fixed(INT),
    "int": fixed(INT),
    "uint": fixed(INT),
    "double": fixed(DOUBLE),
    "bool": fixed(BOOL),
    "string": _string,
    "bytes": _bytes,
    "duration": fixed(Declared(kind=Kind.DURATION)),
    "timestamp": fixed(Declared(kind=Kind.TIMESTAMP)),
    "type": fixed(TYPE),
    "url": _reading(OTHER, 0),
    "quantity": _reading(OTHER, 0),
    "semver": _reading(OTHER, 0),
    "ip": _reading(OTHER, 0),
    "cidr": _reading(OTHER, 0),
    **dict.fromkeys(("isQuantity", "isSemver", "isIP", "isCIDR"), _reading(BOOL, 0)),
    "isURL": fixed(BOOL),
    "ip.isCanonical": _reading(BOOL, 0, 2),
    "format.named": fixed(optional(OTHER)),
    "sets.contains": _sets(1),
    "sets.intersects": _sets(1),
    "sets.equivalent": _sets(2),
    "optional.of": _wrapped,
    "optional.ofNonZeroValue": _wrapped,
    "optional.none": fixed(optional(DYN)),
}
"""By name; ``isURL`` has no cost of its own in Kubernetes."""
MEMBERS: Final[Mapping[str, Cost]] = {
    "size": fixed(INT),
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
    "charAt": fixed(STRING),
    "format": _reading(STRING, 0),
    "indexOf": _place,
    "lastIndexOf": _place,
    "isSorted": _yes,
    **dict.fromkeys(("sum", "min", "max"), _each),
    **dict.fromkeys(_OF_TIMES, fixed(INT)),
    **dict.fromkeys(_OF_ADDRESSES, fixed(STRING)),
    **dict.fromkeys(
        ("sign", "asInteger", "compareTo", "major", "minor", "patch", "family", "prefixLength"), fixed(INT)
    ),
    **dict.fromkeys(("isInteger", "isGreaterThan", "isLessThan"), fixed(BOOL)),
    **dict.fromkeys(("isUnspecified", "isLoopback", "isGlobalUnicast"), fixed(BOOL)),
    **dict.fromkeys(("isLinkLocalMulticast", "isLinkLocalUnicast"), fixed(BOOL)),
    "asApproximateFloat": fixed(DOUBLE),
    **dict.fromkeys(("add", "sub", "masked", "ip"), fixed(OTHER)),
    "containsIP": _in_network(0),
    "containsCIDR": _in_network(3),
    "validate": _validated,
    "hasValue": fixed(BOOL),
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
        cost = fixed(OTHER)
    if cost is None:
        raise UnsupportedError(f"the function {name!r}")
    return cost
