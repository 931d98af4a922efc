"""The chain over the audit trail: whatever is changed behind the server's back is found, and where."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import pytest

from sekisho.audit.sealing import seal_waiting
from sekisho.audit.seals import BadHead, Seals
from sekisho.audit.verifying import Finding, Findings, verify_trail
from sekisho.master_secret import MasterSecret
from sekisho.model import AuditRecord, AuditSeal
from sekisho.ports.changes import AddAccount, AddAuditSeal, AppendAudit, EraseAccount
from sekisho.storage.sqlite import SqliteStore
from storage.build import NOW, account, done
from storage.fast import new_store

MASTER = MasterSecret(b"a secret of thirty-two bytes and more")
SEALS = Seals(MASTER)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = await new_store(tmp_path)
    yield opened
    await opened.close()


async def a_trail(store: SqliteStore, batches: int = 3, of: int = 4) -> list[AuditSeal]:
    for batch in range(batches):
        records = (
            AuditRecord(
                event="login", outcome="failure", at=NOW, account_id=f"a{batch}", ip=f"192.0.2.{n}", place="Osaka"
            )
            for n in range(of)
        )
        await done(store, *(AppendAudit(record=record) for record in records))
        await seal_waiting(store, SEALS, NOW)
    return await store.list_audit_seals(0, 100)


def behind_its_back(tmp_path: Path, sql: str) -> None:
    connection = apsw.Connection(str(tmp_path / "sekisho.db"))
    connection.execute(sql).fetchall()
    connection.close()


async def walked(store: SqliteStore, head: str | None = None, seals: Seals = SEALS) -> Findings:
    return await verify_trail(store, seals, NOW, seals.open_head(head) if head else None)


async def test_an_untouched_trail_is_whole(store: SqliteStore) -> None:
    seals = await a_trail(store)
    found = await walked(store, SEALS.sign_head(seals[-1]))
    assert (found.is_whole, found.records, found.seals, found.waiting) == (True, 12, 3, 0)


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("UPDATE audit SET outcome = 'success' WHERE seq = 6", [("record_changed", 6)]),
        ("UPDATE audit SET at = at + 1 WHERE seq = 6", [("record_changed", 6)]),
        ("UPDATE audit SET ip = '192.0.2.99' WHERE seq = 6", [("record_changed", 6)]),
        (
            "UPDATE audit SET ip = '', place = '', user_agent = '', device = '', identifier_tag = '' WHERE seq = 6",
            [("record_blanked", 6)],
        ),
        ("DELETE FROM audit WHERE seq = 6", [("record_missing", 6)]),
        ("UPDATE audit SET seq = 60 WHERE seq = 12", [("record_missing", 12), ("not_sealed", 60)]),
        ("DELETE FROM audit_seals WHERE number = 2", [("seal_missing", 2), ("record_added", 5)]),
        ("UPDATE audit_seals SET sealed_at = 1 WHERE number = 2", [("seal_changed", 2)]),
        ("UPDATE audit_seals SET lines = zeroblob(160) WHERE number = 2", [("seal_changed", 2)]),
        ("UPDATE audit_seals SET purge_tag = zeroblob(32) WHERE number = 2", [("seal_changed", 2)]),
        ("UPDATE audit_seals SET blank_tag = zeroblob(32) WHERE number = 2", [("seal_changed", 2)]),
    ],
)
async def test_V16_4_2_a_change_is_found_and_named(
    store: SqliteStore, tmp_path: Path, sql: str, found: list[tuple[str, int]]
) -> None:
    await a_trail(store)
    behind_its_back(tmp_path, sql)

    walk = await verify_trail(store, SEALS, NOW + 86_400_000)
    assert [Finding(kind, number) for kind, number in found] == list(walk.found)[: len(found)]


async def test_a_record_slipped_in_between_two_batches_is_found(store: SqliteStore, tmp_path: Path) -> None:
    await a_trail(store, batches=1)
    await store.apply(AppendAudit(record=AuditRecord(event="login", outcome="success", at=NOW)))
    behind_its_back(tmp_path, "UPDATE audit SET seq = 100 WHERE seq = 5")
    await seal_waiting(store, SEALS, NOW)
    behind_its_back(
        tmp_path,
        "INSERT INTO audit SELECT 50, event, outcome, at, account_id, session_id, client_id, method, reason, actor, "
        "identifier_tag, subject, ip, user_agent, place, device FROM audit WHERE seq = 1",
    )
    assert list((await walked(store)).found) == [Finding("record_added", 50)]


async def test_a_cut_end_is_found_by_a_head_that_was_kept_elsewhere(store: SqliteStore, tmp_path: Path) -> None:
    head = SEALS.sign_head((await a_trail(store))[-1])
    behind_its_back(tmp_path, "DELETE FROM audit_seals WHERE number = 3")
    behind_its_back(tmp_path, "DELETE FROM audit WHERE seq > 8")

    assert (await walked(store)).is_whole, "nothing inside the database can tell"
    assert list((await walked(store, head)).found) == [Finding("head_unknown", 3)]


async def test_an_end_that_was_cut_and_grown_again_is_found_by_its_head(store: SqliteStore, tmp_path: Path) -> None:
    head = SEALS.sign_head((await a_trail(store))[-1])
    behind_its_back(tmp_path, "DELETE FROM audit_seals WHERE number = 3")
    behind_its_back(tmp_path, "DELETE FROM audit WHERE seq = 12")
    await seal_waiting(store, SEALS, NOW)

    assert list((await walked(store, head)).found) == [Finding("head_unknown", 3)]


def seals_after(replaced_at: AuditSeal) -> Seals:
    """Return those of a secret that took over when this was the last seal."""
    secret = secrets.token_bytes(32)
    new = MasterSecret(secret)
    new.recall(MASTER.replaced_by(MasterSecret(secret), NOW, replaced_at.number, replaced_at.digest))
    return Seals(new)


async def test_V16_4_2_with_a_secret_that_was_replaced_the_past_cannot_be_written_anew(
    store: SqliteStore, tmp_path: Path
) -> None:
    new = seals_after((await a_trail(store))[-1])
    assert (await walked(store, seals=new)).is_whole

    behind_its_back(tmp_path, "DELETE FROM audit_seals")
    behind_its_back(tmp_path, "UPDATE audit SET place = 'Kyoto'")
    records = await store.read_audit(0, 12, 12)
    previous = None
    for start in range(0, 12, 4):
        previous = SEALS.make(previous, records[start : start + 4], NOW)
        await done(store, AddAuditSeal(seal=previous))

    assert (await walked(store)).is_whole, "the one who did it has the keys of then"
    assert list((await walked(store, seals=new)).found) == [Finding("seal_changed", 3)]


async def test_V16_4_2_a_trail_that_ends_before_its_secret_was_replaced_was_cut(
    store: SqliteStore, tmp_path: Path
) -> None:
    new = seals_after((await a_trail(store))[-1])
    behind_its_back(tmp_path, "DELETE FROM audit_seals WHERE number > 1")
    behind_its_back(tmp_path, "DELETE FROM audit WHERE seq > 4")

    assert list((await walked(store, seals=new)).found) == [Finding("seal_missing", 2), Finding("seal_missing", 3)]


async def test_another_secret_makes_no_link_and_signs_no_head(store: SqliteStore) -> None:
    seals = await a_trail(store)
    others = Seals(MasterSecret(secrets.token_bytes(32)))

    assert not (await verify_trail(store, others, NOW)).is_whole
    with pytest.raises(BadHead):
        SEALS.open_head(others.sign_head(seals[-1]))
    with pytest.raises(BadHead):
        SEALS.open_head("not a head")


async def test_a_withdrawal_explains_what_it_blanked_and_nothing_else(store: SqliteStore, tmp_path: Path) -> None:
    person = account()
    await done(store, AddAccount(account=person))
    lines = [
        AuditRecord(event="sign_up", outcome="failure", at=NOW, identifier_tag="tag", ip="192.0.2.1"),
        AuditRecord(event="login", outcome="success", at=NOW, account_id=person.id, ip="192.0.2.1"),
        AuditRecord(event="login", outcome="success", at=NOW, account_id="another", ip="192.0.2.1"),
    ]
    await done(store, *(AppendAudit(record=each) for each in lines))
    await seal_waiting(store, SEALS, NOW)
    leaving = AuditRecord(event="withdrawal", outcome="success", at=NOW, account_id=person.id)
    erase = EraseAccount(account_id=person.id, security_version=1, identifier_tag="tag")
    await done(store, erase, AppendAudit(record=leaving))

    found = await walked(store)
    assert (found.is_whole, found.blanked_withdrawn, found.blanked_without_account, found.waiting) == (True, 1, 1, 1)

    behind_its_back(tmp_path, "UPDATE audit SET ip = '' WHERE account_id = 'another'")
    assert list((await walked(store)).found) == [Finding("record_blanked", 3)]
