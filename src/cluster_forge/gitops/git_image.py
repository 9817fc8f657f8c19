"""The repository in the stack's own image, which has Git from its base (`oci.image_content`)."""

from __future__ import annotations

from cluster_forge.foundation.digest import Digest
from cluster_forge.gitops import script_source
from cluster_forge.gitops.git_server import Content
from cluster_forge.stack.model import Stack

_USER = 65532
"""Of the process: a base image may run as root. Everything in the image can be read by everyone."""


def content(stack: Stack, image: Digest) -> Content:
    """A server that runs from the image with this digest, which `push` sends to ``image.repository``."""
    repository = stack.image.repository.removeprefix("oci://")
    return Content(
        image=f"{repository}@{image}",
        script=script_source.read("unpack_image").lstrip(),
        pull_secrets=[{"name": stack.gitops.secret}] if stack.gitops.secret else [],
        user=_USER,
    )
