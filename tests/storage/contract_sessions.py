"""Promises about the start and the end of sessions."""

from __future__ import annotations

from asyncio import gather

import pytest

from sekisho.model import AccountStatus, Device, EndReason, SessionId, Transport
from sekisho.ports.changes import (
    AddAccount,
    EndExpiredSessions,
    EndSessions,
    EraseAccount,
    SetAccountStatus,
    SetPassword,
    TouchSession,
)
from sekisho.ports.storage import AuditFilter, Committed, Store
from storage.build import (
    DAY,
    FROM,
    JOURNAL_UNTIL,
    MINUTE,
    NOW,
    account,
    done,
    end,
    lost,
    session,
    signed_in,
    start,
    unnumbered,
)


def end_all(account_id: str, **given: object) -> EndSessions:
    return EndSessions(
        **{  # type: ignore[arg-type]
            "account_id": account_id,
            "reason": EndReason.LOGOUT_ALL,
            "now": NOW,
            "journal_until_at": JOURNAL_UNTIL,
            "origin": FROM,
            **given,
        }
    )


def expire(now: int, *, limit: int) -> EndExpiredSessions:
    return EndExpiredSessions(now=now, journal_until_at=JOURNAL_UNTIL, limit=limit)


class SessionContract:
    async def test_a_session_is_found_as_it_was_started(self, store: Store) -> None:
        owner = account()
        started = session(
            owner,
            transport=Transport.COOKIE,
            device=Device("My phone", "Android", "Firefox", "mobile"),
            place="京都",
            amr=("pwd", "otp"),
            acr="aal2",
        )
        assert await done(store, AddAccount(account=owner), start(started)) == (None, ())
        assert await store.find_session(started.id) == started

    async def test_a_session_is_found_together_with_its_own_account(self, store: Store) -> None:
        signed = [await signed_in(store) for _ in range(3)]
        for owner, started in signed:
            assert await store.find_session_and_account(started.id) == (started, owner)
        owner, ended = signed[0]
        await done(store, end(ended))
        found = await store.find_session_and_account(ended.id)
        assert found is not None
        assert found[0].ended_at == NOW
        assert await store.find_session_and_account(SessionId("unknown")) is None

    async def test_the_idle_end_never_passes_the_absolute_end(self, store: Store) -> None:
        _, first = await signed_in(store, idle_expires_at=NOW + 100 * DAY, expires_at=NOW + DAY)
        found = await store.find_session(first.id)
        assert found is not None
        assert found.idle_expires_at == NOW + DAY

    async def test_a_stale_version_or_an_inactive_account_starts_nothing(self, store: Store) -> None:
        owner = account()
        await done(store, AddAccount(account=owner))
        assert await lost(store, start(session(owner), security_version=2)) == "security_version"
        assert await lost(store, start(session(account()))) == "security_version"
        await done(store, SetAccountStatus(account_id=owner.id, expected="active", status="disabled"))
        assert await lost(store, start(session(owner), security_version=2)) == "security_version"
        assert await store.list_sessions(owner.id, NOW) == []

    async def test_a_login_that_hashed_while_the_password_changed_starts_nothing(self, store: Store) -> None:
        owner = account()
        await done(store, AddAccount(account=owner))
        await done(store, SetPassword(account_id=owner.id, security_version=1, password_hash="$new"))
        assert await lost(store, start(session(owner), security_version=1)) == "security_version"

    async def test_one_session_too_many_evicts_the_least_recently_used(self, store: Store) -> None:
        owner = account()
        older, newer = session(owner, last_seen_at=NOW - 2), session(owner, last_seen_at=NOW - 1, created_at=NOW - 9)
        third = session(owner)
        await done(store, AddAccount(account=owner), start(newer), start(older))
        assert await done(store, start(third, max_sessions=2)) == ((older.id,),)
        assert [one.id for one in await store.list_sessions(owner.id, NOW)] == [third.id, newer.id]

    async def test_an_eviction_has_its_audit_record_and_its_journal_entry(self, store: Store) -> None:
        owner, first = await signed_in(store)
        await done(store, start(session(owner), max_sessions=1))
        (record,) = await store.list_audit(AuditFilter(event="session_ended"))
        assert (record.outcome, record.reason, record.session_id) == ("success", "evicted", first.id)
        assert (record.account_id, record.client_id, record.actor) == (owner.id, first.client_id, "account")
        assert (record.ip, record.user_agent, record.at) == (FROM.ip, FROM.user_agent, NOW)
        (entry,) = (await store.read_journal(0)).entries
        assert (entry.kind, entry.value, entry.reason, entry.expires_at) == ("sid", first.id, "evicted", JOURNAL_UNTIL)
        found = await store.find_session(first.id)
        assert found is not None
        assert (found.ended_at, found.end_reason) == (NOW, "evicted")

    async def test_a_session_that_expired_takes_no_place(self, store: Store) -> None:
        owner, _ = await signed_in(store, idle_expires_at=NOW)
        assert await done(store, start(session(owner), max_sessions=1)) == ((),)

    async def test_a_start_ends_what_is_over_so_that_a_corrected_clock_brings_back_none_too_many(
        self, store: Store
    ) -> None:
        owner, over = await signed_in(store, idle_expires_at=NOW)
        await done(store, start(session(owner), max_sessions=1))
        (record,) = await store.list_audit(AuditFilter(event="session_ended"))
        assert (record.session_id, record.reason, record.actor) == (over.id, "expired", "system")
        assert [entry.value for entry in (await store.read_journal(0)).entries] == [over.id]
        assert len(await store.list_sessions(owner.id, NOW - 1)) == 1

    async def test_racing_starts_never_leave_more_than_the_limit(self, store: Store) -> None:
        owner = account()
        await done(store, AddAccount(account=owner))
        await gather(*(done(store, start(session(owner), max_sessions=3)) for _ in range(6)))
        assert len(await store.list_sessions(owner.id, NOW)) == 3
        assert len(await store.list_audit(AuditFilter(event="session_ended"))) == 3

    async def test_sessions_are_listed_last_used_first_and_only_live_ones_of_the_account(self, store: Store) -> None:
        owner, first = await signed_in(store, last_seen_at=NOW - 1)
        await signed_in(store)
        second = session(owner)
        idle, over, ended = session(owner, idle_expires_at=NOW), session(owner, expires_at=NOW), session(owner)
        for one in (second, idle, over, ended):
            await done(store, start(one, max_sessions=9))
        await done(store, end(ended))
        assert [one.id for one in await store.list_sessions(owner.id, NOW)] == [second.id, first.id]

    async def test_touching_notes_the_use_and_slides_the_idle_end(self, store: Store) -> None:
        _, first = await signed_in(store, expires_at=NOW + 2 * DAY, idle_expires_at=NOW + DAY)
        await done(
            store, TouchSession(session_id=first.id, now=NOW + 5, idle_ms=DAY, aal2_idle_ms=DAY, ip="198.51.100.1")
        )
        found = await store.find_session(first.id)
        assert found is not None
        assert (found.last_seen_at, found.ip, found.idle_expires_at) == (NOW + 5, "198.51.100.1", NOW + 5 + DAY)
        await done(store, TouchSession(session_id=first.id, now=NOW + 6, idle_ms=9 * DAY, aal2_idle_ms=9 * DAY, ip=""))
        found = await store.find_session(first.id)
        assert found is not None
        assert found.idle_expires_at == NOW + 2 * DAY

    @pytest.mark.parametrize(("acr", "minutes"), [("aal1", 60), ("aal2", 20)])
    async def test_touching_slides_the_idle_end_by_the_level_of_the_session(
        self, store: Store, acr: str, minutes: int
    ) -> None:
        _, first = await signed_in(store, acr=acr)
        touch = TouchSession(
            session_id=first.id, now=NOW + 5, idle_ms=60 * MINUTE, aal2_idle_ms=20 * MINUTE, ip="192.0.2.1"
        )
        await done(store, touch)
        found = await store.find_session(first.id)
        assert found is not None
        assert found.idle_expires_at == NOW + 5 + minutes * MINUTE

    async def test_touching_does_not_revive_a_dead_session(self, store: Store) -> None:
        _, first = await signed_in(store, idle_expires_at=NOW + 5)
        await done(store, TouchSession(session_id=first.id, now=NOW + 5, idle_ms=DAY, aal2_idle_ms=DAY, ip=""))
        assert await store.find_session(first.id) == first

    async def test_an_end_is_counted_once_and_recorded_once(self, store: Store) -> None:
        _, first = await signed_in(store)
        assert await done(store, end(first, actor="operator", reason=EndReason.ENDED_BY_OPERATOR)) == (1,)
        assert await done(store, end(first)) == (0,)
        (record,) = await store.list_audit(AuditFilter(session_id=first.id))
        assert (record.event, record.reason, record.actor) == ("session_ended", "ended_by_operator", "operator")
        (entry,) = (await store.read_journal(0)).entries
        assert (entry.value, entry.reason) == (first.id, "ended_by_operator")

    async def test_of_racing_ends_one_counts(self, store: Store) -> None:
        _, first = await signed_in(store)
        counted = await gather(*(done(store, end(first)) for _ in range(20)))
        assert sorted(counted) == [(0,)] * 19 + [(1,)]
        assert len((await store.read_journal(0)).entries) == 1

    async def test_only_the_owner_s_session_ends_when_an_account_is_given(self, store: Store) -> None:
        owner, first = await signed_in(store)
        other = account()
        by_other = end(first, account_id=other.id)
        assert await done(store, by_other) == (0,)
        assert await lost(store, end(first, account_id=other.id, must_be_live=True)) == "not_live"
        assert await done(store, end(first, account_id=owner.id, must_be_live=True)) == (1,)

    async def test_a_session_that_must_be_live_loses_when_it_is_not(self, store: Store) -> None:
        _, first = await signed_in(store, idle_expires_at=NOW + 1)
        unknown = end(first, session_id=SessionId("unknown"), must_be_live=True)
        assert await lost(store, unknown) == "not_live"
        assert await lost(store, end(first, now=NOW + 1, must_be_live=True)) == "not_live"
        await done(store, end(first))
        assert await lost(store, end(first, must_be_live=True)) == "not_live"

    async def test_all_sessions_of_the_account_end_but_one(self, store: Store) -> None:
        owner, kept = await signed_in(store)
        _, stranger = await signed_in(store)
        others = [session(owner) for _ in range(3)]
        await done(store, *(start(one) for one in others))
        assert await done(store, end_all(owner.id, except_id=kept.id)) == (3,)
        assert [one.id for one in await store.list_sessions(owner.id, NOW)] == [kept.id]
        assert len(await store.list_sessions(stranger.account_id, NOW)) == 1
        assert {entry.value for entry in (await store.read_journal(0)).entries} == {one.id for one in others}
        records = await store.list_audit(AuditFilter(event="session_ended"))
        assert {(one.session_id, one.reason) for one in records} == {(one.id, "logout_all") for one in others}
        assert await done(store, end_all(owner.id)) == (1,)
        assert await done(store, end_all(owner.id)) == (0,)

    async def test_no_login_that_races_a_withdrawal_leaves_a_session(self, store: Store) -> None:
        for _ in range(5):
            owner, _ = await signed_in(store)
            leaving = (end_all(owner.id), EraseAccount(account_id=owner.id, security_version=1, identifier_tag="tag"))
            starts = [store.apply(start(session(owner), max_sessions=20)) for _ in range(6)]
            await gather(*starts[:3], store.apply(*leaving), *starts[3:])
            assert await store.list_sessions(owner.id, NOW) == []

    async def test_a_clock_that_was_ahead_leaves_no_session_behind(self, store: Store) -> None:
        owner, _ = await signed_in(store)
        await done(store, end_all(owner.id, now=NOW + 365 * DAY))
        assert await store.list_sessions(owner.id, NOW) == []

    async def test_expired_sessions_end_with_an_audit_record_and_a_journal_entry(self, store: Store) -> None:
        _, idle = await signed_in(store, idle_expires_at=NOW + 5)
        _, over = await signed_in(store, expires_at=NOW + 5)
        _, live = await signed_in(store)
        assert await done(store, expire(NOW + 4, limit=10)) == (0,)
        heard: list[Committed] = []
        store.subscribe(heard.append)
        assert await done(store, expire(NOW + 5, limit=10)) == (2,)
        assert await done(store, expire(NOW + 5, limit=10)) == (0,)
        records = await store.list_audit(AuditFilter(event="session_ended"))
        assert {(one.session_id, one.reason, one.actor) for one in records} == {
            (idle.id, "expired", "system"),
            (over.id, "expired", "system"),
        }
        entries = (await store.read_journal(0)).entries
        assert {(entry.kind, entry.value, entry.reason) for entry in entries} == {
            ("sid", idle.id, "expired"),
            ("sid", over.id, "expired"),
        }
        assert {entry.expires_at for entry in entries} == {JOURNAL_UNTIL}
        assert [set(unnumbered(told.journal)) for told in heard] == [set(unnumbered(entries))]
        assert await store.find_session(live.id) == live

    async def test_a_session_that_was_used_expires_later_and_still_expires(self, store: Store) -> None:
        _, used = await signed_in(store, idle_expires_at=NOW + DAY)
        await done(store, TouchSession(session_id=used.id, now=NOW + DAY - 1, idle_ms=DAY, aal2_idle_ms=DAY, ip=""))
        assert await done(store, expire(NOW + DAY, limit=10)) == (0,)
        assert await done(store, expire(NOW + 2 * DAY - 1, limit=10)) == (1,)

    async def test_the_sweep_ends_no_more_than_it_was_told(self, store: Store) -> None:
        for _ in range(5):
            await signed_in(store, idle_expires_at=NOW + 1)
        swept = [await done(store, expire(NOW + MINUTE, limit=2)) for _ in range(4)]
        assert swept == [(2,), (2,), (1,), (0,)]

    async def test_disabling_and_ending_in_one_call_leaves_nothing_alive(self, store: Store) -> None:
        owner, _ = await signed_in(store)
        racing = [store.apply(start(session(owner))) for _ in range(3)]
        disabling = store.apply(
            SetAccountStatus(account_id=owner.id, expected="active", status=AccountStatus.DISABLED),
            end_all(owner.id, reason=EndReason.ACCOUNT_DISABLED),
        )
        await gather(*racing, disabling, *(store.apply(start(session(owner))) for _ in range(3)))
        assert await store.list_sessions(owner.id, NOW) == []
