"""Expressions: what they give, why they give nothing, and that they end.

The behaviour is that of cel-spec ("Language Definition") and of Kubernetes' libraries (``k8s.io/apiserver/pkg/cel/library``).
"""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.cel import errors
from cluster_forge.cel.budget import Budget
from cluster_forge.cel.program import MOST, program
from cluster_forge.cel.values import equal

NAMES = {
    "self": {
        "replicas": 3,
        "mode": "Sidecar",
        "ratio": 0.5,
        "ports": [{"name": "http", "port": 80}, {"name": "metrics", "port": 9090}],
        "labels": {"app.kubernetes.io/name": "web", "team": "red"},
        "x-y": 1,
        "namespace": "shop",
        "none": None,
    }
}


def value(source: str) -> Any:
    return program(source).value(NAMES, Budget(MOST))


@pytest.mark.parametrize(
    "source",
    [
        # operators
        "1 + 2 * 3 == 7 && 7 / 2 == 3 && -7 / 2 == -3 && -7 % 3 == -1",
        "1 == 1.0 && 1u == 1 && 2 > 1.5 && [1, 2] == [1.0, 2u]",
        "1 != '1' && null == null && !(true == 1)",
        "'a' < 'b' && b'a' < b'b' && false < true",
        "-9223372036854775808 < 9223372036854775807",
        "2 in [1, 2] && 'team' in self.labels && !('x' in self.labels)",
        "'con' + 'cat' == \"concat\" && [1] + [2] == [1, 2]",
        "r'\\d' == '\\\\d' && '''a'b''' == \"a'b\" && '\\u00e9' == 'é' && b'\\xff' == b'\\377'",
        "true ? true : 1 / 0 == 1",
        # an error counts only where nothing else decides
        "false && 1 / 0 == 1 || true",
        "(1 / 0 == 1 || true) && !(1 / 0 == 1 && false)",
        "[0, 1].exists(x, 1 / x == 1)",
        "![0, 1].all(x, 2 / x == 1)",
        # fields
        "has(self.mode) && !has(self.missing) && has(self.none)",
        "self.x__dash__y == 1 && self.__namespace__ == 'shop' && self['x-y'] == 1",
        "self.ports[1].port == 9090 && self.ports[size(self.ports) - 1].name == 'metrics'",
        "self.?missing.?deeper.orValue(5) == 5 && self.?mode.hasValue() && self[?'mode'].value() == 'Sidecar'",
        "self.?replicas.optMap(r, r + 1).orValue(0) == 4",
        "{'a': 1, ?'b': self.?missing} == {'a': 1} && [1, ?optional.none()] == [1]",
        # macros
        "self.ports.all(p, p.port > 0) && self.ports.exists_one(p, p.name == 'http')",
        "self.ports.map(p, p.port) == [80, 9090] && self.ports.filter(p, p.port > 100).size() == 1",
        "self.ports.map(p, p.port > 100, p.name) == ['metrics']",
        "self.labels.all(key, key != '') && self.labels.map(k, k).size() == 2",
        "self.ports.all(i, p, i < 2 && p.port > 0) && self.labels.exists(k, v, v == 'red')",
        "self.labels.transformMap(k, v, v + '!')['team'] == 'red!'",
        "self.ports.transformList(i, p, i) == [0, 1]",
        "cel.bind(x, self.replicas * 2, x + x == 12)",
        "self.ports.sortBy(p, -p.port).map(p, p.port) == [9090, 80]",
        # conversions
        "int('42') == 42 && string(1.5) == '1.5' && double(2) == 2.0 && uint(3) == 3u && bool('true')",
        "string(b'abc') == 'abc' && int(3.9) == 3 && type(1) == int && type(self) == map",
        "duration('1h30m').getMinutes() == 90 && duration('90s') == duration('1m30s')",
        "timestamp('2024-02-29T12:00:00+02:00').getHours() == 10 && timestamp('2024-03-01T00:00:00Z').getDate() == 1",
        "timestamp('2024-03-01T00:00:00Z') - timestamp('2024-02-29T00:00:00Z') == duration('24h')",
        # text
        "'Hello'.lowerAscii() == 'hello' && 'a,b,c'.split(',') == ['a', 'b', 'c'] && ['a', 'b'].join('-') == 'a-b'",
        "'abcdef'.substring(2, 4) == 'cd' && 'abcabc'.lastIndexOf('b') == 4 && 'abc'.charAt(3) == ''",
        "' x '.trim() == 'x' && 'aaa'.replace('a', 'b', 2) == 'bba' && size('é') == 1",
        "'%s has %d of %.1f'.format(['web', 3, 0.25]) == 'web has 3 of 0.2'",
        "'web-1'.matches('^[a-z]+-[0-9]$') && !'web'.matches('^x') && 'abc'.matches('b')",
        "'abc 123'.find('[0-9]+') == '123' && '1 a 2'.findAll('[0-9]') == ['1', '2']",
        "'WEB'.matches('(?i)^web$')",
        # lists and sets
        "[3, 1, 2].min() == 1 && [1, 2].isSorted() && [1, 2, 3].sum() == 6 && ['a'].indexOf('b') == -1",
        "[1, 1, 2].distinct() == [1, 2] && [[1], [2]].flatten() == [1, 2] && [3, 1].sort() == [1, 3]",
        "sets.contains([1, 2], [2]) && sets.equivalent([1, 2], [2, 1, 1]) && !sets.intersects([1], [2])",
        # Kubernetes
        "quantity('1.5Gi').isGreaterThan(quantity('1G')) && quantity('50k').add(20) == quantity('50020')",
        "isQuantity('100m') && !isQuantity('200K') && quantity('50k').asInteger() == 50000",
        "url('https://[::1]:80/a b?k=1').getHostname() == '::1' && url('/p').getHost() == ''",
        "isURL('https://user:pw@example.com:80/p?q=1#f') && !isURL('../p') && !isURL('https://a:b:c/')",
        "url('https://example.com/path?k1=a&k2=b&k2=c').getQuery() == {'k1': ['a'], 'k2': ['b', 'c']}",
        "ip('127.0.0.1').isLoopback() && isIP('::1') && !isIP('127.0.0.256') && !isIP('::ffff:1.2.3.4')",
        "cidr('192.168.0.0/16').containsIP('192.168.1.1') && !isCIDR('192.168.0.0/33')",
        "cidr('192.168.0.0/16').containsCIDR('192.168.10.0/24') && cidr('10.0.0.1/8').prefixLength() == 8",
        "!format.dns1123Label().validate('web').hasValue() && format.dns1123Label().validate('Web').hasValue()",
        "semver('1.2.3').isLessThan(semver('1.10.0')) && isSemver('v1.0', true) && !isSemver('v1.0')",
        "semver('1.0.0-rc.1').isLessThan(semver('1.0.0'))",
    ],
)
def test_what_an_expression_gives(source: str) -> None:
    assert value(source) is True


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("self.missing", errors.NoSuchKeyError),
        ("self.ports[2]", errors.NoSuchKeyError),
        ("unknown == 1", errors.UndecidedError),
        ("unknown == 1 || 1 / 0 == 1", errors.UndecidedError),
        ("1 / 0", errors.EvaluationError),
        ("9223372036854775807 + 1", errors.EvaluationError),
        ("1 + '1'", errors.EvaluationError),
        ("'a' < 1", errors.EvaluationError),
        ("1 && true", errors.EvaluationError),
        ("'a'.matches('(')", errors.EvaluationError),
        ("{'a': 1, 'a': 2}", errors.EvaluationError),
        ("1 +", errors.InvalidExpressionError),
        ("self.", errors.InvalidExpressionError),
        ("(1", errors.InvalidExpressionError),
        ("'text", errors.InvalidExpressionError),
        ("a = 1", errors.InvalidExpressionError),
        ("namespace == 1", errors.InvalidExpressionError),
        ("has(self)", errors.InvalidExpressionError),
        ("'\\q'", errors.InvalidExpressionError),
        ("99999999999999999999", errors.InvalidExpressionError),
        ("", errors.InvalidExpressionError),
        ("unheard(1)", errors.UnsupportedError),
        ("self.mode.unheard()", errors.UnsupportedError),
        ("Object{spec: 1}", errors.UnsupportedError),
        ("timestamp('2024-01-01T00:00:00Z').getHours('Europe/Berlin')", errors.UnsupportedError),
    ],
)
def test_why_an_expression_gives_nothing(source: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        value(source)


@pytest.mark.parametrize(
    "source",
    [
        "lists.range(1000).all(a, lists.range(1000).all(b, a + b >= 0))",
        "lists.range(90000).map(a, 'x').join('').matches('(x+x+)+y')",
        "['x'.replace('x', '" + "x" * 30_000 + "')].map(a, a.matches('(?:x{0,30}){0,30}y')).size() == 1",
        "cel.bind(a, 'xxxxxxxxxx', "
        + "".join(f"cel.bind(a{n}, {f'a{n - 1}' if n else 'a'}.replace('x', 'xxxxxxxxxx'), " for n in range(8))
        + "a7 == ''"
        + ")" * 9,
    ],
)
def test_an_expression_that_takes_too_long_ends(source: str) -> None:
    started = time.process_time()
    with pytest.raises(errors.BudgetExceededError):
        value(source)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "source",
    [
        "(" * 5000 + "1" + ")" * 5000,
        "[" * 5000,
        "!" * 20_000 + "true",
        "-" * 20_000 + "1",
        "self" + ".a" * 5000,
        "1" + "+1" * 10_000,
        "1" + "==1" * 10_000,
        "true ? " * 5000,
        "a" * 100_000,
        "[1].map(x, " * 1000 + "1" + ")" * 1000,
    ],
)
def test_an_expression_that_is_too_deep_or_long_is_refused(source: str) -> None:
    started = time.process_time()
    with contextlib.suppress(errors.ExpressionError):
        value(source)
    assert time.process_time() - started < 2


