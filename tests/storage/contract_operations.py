"""Promises about keys, journal, audit, mail, facts, upkeep and what listeners hear."""

from __future__ import annotations

from asyncio import create_task, gather, sleep, wait_for
from typing import Any

import anyio
import pytest
from msgspec import structs

from sekisho.model import AuditRecord, GuardKey, KeyState, SigningKey
from sekisho.ports.changes import (
    AddGuardKey,
    AddSigningKey,
    AppendAudit,
    AppendJournal,
    ClaimMail,
    CountTry,
    MailFailed,
    MailSent,
    PurgeExpired,
    QueueMail,
    RememberDevice,
    RemoveGuardKey,
    SetKeyState,
    SetMeta,
)
from sekisho.ports.storage import AuditFilter, Committed, Store, StoreUnavailable
from storage.build import DAY, MINUTE, NOW, done, end, lost, new_id, session, sign_up, signed_in, start, unnumbered


def key(state: KeyState = KeyState.ACTIVE, **given: Any) -> SigningKey:
    values: dict[str, Any] = {
        "kid": new_id(),
        "alg": "ES256",
        "sealed_private": b"\x00sealed",
        "public_jwk": "{}",
        "created_at": NOW,
    }
    return SigningKey(state=state, **{**values, **given})


def revoke(value: str = "x", **given: Any) -> AppendJournal:
    return AppendJournal(**{"kind": "jti", "value": value, "expires_at": NOW + MINUTE, "reason": "r", **given})


def letter(**given: Any) -> QueueMail:
    return QueueMail(**{"id": new_id(), "sealed": b"sealed", "now": NOW, **given})


def claim(now: int = NOW, limit: int = 10) -> ClaimMail:
    return ClaimMail(now=now, lease_until_at=now + MINUTE, limit=limit)


def audit(**given: Any) -> AppendAudit:
    return AppendAudit(record=AuditRecord(**{"event": "login", "outcome": "success", "at": NOW, **given}))


def purge(**given: Any) -> PurgeExpired:
    return PurgeExpired(
        **{
            "now": NOW,
            "ended_before_at": NOW,
            "devices_before_at": NOW,
            "journal_before_at": NOW,
            "limit": 100,
            **given,
        }
    )


