"""What a rule may cost at most: the numbers of Kubernetes' own estimate (apiextensions-apiserver 0.36) for the same schema."""

from __future__ import annotations

from typing import Any, Final

import pytest
from tests.checks.test_custom_resource_rules import definition

from cluster_forge.cel.cost.declared import LARGEST, share
from cluster_forge.checks.custom_resources import rule_costs
from cluster_forge.manifests.finding import Severity

TEXT: Final[dict[str, Any]] = {"type": "string"}
OBJECT: Final[dict[str, Any]] = {
    "a": {"type": "string", "maxLength": 4},
    "b": {"type": "integer"},
    "foo-bar": TEXT,
}
LISTS: Final[dict[str, Any]] = {
    "l": {"type": "array", "items": TEXT},
    "l3": {"type": "array", "maxItems": 3, "items": {"type": "string", "maxLength": 7}},
    "li": {"type": "array", "maxItems": 4, "items": {"type": "integer"}},
    "lo": {"type": "array", "maxItems": 6, "items": {"type": "object", "required": ["a"], "properties": OBJECT}},
    "m": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 3}},
    "m2": {
        "type": "object",
        "maxProperties": 8,
        "additionalProperties": {"type": "array", "maxItems": 2, "items": {"type": "string", "maxLength": 9}},
    },
}
PROPERTIES: Final[dict[str, Any]] = {
    "s": TEXT,
    "s5": {"type": "string", "maxLength": 5},
    "e": {"type": "string", "enum": ["a", "bcd", "\u00f6"]},
    "b": {"type": "boolean"},
    "i": {"type": "integer"},
    "n": {"type": "number"},
    "by": {"type": "string", "format": "byte"},
    "d": {"type": "string", "format": "duration"},
    "t": {"type": "string", "format": "date-time"},
    "da": {"type": "string", "format": "date"},
    "ios": {"x-kubernetes-int-or-string": True},
    "ios9": {"x-kubernetes-int-or-string": True, "maxLength": 9},
    "o": {
        "type": "object",
        "properties": {"x": {"type": "string", "maxLength": 11}, "namespace": TEXT, "y": {"type": "integer"}},
    },
    "emb": {
        "type": "object",
        "x-kubernetes-embedded-resource": True,
        "properties": {"spec": {"type": "object", "properties": {"q": TEXT}}},
    },
    **LISTS,
}
COSTS: Final[list[tuple[str, int]]] = [
    ("self.s == self.s5", 6),
    ("self.s5 == self.e", 5),
    ("self.i == 5", 2),
    ("self.b", 2),
    ("!self.b", 3),
    ("self.i + 1 > 3", 4),
    ("self.n * 2.0 < 1.0", 4),
    ("-self.i < 3", 4),
    ('self.s5 + self.e == "x"', 8),
    ('self.s.matches("abcdefgh")', 629148),
    ("self.s5.matches(self.e)", 7),
    ('self.s.contains("abc")', 314575),
    ("self.s5.contains(self.s5)", 8),
    ("self.s5.startsWith(self.s5)", 6),
    ('self.s.endsWith("abcdefghijklmn")', 4),
    ("size(self.s) > 1", 4),
    ("self.l.size() < 3", 4),
    ("self.l.all(x, x.size() > 2)", 6291453),
    ('self.l3.all(x, x.matches("a+b"))', 24),
    ('self.l3.exists(x, x == "abc")', 21),
    ("self.l3.exists_one(x, x == self.s5)", 25),
    ('self.l3.filter(x, x.startsWith("a")).size() > 1', 60),
    ('self.l3.map(x, x + "a").all(y, y.matches("abc"))', 77),
    ('self.l3.map(x, x.size() > 1, x + "b").size() == 2', 72),
    ('self.lo.map(x, x.a).all(y, y == "a")', 122),
    ('self.lo.filter(x, x.b > 1).all(y, y.a.matches("abcd"))', 11068046444225731724),
    ("self.lo.all(x, self.lo.exists_one(y, x.a == y.a))", 333),
    ("self.lo.all(x, has(x.b) && x.b > 1 || !has(x.a))", 57),
    ("self.lo.all(x, x.foo__dash__bar.size() > 1)", 45),
    ('self.o.__namespace__ == "abc"', 4),
    ('has(self.o.x) ? self.o.x == "a" : true', 6),
    ('self.m.all(k, k.matches("abc") && self.m[k].size() < 3)', 4325368),
    ('self.m.exists(k, self.m[k] == "abc")', 3538938),
    ('self.m2.all(k, self.m2[k].all(v, v.contains("abcdefghijk")))', 259),
    ('"a" in self.m', 3),
    ('"a" in self.l3', 5),
    ('self.s5 in ["a", "bcd", "efghijklmnop"]', 15),
    ('["a", "bcd"].all(x, x == self.s5)', 23),
    ('["a", "bcd"].exists(x, self.s.contains(x))', 25),
    ("[1, 2, self.i].all(x, x > 1)", 28),
    ('["abc", self.s][0] == self.s', 314588),
    ('{"a": self.s5, "b": "xyz"}["a"] == "abcdef"', 34),
    ('{"a": 1}.all(k, k == "a")', 35),
    ('type(self.ios) == int ? self.ios > 3 : self.ios.matches("^a")', 314579),
    ('type(self.ios9) == string && self.ios9 == "50%"', 7),
    ("int(self.s5) > 3", 4),
    ('string(self.i) == "5"', 4),
    ('string(self.i).matches("a")', 1844674407370955267),
    ("double(self.i) > 2.0", 4),
    ('self.d > duration("1h")', 4),
    ('self.t < timestamp("2020-01-01T00:00:00Z")', 4),
    ("self.t.getFullYear() > 2000", 4),
    ("self.da == self.t", 6),
    ('self.by == b"abc"', 3),
    ("self.by.size() > 2", 4),
    ('string(self.by).matches("ab")', 629148),
    ("bytes(self.s5).size() == 2", 6),
    ("self.l == self.l3", 5),
    ("self.lo == self.lo", 5),
    ("self.o == self.o", 4),
    ('self.m == {"a": "b"}', 33),
    ("self.l + self.l3 == self.l", 104865),
    ('(self.l + ["a"]).all(x, x == "a")', 4194318),
    ('self.s5.lowerAscii() == "a"', 5),
    ('self.s5.lowerAscii().matches("aa")', 7),
    ('self.s.upperAscii() == "A"', 314576),
    ('self.s5.replace("a", "bcd").matches("aaa")', 13),
    ('self.s5.replace("", "b").matches("aaa")', 11),
    ('self.s5.replace(self.e, "ab").matches("aaa")', 15),
    ('self.s5.split(".").all(x, x.size() < 3)', 127),
    ('self.s5.split(".", 2).size() == 2', 8),
    ('self.s5.substring(1) == "a"', 5),
    ('self.s5.substring(1, 2) == "a"', 5),
    ('self.s5.trim() == "a"', 5),
    ('self.s5.indexOf("a") > 1', 5),
    ('self.l3.indexOf("a") > 1', 15),
    ('self.l3.join(",") == "a"', 12),
    ('self.l3.join() == "a"', 12),
    ('self.s5.charAt(0) == "a"', 4),
    ("self.l3.isSorted()", 14),
    ("self.li.isSorted()", 6),
    ("self.li.sum() > 3", 7),
    ("self.li.max() > 3", 7),
    ('self.l3.min() == "a"', 15),
    ('self.s5.find("[0-9]+") == "1"', 9),
    ('self.s5.findAll("[0-9]+").size() == 1', 10),
    ('self.s5.findAll("[0-9]+").all(x, int(x) > 2)', 129),
    ('isURL(self.s5) && url(self.s5).getHost() == "a"', 9),
    ('url(self.s5).getPort().matches("80")', 1844674407370955269),
    ("url(self.s5) == url(self.e)", 8),
    ('quantity(self.s5).isGreaterThan(quantity("1"))', 6),
    ("isQuantity(self.s5)", 4),
    ('quantity(self.s5).add(quantity("1")) == quantity("2")', 8),
    ('quantity(self.s5).compareTo(quantity("1")) == 0', 7),
    ("isIP(self.s5) && ip(self.s5).family() == 4", 10),
    ("cidr(self.s5).containsIP(self.e)", 11),
    ("cidr(self.s5).containsIP(ip(self.e))", 11),
    ('cidr(self.s5).containsCIDR("10.0.0.0/8")', 12),
    ('cidr(self.s5).containsCIDR(cidr("10.0.0.0/8"))', 12),
    ('cidr(self.s5).ip() == ip("1.1.1.1")', 7),
    ("cidr(self.s5).prefixLength() < 8", 6),
    ("ip.isCanonical(self.s5)", 6),
    ("isCIDR(self.s5)", 4),
    ("format.dns1123Label().validate(self.s5).hasValue()", 68),
    ('!format.named("dns1123Label").value().validate(self.s5).hasValue()', 70),
    ('sets.contains(self.l3, ["a","b"])', 19),
    ("sets.equivalent(self.l3, self.l)", 6291455),
    ("sets.intersects(self.l3, self.l3)", 14),
    ('self.?s5.orValue("") == "abc"', 4),
    ("self.?s5.hasValue()", 3),
    ('self.o.?x.orValue("").size() > 1', 6),
    ('self.?o.x.orValue("a").matches("b")', 1844674407370955267),
    ("self.?i.orValue(0) > 3", 4),
    ('optional.of(self.s5).value() == "a"', 5),
    ('self.?s5.optMap(x, x + "a").orValue("") == "a"', 1844674407370955284),
    ("self.?s5.optMap(x, x.size()).orValue(0) == 2", 21),
    ('self.l3[?0].orValue("") == "a"', 5),
    ('self.l3[0] == "abc"', 4),
    ('self.lo[0].a == "abc"', 5),
    ('self.m["a"].matches("abc")', 5),
    ('self.?m["a"].orValue("") == "a"', 5),
    ('self.emb.metadata.name.matches("abc")', 314577),
    ("self.emb.spec.q == self.emb.kind", 314580),
    ('"%s-%d".format([self.s5, self.i]) == "a"', 16),
    ("self.l3.map(x, self.l3.map(y, y + x)).size() > 1", 270),
    ('self.l3.all(i, v, i < 3 && v == "abc")', 24),
    ("self.m.all(k, v, k == v)", 1966078),
    ("self.m.exists(k, v, v.matches(k))", 2359293),
    ('self.l3.transformList(i, v, v + "x").size() > 1', 63),
    ("self.l3.transformMap(i, v, v).size() > 1", 47),
    ("self.m.transformList(k, v, k + v).size() > 1", 6291455),
    ('self.m2.transformMap(k, v, v.size()).all(k, k == "a")', 106),
    ("dyn(self.s5) == dyn(self.i)", 6),
    ("self == oldSelf", 2),
    ("self.s5 != oldSelf.s", 6),
    ("self.i in self.li", 8),
    ("self.l3.exists(x, x in self.l3)", 33),
    ("self.s5 < self.e", 5),
    ("self.i <= 3", 3),
    ("self.s.size() + self.l.size() < 5", 8),
    ('(self.b ? self.s5 : self.e).matches("abc")', 7),
    ('(self.b ? self.l3 : self.l).all(x, x == "a")', 4194305),
    ("[[1,2],[3]].all(x, x.all(y, y > 1))", 41),
    ("semver(self.s5).major() > 1", 6),
    ("isSemver(self.s5)", 4),
    ('self.l3.all(x, self.s.split(",").exists(y, y == x))', 58510527),
    ("true", 0),
    ("self.b == true || self.b == false && self.i == 1", 6),
    ("1 + 2 == 3", 2),
    ("self.ios == 5", 3),
    ('string(self.ios) == "5"', 314576),
    ('string(self.ios9).matches("a")', 10),
    ("self.ios + 1 > 3", 4),
    ('self.ios + self.ios9 == "a"', 314582),
    ("self.ios9 in self.l3", 7),
    ("self.ios < self.ios9", 8),
    ('self.ios.contains("ab")', 314575),
    ("size(self.ios) > 1", 4),
    ('bytes(self.ios9) == b"a"', 7),
    ('self.l3.filter(x, x == "a")[0] == "b"', 60),
    ("self.m.size() == size(self.lo)", 7),
    ("self.lo.all(x, x.b == 1 || x.a.startsWith(self.s5))", 69),
    ('self.?lo[0].?a.orValue("x") == "b"', 6),
    ("self.o.?x == optional.none()", 1844674407370955268),
    ("optional.none().hasValue()", 2),
    ('self.by + self.by == b"aa"', 629151),
    ("self.t - self.t > self.d", 8),
    ('self.l3.filter(x, x == "a").filter(y, y == "b").all(z, z.contains("abc"))', 124),
    ('self.lo.map(x, x).all(z, z.a == "a")', 128),
    ('self.lo.filter(x, true).map(x, x.a).all(z, z.matches("abc"))', 217),
    ("int(self.ios) > 1", 4),
    ("self.l3.size() == self.l3.map(x, x.lowerAscii()).size()", 66),
    ('self.lo.map(x, x.a)[0] == "a"', 99),
    ('self.m.map(k, self.m[k]).all(x, x == "a")', 7864314),
    ("self.m2.map(k, self.m2[k]).exists(x, x.size() > 1)", 198),
    ('self.m2["a"][0] == "b"', 5),
    ("type(self.s5) == string", 4),
]
"""Expressions about an object with these properties."""


