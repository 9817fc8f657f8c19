"""Secrets in a description, and what only looks like one."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_forge.foundation.names import ComponentName
from cluster_forge.stack.component import Component, HelmSource, Upstream
from cluster_forge.stack.model import Stack
from cluster_forge.stack.plugin_uses import PluginUse
from cluster_forge.stages.describe import secret_values

GITHUB = "ghp_" + "x7Kq2mNv9RtY4wZs8LpD3hJf6GbC1aXeUoQi"


def stack(**fields: Any) -> Stack:
    return Stack(name="demo", components=(Component(name=ComponentName("web"), **fields),))


@pytest.mark.parametrize(
    "values",
    [
        {"auth": {"adminPassword": "canary"}},
        {"password": 1234},
        {"DB_PASS": "canary"},
        {"env": [{"name": "API_TOKEN", "value": "canary"}]},
        {"passwords": None, "a": {"b": [{"client-secret": "canary"}]}},
        {"tokens": {"token1": "canary"}},
        {"url": "postgres://me:canary@db/x"},
        {"url": "https://a.example/x?sig=canary"},
        {"args": ["--password=canary"]},
        {"config": "[server]\napi_key = canary\n"},
        {"headers": "Authorization: Bearer canarycanary"},
        {"key": "-----BEGIN RSA PRIVATE KEY-----\nx"},
        {"extraObjects": [{"kind": "Secret", "stringData": {"a": "b"}}]},
        {"imageCredentials": {"credentials": "canary"}},
        {"subdomain": GITHUB},
        {"config": f"remote https://example.com {GITHUB}"},
    ],
)
def test_secrets_in_values_are_found(values: dict[str, Any]) -> None:
    assert secret_values.are_in(stack(values=values))
    assert secret_values.are_in(stack(upstream=Upstream(folder="x", values=values)))
    assert secret_values.are_in(stack(objects=({"kind": "X", "spec": values},)))
    use = PluginUse(name="x", settings=values)
    assert secret_values.are_in(stack(transformers=(use,)))
    assert secret_values.are_in(Stack(name="demo", checks=(use,)))


@pytest.mark.parametrize(
    "values",
    [
        {"replicas": 2, "image": "nginx:1.29@sha256:00", "auth": {"enabled": True}},
        {"admin": {"existingSecret": "grafana-admin", "passwordKey": "admin-password", "userKey": "x"}},
        {"existingSecretAdminPassword": "harbor-admin", "tls": {"secretName": "x"}, "imagePullSecret": "x"},
        {"password": "", "token": None, "secret": False},
        {"env": [{"name": "API_TOKEN", "valueFrom": {"secretKeyRef": {"name": "x", "key": "token"}}}]},
        {"url": "redis://:$(VALKEY_PASSWORD)@valkey:6379/0", "basicAuthPassword": "$OPENOBSERVE_PASSWORD"},
        {"config": 'password = sys.env("OPENOBSERVE_PASSWORD")\ntoken: ${TOKEN}\npassword_file: /run/x'},
    ],
)
def test_names_of_secrets_and_references_are_none(values: dict[str, Any]) -> None:
    assert not secret_values.are_in(stack(values=values))


@pytest.mark.parametrize(
    "fields",
    [
        {"helm": HelmSource(chart="x", release="x", repository="https://me:canary@a.example")},
        {"manifests": ("https://a.example/x.yaml?sig=canary",)},
        {"upstream": Upstream(folder="x", manifests=("https://canary@a.example/x.yaml",))},
    ],
)
def test_credentials_of_sources_are_found(fields: dict[str, Any]) -> None:
    assert secret_values.are_in(stack(**fields))
