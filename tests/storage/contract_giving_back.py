"""Promises about an account that an operator gives back to its owner."""

from __future__ import annotations

from asyncio import gather
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from sekisho.model import (
    Account,
    AccountId,
    AccountStatus,
    Challenge,
    EndReason,
    FactorKind,
    RecoveryEmail,
    TrustedDevice,
)
from sekisho.ports.changes import AddAccount, ChangeEmail, EndSessions, EraseAccount, RememberDevice, SetPassword
from sekisho.ports.factor_changes import OpenChallenge, SetRecoveryCodes
from sekisho.ports.recovery_changes import GiveAccountBack, SetRecoveryEmail
from sekisho.ports.storage import Ended, Store
from sekisho.ports.trust_changes import TrustDevice
from storage.build import JOURNAL_UNTIL, NOW, account, done, lost, new_id, rotate, session, start
from storage.contract_factors import a_challenge, a_factor, add, confirm
from storage.contract_recovery import recovery_of
from storage.contract_trust import a_device


class Robbed(Struct, frozen=True):
    """An account with everything that somebody else can leave in it, at version 3."""

    owner: Account
    recovery: RecoveryEmail
    device: TrustedDevice
    challenge: Challenge
    known_tag: str


async def robbed(store: Store, **given: Any) -> Robbed:
    owner = account(password_hash="$hash", is_verified=False, **given)
    found = Robbed(owner, recovery_of(owner), a_device(owner, security_version=3), a_challenge(owner), new_id())
    factor, unfinished = a_factor(owner), a_factor(owner, kind=FactorKind.SMS)
    await done(
        store,
        AddAccount(account=owner),
        RememberDevice(identifier_tag=found.known_tag, device_tag="d", now=NOW),
        OpenChallenge(challenge=found.challenge),
        add(factor),
        confirm(factor),
        SetRecoveryCodes(account_id=owner.id, security_version=2, code_hashes=(b"1", b"2")),
        add(unfinished, security_version=2),
        SetRecoveryEmail(recovery=found.recovery, security_version=2),
        TrustDevice(device=found.device, max_devices=3),
    )
    return found


def back_to(owner: Account, key: str, version: int = 3, **given: Any) -> GiveAccountBack:
    values: dict[str, Any] = {
        "account_id": owner.id,
        "security_version": version,
        "email": key.upper(),
        "email_key": key,
        "old_identifier_tag": "",
        "keep_earlier": 1,
    }
    return GiveAccountBack(**{**values, **given})


def an_address() -> str:
    return f"{new_id()}@example.org"


def ending(account_id: AccountId) -> EndSessions:
    return EndSessions(account_id=account_id, reason=EndReason.EMAIL_CHANGED, now=NOW, journal_until_at=JOURNAL_UNTIL)


