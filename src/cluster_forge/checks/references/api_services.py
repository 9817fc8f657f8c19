"""APIServices lead to a Service."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.inventory import spec_of
from cluster_forge.checks.references import reachability
from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests.finding import Finding


def findings(checked: CheckedStack) -> Iterator[Finding]:
    for api in checked.of_kind["apiregistration.k8s.io", "APIService"]:
        service = mapping(spec_of(api).get("service"))
        yield from reachability.called_by_the_api_server(checked, api, service, "spec.service")
