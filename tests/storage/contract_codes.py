"""Promises about sign-ups and one-time codes."""

from __future__ import annotations

from asyncio import gather
from typing import Any

import pytest
from msgspec import structs

from sekisho.ports.changes import (
    AddPendingSignUp,
    Change,
    ConsumeCode,
    CountCodeTry,
    OneTimeCode,
    PutCode,
    ReplaceCode,
    SpoilSignUps,
)
from sekisho.ports.storage import Store
from storage.build import MINUTE, NOW, PURPOSE, done, lost, new_id, sign_up


def consume(of: AddPendingSignUp, **given: Any) -> ConsumeCode:
    return ConsumeCode(**{"id": of.code.id, "purpose": PURPOSE, "code_hash": of.code.code_hash, "now": NOW, **given})


def count(of: AddPendingSignUp, **given: Any) -> CountCodeTry:
    return CountCodeTry(**{"id": of.code.id, "purpose": PURPOSE, "max_tries": 5, "now": NOW, **given})


def replace(of: AddPendingSignUp, **given: Any) -> ReplaceCode:
    values = {"id": of.code.id, "purpose": PURPOSE, "code_hash": b"new", "expires_at": NOW + 20 * MINUTE, "now": NOW}
    return ReplaceCode(**{**values, **given})