def ruled(*expressions: str, **schema: Any) -> dict[str, Any]:
    rules = [{"rule": expression} for expression in expressions]
    return {"type": "object", "properties": PROPERTIES, "x-kubernetes-validations": rules, **schema}


def costs(schema: dict[str, Any]) -> list[rule_costs.RuleCost]:
    return list(rule_costs.costs_of(schema, ()))


@pytest.mark.parametrize(("expression", "cost"), COSTS)
def test_the_cost_is_that_of_kubernetes(expression: str, cost: int) -> None:
    [found] = costs({"type": "object", "properties": {"spec": ruled(expression)}})
    assert (found.per_value, found.times) == (cost, 1)


@pytest.mark.parametrize(
    ("around", "times"),
    [
        (lambda inner: {"type": "array", "maxItems": 7, "items": inner}, 7),
        (lambda inner: {"type": "object", "maxProperties": 9, "additionalProperties": inner}, 9),
        (lambda inner: {"type": "array", "items": inner}, 1048576),
        (lambda inner: {"type": "object", "additionalProperties": inner}, 1048576),
        (lambda inner: {"type": "array", "items": {**inner, "required": ["s", "i", "lo"]}}, 131072),
        (lambda inner: {"type": "array", "maxItems": 3, "items": {"type": "array", "maxItems": 5, "items": inner}}, 15),
        (lambda inner: {"type": "array", "maxItems": 3, "items": {"type": "array", "items": inner}}, 1048576),
        (lambda inner: {"type": "object", "properties": {"one": inner}}, 1),
    ],
)
def test_it_counts_for_each_value_that_there_may_be(around: Any, times: int) -> None:
    [found] = costs({"type": "object", "properties": {"spec": around(ruled("self.b"))}})
    assert found.times == times


