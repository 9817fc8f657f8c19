"""Memory that was freed goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

BLOCKS = """\
import os, threading
from pathlib import Path
{call}
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20
def work():
    first = b"x" * (4 << 20)
    del first  # from here on, blocks of this size come from the heap
    pairs = [(b"x" * (1 << 20), bytes(1000)) for _ in range(20)]
    kept.append([small for _, small in pairs])
kept = []
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(resident())
"""


def resident(call: str) -> int:
    """MB of a process whose threads have freed 80 of them."""
    done = subprocess.run([sys.executable, "-c", BLOCKS.format(call=call)], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="another allocator")
def test_freed_blocks_go_back() -> None:
    shared = resident("from cluster_forge.adapters import allocator; allocator.share_heap()")
    assert shared < 40
    assert resident("import cluster_forge.adapters.allocator") > shared + 40  # else the test would not see it
