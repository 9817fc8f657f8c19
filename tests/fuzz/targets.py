"""Every target by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.fuzz import archives, descriptions, images, indexes, logins, manifests, options, records
from tests.fuzz.target import Target

TARGETS: Final[Mapping[str, Target]] = {
    target.name: target
    for target in (
        *(manifests.READERS, manifests.MANIFESTS, manifests.SPLIT, manifests.VALUES, manifests.EMIT),
        *(descriptions.STACK, descriptions.LIST, options.OPTIONS, options.PATHS),
        *(records.LOCK, records.RECORD, indexes.INDEX, indexes.MIRROR),
        *(logins.CHALLENGE, logins.TOKEN, logins.LOGINS, logins.REPOSITORIES, logins.NETRC),
        *(archives.ARCHIVE, archives.CHART, archives.IGNORE),
        *(images.MANIFEST, images.CONFIG, images.ARCHIVE),
    )
}
