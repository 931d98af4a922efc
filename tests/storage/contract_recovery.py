"""Promises about the recovery address of an account."""

from __future__ import annotations

from asyncio import gather
from typing import Any

from msgspec.structs import replace

from sekisho.model import Account, AccountStatus, RecoveryEmail
from sekisho.ports.changes import (
    AddAccount,
    ChangeEmail,
    EraseAccount,
    SetAccountStatus,
)
from sekisho.ports.recovery_changes import RemoveRecoveryEmail, SetRecoveryEmail
from sekisho.ports.storage import Store
from storage.build import NOW, account, done, lost, new_id


def recovery_of(owner: Account, **given: Any) -> RecoveryEmail:
    key = f"{new_id()}@example.org"
    values = {"account_id": owner.id, "email": key.upper(), "email_key": key, "verified_at": NOW, **given}
    return RecoveryEmail(**values)


def put(recovery: RecoveryEmail, version: int = 1) -> SetRecoveryEmail:
    return SetRecoveryEmail(recovery=recovery, security_version=version)


def take(owner: Account, version: int) -> RemoveRecoveryEmail:
    return RemoveRecoveryEmail(account_id=owner.id, security_version=version)


async def version_of(store: Store, owner: Account) -> int:
    found = await store.find_account(owner.id)
    assert found is not None
    return found.security_version


class RecoveryContract:
    async def test_a_recovery_address_is_found_and_raises_the_version(self, store: Store) -> None:
        owner = account()
        await done(store, AddAccount(account=owner))
        assert await store.find_recovery_email(owner.id) is None
        recovery = recovery_of(owner)
        await done(store, put(recovery))
        assert await store.find_recovery_email(owner.id) == recovery
        assert await store.find_account(owner.id) == replace(owner, security_version=2)
        assert await lost(store, put(recovery_of(owner))) == "security_version"

    async def test_a_newer_recovery_address_takes_the_place_of_the_older(self, store: Store) -> None:
        owner = account()
        first, newer = recovery_of(owner), recovery_of(owner, verified_at=NOW + 1)
        await done(store, AddAccount(account=owner), put(first))
        await done(store, put(newer, 2))
        assert await store.find_recovery_email(owner.id) == newer

    async def test_accounts_may_share_a_recovery_address_and_nobody_is_found_by_it(self, store: Store) -> None:
        owners, key = [account(), account()], f"{new_id()}@example.org"
        for owner in owners:
            await done(store, AddAccount(account=owner), put(recovery_of(owner, email_key=key)))
        assert await store.find_account_by_email(key) is None
        await done(store, AddAccount(account=account(email_key=key)))

    async def test_a_recovery_address_that_becomes_the_first_is_none_any_more(self, store: Store) -> None:
        owners = [account(), account()]
        recovery, other = (recovery_of(owner) for owner in owners)
        for owner, each in zip(owners, (recovery, other), strict=True):
            await done(store, AddAccount(account=owner), put(each))
        for owner, key, left in ((owners[0], recovery.email_key, None), (owners[1], "free@example.org", other)):
            change = ChangeEmail(
                account_id=owner.id, security_version=2, email=key, email_key=key, old_identifier_tag=""
            )
            await done(store, change)
            assert await store.find_recovery_email(owner.id) == left

    async def test_only_an_active_account_gets_a_recovery_address(self, store: Store) -> None:
        owner = account(status=AccountStatus.DISABLED)
        await done(store, AddAccount(account=owner))
        assert await lost(store, put(recovery_of(owner))) == "security_version"
        assert await lost(store, put(recovery_of(account()))) == "security_version"

    async def test_a_recovery_address_is_removed_once_and_raises_the_version(self, store: Store) -> None:
        owner = account()
        await done(store, AddAccount(account=owner), put(recovery_of(owner)))
        assert await lost(store, take(owner, 1)) == "security_version"
        await done(store, take(owner, 2))
        assert await store.find_recovery_email(owner.id) is None
        assert await lost(store, take(owner, 3)) == "no_recovery_email"
        assert await version_of(store, owner) == 3

    async def test_a_disabled_account_loses_its_recovery_address_too(self, store: Store) -> None:
        owner = account()
        await done(store, AddAccount(account=owner), put(recovery_of(owner)))
        await done(store, SetAccountStatus(account_id=owner.id, expected="active", status="disabled"))
        await done(store, take(owner, 3))
        assert await store.find_recovery_email(owner.id) is None

    async def test_of_racing_recovery_addresses_one_wins(self, store: Store) -> None:
        owner = account()
        await done(store, AddAccount(account=owner))
        wanted = [recovery_of(owner) for _ in range(20)]
        outcomes = await gather(*(store.apply(put(each)) for each in wanted))
        won = [each for each, outcome in zip(wanted, outcomes, strict=True) if outcome.lost is None]
        assert won == [await store.find_recovery_email(owner.id)]
        assert await version_of(store, owner) == 2

    async def test_a_withdrawal_forgets_the_recovery_address(self, store: Store) -> None:
        owner = account()
        await done(store, AddAccount(account=owner), put(recovery_of(owner)))
        await done(store, EraseAccount(account_id=owner.id, security_version=2, identifier_tag="tag"))
        assert await store.find_recovery_email(owner.id) is None
