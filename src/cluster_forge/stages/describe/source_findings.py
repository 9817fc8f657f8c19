"""Findings about where a stack is fetched from: passwords in addresses, and hosts that anyone could stand in for."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.foundation.addresses import has_login, host_of, is_loopback_host, without_credentials
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.stack import source_addresses
from cluster_forge.stack.component import Component
from cluster_forge.stack.model import Stack
from cluster_forge.stack.registry_settings import RegistrySettings


def findings(stack: Stack) -> list[Finding]:
    """A warning for each of them, in the order of the stack."""
    return [
        *(finding for registry in stack.registries for finding in _of_registry(registry)),
        *(finding for component in stack.components for finding in _of_component(component)),
    ]


def _of_registry(registry: RegistrySettings) -> Iterator[Finding]:
    ways = [
        *(["without TLS (`plainHttp`)"] if registry.plain_http else []),
        *(["without verifying its certificate (`insecure`)"] if registry.insecure else []),
    ]
    if ways:
        yield Finding(
            code="insecure-source",
            severity=Severity.WARNING,
            where=registry.where,
            message=f"{registry.host} is reached {' and '.join(ways)}: passwords can be read on the way, and "
            "what is fetched for the first time can be changed",
            fix="give it a certificate, and name that of its authority: `caFile`",
        )


def _of_component(component: Component) -> Iterator[Finding]:
    for address in source_addresses.of(component):
        shown, host = without_credentials(address), host_of(address)
        if has_login(address):
            yield Finding(
                code="credential-in-url",
                severity=Severity.WARNING,
                component=component.name,
                where=component.where,
                message=f"the address {shown} is written with a login: everyone who reads the description has it",
                fix=f"write it without, and run `cluster-forge login {host}`, or set `CLUSTER_FORGE_AUTH_…` in a pipeline",
            )
        if address.removeprefix("git+").startswith("http://") and not is_loopback_host(host):
            yield Finding(
                code="insecure-source",
                severity=Severity.WARNING,
                component=component.name,
                where=component.where,
                message=f"{shown} is fetched without TLS: it can be changed on the way when it is fetched for the first time",
                fix="write https://, or use a mirror",
            )
