"""`sekisho passwords filter`, and the start with the file that it makes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from live_server import live_server, sekisho
from sekisho.passwords.breached import BreachedFile
from sekisho.settings import load


def test_a_list_becomes_a_file_that_settings_take(tmp_path: Path) -> None:
    digest = hashlib.sha1(b"sunny meadow", usedforsecurity=False).hexdigest().upper()
    (tmp_path / "list.txt").write_text(f"{digest}:12\r\n{'0' * 40}:1\r\n")
    made = sekisho("passwords", "filter", "list.txt", "--out", "breached.bin", folder=tmp_path)

    assert made.returncode == 0, made.stderr
    assert f"SEKISHO_PASSWORD__BREACHED_FILE={tmp_path / 'breached.bin'}" in made.stdout
    settings = load("dev", {"SEKISHO_PASSWORD__BREACHED_FILE": "breached.bin"}, tmp_path)
    assert settings.password.breached_file is not None
    assert "sunny meadow" in BreachedFile(settings.password.breached_file)


def test_words_and_counts_are_options(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("one\ntwo\ntwo\n")
    made = sekisho("passwords", "filter", "words.txt", "--words", "--out", "b.bin", "--json", folder=tmp_path)

    assert json.loads(made.stdout) == {"lines": 3, "passwords": 2, "rare": 0, "path": "b.bin"}


def test_the_file_is_named_as_everywhere_and_one_that_is_not_there_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("password\n")
    assert sekisho("passwords", "filter", "words.txt", "--words", "--output", "b.bin", folder=tmp_path).returncode == 0
    assert (tmp_path / "b.bin").exists()
    for given, error in (
        (("no.txt", "-o", "c.bin"), "no_such_file"),
        (("words.txt", "-o", "no/c.bin"), "cannot_write"),
    ):
        done = sekisho("passwords", "filter", *given, "--words", "--json", folder=tmp_path)
        assert (done.returncode, json.loads(done.stderr)["error"]) == (1, error)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("list.txt", "--out", "b.bin"), "list.txt, line 1: not a SHA-1"),
        (("nowhere.txt", "--out", "b.bin"), "nowhere.txt: No such file"),
        (("list.txt", "--words", "--out", "no/such/b.bin"), "no/such"),
    ],
)
def test_what_cannot_be_made_is_said_in_one_sentence(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    (tmp_path / "list.txt").write_text("password\n")
    done = sekisho("passwords", "filter", *words, folder=tmp_path)

    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_is_not_whole_stops_the_start_by_name(tmp_path: Path) -> None:
    (tmp_path / "broken.bin").write_bytes(b"no such list")
    (tmp_path / ".env").write_text("SEKISHO_PASSWORD__BREACHED_FILE=broken.bin\n")
    for command in (("dev", "--port", "18999"), ("doctor",), ("user", "list")):
        done = sekisho("--dev", *command, folder=tmp_path)
        assert done.returncode == 1, command
        assert "broken.bin" in done.stdout + done.stderr, command
        assert "Traceback" not in done.stderr, command


def test_legacy_says_at_its_start_and_in_doctor_what_it_departs_from(tmp_path: Path) -> None:
    with live_server(tmp_path, SEKISHO_PASSWORD__PROFILE="legacy") as running:
        log = running.output()
    assert "password_profile_departs" in log
    assert "ASVS 6.2.5" in log
    done = sekisho("--dev", "doctor", folder=tmp_path, SEKISHO_PASSWORD__PROFILE="legacy")
    assert "ASVS 6.2.5, NIST 3.1.1.2 (composition)" in done.stdout
    assert "ASVS 6.2.5" not in sekisho("--dev", "doctor", folder=tmp_path).stdout
