"""`init`, `migrate`, `doctor`, `config`, `openapi`: setting an installation up and looking at it."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from cli.test_starts import SECRET, a_dev_folder
from free_ports import free_port
from live_server import environment, sekisho
from sekisho.http.openapi import document
from sekisho.http.routes import ROUTES
from sekisho.ports.clock import CLOCK_SKEW_MS


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


@contextmanager
def smtp_server() -> Iterator[int]:
    """Answer as a mail server on the port that is given, for as long as the block runs."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                client.sendall(b"220 here\r\n")
                while line := client.recv(1024):
                    client.sendall(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 here\r\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield int(listener.getsockname()[1])
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


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
    as_json = json.loads(sekisho("migrate", "--sql", "--json", folder=tmp_path, **given).stdout)
    assert as_json == {"database": str(tmp_path / "live.db"), "sql": sql}
    assert not (tmp_path / "live.db").exists()
    first = json.loads(sekisho("migrate", "--json", folder=tmp_path, **given).stdout)
    again = json.loads(sekisho("migrate", "--json", folder=tmp_path, **given).stdout)
    assert (first["before"], again["before"]) == (None, first["revision"])
    assert stat.S_IMODE((tmp_path / "live.db").stat().st_mode) == 0o600
    nothing = sekisho("migrate", "--sql", folder=tmp_path, **given)
    assert nothing.stdout == ""
    assert "is at schema" in nothing.stderr


def settings_in(path: Path, **given: str) -> dict[str, str]:
    """Return what a shell has after it has read the file, with some values replaced or, by "unset", left out."""
    lines = (line.split("=", 1) for line in path.read_text().splitlines() if line and not line.startswith("#"))
    found = {name: value.strip("'") for name, value in lines} | given
    return {name: value for name, value in found.items() if value != "unset"}


def test_the_commands_that_init_prints_lead_to_a_healthy_installation(tmp_path: Path) -> None:
    folder = tmp_path / "a folder; with spaces"
    folder.mkdir()
    done = sekisho("init", folder=folder)
    path = folder / "sekisho.env"
    commands = [line.strip() for line in done.stdout.splitlines() if line.startswith("  ")]
    assert commands[0] == f"set -a; . '{path}'; set +a"
    assert [command.rpartition(" ")[2] for command in commands[1:]] == ["migrate", "doctor", "serve"]

    # The person edits the file, as it says.
    given = settings_in(path)
    assert "SEKISHO_MAIL__USER" not in given
    with smtp_server() as port:
        edits = {
            "SEKISHO_PUBLIC_URL": "https://auth.mail.test",
            "SEKISHO_DATABASE_URL": f"sqlite:///{folder}/live.db",
            "SEKISHO_ALLOWED_ORIGINS": "",
            "SEKISHO_MAIL__HOST": "127.0.0.1",
            "SEKISHO_MAIL__PORT": str(port),
            "SEKISHO_MAIL__FROM": "no-reply@mail.test",
            "SEKISHO_MAIL__TLS": "off",
        }
        path.write_text(path.read_text() + "".join(f"{name}='{value}'\n" for name, value in edits.items()))
        script = " && ".join((commands[0], *commands[1:3]))
        run = subprocess.run(["sh", "-c", script], cwd=folder, env=environment(), capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "No problems found." in run.stdout


def test_doctor_names_the_settings_that_are_still_the_examples_of_init(tmp_path: Path) -> None:
    sekisho("init", folder=tmp_path)
    given = settings_in(tmp_path / "sekisho.env", SEKISHO_DATABASE_URL=f"sqlite:///{tmp_path}/live.db")
    sekisho("migrate", folder=tmp_path, **given)
    # No test asks who example.com is.
    given |= {"SEKISHO_MAIL__HOST": "127.0.0.1", "SEKISHO_MAIL__PORT": "1"}
    code, found = checks(tmp_path, **given)
    assert (code, found["examples"]["state"]) == (1, "problem")
    named = found["examples"]["text"].removesuffix(".").partition(": ")[2].split(", ")
    assert named == [
        "SEKISHO_PUBLIC_URL",
        "SEKISHO_ALLOWED_ORIGINS",
        "SEKISHO_MAIL__FROM",
    ]


def test_init_names_the_choices_of_a_setting(tmp_path: Path) -> None:
    text = sekisho("init", "--print", folder=tmp_path).stdout
    assert "One of: standard, strict, legacy." in text
    assert "One of: ES256, Ed25519, RS256, HS256." in text
    as_json = json.loads(sekisho("init", "--print", "--json", folder=tmp_path).stdout)
    assert as_json["path"] is None
    assert "One of: standard, strict, legacy." in as_json["text"]


@pytest.mark.parametrize("command", ["serve", "doctor", "user list"])
def test_a_database_that_was_never_made_is_said_as_that(tmp_path: Path, command: str) -> None:
    done = sekisho(*command.split(), folder=tmp_path, PORT=str(free_port()), **production(tmp_path))
    said = done.stdout + done.stderr
    assert f"There is no database at {tmp_path}/live.db yet: run `" in said
    assert " -m sekisho migrate`" in said
    assert "backup" not in said


@pytest.mark.parametrize("command", ["serve", "doctor", "migrate"])
def test_a_missing_folder_comes_with_the_command_that_makes_it(tmp_path: Path, command: str) -> None:
    given = production(tmp_path, SEKISHO_DATABASE_URL=f"sqlite:///{tmp_path}/new folder/live.db")
    done = sekisho(command, folder=tmp_path, PORT=str(free_port()), **given)
    said = done.stdout + done.stderr
    assert f"The folder {tmp_path}/new folder does not exist." in said
    assert f"install -d -m 700 '{tmp_path}/new folder'" in said


def test_a_file_without_tables_is_to_be_migrated_without_a_backup(tmp_path: Path) -> None:
    (tmp_path / "live.db").touch()
    done = sekisho("user", "list", folder=tmp_path, **production(tmp_path))
    assert done.stderr.startswith(f"The database {tmp_path}/live.db has no tables yet: run `")


def test_doctor_finds_a_folder_healthy_whose_server_was_never_started(tmp_path: Path) -> None:
    folder = a_dev_folder(tmp_path)
    code, found = checks(folder)
    assert (code, found["keys"]["text"]) == (0, "There are no signing keys yet; the first start makes them.")
    sekisho("key", "rotate", folder=folder)
    code, found = checks(folder)
    assert (code, found["keys"]["text"].startswith("Active signing key")) == (0, True)


@pytest.mark.parametrize("command", ["doctor", "config"])
def test_a_look_into_the_wrong_folder_gets_a_hint(tmp_path: Path, command: str) -> None:
    done = sekisho(command, folder=tmp_path)
    assert "There is no .sekisho folder here" in done.stdout + done.stderr
    assert (
        "There is no .sekisho folder here" in sekisho(command, "--json", folder=tmp_path).stdout or command == "config"
    )


@pytest.mark.parametrize("command", ["doctor", "config", "user list", "migrate --sql"])
def test_a_look_never_makes_development_data(tmp_path: Path, command: str) -> None:
    done = sekisho("--dev", *command.split(), folder=tmp_path)
    assert done.returncode == 1
    assert "No development data here yet" in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_list_of_keys_says_that_hs256_uses_none_of_them(tmp_path: Path) -> None:
    folder = a_dev_folder(tmp_path)
    sekisho("key", "rotate", folder=folder)
    said = sekisho("key", "list", folder=folder, JWT_SECRET_KEY=SECRET[::-1]).stdout
    assert said.startswith("HS256 is set: the one key in use is SEKISHO_JWT__SECRET_KEY")
    assert "ES256" in said


def test_a_key_that_is_not_there_is_said_before_anything_is_asked(tmp_path: Path) -> None:
    done = sekisho("key", "compromise", "nosuch", folder=a_dev_folder(tmp_path))
    assert (done.returncode, done.stderr.startswith("There is no signing key nosuch.")) == (1, True)


def test_doctor_names_each_problem_with_its_fix(tmp_path: Path) -> None:
    given = production(tmp_path, SEKISHO_PUBLIC_URL="https://auth.mail.test")
    sekisho("migrate", folder=tmp_path, **given)
    path = tmp_path / "live.db"
    path.chmod(0o644)
    connection = apsw.Connection(str(path))
    # What nodes would not bear of each other is a problem to doctor, too.
    ahead = time.time_ns() // 1_000_000 + 30_000
    known = {"event": "login", "outcome": "success", "at": ahead, "actor": "account"}
    columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(audit)") if name != "seq"]
    connection.execute(
        f"INSERT INTO audit ({', '.join(columns)}) VALUES ({', '.join('?' for _ in columns)})",
        [known.get(name, "") for name in columns],
    )
    connection.close()
    code, found = checks(tmp_path, **given)
    problems = {name: check["fix"] for name, check in found.items() if check["state"] == "problem"}
    assert (code, set(problems)) == (1, {"files", "smtp", "clock"})
    assert problems["files"].startswith("chmod 600 ")
    assert f"a difference of {CLOCK_SKEW_MS // 1000} seconds" in problems["clock"]
    assert all(problems.values())


def test_doctor_connects_to_the_gateway_for_text_messages_and_sends_nothing(tmp_path: Path) -> None:
    offered = {
        "SEKISHO_FACTORS__KINDS": "totp,sms",
        "SEKISHO_SMS__COUNTRIES": "JP",
        "SEKISHO_SMS__SECRET": "Qm4vT8zWc1Kp7Yx3Rb9Ld5Hf2Gj6Ns0Ae-UiOtVyBwMk",
    }
    with socket.create_server(("127.0.0.1", 0)) as gateway:
        port = gateway.getsockname()[1]
        url = f"http://127.0.0.1:{port}/secret-path"
        _, found = checks(tmp_path, **production(tmp_path, **offered, SEKISHO_SMS__URL=url))
        came, _ = gateway.accept()
        assert came.recv(100) == b""
        came.close()
    assert found["sms"]["state"] == "ok"
    assert "500" in found["sms"]["text"]

    _, found = checks(tmp_path, **production(tmp_path, **offered, SEKISHO_SMS__URL=url))
    assert found["sms"]["state"] == "problem"
    assert "SEKISHO_SMS__URL" in found["sms"]["fix"]
    assert "secret-path" not in str(found["sms"])

    # An address of this machine under another name: nothing of it is reached.
    _, found = checks(tmp_path, **production(tmp_path, **offered, SEKISHO_SMS__URL="https://127.0.0.2:1/"))
    assert "SEKISHO_SMS__PRIVATE_NETWORK" in found["sms"]["fix"]

    _, found = checks(tmp_path, **production(tmp_path))
    assert found["sms"]["state"] == "skipped"


def test_doctor_connects_to_the_receiver_of_alerts_and_sends_nothing(tmp_path: Path) -> None:
    signed = {"SEKISHO_ALERTS__SECRET": "Qm4vT8zWc1Kp7Yx3Rb9Ld5Hf2Gj6Ns0Ae-UiOtVyBwMk"}
    with socket.create_server(("127.0.0.1", 0)) as receiver:
        port = receiver.getsockname()[1]
        url = f"http://127.0.0.1:{port}/secret-path"
        _, found = checks(tmp_path, **production(tmp_path, **signed, SEKISHO_ALERTS__URL=url))
        came, _ = receiver.accept()
        assert came.recv(100) == b""
        came.close()
    assert found["alerts"]["state"] == "ok"
    assert "`warning`" in found["alerts"]["text"]

    code, found = checks(tmp_path, **production(tmp_path, **signed, SEKISHO_ALERTS__URL=url))
    assert (code, found["alerts"]["state"]) == (1, "problem")
    assert "SEKISHO_ALERTS__URL" in found["alerts"]["fix"]
    assert "secret-path" not in str(found["alerts"])

    _, found = checks(tmp_path, **production(tmp_path, **signed, SEKISHO_ALERTS__URL="https://127.0.0.2:1/"))
    assert "SEKISHO_ALERTS__PRIVATE_NETWORK" in found["alerts"]["fix"]

    _, found = checks(tmp_path, **production(tmp_path))
    assert found["alerts"]["state"] == "skipped"


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
