"""What a stack's image adds to its base, as a node would have it: pulled from a registry by its digest, and unpacked."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import orjson
import urllib3

ACCEPT = {"Accept": "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"}
AMD64 = {"architecture": "amd64", "os": "linux"}


def added(reference: str, folder: Path) -> dict[str, str]:
    """The files of the last layer in ``folder``, by their path in a container; none of an image without a digest.

    The layers below have programs of another system; those of this machine take their place.
    """
    repository, _, digest = reference.partition("@")
    host, _, name = repository.partition("/")
    if not digest:
        return {}
    index = orjson.loads(_get(f"http://{host}/v2/{name}/manifests/{digest}"))
    entry = next(one for one in index["manifests"] if one["platform"] == AMD64)
    manifest = orjson.loads(_get(f"http://{host}/v2/{name}/manifests/{entry['digest']}"))
    layer = _get(f"http://{host}/v2/{name}/blobs/{manifest['layers'][-1]['digest']}")
    with tarfile.open(fileobj=io.BytesIO(layer)) as packed:
        packed.extractall(folder, filter="data")
    return {f"/{path.name}": str(path) for path in folder.iterdir()}


def _get(url: str) -> bytes:
    answer = urllib3.request("GET", url, headers=ACCEPT)
    assert answer.status == 200, f"{url}: {answer.status}"
    return answer.data
