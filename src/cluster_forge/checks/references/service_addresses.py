"""Addresses inside of the cluster lead to a Service and a port of it.

Their form is that of kubernetes.io/docs/concepts/services-networking/dns-pod-service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cluster_forge.checks.inventory import Inventory, strings_in
from cluster_forge.checks.references import missing, reachability
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

_ADDRESS: Final = re.compile(
    r"(?<![\w.$(){}*%-])(?:(?P<scheme>[a-z+]+)://(?:[^\s/@\"']*@)?)?(?:[\w$(){}-]+\.)*"
    r"(?P<name>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)\.svc(?![\w-])(?:\.cluster\.local)?\.?(?::(?P<port>\d+))?"
)
_PORTS: Final = {"http": 80, "https": reachability.HTTPS}
_NOT_CALLING: Final = frozenset({"CustomResourceDefinition", "Certificate"})
"""Kinds that mention addresses in descriptions, or as names in a certificate."""


def findings(manifest: Manifest, inventory: Inventory) -> Iterator[Finding]:
    if manifest.id.kind in _NOT_CALLING or b".svc" not in manifest.document.json:
        return
    for address in (match for text in strings_in(manifest.body) for match in _ADDRESS.finditer(text)):
        port = int(address["port"]) if address["port"] else _PORTS.get(address["scheme"] or "")
        problem = reachability.problem(inventory, (address["namespace"], address["name"]), port)
        if problem:
            yield missing.finding(manifest, f"{address[0]}: {problem}")
