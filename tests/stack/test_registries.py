"""`registries` of a description: how single hosts are reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cluster_forge.stack.registry_settings import RegistrySettings

Native = Callable[..., Any]


def test_hosts_have_settings_with_their_places(native: Native) -> None:
    text = """\
registries:
  "registry.local:5000": {plainHttp: true}
  charts.example: {insecure: true, caFile: certs/ca.pem, certFile: certs/me.pem, keyFile: ./certs/me.key}
"""
    assert native(text).load().stack.registries == (
        RegistrySettings(host="registry.local:5000", plain_http=True, where="input/config.yaml:5"),
        RegistrySettings(
            host="charts.example",
            insecure=True,
            ca_file="input/certs/ca.pem",
            cert_file="input/certs/me.pem",
            key_file="input/certs/me.key",
            where="input/config.yaml:6",
        ),
    )


def test_an_environment_changes_one_host(native: Native) -> None:
    text = """\
registries: {a.example: {insecure: true, caFile: ca.pem}, b.example: {plainHttp: true}}
environments:
  production: {registries: {a.example: {insecure: false}, b.example: null, "c.example:1": {plainHttp: true}}}
"""
    registries = native(text).load(environment="production").stack.registries
    assert [(entry.host, entry.plain_http, entry.insecure, entry.ca_file) for entry in registries] == [
        ("a.example", False, False, "input/ca.pem"),
        ("c.example:1", True, False, ""),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"https://a.example": {}}', "'https://a.example' is not a host, with or without a port, in lower case"),
        ('{"a.example:70000": {}}', "'a.example:70000': 70000 is not a port"),
        ('{"A.example": {}}', "'A.example' is not a host"),
        ('{"a.example/team": {}}', "is not a host"),
        ('{"a.example:": {}}', "is not a host"),
        ('{"": {}}', "is not a host"),
        ('{"a.example": {plainHTTP: true}}', "unknown key 'plainHTTP'"),
        ('{"a.example": {password: pw}}', "unknown key 'password'"),
        ('{"a.example": {plainHttp: "yes"}}', "must be true or false"),
        ('{"a.example": {caFile: ../../ca.pem}}', "../../ca.pem is outside of the workspace"),
        ('{"a.example": {caFile: /etc/ca.pem}}', "/etc/ca.pem is outside of the workspace"),
        ('{"a.example": {keyFile: me.key}}', "has a `keyFile` without a `certFile`"),
        ("[a.example]", "must be a mapping, not a list"),
    ],
)
def test_what_cannot_be_meant_is_an_error_with_its_line(native: Native, text: str, message: str) -> None:
    errors = native(f"registries: {text}\n").errors()
    assert any(message in error and error.startswith("input/config.yaml:4: ") for error in errors), errors
