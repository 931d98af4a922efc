"""Promises about trusted devices."""

from __future__ import annotations

import secrets
from asyncio import gather
from typing import Any

from msgspec.structs import replace

from sekisho.model import Account, AccountId, TrustedDevice
from sekisho.ports.changes import AddAccount, EraseAccount, PurgeExpired, RaiseEpoch, SetAccountStatus, SetPassword
from sekisho.ports.factor_changes import RemoveFactors
from sekisho.ports.storage import Store
from sekisho.ports.trust_changes import ForgetTrustedDevice, ForgetTrustedDevices, TrustDevice, UseTrustedDevice
from storage.build import JOURNAL_UNTIL, MINUTE, NOW, account, done, lost, new_id

DAY = 24 * 60 * MINUTE


def a_device(owner: Account, **given: Any) -> TrustedDevice:
    values = {
        "id": new_id(),
        "account_id": owner.id,
        "app": "web",
        "value_hash": secrets.token_bytes(32),
        "security_version": 1,
        "device_name": "Firefox, Linux",
        "created_at": NOW,
        "last_used_at": NOW,
        "expires_at": NOW + 30 * DAY,
    }
    return TrustedDevice(**{**values, **given})


def trust(device: TrustedDevice, **given: Any) -> TrustDevice:
    return TrustDevice(**{"device": device, "max_devices": 3, **given})


def use(device: TrustedDevice, **given: Any) -> UseTrustedDevice:
    values = {"device_id": device.id, "account_id": device.account_id, "security_version": 1, "now": NOW}
    return UseTrustedDevice(**{**values, **given})


async def trusted(store: Store) -> tuple[Account, TrustedDevice]:
    owner = account()
    device = a_device(owner)
    await done(store, AddAccount(account=owner), trust(device))
    return owner, device


class TrustContract:
    async def test_a_trusted_device_is_found_by_its_hash_and_listed_as_it_was_added(self, store: Store) -> None:
        owner, device = await trusted(store)
        assert await store.find_trusted_device(device.value_hash) == device
        assert await store.find_trusted_device(b"unknown") is None
        assert await store.list_trusted_devices(owner.id, NOW) == [device]
        assert await store.list_trusted_devices(AccountId("unknown"), NOW) == []

    async def test_a_device_is_trusted_only_at_the_version_that_was_read(self, store: Store) -> None:
        owner, _ = await trusted(store)
        assert await lost(store, trust(a_device(owner, security_version=2))) == "security_version"
        await done(store, SetAccountStatus(account_id=owner.id, expected="active", status="disabled"))
        assert await lost(store, trust(a_device(owner, security_version=2))) == "security_version"

    async def test_the_oldest_make_room_and_the_one_that_is_replaced_goes(self, store: Store) -> None:
        owner, first = await trusted(store)
        others = [a_device(owner, created_at=NOW + number) for number in (1, 2)]
        await done(store, *(trust(device) for device in others))
        fourth = a_device(owner, created_at=NOW + 3)
        await done(store, trust(fourth, replaces=others[1].value_hash))
        ids = {device.id for device in await store.list_trusted_devices(owner.id, NOW)}
        assert ids == {first.id, others[0].id, fourth.id}
        fifth = a_device(owner, created_at=NOW + 4)
        await done(store, trust(fifth))
        ids = {device.id for device in await store.list_trusted_devices(owner.id, NOW)}
        assert ids == {others[0].id, fourth.id, fifth.id}

    async def test_nobody_replaces_another_account_s_device(self, store: Store) -> None:
        _, device = await trusted(store)
        other = account()
        await done(store, AddAccount(account=other), trust(a_device(other), replaces=device.value_hash))
        assert await store.find_trusted_device(device.value_hash) == device

    async def test_a_use_is_noted_and_whatever_ended_the_trust_makes_it_lose(self, store: Store) -> None:
        owner, device = await trusted(store)
        await done(store, use(device, now=NOW + 5))
        (found,) = await store.list_trusted_devices(owner.id, NOW)
        assert found == replace(device, last_used_at=NOW + 5)
        assert await lost(store, use(device, now=NOW + 30 * DAY)) == "device_gone"
        assert await lost(store, use(device, account_id=AccountId("other"))) == "device_gone"
        await done(store, SetPassword(account_id=owner.id, security_version=1, password_hash=None))
        assert await lost(store, use(device, security_version=2)) == "device_gone"
        assert await store.list_trusted_devices(owner.id, NOW) == []

    async def test_what_is_over_is_not_listed_and_upkeep_forgets_it(self, store: Store) -> None:
        owner, device = await trusted(store)
        over = NOW + 30 * DAY
        assert await store.list_trusted_devices(owner.id, over - 1) == [device]
        assert await store.list_trusted_devices(owner.id, over) == []
        purge = PurgeExpired(now=over, ended_before_at=NOW, devices_before_at=NOW, journal_before_at=NOW, limit=100)
        assert await done(store, replace(purge, now=over - 1)) == (0,)
        assert await done(store, purge) == (1,)
        assert await store.find_trusted_device(device.value_hash) is None

    async def test_of_racing_forgettings_one_wins_and_a_stranger_never(self, store: Store) -> None:
        owner, device = await trusted(store)
        forget = ForgetTrustedDevice(device_id=device.id, account_id=owner.id)
        assert await lost(store, replace(forget, account_id=AccountId("other"))) == "device_gone"
        outcomes = await gather(*(store.apply(forget) for _ in range(20)))
        assert sum(outcome.lost is None for outcome in outcomes) == 1
        assert await lost(store, use(device)) == "device_gone"

    async def test_all_devices_of_an_account_are_forgotten_and_no_others(self, store: Store) -> None:
        owner, _ = await trusted(store)
        _, others = await trusted(store)
        await done(store, trust(a_device(owner)))
        assert await done(store, ForgetTrustedDevices(account_id=owner.id)) == (2,)
        assert await done(store, ForgetTrustedDevices(account_id=owner.id)) == (0,)
        assert await store.find_trusted_device(others.value_hash) == others

    async def test_a_reset_of_the_factors_a_withdrawal_and_a_restore_trust_nothing_any_more(self, store: Store) -> None:
        ending = [
            lambda owner: RemoveFactors(account_id=owner.id),
            lambda owner: EraseAccount(account_id=owner.id, security_version=1, identifier_tag=""),
            lambda _: RaiseEpoch(generation=new_id(), now=NOW, journal_until_at=JOURNAL_UNTIL),
        ]
        for change in ending:
            owner, device = await trusted(store)
            await done(store, change(owner))
            assert await store.find_trusted_device(device.value_hash) is None
