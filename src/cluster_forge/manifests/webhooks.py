"""Webhooks that the API server calls: by which Services, and whether it can trust them.

Source: Kubernetes, "Dynamic Admission Control" (``clientConfig``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.manifest import Body

_GROUP: Final = "admissionregistration.k8s.io"
CONFIGURATIONS: Final = frozenset(
    {(_GROUP, "MutatingWebhookConfiguration"), (_GROUP, "ValidatingWebhookConfiguration")}
)


def services(body: Body) -> frozenset[tuple[str, str]]:
    """Namespace and name of each Service that is called."""
    return frozenset(_place(service) for _, service in _called(body))


def untrusted(body: Body) -> str:
    """The name of the first webhook in the cluster without a certificate to trust; empty if there is none. Without one the
    API server asks the certificate authorities of its machine, which sign no Service.
    """
    return next(
        (
            str(webhook.get("name", ""))
            for webhook, _ in _called(body)
            if not mapping(webhook.get("clientConfig")).get("caBundle")
        ),
        "",
    )


def _called(body: Body) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The webhooks behind a Service, each with it. Others are called by address."""
    for webhook in map(mapping, sequence(body.get("webhooks"))):
        if service := mapping(mapping(webhook.get("clientConfig")).get("service")):
            yield webhook, service


def _place(service: Mapping[str, Any]) -> tuple[str, str]:
    return str(service.get("namespace", "")), str(service.get("name", ""))
