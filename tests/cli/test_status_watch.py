"""status --watch ends when its output is read no longer."""

from __future__ import annotations

import os

from cluster_forge.cli.status_watch import has_lost_reader


def test_a_pipe_without_a_reader_is_seen() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        assert not has_lost_reader(stream)
        os.close(reading)
        assert has_lost_reader(stream)