def test_long_conditions_are_not_deep() -> None:
    assert value(" || ".join(f"self.mode == 'm{n}'" for n in range(900)) + " || true") is True


def test_a_program_knows_the_names_it_needs() -> None:
    assert program("self.a == oldSelf.b && [1].all(x, x == y) && cel.bind(z, w, z == 1)").names == {
        "self",
        "oldSelf",
        "y",
        "w",
    }


def test_a_budget_is_shared_by_evaluations() -> None:
    budget = Budget(15)
    one = program("self.ports.all(p, p.port > 0)")
    one.value(NAMES, budget)
    assert 0 < budget.left < 10
    with pytest.raises(errors.BudgetExceededError):
        one.value(NAMES, budget)


_SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5)
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


@given(_VALUES)
def test_every_value_equals_itself(one: object) -> None:
    assert equal(one, one, Budget(MOST))
    assert program("self == self && [self] == [self] && self in [self]").value({"self": one}, Budget(MOST)) is True


@given(st.text(max_size=40) | st.text("ab1.()[]{}'\"+-*/%!?:,&|<>= \\", max_size=40))
def test_any_text_is_an_expression_or_an_error(source: str) -> None:
    with contextlib.suppress(errors.ExpressionError):
        program(source).value(NAMES, Budget(MOST))
