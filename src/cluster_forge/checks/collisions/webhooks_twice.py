"""One webhook answers for one thing: two installations of one operator both change, or both judge, the same objects.

Different webhooks ask about the same objects on purpose. The same
name (which is by convention unique in a cluster) with the same rules, answered by the same image, is the same software twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from cluster_forge.checks import report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests import field_path, webhooks
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

CODE: Final = "duplicate-provider"
_SELECTORS: Final = ("rules", "namespaceSelector", "objectSelector", "matchConditions")


def findings(checked: CheckedStack) -> Iterator[Finding]:
    for kind in sorted(webhooks.CONFIGURATIONS):
        taken: dict[tuple[str, bytes, str], Manifest] = {}
        for configuration in checked.of_kind[kind]:
            for number, webhook in enumerate(map(mapping, sequence(configuration.body.get("webhooks")))):
                for image in _images(checked, webhook):
                    first = taken.setdefault((str(webhook.get("name")), _asked_about(webhook), image), configuration)
                    if first is not configuration:
                        yield _finding(configuration, first, webhook, number)
                        break


def _finding(configuration: Manifest, first: Manifest, webhook: Mapping[str, Any], number: int) -> Finding:
    return report.warning(
        configuration,
        CODE,
        f"webhook {webhook.get('name')} is asked about the same objects as that of {first.id} of {first.provenance.component}, "
        "by the same software: both answer",
        fix="leave one of the two out by the values of its chart, or restrict each to namespaces of its own",
        field=field_path.text(("webhooks", number)),
    )


def _images(checked: CheckedStack, webhook: Mapping[str, Any]) -> list[str]:
    service = mapping(mapping(webhook.get("clientConfig")).get("service"))
    workloads = checked.serving((str(service.get("namespace")), str(service.get("name"))))
    return sorted({image for workload in workloads for image in workload.image_names})


def _asked_about(webhook: Mapping[str, Any]) -> bytes:
    return orjson.dumps({name: webhook.get(name) for name in _SELECTORS}, option=orjson.OPT_SORT_KEYS)
