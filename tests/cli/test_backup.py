"""Backup and restore: a copy that is whole, and a way back on which nothing that ended comes alive."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from live_server import LiveServer, live_server, sekisho


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A development folder whose database was used and closed."""
    with live_server(tmp_path) as server:
        add_user(server)
    return tmp_path


def add_user(server: LiveServer) -> None:
    done = sekisho("--dev", "user", "add", "hanako@example.com", "--no-password", folder=server.folder)
    assert done.returncode == 0, done.stderr


def users(folder: Path) -> int:
    return len(json.loads(sekisho("--dev", "user", "list", "--json", folder=folder).stdout)["accounts"])


def test_a_backup_is_made_beside_a_running_server_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    with live_server(tmp_path) as server:
        add_user(server)
        made = sekisho("--dev", "backup", "copy.db", folder=tmp_path)
        again = sekisho("--dev", "backup", "copy.db", folder=tmp_path)
        refused = sekisho("--dev", "restore", "copy.db", "--json", folder=tmp_path)

    assert made.returncode == 0, made.stderr
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    assert (again.returncode, "already" in again.stderr) == (1, True)
    assert json.loads(refused.stderr)["error"] == "database_busy"
    assert not list((tmp_path / ".sekisho").glob("*restoring*"))


def test_a_restore_puts_the_copy_back_keeps_the_older_file_and_says_what_ended(folder: Path) -> None:
    assert sekisho("--dev", "backup", "copy.db", folder=folder).returncode == 0
    withdrawn = sekisho("--dev", "user", "add", "ren@example.com", "--no-password", folder=folder)
    assert withdrawn.returncode == 0
    assert users(folder) == 2

    restored = sekisho("--dev", "restore", "copy.db", "--json", folder=folder)

    told = json.loads(restored.stdout)
    assert (users(folder), told["ended"]) == (1, 0)
    assert Path(told["kept"]).exists()
    events = json.loads(sekisho("--dev", "audit", "list", "--json", folder=folder).stdout)["records"]
    assert events[0]["event"] == "database_restored"


@pytest.mark.parametrize(("name", "error"), [("nothing.db", "no_such_file"), ("text.db", "not_a_database")])
def test_what_is_no_backup_is_refused_and_changes_nothing(folder: Path, name: str, error: str) -> None:
    (folder / "text.db").write_text("not a database " * 100)
    before = (folder / ".sekisho" / "sekisho.db").read_bytes()

    refused = sekisho("--dev", "restore", name, "--json", folder=folder)

    assert json.loads(refused.stderr)["error"] == error
    assert (folder / ".sekisho" / "sekisho.db").read_bytes() == before
    assert not list((folder / ".sekisho").glob("*restor*"))
