"""The image that the stack's own one is built upon: fetched and locked by `mine`, looked up by `cast`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from cluster_forge.foundation.errors import ForgeError, LockError
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.sources import Sources
from cluster_forge.ports.storage import Store
from cluster_forge.stack.lock import Lock, LockedSource, image_address, image_platforms
from cluster_forge.stack.model import Stack

if TYPE_CHECKING:
    from cluster_forge.oci.image import BaseImage
    from cluster_forge.oci.reference import ImageReference

ITEM: Final = "image.base"
"""What progress calls it."""
_MINE: Final = "run `cluster-forge mine` (or `forge`, which mines what is missing)"


def fetch(stack: Stack, lock: Lock, sources: Sources, reporter: Reporter) -> LockedSource | None:
    """The base image as locked, fetched where the store lacks it; None if the stack's image has no base.

    Raises:
        FetchError, OfflineError, LockError, ImageError: if it cannot be had, or is not for all architectures.
    """
    if stack.image.base is None:
        return None
    reporter.item_started("mine", ITEM)
    base = fetch_as(stack.image.base, stack, as_locked(stack, lock), sources)
    reporter.item_finished("mine", ITEM, f"{base.address} {base.version}", digest=str(base.digest))
    return base


def fetch_as(reference: ImageReference, stack: Stack, locked: LockedSource | None, sources: Sources) -> LockedSource:
    """The image ``reference`` for the stack, as locked if it is.

    Raises:
        FetchError, OfflineError, LockError, ImageError: as for `fetch`, with its place in the description.
    """
    try:
        return sources.image(reference, _architectures(stack), locked)
    except ForgeError as error:
        raise in_place(stack, error) from error


def in_place(stack: Stack, error: ForgeError) -> ForgeError:
    """The error of the base image, with its place in the description."""
    fix = error.fix.replace("--update NAME", "--update") if error.fix else None
    return type(error)(f"image: {error.message}", where=error.where or stack.image.base_where, fix=fix)


def look_up(stack: Stack, lock: Lock) -> LockedSource | None:
    """The base image as locked; None if the stack's image has no base.

    Raises:
        LockError: if it is not in the lock.
    """
    base = as_locked(stack, lock)
    if stack.image.base and base is None:
        raise LockError(
            f"image: {image_address(stack.image.base)} for {platforms(stack)} is not in cluster-forge.lock",
            where=stack.image.base_where,
            fix=_MINE,
        )
    return base


def load(base: LockedSource, stack: Stack, store: Store) -> Mapping[str, BaseImage]:
    """The image for each architecture of the stack's target.

    Raises:
        LockError: if the store lacks it.
        ImageError: if it is damaged.
    """
    from cluster_forge.oci import image_archive  # noqa: PLC0415 - 0.01 s for the compressors

    archive = store.get(base.digest)
    if archive is None:
        raise LockError(f"image: {base.address} is not in the store", where=stack.image.base_where, fix=_MINE)
    return image_archive.unpack(archive, base.address, _architectures(stack))


def as_locked(stack: Stack, lock: Lock) -> LockedSource | None:
    """The base image as locked; None if it is not locked, or for other architectures, or the stack has none."""
    if stack.image.base is None or lock.base is None:
        return None
    wanted = (image_address(stack.image.base), platforms(stack))
    return lock.base if (lock.base.address, lock.base.asked) == wanted else None


def platforms(stack: Stack) -> str:
    """What the lock has as asked for, of the base image."""
    return image_platforms(_architectures(stack))


def _architectures(stack: Stack) -> list[str]:
    return sorted(architecture.value for architecture in stack.target.architectures)
