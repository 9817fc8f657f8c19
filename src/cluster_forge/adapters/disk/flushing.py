"""Getting what was written onto the disk: one path, or everything below a directory.

A tree is flushed by one ``syncfs`` on Linux: 0.15 s for 1,500 files of 60 MB on ext4, where an ``fsync`` per file took
3.7 s in sequence and 0.4 s on eight threads. Other systems use those threads.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def sync(path: str) -> None:
    """Flush one file, or the entries of one directory. Windows cannot open directories; it flushes renames itself.

    Raises:
        OSError: if the disk fails.
    """
    if os.name == "posix" or Path(path).is_file():
        descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sync_tree(folder: str) -> None:
    """Flush the file system that ``folder`` is on, or else everything below ``folder``.

    Raises:
        OSError: if the disk fails; a full disk may show only now.
    """
    import ctypes  # noqa: PLC0415 - 0.002 s, and many commands write nothing

    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None) if sys.platform == "linux" else None
    if not syncfs:
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - 0.003 s, and Linux has syncfs

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(sync, map(str, Path(folder).rglob("*"))))
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if syncfs(descriptor):
            number = ctypes.get_errno()
            raise OSError(number, f"the disk did not accept the data ({os.strerror(number)})", folder)
    finally:
        os.close(descriptor)
