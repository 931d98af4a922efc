"""`sekisho audit`: what the trail holds, for people and programs, and the proof that it is whole."""

from __future__ import annotations

import asyncio
import csv
import json
import stat
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import apsw
import pytest

from live_server import sekisho
from sekisho.audit.sealing import seal_waiting
from sekisho.audit.seals import Seals
from sekisho.master_secret import MasterSecret
from sekisho.model import AuditRecord
from sekisho.ports.changes import AppendAudit
from sekisho.storage.sqlite import SqliteStore
from storage.fast import new_store

SECRET = "rJ5mVb0nT7hYq2uKxW9sDf4gLz8cAe1pQ6oIi3vBtEyUkMw"
NOW = 1_750_000_000_000
LINES = (
    AuditRecord(event="login", outcome="success", at=NOW, account_id="a", method="pwd", ip="192.0.2.1"),
    AuditRecord(event="login", outcome="failure", at=NOW, account_id="a", method="pwd", reason="wrong_password"),
    AuditRecord(event="login", outcome="failure", at=NOW, method="pwd", reason="unknown_account", user_agent="=1+1"),
    AuditRecord(event="session_ended", outcome="success", at=NOW, account_id="a", reason="logout"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A development folder whose trail is sealed, with no server that runs."""
    state = tmp_path / ".sekisho"
    state.mkdir(mode=0o700)
    (state / "secret").write_text(SECRET)
    (state / "secret").chmod(0o600)

    async def fill() -> None:
        store = await new_store(state)
        await store.apply(*(AppendAudit(record=each) for each in LINES))
        seal = await seal_waiting(store, SEALS, NOW)
        assert seal is not None
        (state / "sekisho.audit-head").write_text(SEALS.sign_head(seal))
        await store.close()

    asyncio.run(fill())
    (state / "sekisho.db").chmod(0o600)
    return tmp_path


SEALS = Seals(MasterSecret(SECRET.encode()))


def audit(folder: Path, *words: str) -> CompletedProcess[str]:
    return sekisho("--dev", "audit", *words, folder=folder)


def told(folder: Path, *words: str) -> Any:
    done = audit(folder, *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def behind_its_back(folder: Path, sql: str) -> None:
    connection = apsw.Connection(str(folder / ".sekisho" / "sekisho.db"))
    connection.execute(sql).fetchall()
    connection.close()


def test_verify_says_that_the_trail_is_whole_and_up_to_when(folder: Path) -> None:
    done = audit(folder, "verify")
    assert done.returncode == 0
    assert "4 records in 1 seals" in done.stdout
    assert told(folder, "verify")["head_checked"] is True


def test_V16_4_2_verify_names_what_was_changed_and_fails(folder: Path) -> None:
    behind_its_back(folder, "UPDATE audit SET outcome = 'success', reason = '' WHERE seq = 2")
    done = audit(folder, "verify")
    assert done.returncode == 1
    assert "Record 2 was changed" in done.stdout

    behind_its_back(folder, "DELETE FROM audit_seals")
    behind_its_back(folder, "DELETE FROM audit")
    done = audit(folder, "verify", "--json")
    assert (done.returncode, json.loads(done.stdout)["found"]) == (1, [{"kind": "head_unknown", "number": 1}])


def test_a_head_can_be_kept_elsewhere_and_a_wrong_one_is_refused(folder: Path) -> None:
    kept = folder / "kept"
    kept.write_text(audit(folder, "head").stdout)
    assert told(folder, "verify", "--head", str(kept))["whole"] is True

    kept.write_text(Seals(MasterSecret(b"another secret of thirty-two bytes")).sign_head(_a_seal(folder)))
    wrong, missing = audit(folder, "verify", "--head", str(kept)), audit(folder, "verify", "--head", "nowhere")
    assert wrong.returncode == missing.returncode == 1
    assert "SEKISHO_SECRET" in wrong.stderr
    assert "nowhere" in missing.stderr


def _a_seal(folder: Path) -> Any:
    async def last() -> Any:
        store = await SqliteStore.open(folder / ".sekisho" / "sekisho.db")
        try:
            return await store.last_audit_seal()
        finally:
            await store.close()

    return asyncio.run(last())


def test_records_are_counted_and_reported(folder: Path) -> None:
    counts = told(folder, "count", "--event", "login")
    assert counts["total"] == 3
    report = audit(folder, "report", "--since", "2025-01-01", "--format", "json")
    assert json.loads(report.stdout)["failures"] == {"unknown_account": 1, "wrong_password": 1}
    assert json.loads(report.stdout)["ended"] == {"logout": 1}
    assert json.loads(report.stdout)["adoption"] == {"accounts": 0, "with_factor": 0}
    assert "wrong_password" in audit(folder, "report", "--since", "2025-01-01").stdout
    assert "<td>1</td>" in audit(folder, "report", "--since", "2025-01-01", "--format", "html").stdout
    ever = ("--since", "0001-01-01T00:00:00+14:00", "--until", "9999-12-31T23:59:59-14:00", "--format", "json")
    whole = json.loads(audit(folder, "report", *ever).stdout)
    assert (whole["since"], whole["until"]) == ("1970-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z")
    assert whole["failures"] == {"unknown_account": 1, "wrong_password": 1}


def test_a_report_is_asked_for_as_json_like_everything_else(folder: Path) -> None:
    period = ("--since", "2025-01-01", "--until", "2100-01-01")
    by_format = audit(folder, "report", *period, "--format", "json")
    assert audit(folder, "report", *period, "--json").stdout == by_format.stdout
    assert audit(folder, "report", *period, "--json", "--format", "json").stdout == by_format.stdout

    torn = audit(folder, "report", "--json", "--format", "html")
    assert (torn.returncode, torn.stdout) == (2, "")
    assert json.loads(torn.stderr) == {"error": "usage", "message": "Choose one of --json and --format html."}
    for asked in (("--json",), ("--format", "json"), ("--format=json",)):
        wrong = audit(folder, "report", "--since", "yesterday", *asked)
        assert (wrong.returncode, json.loads(wrong.stderr)["details"]) == (1, {"since": "bad_time"})
        unknown = audit(folder, "report", "--form", *asked)
        assert (unknown.returncode, json.loads(unknown.stderr)["error"]) == (2, "usage")


def test_an_export_holds_every_record_and_is_its_owners(folder: Path) -> None:
    target = folder / "trail.jsonl"
    assert audit(folder, "export", "--output", str(target)).returncode == 0
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    assert [line["seq"] for line in lines] == [4, 3, 2, 1]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600

    again = audit(folder, "export", "--output", str(target))
    assert again.returncode == 1
    assert "Traceback" not in again.stderr
    one = audit(folder, "export", "--event", "session_ended")
    assert len(one.stdout.splitlines()) == 1


def test_a_script_hears_of_the_file_that_an_export_wrote(folder: Path) -> None:
    target = folder / "trail.jsonl"
    assert told(folder, "export", "-o", str(target)) == {"records": 4, "path": str(target)}
    assert len(target.read_text().splitlines()) == 4
    again = audit(folder, "export", "-o", str(target), "--json")
    assert (again.returncode, json.loads(again.stderr)["error"]) == (1, "file_exists")
    no_file = audit(folder, "export", "--json")
    assert (no_file.returncode, no_file.stdout, json.loads(no_file.stderr)["error"]) == (2, "", "usage")


@pytest.mark.parametrize("command", ["list", "count"])
def test_a_word_that_no_record_can_have_is_named_to_scripts_too(folder: Path, command: str) -> None:
    done = audit(folder, command, "--outcome", "perhaps", "--json")
    assert (done.returncode, list(json.loads(done.stderr)["details"])) == (1, ["outcome"])


def test_a_trail_without_a_seal_has_no_head_for_scripts_either(folder: Path) -> None:
    assert told(folder, "head") == {"head": audit(folder, "head").stdout.strip()}
    behind_its_back(folder, "DELETE FROM audit_seals")
    without = audit(folder, "head", "--json")
    assert (without.returncode, without.stdout, json.loads(without.stderr)["error"]) == (1, "", "not_sealed")


def test_V1_2_10_a_spreadsheet_finds_no_formula_in_an_export(folder: Path) -> None:
    rows = list(csv.DictReader(audit(folder, "export", "--format", "csv").stdout.splitlines()))
    assert [row["user_agent"] for row in rows if row["seq"] == "3"] == ["'=1+1"]
