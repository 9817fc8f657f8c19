"""Two directories that change places in one step, so that neither is missing at any moment."""

from __future__ import annotations

import errno
import os
import sys
from typing import Final

_EXCHANGE: Final = 2
"""``RENAME_EXCHANGE`` of Linux' renameat2(2), ``RENAME_SWAP`` of macOS' renamex_np(2)."""
_CURRENT: Final = -100
"""``AT_FDCWD``: relative paths are relative to the current directory."""
_UNSUPPORTED: Final = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EXDEV})


def exchange(one: str, other: str) -> bool:
    """Exchange two paths on one mount. False: the system or its file system (NFS, FAT, overlayfs) does not support it.

    Raises:
        OSError: if it fails for another reason; nothing has changed then.
    """
    first, second = os.fsencode(one), os.fsencode(other)
    if sys.platform not in ("linux", "darwin"):
        return False
    import ctypes  # noqa: PLC0415 - 0.002 s, and many commands write nothing

    library = ctypes.CDLL(None, use_errno=True)
    if hasattr(library, "renameat2"):
        has_failed = library.renameat2(_CURRENT, first, _CURRENT, second, _EXCHANGE)
    elif hasattr(library, "renamex_np"):
        has_failed = library.renamex_np(first, second, _EXCHANGE)
    else:
        return False
    number = ctypes.get_errno() if has_failed else 0
    if has_failed and number not in _UNSUPPORTED:
        raise OSError(number, os.strerror(number), one, None, other)
    return not has_failed
