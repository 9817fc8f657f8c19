"""No value of a Secret is in what is shown, and one still sees that it changes."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.manifests.comparison import masking, objects
from cluster_forge.manifests.identity import ObjectId


def secret(**data: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}, **data}


DATA = st.dictionaries(st.sampled_from("abc"), st.from_regex(r"hush[0-9]{3}", fullmatch=True), max_size=3)


@given(DATA, DATA)
def test_no_value_is_left(before: dict[str, str], after: dict[str, str]) -> None:
    old, new = masking.masked(secret(data=before), secret(stringData=after, data=after))
    assert b"hush" not in orjson.dumps([old, new])
    old, new = masking.masked(secret(data=before), secret(data=after))
    assert (old == new) == (before == after)


def test_it_reads_as_with_kubectl() -> None:
    old, new = masking.masked(secret(data={"a": "1", "b": "1", "c": "1"}), secret(data={"a": "1", "b": "2", "d": "1"}))
    assert old is not None
    assert new is not None
    assert old["data"] == {"a": "***", "b": "*** (before)", "c": "***"}
    assert new["data"] == {"a": "***", "b": "*** (after)", "d": "***"}


def test_a_new_or_removed_secret_is_masked() -> None:
    assert masking.masked(None, secret(data={"a": "hush"})) == (None, secret(data={"a": "***"}))
    assert masking.masked(secret(data="hush"), None) == (secret(data="***"), None)


@pytest.mark.parametrize(
    "name", ["DB_PASSWORD", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "TOKEN", "apiKey", "CLIENT_SECRET", "passphrase"]
)
def test_variables_with_the_name_of_a_secret_are_masked(name: str) -> None:
    def deployment(value: str) -> dict[str, Any]:
        env = [{"name": name, "value": value}, {"name": "MODE", "value": value}]
        template = {"spec": {"containers": [{"name": "web", "env": env}]}}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "a"},
            "spec": {"template": template},
        }

    old, new = masking.masked(deployment("one"), deployment("two"))
    assert b'"value":"*** (before)"' in orjson.dumps(old)
    assert b'"value":"*** (after)"' in orjson.dumps(new)
    assert b'"value":"two"' in orjson.dumps(new)  # of MODE


def test_keys_of_config_maps_with_the_name_of_a_secret_are_masked() -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"password": "x", "mode": "y"}}
    masked, _ = masking.masked(body, None)
    assert masked is not None
    assert masked["data"] == {"password": "***", "mode": "y"}


@given(DATA, DATA)
def test_annotations_of_a_secret_do_not_repeat_its_values(before: dict[str, str], after: dict[str, str]) -> None:
    def annotated(written: dict[str, str], **data: Any) -> dict[str, Any]:
        applied = orjson.dumps([written, data]).decode()
        return secret(**data) | {"metadata": {"name": "login", "annotations": {"example.com/applied": applied}}}

    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in before.items()}
    states = masking.masked(annotated(before, data=encoded), annotated(after, stringData=after))
    shown = orjson.dumps(states)
    assert not [text for text in (*before.values(), *encoded.values(), *after.values()) if text.encode() in shown]


@pytest.mark.parametrize("name", ["PASSWORD_FILE", "ALLOW_EMPTY_PASSWORD", "tokenizer", "secretName", "monkey"])
def test_other_names_are_shown(name: str) -> None:
    assert not masking.names_secret(name)


def test_a_difference_has_no_value_of_a_secret() -> None:
    identity = ObjectId(group="", kind="Secret", namespace="", name="login")
    annotated = secret(data={"a": "hush1"})
    annotated["metadata"] = {
        "name": "login",
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "hush1"},
    }
    difference = objects.compared(identity, "", annotated, secret(data={"a": "hush2"}))
    assert difference is not None
    assert [(change.path, change.before, change.after) for change in difference.fields] == [
        ("data.a", "*** (before)", "*** (after)")
    ]
    assert "hush" not in repr((difference, difference.before, difference.after))


@given(st.text(max_size=5), st.sampled_from(["password", "PASSWD", "access_secret_key", "api_TOKEN"]))
def test_no_name_hides_a_variable(start: str, word: str) -> None:
    variable = {"name": f"{start}{word}", "value": "hush"}
    body = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "web", "env": [variable]}]}}
    assert b"hush" not in orjson.dumps(masking.masked(body, None))
    assert masking.values(body) == ("hush",)


def test_an_object_with_a_number_that_json_does_not_have_is_masked() -> None:
    body = {"kind": "Other", "size": 1 << 70, "env": [{"name": "PASSWORD", "value": "hush"}]}
    assert masking.values(body) == ("hush",)
