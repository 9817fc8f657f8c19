"""Webhooks for admission and conversion lead to a Service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.references import reachability
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests import field_path, webhooks
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.finding import Finding

_FIELD: Final = "spec.conversion.webhook.clientConfig.service"


def findings(checked: CheckedStack) -> Iterator[Finding]:
    for kind in sorted(webhooks.CONFIGURATIONS):
        for configuration in checked.of_kind[kind]:
            for number, webhook in enumerate(map(mapping, sequence(configuration.body.get("webhooks")))):
                service = mapping(mapping(webhook.get("clientConfig")).get("service"))
                field = field_path.text(("webhooks", number, "clientConfig", "service"))
                yield from reachability.called_by_the_api_server(checked, configuration, service, field)
    for definition in checked.of_kind[CRD]:
        if definition.id in checked.graph.references:  # few CRDs name anything, and their trees are large
            conversion = mapping(mapping(definition.document.passing_body().get("spec")).get("conversion"))
            service = mapping(mapping(mapping(conversion.get("webhook")).get("clientConfig")).get("service"))
            yield from reachability.called_by_the_api_server(checked, definition, service, _FIELD)
