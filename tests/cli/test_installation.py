"""`init`, `migrate`, `doctor`, `config`, `openapi`: setting an installation up and looking at it."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import apsw

from cli.test_starts import SECRET, a_dev_folder
from live_server import sekisho
from sekisho.http.openapi import document
from sekisho.http.routes import ROUTES


def production(folder: Path, **given: str) -> dict[str, str]:
    return {
        "SEKISHO_SECRET": SECRET,
        "SEKISHO_PUBLIC_URL": "https://auth.mail.test",
        "SEKISHO_DATABASE_URL": f"sqlite:///{folder}/live.db",
        "SEKISHO_MAIL__HOST": "127.0.0.1",
        "SEKISHO_MAIL__PORT": "1",
        "SEKISHO_MAIL__FROM": "no-reply@mail.test",
        **given,
    }


def checks(folder: Path, **given: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Return the exit code of `doctor`, and what it found by name."""
    done = sekisho("doctor", "--json", folder=folder, **given)
    report = json.loads(done.stdout)
    assert report["healthy"] is (done.returncode == 0)
    return done.returncode, {check["name"]: check for check in report["checks"]}


def test_init_writes_a_private_file_that_is_valid_and_never_written_over(tmp_path: Path) -> None:
    assert sekisho("init", folder=tmp_path).returncode == 0
    path = tmp_path / "sekisho.env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    given = dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))
    shown = sekisho("config", "--json", folder=tmp_path, **{name: value.strip("'") for name, value in given.items()})
    assert shown.returncode == 0, shown.stderr
    assert given["SEKISHO_SECRET"] not in shown.stdout

    again = sekisho("init", "--json", folder=tmp_path)
    assert (again.returncode, json.loads(again.stderr)["error"]) == (1, "exists")
    assert path.read_text() == text


def test_migrate_makes_the_database_and_finds_nothing_to_do_the_second_time(tmp_path: Path) -> None:
    given = production(tmp_path)
    sql = sekisho("migrate", "--sql", folder=tmp_path, **given).stdout
    assert "CREATE TABLE accounts" in sql
    assert not (tmp_path / "live.db").exists()
    first = json.loads(sekisho("migrate", "--json", folder=tmp_path, **given).stdout)
    again = json.loads(sekisho("migrate", "--json", folder=tmp_path, **given).stdout)
    assert (first["before"], again["before"]) == (None, first["revision"])
    assert stat.S_IMODE((tmp_path / "live.db").stat().st_mode) == 0o600
    assert sekisho("migrate", "--sql", folder=tmp_path, **given).stdout == ""


def test_doctor_finds_a_fresh_development_folder_healthy_but_for_its_keys(tmp_path: Path) -> None:
    folder = a_dev_folder(tmp_path)
    code, found = checks(folder)
    assert (code, {name for name, check in found.items() if check["state"] == "problem"}) == (1, {"keys"})
    sekisho("key", "rotate", folder=folder)
    assert checks(folder)[0] == 0


def test_doctor_names_each_problem_with_its_fix(tmp_path: Path) -> None:
    given = production(tmp_path, SEKISHO_PUBLIC_URL="https://auth.mail.test")
    sekisho("migrate", folder=tmp_path, **given)
    path = tmp_path / "live.db"
    path.chmod(0o644)
    connection = apsw.Connection(str(path))
    connection.execute(
        "INSERT INTO audit (event, outcome, at, account_id, session_id, client_id, method, reason, actor,"
        " identifier_tag, ip, user_agent, place, device)"
        " VALUES ('login', 'success', 4000000000000, '', '', '', '', '', 'account', '', '', '', '', '')"
    )
    connection.close()
    code, found = checks(tmp_path, **given)
    problems = {name: check["fix"] for name, check in found.items() if check["state"] == "problem"}
    assert (code, set(problems)) == (1, {"keys", "files", "smtp", "clock"})
    assert problems["files"].startswith("chmod 600 ")
    assert all(problems.values())


def test_doctor_lists_every_mistake_of_the_settings(tmp_path: Path) -> None:
    done = sekisho("doctor", folder=tmp_path, SEKISHO_SECRET="short", SEKISHO_METRICS="yes")
    assert done.returncode == 1
    for variable in ("SEKISHO_SECRET", "SEKISHO_METRICS", "SEKISHO_PUBLIC_URL"):
        assert f"settings: {variable}: " in done.stdout


def test_config_says_where_each_value_came_from_and_masks_secrets(tmp_path: Path) -> None:
    folder = a_dev_folder(tmp_path)
    done = sekisho("config", "--json", folder=folder, PORT="9123")
    rows = {row["variable"]: row for row in json.loads(done.stdout)["settings"]}
    assert (rows["SEKISHO_PORT"]["value"], rows["SEKISHO_PORT"]["origin"]) == ("9123", "environment PORT")
    assert rows["SEKISHO_SECRET"]["value"] == "********"
    assert SECRET not in done.stdout


def test_a_folder_without_state_is_production_unless_told_otherwise(tmp_path: Path) -> None:
    guessed = sekisho("user", "list", folder=tmp_path)
    assert guessed.returncode == 1
    assert "There is no .sekisho folder here" in guessed.stderr
    assert sekisho("--dev", "migrate", folder=tmp_path).returncode == 0
    assert sekisho("user", "list", folder=tmp_path).returncode == 0
    given = sekisho("--production", "user", "list", folder=tmp_path)
    assert given.returncode == 1
    assert "There is no .sekisho folder here" not in given.stderr


def test_openapi_prints_the_document_of_the_route_table(tmp_path: Path) -> None:
    assert json.loads(sekisho("openapi", folder=tmp_path).stdout) == document(ROUTES)
