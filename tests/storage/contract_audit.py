"""Promises about sealing the audit trail."""

from __future__ import annotations

from asyncio import gather

import pytest

from sekisho.audit.sealing import Retention, retire, seal_waiting
from sekisho.audit.seals import Seals, is_blank
from sekisho.audit.verifying import verify_trail
from sekisho.master_secret import MasterSecret
from sekisho.model import AccountId, AuditRecord, Trace
from sekisho.ports.changes import AddAuditSeal, AppendAudit, BlankSealedAudit, PurgeSealedAudit, SwapMeta
from sekisho.ports.storage import AuditCount, AuditFilter, Store
from storage.build import DAY, NOW, done, lost

SEALS = Seals(MasterSecret(b"a secret of thirty-two bytes and more"))


def line(number: int) -> AppendAudit:
    record = AuditRecord(event="login", outcome="success", at=NOW, account_id=f"a{number}", ip="203.0.113.7")
    return AppendAudit(record=record)


OWNER = AccountId("owner")


def trace(
    account_id: str = OWNER, *, event: str = "login", outcome: str = "success", at: int = NOW, **words: str
) -> AppendAudit:
    return AppendAudit(record=AuditRecord(event=event, outcome=outcome, at=at, account_id=account_id, **words))


@pytest.mark.anyio
class AuditContract:
    async def test_records_are_read_in_the_order_of_their_numbers(self, store: Store) -> None:
        await done(store, *(line(number) for number in range(5)))

        whole = await store.read_audit_to_seal(0, 100)
        assert [each.account_id for each in whole] == [f"a{number}" for number in range(5)]
        assert await store.read_audit_to_seal(whole[1].seq, 2) == whole[2:4]
        assert await store.read_audit(whole[0].seq, whole[3].seq, 100) == whole[1:4]

    async def test_traces_are_the_newest_records_of_an_account(self, store: Store) -> None:
        words = {"session_id": "s", "reason": "r", "ip": "i", "device": "d", "user_agent": "u"}
        await done(store, *(trace(at=NOW + number) for number in range(5)), trace("other"), trace(at=NOW + 5, **words))
        newest, *older = await store.list_traces(OWNER, newest=3, sign_ins=2)
        assert newest == Trace("login", "success", NOW + 5, "s", "r", "i", "d", "u", newest.seq)
        assert [each.at - NOW for each in older] == [4, 3]
        assert newest.seq > older[0].seq > older[1].seq
        assert await store.list_traces(AccountId("nobody"), newest=3, sign_ins=2) == []

    async def test_sign_ins_stand_behind_records_that_hide_them_all(self, store: Store) -> None:
        await done(
            store,
            trace(event="sign_up", at=NOW),
            *(trace(at=NOW + number) for number in (1, 2)),
            trace(event="logout", at=NOW + 3),
            trace("other", at=NOW + 4),
            *(trace(outcome="failure", at=NOW + number) for number in range(5, 9)),
        )
        expected = {2: [8, 7, 2, 1], 4: [8, 7, 6, 5, 2, 1], 9: [8, 7, 6, 5, 3, 2, 1, 0]}
        for newest, times in expected.items():
            found = await store.list_traces(OWNER, newest=newest, sign_ins=2)
            assert [each.at - NOW for each in found] == times
        assert [each.event for each in await store.list_traces(OWNER, newest=2, sign_ins=3)][-1] == "sign_up"

    async def test_numbers_that_are_given_out_are_waited_for(self, store: Store) -> None:
        """Everything that a sealer reads stays the beginning of what it reads later."""
        seen: list[AuditRecord] = []

        async def read_along() -> None:
            for _ in range(20):
                page = await store.read_audit_to_seal(0, 1000)
                assert page[: len(seen)] == seen
                seen[:] = page

        await gather(read_along(), *(store.apply(line(n), line(n)) for n in range(60)))
        assert len(await store.read_audit_to_seal(0, 1000)) == 120

    async def test_of_nodes_that_seal_at_once_one_takes_each_number(self, store: Store) -> None:
        await done(store, *(line(number) for number in range(30)))

        await gather(*(seal_waiting(store, SEALS, NOW) for _ in range(5)))

        seals = await store.list_audit_seals(0, 100)
        assert [seal.number for seal in seals] == [1]
        assert await store.last_audit_seal() == seals[0]
        assert (await verify_trail(store, SEALS, NOW)).is_whole

    async def test_a_seal_that_does_not_follow_the_last_one_loses(self, store: Store) -> None:
        await done(store, line(1), line(2))
        records = await store.read_audit_to_seal(0, 10)
        first = SEALS.make(None, records[:1], NOW)
        second = SEALS.make(first, records[1:], NOW)

        assert await lost(store, AddAuditSeal(seal=second)) == "seal_taken"
        await done(store, AddAuditSeal(seal=first))
        assert await lost(store, AddAuditSeal(seal=first)) == "seal_taken"
        await done(store, AddAuditSeal(seal=second))
        assert await store.list_audit_seals(1, 10) == [second]

    async def test_V14_2_7_an_aged_batch_is_blanked_and_then_purged_once(self, store: Store) -> None:
        await done(store, line(1), line(2))
        await seal_waiting(store, SEALS, NOW)
        await done(store, line(3))
        await seal_waiting(store, SEALS, NOW + 10 * DAY)

        await retire(store, SEALS, Retention(personal_ms=5 * DAY, records_ms=None), NOW + 11 * DAY)
        newest, *older = await store.list_audit(AuditFilter())
        assert not is_blank(newest)
        assert [is_blank(each) for each in older] == [True, True]
        blanked = await verify_trail(store, SEALS, NOW + 10 * DAY)
        assert blanked.is_whole
        assert blanked.blanked_aged == 2

        await retire(store, SEALS, Retention(personal_ms=None, records_ms=5 * DAY), NOW + 11 * DAY)
        assert [each.account_id for each in await store.list_audit(AuditFilter())] == ["a3"]
        assert await lost(store, BlankSealedAudit(number=1, tag=b"x")) == "no_seal"
        assert await lost(store, PurgeSealedAudit(number=1, tag=b"x")) == "no_seal"
        purged = await verify_trail(store, SEALS, NOW + 10 * DAY)
        assert (purged.is_whole, purged.purged, purged.records) == (True, 1, 1)

    async def test_records_are_counted_by_what_they_say(self, store: Store) -> None:
        records = [
            AuditRecord(event="login", outcome="failure", at=NOW + n, reason=reason, method="pwd", account_id="a")
            for n, reason in enumerate(("wrong_password", "no_password", "wrong_password"))
        ]
        await done(store, *(AppendAudit(record=each) for each in records), line(1))

        assert await store.count_audit(AuditFilter(account_id="a", limit=1)) == [
            AuditCount("login", "failure", "no_password", "pwd", 1),
            AuditCount("login", "failure", "wrong_password", "pwd", 2),
        ]
        assert await store.count_audit(AuditFilter(since_at=NOW + 1, outcome="success")) == []

    async def test_of_those_who_swap_a_fact_at_once_one_wins(self, store: Store) -> None:
        first = [SwapMeta(name="place", was=None, value=f"a{n}") for n in range(10)]
        won = [change for change in first if (await store.apply(change)).lost is None]
        assert len(won) == 1

        second = [SwapMeta(name="place", was=won[0].value, value=f"b{n}") for n in range(10)]
        outcomes = await gather(*(store.apply(change) for change in second))
        winners = [change.value for change, each in zip(second, outcomes, strict=True) if each.lost is None]
        assert [await store.find_meta("place")] == winners
        assert await lost(store, first[0]) == "fact_moved"
