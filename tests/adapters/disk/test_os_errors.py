from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from cluster_forge.adapters.disk.os_errors import STORE, WORKSPACE, Area, translated
from cluster_forge.foundation.errors import StoreError, WorkspaceError


@pytest.mark.parametrize(("area", "alternative"), [(WORKSPACE, "-C DIR"), (STORE, "--store DIR")])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO])
def test_error_names_subject_place_and_alternative(area: Area, alternative: str, number: int) -> None:
    with pytest.raises(area.error) as raised, translated("cannot be written", "input/x", area=area):
        raise OSError(number, os.strerror(number), "/w/input/x")
    assert raised.value.message == f"input/x cannot be written: {os.strerror(number)}"
    assert raised.value.where == "/w/input/x"
    assert (raised.value.fix or "").endswith(alternative)


def test_error_of_a_rename_is_located_at_its_target() -> None:
    with pytest.raises(WorkspaceError) as raised, translated("cannot be written", "x"):
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), "/w/new", None, "/w/x")
    assert raised.value.where == "/w/x"


def test_given_place_wins() -> None:
    with pytest.raises(StoreError) as raised, translated("cannot be read", "the store", area=STORE, where="/s/entry"):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), "/s")
    assert raised.value.where == "/s/entry"


def test_name_that_is_not_text_is_reported() -> None:
    with (
        pytest.raises(WorkspaceError, match=r"'a\\x00b' cannot be read: the name is not text"),
        translated("cannot be read", "a\0b"),
    ):
        Path("a\0b").read_bytes()
