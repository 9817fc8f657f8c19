"""No password or key is written into an object: neither into a Secret nor into a container's environment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cluster_forge.checks import report
from cluster_forge.checks.production.checked_component import CheckedComponent
from cluster_forge.manifests.comparison import masking
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.pods import containers_of

CODE = "plaintext-secret"
_FIX: Final = "name an existing Secret in the values, and list it under `secrets`"


def findings(manifest: Manifest, _: CheckedComponent) -> Iterator[Finding]:
    body = manifest.body
    if manifest.id.kind == "Secret":
        keys = [key for part in ("data", "stringData") for key, value in (body.get(part) or {}).items() if value]
        if keys:
            yield report.error(manifest, CODE, f"the Secret has values for {', '.join(keys)}", fix=_FIX)
    for container in containers_of(body):
        for variable in container.get("env") or ():
            if variable.get("value") and masking.names_secret(str(variable.get("name"))):
                message = f"container {container.get('name')}: variable {variable.get('name')} is plain text"
                yield report.error(manifest, CODE, message, fix=_FIX)