class CodeContract:
    async def test_a_pending_sign_up_is_found_as_it_was_added(self, store: Store) -> None:
        added = sign_up(is_decoy=True)
        await done(store, added)
        assert await store.find_pending_sign_up(added.pending.id) == added.pending
        assert await store.find_pending_sign_up("unknown") is None

    async def test_a_code_is_found_as_it_was_put_and_after_it_was_spent(self, store: Store) -> None:
        code = OneTimeCode(id=new_id(), purpose=PURPOSE, code_hash=b"\x00\xff" * 40, expires_at=NOW + MINUTE)
        await done(store, PutCode(code=code))
        assert await store.find_one_time_code(code.id) == code
        await done(store, ConsumeCode(id=code.id, purpose=PURPOSE, code_hash=code.code_hash, now=NOW))
        assert await store.find_one_time_code(code.id) == code
        assert await store.find_one_time_code("unknown") is None

    async def test_pending_sign_ups_of_an_address_are_listed_newest_first_without_used_ones(self, store: Store) -> None:
        older, newer, used, other = sign_up(), sign_up(created_at=NOW + 1), sign_up(), sign_up(email_key="other")
        await done(store, older, newer, used, other, consume(used))
        listed = await store.list_pending_sign_ups("hanako@example.org")
        assert listed == [newer.pending, older.pending]

    async def test_at_most_fifty_are_listed(self, store: Store) -> None:
        await done(store, *(sign_up() for _ in range(51)))
        assert len(await store.list_pending_sign_ups("hanako@example.org")) == 50

    async def test_a_code_is_consumed_once(self, store: Store) -> None:
        added = sign_up()
        await done(store, added)
        assert await done(store, consume(added)) == (None,)
        assert await lost(store, consume(added)) == "code_gone"

    async def test_of_racing_consumers_one_wins(self, store: Store) -> None:
        added = sign_up()
        await done(store, added)
        outcomes = await gather(*(store.apply(consume(added)) for _ in range(50)))
        assert sum(outcome.lost is None for outcome in outcomes) == 1

    @pytest.mark.parametrize(
        "given", [{"code_hash": b"other"}, {"purpose": "reset"}, {"now": NOW + 15 * MINUTE}, {"id": "unknown"}]
    )
    async def test_a_code_that_is_not_it_is_gone(self, store: Store, given: dict[str, Any]) -> None:
        added = sign_up()
        await done(store, added)
        assert await lost(store, consume(added, **given)) == "code_gone"
        await done(store, consume(added, now=NOW + 15 * MINUTE - 1))

    async def test_a_try_is_counted_and_gives_the_hash_until_there_are_none_left(self, store: Store) -> None:
        added = sign_up()
        await done(store, added)
        for _ in range(5):
            assert await done(store, count(added)) == (added.code.code_hash,)
        assert await lost(store, count(added)) == "code_dead"

    async def test_racing_guesses_never_get_more_than_the_allowed_tries(self, store: Store) -> None:
        added = sign_up()
        await done(store, added)
        outcomes = await gather(*(store.apply(count(added)) for _ in range(50)))
        assert sum(outcome.lost is None for outcome in outcomes) == 5
        assert {outcome.lost.why for outcome in outcomes if outcome.lost} == {"code_dead"}

    @pytest.mark.parametrize("given", [{"purpose": "reset"}, {"now": NOW + 15 * MINUTE}, {"id": "unknown"}])
    async def test_a_try_at_a_code_that_is_not_there_is_gone(self, store: Store, given: dict[str, Any]) -> None:
        added = sign_up()
        await done(store, added)
        assert await lost(store, count(added, **given)) == "code_gone"

    async def test_a_used_code_takes_no_try_and_no_replacement(self, store: Store) -> None:
        added = sign_up()
        await done(store, added, consume(added))
        assert await lost(store, count(added)) == "code_gone"
        assert await lost(store, replace(added)) == "code_gone"

    async def test_a_replaced_code_kills_the_older_and_forgets_its_tries(self, store: Store) -> None:
        added = sign_up()
        await done(store, added)
        for _ in range(5):
            await done(store, count(added))
        await done(store, replace(added))
        assert await lost(store, consume(added)) == "code_gone"
        assert await done(store, count(added)) == (b"new",)
        await done(store, consume(added, code_hash=b"new"))

    async def test_a_replaced_code_and_its_sign_up_live_as_long_as_the_new_one(self, store: Store) -> None:
        added = sign_up()
        await done(store, added, replace(added, expires_at=NOW + 20 * MINUTE))
        found = await store.find_pending_sign_up(added.pending.id)
        assert found is not None
        assert found.expires_at == NOW + 20 * MINUTE
        late = consume(added, code_hash=b"new", now=NOW + 20 * MINUTE)
        assert await lost(store, late) == "code_gone"
        await done(store, consume(added, code_hash=b"new", now=NOW + 20 * MINUTE - 1))

    @pytest.mark.parametrize("given", [{"purpose": "reset"}, {"now": NOW + 15 * MINUTE}, {"id": "unknown"}])
    async def test_a_code_that_is_not_there_is_not_replaced(self, store: Store, given: dict[str, Any]) -> None:
        added = sign_up()
        await done(store, added)
        assert await lost(store, replace(added, **given)) == "code_gone"
        await done(store, consume(added))

    async def test_every_other_sign_up_of_the_address_becomes_a_decoy(self, store: Store) -> None:
        mine, other, elsewhere = sign_up(), sign_up(), sign_up(email_key="other")
        await done(store, mine, other, elsewhere)
        spoil: Change = SpoilSignUps(
            email_key="hanako@example.org", except_id=mine.pending.id, code_hash=new_id().encode()
        )
        await done(store, spoil)
        found = {one.id: one.is_decoy for one in await store.list_pending_sign_ups("hanako@example.org")}
        assert found == {mine.pending.id: False, other.pending.id: True}
        assert await store.find_pending_sign_up(elsewhere.pending.id) == elsewhere.pending
        assert await lost(store, consume(other)) == "code_gone"
        (hash_of_other,) = await done(store, count(other))
        assert hash_of_other != other.code.code_hash
        await done(store, consume(mine), consume(elsewhere))

    async def test_of_one_id_there_is_one_code_the_one_put_last(self, store: Store) -> None:
        first = OneTimeCode(id=new_id(), purpose=PURPOSE, code_hash=b"first", expires_at=NOW + MINUTE)
        second = structs.replace(first, purpose="reset", code_hash=b"second", expires_at=NOW + 10 * MINUTE)
        await done(store, PutCode(code=first))
        take = ConsumeCode(id=first.id, purpose=PURPOSE, code_hash=b"first", now=NOW)
        tries = CountCodeTry(id=first.id, purpose="reset", max_tries=1, now=NOW + 9 * MINUTE)
        await done(store, PutCode(code=second))
        assert await lost(store, take) == "code_gone"
        assert await done(store, tries) == (b"second",)
        assert await lost(store, tries) == "code_dead"
        await done(store, PutCode(code=second))
        assert await done(store, tries) == (b"second",)

    async def test_a_code_that_is_put_again_lives_also_after_the_older_one_was_used(self, store: Store) -> None:
        code = OneTimeCode(id=new_id(), purpose=PURPOSE, code_hash=b"hash", expires_at=NOW + MINUTE)
        take = ConsumeCode(id=code.id, purpose=PURPOSE, code_hash=b"hash", now=NOW)
        await done(store, PutCode(code=code), take)
        assert await lost(store, take) == "code_gone"
        await done(store, PutCode(code=code), take)