class OperationContract:
    async def test_keys_are_listed_newest_first_as_they_were_added(self, store: Store) -> None:
        older, newer = key(activated_at=NOW), key(KeyState.NEXT, created_at=NOW + 1, verify_until_at=NOW + 2)
        await done(store, AddSigningKey(key=older), AddSigningKey(key=newer))
        assert await store.list_signing_keys() == [newer, older]

    async def test_guard_keys_have_one_name_each_and_are_gone_when_removed(self, store: Store) -> None:
        billing, articles = (
            GuardKey(id=new_id(), name=name, secret_hash=name.encode(), created_at=NOW)
            for name in ("billing", "articles")
        )
        await done(store, AddGuardKey(key=billing), AddGuardKey(key=articles))
        assert await store.list_guard_keys() == [articles, billing]
        assert await store.find_guard_key(billing.id) == billing
        assert await lost(store, AddGuardKey(key=structs.replace(billing, id=new_id()))) == "name_taken"
        await done(store, RemoveGuardKey(id=billing.id))
        assert await store.find_guard_key(billing.id) is None
        assert await lost(store, RemoveGuardKey(id=billing.id)) == "guard_key_gone"

    async def test_a_taken_kid_or_a_second_key_in_one_state_loses(self, store: Store) -> None:
        active = key()
        await done(store, AddSigningKey(key=active), AddSigningKey(key=key(KeyState.RETIRED)))
        await done(store, AddSigningKey(key=key(KeyState.RETIRED)))
        assert await lost(store, AddSigningKey(key=key())) == "key_exists"
        assert await lost(store, AddSigningKey(key=key(KeyState.RETIRED, kid=active.kid))) == "key_exists"

    async def test_nodes_that_start_at_once_agree_on_one_key(self, store: Store) -> None:
        outcomes = await gather(*(store.apply(AddSigningKey(key=key())) for _ in range(10)))
        assert sum(outcome.lost is None for outcome in outcomes) == 1
        assert len(await store.list_signing_keys()) == 1

    async def test_keys_change_places_in_one_call(self, store: Store) -> None:
        active, following = key(activated_at=NOW), key(KeyState.NEXT)
        await done(store, AddSigningKey(key=active), AddSigningKey(key=following))
        swap = (
            SetKeyState(
                kid=active.kid,
                expected=KeyState.ACTIVE,
                state=KeyState.RETIRED,
                now=NOW + 5,
                verify_until_at=NOW + DAY,
            ),
            SetKeyState(kid=following.kid, expected=KeyState.NEXT, state=KeyState.ACTIVE, now=NOW + 5),
        )
        await done(store, *swap)
        found = {one.kid: (one.state, one.activated_at, one.verify_until_at) for one in await store.list_signing_keys()}
        assert found == {
            active.kid: (KeyState.RETIRED, NOW, NOW + DAY),
            following.kid: (KeyState.ACTIVE, NOW + 5, None),
        }
        assert await lost(store, *swap) == "key_state"

    async def test_the_time_of_a_retired_key_is_only_ever_shortened_and_by_one_caller(self, store: Store) -> None:
        old = key(KeyState.RETIRED, verify_until_at=NOW + DAY)
        await done(store, AddSigningKey(key=old))

        def until(at: int) -> SetKeyState:
            return SetKeyState(
                kid=old.kid, expected=KeyState.RETIRED, state=KeyState.RETIRED, now=NOW, verify_until_at=at
            )

        assert await lost(store, until(NOW + DAY)) == "key_state"
        outcomes = await gather(*(store.apply(until(NOW)) for _ in range(8)))
        assert sum(outcome.lost is None for outcome in outcomes) == 1
        assert await lost(store, until(NOW + 1)) == "key_state"
        assert [one.verify_until_at for one in await store.list_signing_keys()] == [NOW]

    async def test_a_second_active_key_loses(self, store: Store) -> None:
        following = key(KeyState.NEXT)
        await done(store, AddSigningKey(key=key()), AddSigningKey(key=following))
        change = SetKeyState(kid=following.kid, expected=KeyState.NEXT, state=KeyState.ACTIVE, now=NOW)
        assert await lost(store, change) == "key_state"

    async def test_the_journal_is_read_in_order_from_where_one_was(self, store: Store) -> None:
        await done(store, revoke("a"), revoke("b", kind="client"))
        await done(store, revoke("c", kind="key", reason="compromised"))
        first = await store.read_journal(0, limit=2)
        assert [(entry.kind, entry.value) for entry in first.entries] == [("jti", "a"), ("client", "b")]
        assert first.last_seq == first.entries[-1].seq
        rest = await store.read_journal(first.last_seq)
        assert [(entry.value, entry.reason) for entry in rest.entries] == [("c", "compromised")]
        nothing = await store.read_journal(rest.last_seq)
        assert (nothing.entries, nothing.last_seq) == ((), rest.last_seq)
        assert first.generation
        assert first.generation == nothing.generation

    async def test_numbers_of_the_journal_are_never_used_again(self, store: Store) -> None:
        await done(store, revoke())
        (entry,) = (await store.read_journal(0)).entries
        await done(store, purge(journal_before_at=NOW + MINUTE))
        await done(store, revoke())
        (later,) = (await store.read_journal(0)).entries
        assert later.seq > entry.seq

    async def test_audit_records_come_back_newest_first_with_all_fields(self, store: Store) -> None:
        full = {name: f"a {name}" for name in AuditRecord.__struct_fields__ if name not in ("at", "seq")}
        await done(store, audit(), audit(**full))
        newest, oldest = await store.list_audit(AuditFilter())
        assert newest == AuditRecord(**full, at=NOW, seq=newest.seq)
        assert newest.seq > oldest.seq > 0

    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            ({"account_id": "a"}, [3, 1]),
            ({"session_id": "s"}, [2]),
            ({"event": "logout"}, [2]),
            ({"outcome": "failure"}, [3]),
            ({"since_at": NOW + 2}, [3, 2]),
            ({"until_at": NOW + 2}, [1]),
            ({"account_id": "a", "outcome": "success"}, [1]),
            ({"limit": 1}, [3]),
        ],
    )
    async def test_audit_conditions_hold_together(
        self, store: Store, wanted: dict[str, Any], expected: list[int]
    ) -> None:
        await done(
            store,
            audit(account_id="a", at=NOW + 1),
            audit(event="logout", session_id="s", at=NOW + 2),
            audit(account_id="a", outcome="failure", at=NOW + 3),
        )
        assert [record.at - NOW for record in await store.list_audit(AuditFilter(**wanted))] == expected

    async def test_audit_pages_go_backwards(self, store: Store) -> None:
        await done(store, *(audit(at=NOW + i) for i in range(5)))
        first = await store.list_audit(AuditFilter(limit=3))
        rest = await store.list_audit(AuditFilter(limit=3, before_seq=first[-1].seq))
        assert [record.at - NOW for record in first + rest] == [4, 3, 2, 1, 0]

    async def test_a_letter_is_claimed_sent_and_forgotten(self, store: Store) -> None:
        queued = letter(expires_at=NOW + DAY)
        await done(store, queued)
        assert await store.next_mail_at() == NOW
        ((claimed,),) = await done(store, claim())
        assert (claimed.id, claimed.sealed, claimed.attempts) == (queued.id, b"sealed", 1)
        assert (claimed.created_at, claimed.expires_at) == (NOW, NOW + DAY)
        assert await store.next_mail_at() == NOW + MINUTE
        await done(store, MailSent(id=queued.id))
        assert await store.next_mail_at() is None

    async def test_a_letter_is_never_leased_twice_at_a_time(self, store: Store) -> None:
        queued = [letter() for _ in range(20)]
        await done(store, *queued)
        claims = await gather(*(done(store, claim(limit=3)) for _ in range(10)))
        ids = [one.id for ((*letters,),) in claims for one in letters]
        assert sorted(ids) == sorted(one.id for one in queued)

    async def test_a_lease_that_runs_out_makes_the_letter_due_again(self, store: Store) -> None:
        await done(store, letter())
        await done(store, claim())
        assert await done(store, claim(NOW + MINUTE - 1)) == ((),)
        ((again,),) = await done(store, claim(NOW + MINUTE))
        assert again.attempts == 2

    async def test_a_failed_letter_is_due_when_told(self, store: Store) -> None:
        queued = letter()
        await done(store, queued, claim())
        await done(store, MailFailed(id=queued.id, error="4.2.1", now=NOW, retry_at=NOW + 5 * MINUTE))
        assert await store.next_mail_at() == NOW + 5 * MINUTE
        assert await done(store, claim(NOW + 5 * MINUTE - 1)) == ((),)
        ((again,),) = await done(store, claim(NOW + 5 * MINUTE))
        assert again.attempts == 2

    async def test_a_letter_that_was_given_up_is_not_sent_and_is_counted(self, store: Store) -> None:
        queued = letter()
        await done(store, queued, claim())
        await done(store, MailFailed(id=queued.id, error="5.1.1", now=NOW, retry_at=None))
        assert await store.next_mail_at() is None
        assert await done(store, claim(NOW + DAY)) == ((),)
        counts = await store.counts()
        assert (counts["mail_waiting"], counts["mail_given_up"]) == (0, 1)

    async def test_an_expired_letter_is_not_sent(self, store: Store) -> None:
        await done(store, letter(expires_at=NOW + 1))
        assert await done(store, claim(NOW + 1)) == ((),)
        assert await store.next_mail_at() is None
        assert (await store.counts())["mail_given_up"] == 1

    async def test_a_fact_is_written_once(self, store: Store) -> None:
        assert await done(store, SetMeta(name="n", value="first")) == ("first",)
        assert await done(store, SetMeta(name="n", value="second")) == ("first",)
        assert await store.find_meta("n") == "first"
        assert await store.find_meta("other") is None

    async def test_the_purge_deletes_only_what_is_over(self, store: Store) -> None:
        gone, kept = sign_up(expires_at=NOW), sign_up(expires_at=NOW + 1)
        owner, old = await signed_in(store)
        recent, live = session(owner), session(owner)
        await done(store, start(recent), start(live))
        await done(store, end(old, now=NOW - 1, journal_until_at=NOW), end(recent, journal_until_at=NOW + 1))
        await done(
            store,
            gone,
            kept,
            CountTry(key=b"old", limit=1, window_ms=10, now=NOW - 10),
            CountTry(key=b"new", limit=1, window_ms=10, now=NOW),
            RememberDevice(identifier_tag="i", device_tag="old", now=NOW - 1),
            RememberDevice(identifier_tag="i", device_tag="new", now=NOW),
        )
        # A code, a sign-up, a bucket, a journal entry, a session, a device.
        assert await done(store, purge()) == (6,)
        assert await done(store, purge()) == (0,)
        assert await store.find_pending_sign_up(gone.pending.id) is None
        assert await store.find_pending_sign_up(kept.pending.id) == kept.pending
        assert await store.find_session(old.id) is None
        assert await store.find_session(recent.id) is not None
        assert await store.find_session(live.id) == live
        assert [entry.value for entry in (await store.read_journal(0)).entries] == [recent.id]
        assert not await store.is_known_device("i", "old")
        assert await store.is_known_device("i", "new")
        assert (await store.apply(CountTry(key=b"new", limit=1, window_ms=10, now=NOW))).lost is not None

    async def test_the_purge_keeps_given_up_letters_as_long_as_ended_sessions(self, store: Store) -> None:
        queued = letter()
        await done(store, queued, MailFailed(id=queued.id, error="e", now=NOW, retry_at=None))
        assert await done(store, purge()) == (0,)
        assert await done(store, purge(ended_before_at=NOW + 1)) == (1,)

    async def test_the_purge_deletes_no_more_than_it_was_told(self, store: Store) -> None:
        await done(store, *(revoke(str(i), expires_at=NOW) for i in range(5)))
        assert [await done(store, purge(limit=2)) for _ in range(4)] == [(2,), (2,), (1,), (0,)]

    async def test_counts_count(self, store: Store) -> None:
        owner, first = await signed_in(store)
        await done(store, start(session(owner)), letter(), end(first))
        assert await store.counts() == {
            "accounts": 1,
            "live_sessions": 1,
            "mail_waiting": 1,
            "mail_given_up": 0,
            "journal": 1,
        }

    async def test_listeners_hear_of_a_commit_before_the_call_returns(self, store: Store) -> None:
        heard: list[Committed] = []
        store.subscribe(heard.append)
        _, first = await signed_in(store)
        assert heard == []

        await done(store, end(first), revoke("x"))
        assert [entry.value for entry in heard[0].journal] == [first.id, "x"]
        assert unnumbered(heard[0].journal) == unnumbered((await store.read_journal(0)).entries)
        await done(store, letter())
        assert heard[1] == Committed(mail_queued=True)
        await done(store, AddSigningKey(key=key()))
        assert heard[2] == Committed(keys_changed=True)

    async def test_listeners_hear_nothing_of_a_call_that_lost(self, store: Store) -> None:
        heard: list[Committed] = []
        store.subscribe(heard.append)
        _, first = await signed_in(store)
        nothing = end(first, account_id="x", must_be_live=True)
        await lost(store, revoke(), letter(), nothing)
        assert heard == []
        assert (await store.read_journal(0)).entries == ()

    async def test_a_commit_is_noticed_once(self, store: Store) -> None:
        assert not store.has_foreign_commits()
        await done(store, revoke())
        assert store.has_foreign_commits()
        assert not store.has_foreign_commits()

    async def test_cancelling_the_caller_leaves_nothing_half_done(self, store: Store) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(store.apply, SetMeta(name="a", value="1"), SetMeta(name="b", value="1"))
            await sleep(0)
            group.cancel_scope.cancel()
        await done(store, SetMeta(name="c", value="3"))
        a, b = await store.find_meta("a"), await store.find_meta("b")
        if a is None:
            # The commit may have come between the two reads.
            a = await store.find_meta("a") if b else None
        assert a == b

    async def test_a_closed_store_is_unavailable(self, store: Store) -> None:
        await store.close()
        with pytest.raises(StoreUnavailable):
            await store.apply(revoke())
        with pytest.raises(StoreUnavailable):
            await store.find_meta("n")
        with pytest.raises(StoreUnavailable):
            await store.counts()
        await wait_for(store.close(), 30)

    async def test_closing_finishes_what_was_submitted(self, store: Store) -> None:
        submitted = [create_task(store.apply(SetMeta(name=str(i), value="v"))) for i in range(50)]
        await sleep(0)
        await store.close()
        assert all(outcome.lost is None for outcome in await gather(*submitted))
