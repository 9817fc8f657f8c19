"""Two folders that change places in one step, so that there is no moment at which one of them is missing."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from typing import Final

_EXCHANGE: Final = 2
"""``RENAME_EXCHANGE`` of Linux' renameat2(2), ``RENAME_SWAP`` of macOS' renamex_np(2)."""
_HERE: Final = -100
"""``AT_FDCWD``"""
_CANNOT: Final = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EXDEV})


def folders(one: str, other: str) -> bool:
    """Exchange two paths on one mount. False where the system or its file system (NFS, FAT, overlayfs) cannot.

    Raises:
        OSError: if it cannot be done for another reason; nothing has changed then.
    """
    first, second = os.fsencode(one), os.fsencode(other)
    if sys.platform not in ("linux", "darwin"):
        return False
    library = ctypes.CDLL(None, use_errno=True)
    if hasattr(library, "renameat2"):
        failed = library.renameat2(_HERE, first, _HERE, second, _EXCHANGE)
    elif hasattr(library, "renamex_np"):
        failed = library.renamex_np(first, second, _EXCHANGE)
    else:
        return False
    number = ctypes.get_errno() if failed else 0
    if failed and number not in _CANNOT:
        raise OSError(number, os.strerror(number), one, None, other)
    return not failed
