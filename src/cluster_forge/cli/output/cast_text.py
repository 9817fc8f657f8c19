"""What `cast` and `forge` tell at their end: what was made, where, how big, and what to type next."""

from __future__ import annotations

import os
import shlex
from typing import Any

from cluster_forge.cli.description import size
from cluster_forge.cli.session import Session
from cluster_forge.foundation import names
from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.stages.build.cast import CastResult

FIRST_DATE = 315_532_800
"""1980-01-01: what is cast is dated to it, unless SOURCE_DATE_EPOCH says otherwise (reproducible-builds.org)."""

_DELIVERIES = {
    Delivery.DIRECT: "applies everything with kubectl, wave by wave",
    Delivery.INSTALL: "installs Argo CD, which delivers the rest",
    Delivery.EXISTING: "hands the repository to the Argo CD that is there",
}


def source_date() -> int:
    """Seconds since 1970 that everything which is cast is dated to.

    Raises:
        DescriptionError: if SOURCE_DATE_EPOCH is no whole number.
    """
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return FIRST_DATE
    if not text.isascii() or not text.isdigit() or len(text) > 10:
        raise DescriptionError(
            f"SOURCE_DATE_EPOCH is {text!r}, not seconds since 1970",
            fix="unset it, or set it to a whole number: SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)",
        )
    return int(text)


def tell_cast(session: Session, cast: CastResult, findings: str) -> None:
    """The summary for people."""
    rows = [
        (
            "components",
            f"{len(cast.parts)}, {names.counted(cast.objects, 'object')}{f' ({findings})' if findings else ''}",
        ),
        ("repo.git", f"{size(cast.sizes['repo.git'])}, commit {cast.commit[:12]}, revision {cast.revision}"),
        ("image", f"{size(cast.sizes['image'])}, {cast.image} for {', '.join(cast.platforms)}"),
        ("images.txt", f"{names.counted(len(cast.images), 'container image')} that the stack runs"),
        ("bootstrap", f"{size(cast.sizes['bootstrap'])}, what deploy.sh applies"),
        ("deploy.sh", _DELIVERIES[cast.delivery]),
    ]
    session.say(f"{cast.folder} holds the stack {cast.stack!r}:")
    for name, text in rows:
        session.say(f"  {name:<11} {text}")
    script = shlex.quote(str(session.workspace / cast.folder / "deploy.sh"))
    session.say(f"next: sh {script} --print   (what it would do; without --print it deploys to your cluster)")


def cast_json(cast: CastResult) -> dict[str, Any]:
    return {
        "folder": cast.folder,
        "components": len(cast.parts),
        "objects": cast.objects,
        "image": {"digest": str(cast.image), "platforms": list(cast.platforms), "size": cast.sizes["image"]},
        "git": {"commit": cast.commit, "revision": cast.revision},
        "images": len(cast.images),
    }
