"""Promises about factors, recovery codes, challenges, and a session's newer proof."""

from __future__ import annotations

import secrets
from asyncio import gather
from typing import Any

import pytest
from msgspec.structs import replace

from sekisho.model import Account, AccountId, Challenge, Factor, FactorKind, Transport
from sekisho.ports.changes import (
    AddAccount,
    EraseAccount,
    PurgeExpired,
    RaiseEpoch,
    SetAccountStatus,
    SetPassword,
)
from sekisho.ports.factor_changes import (
    AddFactor,
    ConfirmFactor,
    CountChallengeTry,
    CountFactorTry,
    OpenChallenge,
    ReactivateFactor,
    RemoveFactor,
    RemoveFactors,
    RenameFactor,
    RenewProof,
    SetRecoveryCodes,
    SpendChallenge,
    SpendRecoveryCode,
    SuspendFactor,
    UseFactor,
)
from sekisho.ports.storage import Rotated, Store
from storage.build import JOURNAL_UNTIL, MINUTE, NOW, account, done, lost, new_id, rotate, session, signed_in, start

STEP = NOW // 30_000


def a_factor(owner: Account, **given: Any) -> Factor:
    values = {
        "id": new_id(),
        "account_id": owner.id,
        "kind": FactorKind.TOTP,
        "name": "電話",
        "sealed": secrets.token_bytes(40),
        "created_at": NOW,
        "expires_at": NOW + 10 * MINUTE,
    }
    return Factor(**{**values, **given})


def add(factor: Factor, **given: Any) -> AddFactor:
    return AddFactor(factor=factor, **{"security_version": 1, "max_factors": 10, **given})


def confirm(factor: Factor, **given: Any) -> ConfirmFactor:
    values = {"factor_id": factor.id, "account_id": factor.account_id, "security_version": 1, "step": STEP, "now": NOW}
    return ConfirmFactor(**{**values, **given})


def use(factor: Factor, step: int, **given: Any) -> UseFactor:
    return UseFactor(
        **{
            "factor_id": factor.id,
            "account_id": factor.account_id,
            "step": step,
            "now": NOW,
            "max_failures": 3,
            **given,
        }
    )


def a_challenge(owner: Account, **given: Any) -> Challenge:
    values = {
        "id": new_id(),
        "account_id": owner.id,
        "client_id": "web:one",
        "transport": Transport.COOKIE,
        "security_version": 1,
        "created_at": NOW,
        "expires_at": NOW + 5 * MINUTE,
    }
    return Challenge(**{**values, **given})


async def enrolled(store: Store, **given: Any) -> tuple[Account, Factor]:
    """Add an account with one confirmed factor; the account as it is afterwards."""
    owner = account()
    factor = a_factor(owner, **given)
    await done(store, AddAccount(account=owner), add(factor), confirm(factor))
    found = await store.find_account(owner.id)
    assert found is not None
    return found, factor


async def version_of(store: Store, owner: Account) -> int:
    found = await store.find_account(owner.id)
    assert found is not None
    return found.security_version


