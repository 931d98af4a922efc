"""A file with a master secret is there for good before the secret takes effect."""

from __future__ import annotations

import os
from pathlib import Path
from stat import S_ISDIR

import pytest

from sekisho.cli.private_file import write_new


def test_the_file_and_its_name_outlast_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bool] = []
    fsync = os.fsync

    def seen(handle: int) -> None:
        synced.append(S_ISDIR(os.fstat(handle).st_mode))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", seen)
    write_new(tmp_path / "secret", "text\n")

    assert synced == [False, True]
    assert (tmp_path / "secret").read_text() == "text\n"
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "secret", "other\n")
