"""Promises about values under the master secret, when another takes over."""

from __future__ import annotations

from asyncio import gather

import pytest
from msgspec.structs import replace

from sekisho.audit.sealing import Retention, retire, seal_waiting
from sekisho.model import Account
from sekisho.ports.changes import AddAccount, AddSigningKey, MailFailed, QueueMail
from sekisho.ports.secret_changes import Reseal
from sekisho.ports.storage import Store
from storage.build import DAY, NOW, account, done
from storage.contract_audit import SEALS, line
from storage.contract_factors import a_factor, add
from storage.contract_operations import key


async def an_owner(store: Store) -> Account:
    owner = account()
    await done(store, AddAccount(account=owner))
    return owner


@pytest.mark.anyio
class ResealingContract:
    async def test_the_private_half_of_a_key_takes_another_form(self, store: Store) -> None:
        old = key()
        await done(store, AddSigningKey(key=old))

        (was_replaced,) = await done(store, Reseal(place="signing_key", id=old.kid, was=old.sealed_private, value=b"n"))

        assert was_replaced is True
        assert await store.list_signing_keys() == [replace(old, sealed_private=b"n")]

    async def test_what_was_changed_or_removed_meanwhile_stays_so(self, store: Store) -> None:
        factor, other = a_factor(await an_owner(store)), a_factor(await an_owner(store))
        await done(store, add(factor), add(other))

        came = await gather(
            *(store.apply(Reseal(place="factor", id=factor.id, was=factor.sealed, value=bytes([n]))) for n in range(5))
        )

        assert sorted(each.results[0] for each in came) == [False] * 4 + [True]
        assert (await store.list_factors(other.account_id))[0].sealed == other.sealed
        assert (await done(store, Reseal(place="factor", id="none", was=b"", value=b"n"))) == (False,)

    async def test_factors_of_all_accounts_are_listed_by_id_in_pages(self, store: Store) -> None:
        factors = [a_factor(await an_owner(store)) for _ in range(3)]
        await done(store, *(add(each) for each in factors))

        first = await store.list_all_factors(limit=2)
        rest = await store.list_all_factors(after_id=first[-1].id, limit=2)

        assert len(first) == 2
        assert {each.id for each in (*first, *rest)} == {each.id for each in factors}
        assert await store.list_all_factors(after_id=rest[-1].id) == []

    async def test_letters_that_wait_are_listed_by_id_in_pages_and_take_another_form(self, store: Store) -> None:
        await done(store, *(QueueMail(id=each, sealed=each.encode(), now=NOW) for each in ("b", "c", "a", "gone")))
        await done(store, MailFailed(id="gone", error="refused", now=NOW, retry_at=None))

        await done(store, Reseal(place="letter", id="b", was=b"b", value=b"new"))

        first = await store.list_waiting_mail(limit=2)
        assert [(each.id, each.sealed) for each in first] == [("a", b"a"), ("b", b"new")]
        assert [each.id for each in await store.list_waiting_mail(after_id="b", limit=2)] == ["c"]

    async def test_the_marks_of_a_batch_take_another_form_each_by_itself(self, store: Store) -> None:
        await done(store, line(1))
        await seal_waiting(store, SEALS, NOW)
        await retire(store, SEALS, Retention(DAY, 2 * DAY), NOW + 3 * DAY)
        (old,) = await store.list_audit_seals(0, 10)
        assert old.blank_tag
        assert old.purge_tag

        await done(store, Reseal(place="blanked_seal", id=1, was=old.blank_tag, value=b"b"))
        assert await store.list_audit_seals(0, 10) == [replace(old, blank_tag=b"b")]
        await done(store, Reseal(place="purged_seal", id=1, was=old.purge_tag, value=b"p"))
        assert await store.list_audit_seals(0, 10) == [replace(old, blank_tag=b"b", purge_tag=b"p")]