class FactorContract:
    async def test_a_factor_is_listed_as_it_was_added_and_counts_once_confirmed(self, store: Store) -> None:
        owner = account()
        first, second = a_factor(owner), a_factor(owner, kind=FactorKind.EMAIL, created_at=NOW + 1)
        await done(store, AddAccount(account=owner), add(first), add(second))
        assert await store.list_factors(owner.id) == [first, second]
        assert await store.list_factors(AccountId("unknown")) == []
        await done(store, confirm(first))
        confirmed = replace(first, confirmed_at=NOW, last_step=STEP, expires_at=None)
        assert await store.list_factors(owner.id) == [confirmed, second]
        assert await version_of(store, owner) == 2

    async def test_a_new_enrolment_takes_the_place_of_an_unfinished_one_of_its_kind(self, store: Store) -> None:
        owner, factor = await enrolled(store)
        older, newer = a_factor(owner, created_at=NOW + 1), a_factor(owner, created_at=NOW + 2)
        await done(store, add(older, security_version=2), add(newer, security_version=2))
        assert [one.id for one in await store.list_factors(owner.id)] == [factor.id, newer.id]

    async def test_there_are_never_more_factors_than_allowed(self, store: Store) -> None:
        owner, _ = await enrolled(store)
        assert await lost(store, add(a_factor(owner), security_version=2, max_factors=1)) == "too_many"

    @pytest.mark.parametrize(
        "given", [{"now": NOW + 10 * MINUTE}, {"account_id": AccountId("other")}, {"factor_id": "unknown"}]
    )
    async def test_what_is_not_being_enrolled_is_not_confirmed(self, store: Store, given: dict[str, Any]) -> None:
        owner = account()
        factor = a_factor(owner)
        await done(store, AddAccount(account=owner), AddAccount(account=account(id=AccountId("other"))), add(factor))
        assert await lost(store, confirm(factor, **given)) == "factor_gone"
        await done(store, confirm(factor, now=NOW + 10 * MINUTE - 1))
        assert await lost(store, confirm(factor, security_version=2)) == "factor_gone"

    async def test_of_racing_confirmations_one_wins(self, store: Store) -> None:
        owner = account()
        factor = a_factor(owner)
        await done(store, AddAccount(account=owner), add(factor))
        outcomes = await gather(*(store.apply(confirm(factor)) for _ in range(20)))
        assert sum(outcome.lost is None for outcome in outcomes) == 1

    async def test_a_sign_in_that_read_before_a_confirmation_starts_nothing(self, store: Store) -> None:
        owner, _ = await enrolled(store)
        assert await lost(store, start(session(owner), security_version=1)) == "security_version"
        assert await lost(store, OpenChallenge(challenge=a_challenge(owner))) == "security_version"

    async def test_what_an_account_may_no_longer_change_is_lost(self, store: Store) -> None:
        owner, factor = await enrolled(store)
        await done(store, SetAccountStatus(account_id=owner.id, expected="active", status="disabled"))
        codes = SetRecoveryCodes(account_id=owner.id, security_version=3, code_hashes=(b"1",))
        remove = RemoveFactor(factor_id=factor.id, account_id=owner.id, security_version=3)
        opened = OpenChallenge(challenge=a_challenge(owner, security_version=3))
        for change in (add(a_factor(owner), security_version=3), codes, remove, opened):
            assert await lost(store, change) == "security_version"

    async def test_a_time_step_is_used_once_and_none_before_it(self, store: Store) -> None:
        _, factor = await enrolled(store)
        assert await lost(store, use(factor, STEP)) == "step_used"
        await done(store, use(factor, STEP + 2))
        for step in (STEP + 1, STEP + 2):
            assert await lost(store, use(factor, step)) == "step_used"
        await done(store, use(factor, STEP + 3))

    async def test_of_racing_uses_of_a_step_one_wins(self, store: Store) -> None:
        _, factor = await enrolled(store)
        outcomes = await gather(*(store.apply(use(factor, STEP + 1)) for _ in range(50)))
        assert sum(outcome.lost is None for outcome in outcomes) == 1

    async def test_N_11_tries_at_a_factor_are_counted_until_none_is_left_and_a_right_one_forgives(
        self, store: Store
    ) -> None:
        owner, factor = await enrolled(store)
        count = CountFactorTry(account_id=owner.id, kind=FactorKind.TOTP, max_failures=3)
        outcomes = await gather(*(store.apply(count) for _ in range(50)))
        assert [outcome.results for outcome in outcomes if outcome.lost is None] == [(frozenset({factor.id}),)] * 3
        assert {outcome.lost.why for outcome in outcomes if outcome.lost} == {"factor_locked"}
        await done(store, use(factor, STEP + 1))
        (found,) = await store.list_factors(owner.id)
        assert found.failures == 0
        await done(store, count)
        assert await lost(store, replace(count, kind=FactorKind.EMAIL)) == "factor_locked"

    async def test_N_11_a_right_code_forgives_the_factors_of_its_kind_but_none_that_is_locked(
        self, store: Store
    ) -> None:
        owner, factor = await enrolled(store)
        count = CountFactorTry(account_id=owner.id, kind=FactorKind.TOTP, max_failures=3)
        await done(store, count, count)
        second = a_factor(owner, created_at=NOW + 1)
        await done(store, add(second, security_version=2), confirm(second, security_version=2))
        assert await done(store, count) == (frozenset({factor.id, second.id}),)
        assert await done(store, count) == (frozenset({second.id}),)
        await done(store, use(second, STEP + 1))
        assert [one.failures for one in await store.list_factors(owner.id)] == [3, 0]
        assert await done(store, count) == (frozenset({second.id}),)
        third = a_factor(owner, created_at=NOW + 2)
        await done(store, add(third, security_version=3), confirm(third, security_version=3), count)
        await done(store, use(third, STEP + 1))
        assert [one.failures for one in await store.list_factors(owner.id)] == [3, 0, 0]

    async def test_a_use_without_a_step_leaves_the_steps_alone(self, store: Store) -> None:
        owner, factor = await enrolled(store)
        await done(store, use(factor, 0, now=NOW + 5))
        (found,) = await store.list_factors(owner.id)
        assert (found.last_step, found.last_used_at) == (STEP, NOW + 5)

    async def test_an_unfinished_or_foreign_factor_proves_nothing(self, store: Store) -> None:
        owner, factor = await enrolled(store)
        other, unfinished = account(), a_factor(owner)
        await done(store, AddAccount(account=other), add(unfinished, security_version=2))
        assert await lost(store, use(unfinished, STEP + 1)) == "step_used"
        assert await lost(store, use(factor, STEP + 1, account_id=other.id)) == "step_used"

    async def test_a_factor_is_renamed_by_its_owner_only(self, store: Store) -> None:
        owner, factor = await enrolled(store)
        (renamed,) = await done(store, RenameFactor(factor_id=factor.id, account_id=owner.id, name="new"))
        assert renamed.name == "new"
        assert await store.list_factors(owner.id) == [renamed]
        other = RenameFactor(factor_id=factor.id, account_id=AccountId("other"), name="mine")
        assert await lost(store, other) == "factor_gone"

    async def test_a_removed_factor_is_gone_and_the_last_one_takes_the_recovery_codes_along(self, store: Store) -> None:
        owner, factor = await enrolled(store)
        second = a_factor(owner, kind=FactorKind.EMAIL)
        codes = SetRecoveryCodes(account_id=owner.id, security_version=3, code_hashes=(b"1", b"2"))
        await done(store, add(second, security_version=2), confirm(second, security_version=2), codes)
        remove = RemoveFactor(factor_id=factor.id, account_id=owner.id, security_version=3)
        assert await done(store, remove) == (1,)
        assert await store.count_recovery_codes(owner.id) == 2
        assert await lost(store, remove) == "security_version"
        assert await lost(store, replace(remove, security_version=4)) == "factor_gone"
        assert await done(store, replace(remove, factor_id=second.id, security_version=4)) == (0,)
        assert await store.count_recovery_codes(owner.id) == 0
        assert await version_of(store, owner) == 5

    async def test_a_factor_is_suspended_since_the_first_time_and_counts_again(self, store: Store) -> None:
        owner, factor = await enrolled(store, kind=FactorKind.EMAIL)
        suspend = SuspendFactor(factor_id=factor.id, account_id=owner.id, now=NOW + 1)
        await done(store, suspend)
        await done(store, replace(suspend, now=NOW + 2))
        (found,) = await store.list_factors(owner.id)
        assert (found.suspended_at, found.confirmed_at) == (NOW + 1, NOW)
        assert await version_of(store, owner) == 2
        (renamed,) = await done(store, RenameFactor(factor_id=factor.id, account_id=owner.id, name="new"))
        assert renamed.suspended_at == NOW + 1
        reactivate = ReactivateFactor(factor_id=factor.id, account_id=owner.id)
        await done(store, reactivate)
        await done(store, reactivate)
        assert [one.suspended_at for one in await store.list_factors(owner.id)] == [None]

    async def test_only_a_confirmed_factor_of_the_account_is_suspended_or_counts_again(self, store: Store) -> None:
        owner, factor = await enrolled(store)
        other, unfinished = account(), a_factor(owner)
        await done(store, AddAccount(account=other), add(unfinished, security_version=2))
        for factor_id, account_id in ((unfinished.id, owner.id), (factor.id, other.id), ("unknown", owner.id)):
            suspend = SuspendFactor(factor_id=factor_id, account_id=account_id, now=NOW)
            assert await lost(store, suspend) == "factor_gone"
            assert await lost(store, ReactivateFactor(factor_id=factor_id, account_id=account_id)) == "factor_gone"
        assert {one.suspended_at for one in await store.list_factors(owner.id)} == {None}

    async def test_a_suspension_that_stands_beside_a_lost_change_did_not_happen(self, store: Store) -> None:
        owner, factor = await enrolled(store, kind=FactorKind.EMAIL)
        suspend = SuspendFactor(factor_id=factor.id, account_id=owner.id, now=NOW)
        taking = SetPassword(account_id=owner.id, security_version=1, password_hash=None, keep_earlier=0)
        assert await lost(store, suspend, taking) == "security_version"
        assert [one.suspended_at for one in await store.list_factors(owner.id)] == [None]

    async def test_of_a_password_set_anew_and_a_second_step_at_once_the_suspension_stands(self, store: Store) -> None:
        """Either order: the sign-in comes before, or starts nothing and makes nothing count again."""
        for number in range(10):
            owner, app = await enrolled(store)
            mail = a_factor(owner, kind=FactorKind.EMAIL)
            await done(store, add(mail, security_version=2), confirm(mail, security_version=2))
            suspend = SuspendFactor(factor_id=mail.id, account_id=owner.id, now=NOW)
            reset = (suspend, SetPassword(account_id=owner.id, security_version=3, password_hash="x", keep_earlier=0))
            step = (
                use(app, STEP + 1),
                ReactivateFactor(factor_id=mail.id, account_id=owner.id),
                start(session(owner), security_version=3),
            )
            calls = (reset, step) if number % 2 else (step, reset)
            outcomes = await gather(*(store.apply(*call) for call in calls))
            set_anew = outcomes[0] if number % 2 else outcomes[1]
            assert set_anew.lost is None
            found = {one.kind: one.suspended_at for one in await store.list_factors(owner.id)}
            assert found == {FactorKind.TOTP: None, FactorKind.EMAIL: NOW}

    async def test_all_factors_are_removed_at_once(self, store: Store) -> None:
        owner, _ = await enrolled(store)
        codes = SetRecoveryCodes(account_id=owner.id, security_version=2, code_hashes=(b"1",))
        await done(store, add(a_factor(owner), security_version=2), codes)
        assert await done(store, RemoveFactors(account_id=owner.id)) == (1,)
        assert (await store.list_factors(owner.id), await store.count_recovery_codes(owner.id)) == ([], 0)
        assert await version_of(store, owner) == 3
        assert await lost(store, RemoveFactors(account_id=AccountId("unknown"))) == "account_gone"

    async def test_a_recovery_code_works_once_and_only_for_its_account(self, store: Store) -> None:
        owner, other = account(), account()
        both = [
            SetRecoveryCodes(account_id=one.id, security_version=1, code_hashes=hashes)
            for one, hashes in ((owner, (b"1", b"2")), (other, (b"3",)))
        ]
        await done(store, AddAccount(account=owner), AddAccount(account=other), *both)
        spend = SpendRecoveryCode(account_id=owner.id, code_hash=b"1", now=NOW)
        assert await lost(store, replace(spend, code_hash=b"3")) == "code_gone"
        outcomes = await gather(*(store.apply(spend) for _ in range(50)))
        assert [outcome.results for outcome in outcomes if outcome.lost is None] == [(1,)]
        assert await store.count_recovery_codes(owner.id) == 1

    async def test_new_recovery_codes_kill_the_older_ones(self, store: Store) -> None:
        owner = account()
        older = SetRecoveryCodes(account_id=owner.id, security_version=1, code_hashes=(b"1", b"2"))
        await done(store, AddAccount(account=owner), older, replace(older, code_hashes=(b"3",)))
        assert await store.count_recovery_codes(owner.id) == 1
        spend = SpendRecoveryCode(account_id=owner.id, code_hash=b"1", now=NOW)
        assert await lost(store, spend) == "code_gone"

    async def test_a_challenge_is_found_as_it_was_opened_and_spent_once(self, store: Store) -> None:
        owner = account()
        challenge = a_challenge(owner)
        await done(store, AddAccount(account=owner), OpenChallenge(challenge=challenge))
        assert await store.find_challenge(challenge.id) == challenge
        assert await store.find_challenge("unknown") is None
        spend = SpendChallenge(challenge_id=challenge.id, now=NOW)
        assert await lost(store, replace(spend, now=NOW + 5 * MINUTE)) == "challenge_gone"
        outcomes = await gather(*(store.apply(spend) for _ in range(50)))
        assert sum(outcome.lost is None for outcome in outcomes) == 1
        assert await store.find_challenge(challenge.id) == replace(challenge, used_at=NOW)
        assert await lost(store, CountChallengeTry(challenge_id=challenge.id, max_tries=5, now=NOW)) == "challenge_gone"

    async def test_racing_tries_at_a_challenge_are_never_more_than_allowed(self, store: Store) -> None:
        owner = account()
        challenge = a_challenge(owner)
        await done(store, AddAccount(account=owner), OpenChallenge(challenge=challenge))
        count = CountChallengeTry(challenge_id=challenge.id, max_tries=5, now=NOW)
        outcomes = await gather(*(store.apply(count) for _ in range(50)))
        assert sorted(outcome.results[0] for outcome in outcomes if outcome.lost is None) == [1, 2, 3, 4, 5]
        assert {outcome.lost.why for outcome in outcomes if outcome.lost} == {"challenge_dead"}
        assert await lost(store, replace(count, now=NOW + 5 * MINUTE)) == "challenge_gone"

    async def test_upkeep_forgets_challenges_and_unfinished_enrolments_that_are_over(self, store: Store) -> None:
        owner, factor = await enrolled(store)
        challenge, unfinished = a_challenge(owner, security_version=2), a_factor(owner)
        await done(store, OpenChallenge(challenge=challenge), add(unfinished, security_version=2))
        purge = PurgeExpired(
            now=NOW + 5 * MINUTE, ended_before_at=NOW, devices_before_at=NOW, journal_before_at=NOW, limit=100
        )
        assert await done(store, purge) == (1,)
        assert await store.find_challenge(challenge.id) is None
        assert len(await store.list_factors(owner.id)) == 2
        assert await done(store, replace(purge, now=NOW + 10 * MINUTE)) == (1,)
        assert [one.id for one in await store.list_factors(owner.id)] == [factor.id]

    async def test_a_withdrawal_forgets_all_of_it(self, store: Store) -> None:
        owner, _ = await enrolled(store)
        challenge = a_challenge(owner, security_version=2)
        codes = SetRecoveryCodes(account_id=owner.id, security_version=2, code_hashes=(b"1",))
        await done(store, OpenChallenge(challenge=challenge), codes)
        await done(store, EraseAccount(account_id=owner.id, security_version=2, identifier_tag=""))
        assert (await store.list_factors(owner.id), await store.count_recovery_codes(owner.id)) == ([], 0)
        assert await store.find_challenge(challenge.id) is None
        assert await lost(store, RemoveFactors(account_id=owner.id)) == "account_gone"

    async def test_after_a_restore_nothing_that_may_have_been_used_works_again(self, store: Store) -> None:
        owner, factor = await enrolled(store)
        challenge = a_challenge(owner, security_version=2)
        codes = SetRecoveryCodes(account_id=owner.id, security_version=2, code_hashes=(b"1",))
        await done(store, OpenChallenge(challenge=challenge), codes)
        await done(store, RaiseEpoch(generation=new_id(), now=NOW, journal_until_at=JOURNAL_UNTIL))
        assert await store.count_recovery_codes(owner.id) == 0
        assert await lost(store, SpendChallenge(challenge_id=challenge.id, now=NOW)) == "challenge_gone"
        assert await lost(store, use(factor, STEP + 2)) == "step_used"
        await done(store, use(factor, STEP + 3))

    async def test_V6_4_3_a_restore_puts_no_suspended_factor_in_force(self, store: Store) -> None:
        owner, mail = await enrolled(store, kind=FactorKind.EMAIL)
        await done(store, SuspendFactor(factor_id=mail.id, account_id=owner.id, now=NOW))
        await done(store, RaiseEpoch(generation=new_id(), now=NOW + 1, journal_until_at=JOURNAL_UNTIL))
        assert [one.suspended_at for one in await store.list_factors(owner.id)] == [NOW]

    async def test_a_newer_proof_stands_on_the_session_and_goes_on_through_rotations(self, store: Store) -> None:
        owner, first = await signed_in(store)
        await done(store, rotate(first))
        renew = RenewProof(
            session_id=first.id,
            account_id=owner.id,
            security_version=1,
            amr=("pwd", "otp", "mfa"),
            acr="aal2",
            now=NOW + 2 * MINUTE,
        )
        (renewed,) = await done(store, renew)
        assert (renewed.auth_time_at, renewed.amr, renewed.acr) == (NOW + 2 * MINUTE, ("pwd", "otp", "mfa"), "aal2")
        assert (renewed.counter, await store.find_session(first.id)) == (1, renewed)
        (rotation,) = await done(store, rotate(first, 1, now=NOW + 3 * MINUTE))
        assert isinstance(rotation, Rotated)
        assert (rotation.session.auth_time_at, rotation.session.acr) == (NOW + 2 * MINUTE, "aal2")
        assert await lost(store, replace(renew, security_version=2)) == "security_version"
        other = account()
        await done(store, AddAccount(account=other))
        assert await lost(store, replace(renew, account_id=other.id)) == "not_live"

    async def test_a_newer_proof_moves_the_ends_nearer_and_never_away(self, store: Store) -> None:
        owner, first = await signed_in(store)
        renew = RenewProof(
            session_id=first.id,
            account_id=owner.id,
            security_version=1,
            amr=("pwd", "otp", "mfa"),
            acr="aal2",
            now=NOW,
            idle_by_at=NOW + 2 * MINUTE,
            expires_by_at=NOW + 3 * MINUTE,
        )
        (nearer,) = await done(store, renew)
        assert (nearer.idle_expires_at, nearer.expires_at) == (NOW + 2 * MINUTE, NOW + 3 * MINUTE)
        (same,) = await done(
            store, replace(renew, idle_by_at=first.idle_expires_at, expires_by_at=first.expires_at + MINUTE)
        )
        assert (same.idle_expires_at, same.expires_at) == (nearer.idle_expires_at, nearer.expires_at)
        (rotation,) = await done(store, rotate(first, now=NOW + MINUTE))
        assert isinstance(rotation, Rotated)
        assert (rotation.session.idle_expires_at, rotation.session.expires_at) == (NOW + 3 * MINUTE,) * 2
        over = [each.id for each in await store.list_expired_sessions(NOW + 3 * MINUTE, 100)]
        assert first.id in over, "it is swept when it is over, not when it would have been"

    async def test_adoption_counts_active_accounts_with_confirmed_factors_each_once(self, store: Store) -> None:
        before = await store.count_factor_adoption()
        owners = [account() for _ in range(5)]
        await done(store, *(AddAccount(account=owner) for owner in owners))
        for owner, version, kind in (
            (owners[0], 1, FactorKind.TOTP),
            (owners[0], 2, FactorKind.TOTP),
            (owners[0], 3, FactorKind.EMAIL),
            (owners[1], 1, FactorKind.EMAIL),
            (owners[3], 1, FactorKind.TOTP),
        ):
            factor = a_factor(owner, kind=kind)
            await done(store, add(factor, security_version=version), confirm(factor, security_version=version))
        await done(store, add(a_factor(owners[2])))  # Never confirmed.
        await done(store, SetAccountStatus(account_id=owners[3].id, expected="active", status="disabled"))

        after = await store.count_factor_adoption()
        grown = {word: after[word] - before.get(word, 0) for word in after}
        assert grown == {"accounts": 4, "with_factor": 2, "totp": 1, "email": 2}
