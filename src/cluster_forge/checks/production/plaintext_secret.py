"""No password or key is written into an object: neither into a Secret nor into a container's environment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cluster_forge.checks import report
from cluster_forge.checks.production.checked_component import CheckedComponent
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.pods import containers_of

CODE = "plaintext-secret"
_SECRET_NAME: Final = re.compile(r"passw(?:or)?d|secret_?(?:access_?)?key$|_token$", re.I)
_NO_SECRET: Final = re.compile(r"_(?:file|path|mode|name)$|allow_empty", re.I)
"""Variables that say where a password is, or how it is used."""

_FIX: Final = "name an existing Secret in the values, and list it under `secrets`"


def findings(manifest: Manifest, _: CheckedComponent) -> Iterator[Finding]:
    body = manifest.body
    if manifest.id.kind == "Secret":
        keys = [key for part in ("data", "stringData") for key, value in (body.get(part) or {}).items() if value]
        if keys:
            yield report.error(manifest, CODE, f"the Secret has values for {', '.join(keys)}", fix=_FIX)
    for container in containers_of(body):
        for variable in container.get("env") or ():
            if variable.get("value") and _is_secret(str(variable.get("name"))):
                message = f"container {container.get('name')}: variable {variable.get('name')} is plain text"
                yield report.error(manifest, CODE, message, fix=_FIX)


def _is_secret(name: str) -> bool:
    return bool(_SECRET_NAME.search(name)) and not _NO_SECRET.search(name)
