"""Promises about raising the epoch after a restore."""

from __future__ import annotations

import pytest

from sekisho.model import EndReason
from sekisho.ports.changes import ConsumeCode, QueueMail, RaiseEpoch
from sekisho.ports.storage import AuditFilter, Ended, Store
from storage.build import MINUTE, NOW, done, lost, new_id, rotate, sign_up, signed_in


def raise_epoch() -> RaiseEpoch:
    return RaiseEpoch(generation="the next", now=NOW, journal_until_at=NOW + MINUTE)


@pytest.mark.anyio
class RestoringContract:
    async def test_every_live_session_ends_once_with_its_audit_and_journal_lines(self, store: Store) -> None:
        sessions = [(await signed_in(store))[1] for _ in range(3)]

        assert await done(store, raise_epoch()) == (3,)
        assert await done(store, raise_epoch()) == (0,)

        for session in sessions:
            found = await store.find_session(session.id)
            assert found is not None
            assert (found.ended_at, found.end_reason) == (NOW, EndReason.RESTORED)
            assert isinstance((await done(store, rotate(session)))[0], Ended)
        lines = await store.list_audit(AuditFilter(event="session_ended"))
        assert sorted(line.session_id for line in lines) == sorted(session.id for session in sessions)
        page = await store.read_journal(0)
        assert sorted(entry.value for entry in page.entries) == sorted(session.id for session in sessions)

    async def test_codes_are_spent_mail_is_dropped_and_journal_readers_start_over(self, store: Store) -> None:
        pending = sign_up()
        await done(store, pending, QueueMail(id=new_id(), sealed=b"sealed", now=NOW))
        before = (await store.read_journal(0)).generation

        await done(store, raise_epoch())

        code = pending.code
        spent = ConsumeCode(id=code.id, purpose=code.purpose, code_hash=code.code_hash, now=NOW)
        assert await lost(store, spent) == "code_gone"
        assert await store.next_mail_at() is None
        assert before != (await store.read_journal(0)).generation == "the next"