class GivingBackContract:
    async def test_nothing_is_left_of_what_somebody_else_may_have_put_there(self, store: Store) -> None:
        was, key = await robbed(store), an_address()
        (given,) = await done(store, back_to(was.owner, key, old_identifier_tag=was.known_tag))
        assert given == replace(
            was.owner, email=key.upper(), email_key=key, is_verified=True, password_hash=None, security_version=4
        )
        assert await store.find_account_by_email(key) == given == await store.find_account(was.owner.id)
        assert await store.find_account_by_email(was.owner.email_key or "") is None
        assert await store.list_factors(given.id) == []
        assert await store.count_recovery_codes(given.id) == 0
        assert await store.find_recovery_email(given.id) is None
        assert await store.find_trusted_device(was.device.value_hash) is None
        assert await store.find_challenge(was.challenge.id) is None
        assert not await store.is_known_device(was.known_tag, "d")
        assert await store.list_earlier_passwords(given.id, 9) == ["$hash"]

    async def test_what_the_operator_leaves_stays_but_for_what_was_trusted_or_half_done(self, store: Store) -> None:
        was, key = await robbed(store), an_address()
        leaving = back_to(was.owner, key, takes_password=False, takes_recovery_email=False, takes_factors=False)
        (given,) = await done(store, leaving)
        assert (given.password_hash, given.security_version, given.email_key) == ("$hash", 4, key)
        assert [factor.kind for factor in await store.list_factors(given.id)] == [FactorKind.TOTP]
        assert await store.count_recovery_codes(given.id) == 2
        assert await store.find_recovery_email(given.id) == was.recovery
        assert await store.list_earlier_passwords(given.id, 9) == []
        assert await store.find_trusted_device(was.device.value_hash) is None
        assert await store.find_challenge(was.challenge.id) is None

    async def test_other_accounts_keep_theirs(self, store: Store) -> None:
        was, left, other = [await robbed(store) for _ in range(3)]
        await done(store, back_to(was.owner, an_address(), old_identifier_tag=was.known_tag))
        await done(store, back_to(left.owner, an_address(), takes_factors=False, takes_recovery_email=False))
        kept = await store.find_account(other.owner.id)
        assert kept == replace(other.owner, security_version=3)
        assert len(await store.list_factors(other.owner.id)) == 2
        assert await store.find_recovery_email(other.owner.id) == other.recovery
        assert await store.find_challenge(other.challenge.id) is not None
        assert await store.list_trusted_devices(other.owner.id, NOW) == [other.device]

    async def test_a_recovery_address_that_becomes_the_first_goes_in_any_case(self, store: Store) -> None:
        was = await robbed(store)
        await done(store, back_to(was.owner, was.recovery.email_key, takes_recovery_email=False))
        assert await store.find_recovery_email(was.owner.id) is None

    async def test_a_disabled_account_stays_disabled(self, store: Store) -> None:
        owner, key = account(status=AccountStatus.DISABLED, password_hash="$hash"), an_address()
        await done(store, AddAccount(account=owner))
        (given,) = await done(store, back_to(owner, key, 1))
        assert (given.status, given.email_key, given.password_hash) == (AccountStatus.DISABLED, key, None)

    async def test_an_account_that_has_withdrawn_or_changed_is_not_given(self, store: Store) -> None:
        was, key = await robbed(store), an_address()
        assert await lost(store, back_to(was.owner, key, 2)) == "security_version"
        assert await lost(store, back_to(account(), key)) == "security_version"
        await done(store, EraseAccount(account_id=was.owner.id, security_version=3, identifier_tag="tag"))
        assert await lost(store, back_to(was.owner, key, 4)) == "security_version"
        assert await store.find_account_by_email(key) is None

    async def test_a_taken_address_loses_and_takes_nothing_away(self, store: Store) -> None:
        was, other = await robbed(store), account()
        await done(store, AddAccount(account=other))
        assert await lost(store, back_to(was.owner, other.email_key or "")) == "email_taken"
        assert await store.find_account(was.owner.id) == replace(was.owner, security_version=3)
        assert len(await store.list_factors(was.owner.id)) == 2

    async def test_of_an_operator_a_thief_and_a_stranger_one_gets_the_address(self, store: Store) -> None:
        was, stranger, key = await robbed(store), account(), an_address()
        await done(store, AddAccount(account=stranger))
        outcomes = await gather(
            store.apply(back_to(was.owner, key)),
            store.apply(
                ChangeEmail(account_id=stranger.id, security_version=1, email=key, email_key=key, old_identifier_tag="")
            ),
            store.apply(AddAccount(account=account(email_key=key))),
        )
        assert sorted(outcome.lost.why if outcome.lost else "" for outcome in outcomes) == ["", *["email_taken"] * 2]

    async def test_no_session_of_a_thief_lives_on_whatever_he_does_at_the_same_moment(self, store: Store) -> None:
        for _ in range(5):
            was, key = await robbed(store), an_address()
            held, wanted = session(was.owner), session(was.owner)
            await done(store, start(held, security_version=3))
            given, *_ = await gather(
                store.apply(ending(was.owner.id), back_to(was.owner, key)),
                store.apply(start(wanted, security_version=3)),
                store.apply(rotate(held)),
                store.apply(
                    SetPassword(account_id=was.owner.id, security_version=3, password_hash="$his", keep_earlier=0)
                ),
            )
            if given.lost:
                assert given.lost.why == "security_version"
                await done(store, ending(was.owner.id), back_to(was.owner, key, 4))
            after = await store.find_account(was.owner.id)
            assert after is not None
            assert (after.email_key, after.password_hash) == (key, None)
            assert await store.list_sessions(was.owner.id, NOW) == []
            assert isinstance((await store.apply(rotate(held, 1))).results[0], Ended)
