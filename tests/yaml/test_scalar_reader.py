from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation.errors import ForgeError
from cluster_forge.yaml import positioned_reader
from cluster_forge.yaml.scalar_reader import as_key, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("y", True),
        ("Off", False),
        ("yEs", "yEs"),
        ("", None),
        ("~", None),
        ("Null", None),
        ("0755", 493),
        ("0o17", 15),
        ("-0o17", -15),
        ("0x1F", 31),
        ("-0b11", -3),
        ("1_000", 1000),
        ("0", 0),
        ("08", 8),
        ("1e3", 1000),
        ("12e03", 12000),
        ("1.0", 1),
        ("-.5", -0.5),
        (".1_0", 0.1),
        ("._5", "._5"),
        (".", "."),
        ("+", "+"),
        ("1:30", "1:30"),
        ("2001-01-01", "2001-01-01"),
        ("=", "="),
        ("1e400", "1e400"),
        ("1e21", 1e21),
        ("00o17", "00o17"),
        ("0xFFFFFFFFFFFFFFFFFF", "0xFFFFFFFFFFFFFFFFFF"),
        ("9223372036854775807", 2**63 - 1),
        ("18446744073709551615", 2**64 - 1),
        ("9" * 5000, "9" * 5000),
        ("1.2.3", "1.2.3"),
    ],
)
def test_plain_scalars_mean_what_they_mean_to_kubernetes(text: str, value: object) -> None:
    resolved = resolve(text, plain=True)
    assert (type(resolved), resolved) == (type(value), value)


@pytest.mark.parametrize("text", ["y", "1", "", "null", "0o17"])
def test_quoted_scalars_are_text(text: str) -> None:
    assert resolve(text, plain=False) == text


@pytest.mark.parametrize("text", [".inf", "-.INF", "+.Inf", ".nan"])
def test_numbers_that_json_cannot_express_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        resolve(text, plain=True)


@pytest.mark.parametrize(
    ("tag", "text", "value"),
    [
        ("str", "5", "5"),
        ("int", "5", 5),
        ("float", "5", 5),
        ("bool", "y", True),
        ("null", "", None),
        ("binary", "aGk=", "hi"),
        ("timestamp", "2001-01-01", "2001-01-01"),
    ],
)
def test_tags(tag: str, text: str, value: object) -> None:
    assert resolve(text, plain=False, tag=f"tag:yaml.org,2002:{tag}") == value
    assert resolve("bar", plain=True, tag="!foo") == "bar"


@pytest.mark.parametrize(
    ("tag", "text"), [("int", "x"), ("int", "1.5"), ("float", "y"), ("bool", "1"), ("null", "x"), ("binary", "§")]
)
def test_a_value_that_does_not_fit_its_tag_is_refused(tag: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"its tag|base64"):
        resolve(text, plain=True, tag=f"tag:yaml.org,2002:{tag}")


def test_keys_are_text_as_in_json() -> None:
    assert [as_key(key) for key in (True, False, 16, 1.5, 1e21, "x")] == ["true", "false", "16", "1.5", "1e+21", "x"]
    with pytest.raises(ValueError, match="null"):
        as_key(None)


@given(
    st.one_of(
        st.text("0123456789+-._eExXoObBaAfFinN:", min_size=1, max_size=12),
        st.text("yYnNoOfFtTrRuUeEsSlLaA~", max_size=5),
    )
)
def test_scalars_are_read_as_helm_reads_them(text: str) -> None:
    helm = pytest.importorskip("helm_python")
    document = f"a: {text}\n"
    try:
        expected: Any = json.loads(helm._native.call_string("helm_values_from_yaml", document))
    except helm.errors.HelmValuesError:
        expected = None
    try:
        actual = positioned_reader.read(document.encode(), "f").value
    except (ForgeError, ExceptionGroup):
        assert expected is None
    else:
        assert actual == expected