def test_a_message_is_computed_for_one_value() -> None:
    rule = {"rule": "self.b", "messageExpression": "self.s5 + 'a'"}
    inner = ruled(**{"x-kubernetes-validations": [rule]})
    found = costs({"type": "object", "properties": {"spec": {"type": "array", "items": inner}}})
    assert sorted(cost.times for cost in found) == [1, 1048576]


@pytest.mark.parametrize(
    "expression",
    [
        "self.s5.unknown()",
        "self.nothing == 1",
        "self.l3.sortBy(one, one) == self.l3",
        "self.i.a == 1",
        "self == ",
        "other",
    ],
)
def test_what_is_not_known_is_not_judged(expression: str) -> None:
    assert costs(ruled(expression)) == []


def found_of(*expressions: str, **schema: Any) -> list[tuple[str, Severity, str]]:
    manifest = definition({"type": "object", "properties": {"spec": ruled(*expressions, **schema)}})
    return [(one.code, one.severity, one.message) for one in rule_costs.of(manifest, 33)]


def test_a_rule_beyond_the_limit_says_how_much() -> None:
    [(code, severity, message)] = found_of("self.l.all(one, self.l.exists(other, one == other))", "self.b")
    assert (code, severity) == ("schema-invalid", Severity.ERROR)
    assert "units, " in message
    assert "takes up to 10,000,000" in message
    [(_, _, message)] = found_of("string(self.i).matches('a')")
    assert "may cost 1,844,674,407,370,955,267 units, for one value" in message


def test_rules_may_be_beyond_the_limit_together() -> None:
    rules = [f"self.s.matches('{chr(97 + one) * 120}')" for one in range(11)]
    assert found_of(*rules[:10]) == []
    [(_, _, message)] = found_of(*rules)
    assert "the rules of the version may cost 103,809," in message


def test_shares_are_those_of_go() -> None:
    assert [share(number, 0.1) for number in (0, 1, 10, 11, 3145726)] == [0, 1, 1, 2, 314573]
    assert share(LARGEST, 0.1) == 1844674407370955264
    assert share(LARGEST, 1) == LARGEST


def test_deep_schemas_and_expressions_end() -> None:
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(3000):
        deep = {"type": "array", "items": deep, "x-kubernetes-validations": [{"rule": "self.size() < 3"}]}
    assert {cost.per_value for cost in costs(deep)} <= {3}
    assert costs(ruled("(" * 30 + "self.i" + " + 1" * 100 + ")" * 30 + " > 1")) != []
    assert costs(ruled("[" * 39 + "self.i" + "]" * 39 + ".all(x, true)")) != []
    assert costs(ruled("(" * 200 + "self.i" + ")" * 200)) == []
