"""`sekisho secret replace`, beside a server that is stopped and started."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import pytest

from cli.person import EMAIL, PASSWORD, refreshed, sign_in, who_am_i
from live_server import LiveServer, live_server, sekisho

SECRET = Path(".sekisho/secret")


def add_user(server: LiveServer) -> None:
    done = sekisho("user", "add", EMAIL, "--password-stdin", folder=server.folder, said=f"{PASSWORD}\n")
    assert done.returncode == 0, done.stderr


def test_V13_3_4_a_person_stays_signed_in_while_the_master_secret_is_replaced(tmp_path: Path) -> None:
    with live_server(tmp_path) as before:
        add_user(before)
        tokens = sign_in(before)

    replaced = sekisho("secret", "replace", "--output", "new", "--yes", "--json", folder=tmp_path)
    assert replaced.returncode == 0, replaced.stderr
    told = json.loads(replaced.stdout)
    assert told == {
        "secret_file": str(tmp_path / "new"),
        "signing_keys": 2,
        "factors": 0,
        "letters": 0,
        "audit_marks": 0,
        "unreadable": 0,
    }
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new").read_text().strip() not in replaced.stdout + replaced.stderr

    (tmp_path / "new").replace(tmp_path / SECRET)
    with live_server(tmp_path) as after:
        assert who_am_i(after, refreshed(after, tokens))[0] == 200
        verified = sekisho("audit", "verify", folder=tmp_path)
        assert verified.returncode == 0, verified.stdout


def test_beside_a_server_that_runs_nothing_is_changed(tmp_path: Path) -> None:
    with live_server(tmp_path) as server:
        refused = sekisho("secret", "replace", "--output", "new", "--yes", folder=tmp_path)
        assert refused.returncode == 1
        assert "is locked by another process" in refused.stderr
        assert not (tmp_path / "new").exists()
        add_user(server)
        sign_in(server)


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """The folder of a server that ran and stopped."""
    with live_server(tmp_path):
        pass
    return tmp_path


def test_the_old_secret_is_told_to_be_another(stopped: Path) -> None:
    assert sekisho("secret", "replace", "--output", "new", "--yes", folder=stopped).returncode == 0
    refused = sekisho("user", "list", folder=stopped)
    assert refused.returncode == 1
    assert "is not the secret" in refused.stderr
    assert "the one that `secret replace` put in its place" in refused.stderr


def test_a_secret_of_ones_own_is_taken_from_a_file(stopped: Path) -> None:
    (stopped / "own").write_text(secrets.token_urlsafe(32) + "\n")
    done = sekisho("secret", "replace", "--from", "own", "--yes", folder=stopped)
    assert done.returncode == 0, done.stderr
    (stopped / "own").replace(stopped / SECRET)
    assert sekisho("user", "list", folder=stopped).returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Say where the new secret comes from"),
        (("--output", "new", "--from", "own"), "Say where the new secret comes from"),
        (("--from", "nowhere"), "Cannot read nowhere (No such file"),
        (("--from", "short"), "The secret in short is too short"),
        (("--from", "binary"), "Cannot read binary (UTF-8)"),
        (("--from", "indented"), "must stand alone in one line"),
        (("--from", "two lines"), "must stand alone in one line"),
        (("--from", "large"), "must stand alone in one line"),
        (("--from", ".sekisho/secret"), "This is the secret in force"),
        (("--output", "short"), "short is there already"),
        (("--output", "no/such/folder"), "Cannot write no/such/folder"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(stopped: Path, words: tuple[str, ...], said: str) -> None:
    (stopped / "short").write_text("too short")
    (stopped / "binary").write_bytes(b"\xff" * 50)
    # The settings would take more of these than the command did, and no server would start.
    good = secrets.token_urlsafe(32)
    (stopped / "indented").write_text(f"  {good}\n")
    (stopped / "two lines").write_text(f"{good}\n\n")
    (stopped / "large").write_text(good * 2000)

    refused = sekisho("secret", "replace", *words, "--yes", folder=stopped)

    assert refused.returncode == 1
    assert said in refused.stderr
    assert sekisho("user", "list", folder=stopped).returncode == 0


def test_without_a_terminal_it_asks_for_yes(stopped: Path) -> None:
    refused = sekisho("secret", "replace", "--output", "new", folder=stopped)
    assert refused.returncode == 1
    assert "confirm with --yes" in refused.stderr
    assert not (stopped / "new").exists()
