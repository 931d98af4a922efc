"""Promises about accounts, and about calls as a whole."""

from __future__ import annotations

from asyncio import gather

from msgspec.structs import replace

from sekisho.model import Account, AccountStatus, AuditRecord, Device
from sekisho.ports.changes import (
    AddAccount,
    AppendAudit,
    ChangeEmail,
    ChangeProfile,
    ConsumeCode,
    EraseAccount,
    ForgetEarlierPasswords,
    OneTimeCode,
    PutCode,
    RememberDevice,
    ReplacePasswordHash,
    SetAccountStatus,
    SetMeta,
    SetPassword,
    SetRoles,
)
from sekisho.ports.storage import AuditFilter, Outcome, Store
from storage.build import NOW, PURPOSE, account, done, lost, new_id, session, sign_up, signed_in, start


def new_password(of: Account, version: int, *, keep: int) -> SetPassword:
    return SetPassword(account_id=of.id, security_version=version, password_hash=f"${version + 1}", keep_earlier=keep)


class AccountContract:
    async def test_a_call_without_changes_does_nothing(self, store: Store) -> None:
        assert await store.apply() == Outcome()

    async def test_an_account_is_found_by_id_and_by_address_as_it_was_added(self, store: Store) -> None:
        added = account(name="花子", locale="ja", roles=("admin", "開発"), password_hash="$hash", is_verified=False)
        assert await done(store, AddAccount(account=added)) == (None,)
        assert await store.find_account(added.id) == added
        assert await store.find_account_by_email(added.email) == added

    async def test_an_unknown_account_is_none(self, store: Store) -> None:
        assert await store.find_account(account().id) is None
        assert await store.find_account_by_email("nobody@example.org") is None

    async def test_a_taken_address_loses(self, store: Store) -> None:
        first = account()
        await done(store, AddAccount(account=first))
        second = account(email_key=first.email_key)
        assert await lost(store, AddAccount(account=second)) == "email_taken"
        assert await store.find_account(second.id) is None

    async def test_of_racing_sign_ups_with_one_address_one_wins(self, store: Store) -> None:
        outcomes = await gather(*(store.apply(AddAccount(account=account(email_key="same"))) for _ in range(20)))
        assert sum(outcome.lost is None for outcome in outcomes) == 1

    async def test_accounts_without_an_address_do_not_collide(self, store: Store) -> None:
        await done(store, AddAccount(account=account(email_key=None)), AddAccount(account=account(email_key=None)))

    async def test_one_losing_change_undoes_the_whole_call_and_is_named(self, store: Store) -> None:
        new = account()
        loser = ConsumeCode(id=new_id(), purpose=PURPOSE, code_hash=b"x", now=NOW)
        outcome = await store.apply(AddAccount(account=new), loser, SetMeta(name="after", value="x"))
        assert outcome.lost is not None
        assert outcome.lost.change is loser
        assert outcome.results == ()
        assert await store.find_account(new.id) is None
        assert await store.find_meta("after") is None

    async def test_results_stand_in_the_order_of_the_call(self, store: Store) -> None:
        assert await done(
            store, SetMeta(name="a", value="1"), AddAccount(account=account()), SetMeta(name="b", value="2")
        ) == ("1", None, "2")

    async def test_accounts_are_listed_in_the_order_of_ids_page_by_page(self, store: Store) -> None:
        added = [account() for _ in range(5)]
        await done(store, *(AddAccount(account=one) for one in added))
        first = await store.list_accounts(limit=3)
        rest = await store.list_accounts(after_id=first[-1].id, limit=3)
        assert [one.id for one in first + rest] == sorted(one.id for one in added)

    async def test_a_profile_changes_and_comes_back(self, store: Store) -> None:
        added = account()
        await done(store, AddAccount(account=added))
        (changed,) = await done(store, ChangeProfile(account_id=added.id, name="花", locale="ja"))
        assert (changed.name, changed.locale, changed.security_version) == ("花", "ja", 1)
        assert await store.find_account(added.id) == changed

    async def test_what_a_profile_change_does_not_name_stays(self, store: Store) -> None:
        added = account(name="花", locale="ja")
        await done(store, AddAccount(account=added))
        await gather(
            done(store, ChangeProfile(account_id=added.id, name="花子")),
            done(store, ChangeProfile(account_id=added.id, locale="en")),
        )
        (changed,) = await done(store, ChangeProfile(account_id=added.id))
        assert (changed.name, changed.locale) == ("花子", "en")
        (cleared,) = await done(store, ChangeProfile(account_id=added.id, name=""))
        assert (cleared.name, cleared.locale) == ("", "en")

    async def test_only_an_active_account_changes_its_profile(self, store: Store) -> None:
        added = account(status=AccountStatus.DISABLED)
        await done(store, AddAccount(account=added))
        assert await lost(store, ChangeProfile(account_id=added.id, name="x", locale="ja")) == "account_gone"
        assert await lost(store, ChangeProfile(account_id=account().id, name="x", locale="ja")) == "account_gone"

    async def test_a_better_hash_replaces_the_old_one_without_a_new_version(self, store: Store) -> None:
        added = account(password_hash="$old")
        await done(store, AddAccount(account=added))
        await done(store, ReplacePasswordHash(account_id=added.id, old_hash="$old", new_hash="$new"))
        found = await store.find_account(added.id)
        assert found is not None
        assert (found.password_hash, found.security_version) == ("$new", 1)

    async def test_a_better_hash_loses_once_the_password_is_another(self, store: Store) -> None:
        added = account(password_hash="$other")
        await done(store, AddAccount(account=added))
        change = ReplacePasswordHash(account_id=added.id, old_hash="$old", new_hash="$new")
        assert await lost(store, change) == "hash_changed"

    async def test_a_new_password_raises_the_version_and_a_stale_one_loses(self, store: Store) -> None:
        added = account(password_hash="$old")
        await done(store, AddAccount(account=added))
        change = SetPassword(account_id=added.id, security_version=1, password_hash="$new")
        await done(store, change)
        assert await lost(store, change) == "security_version"
        found = await store.find_account(added.id)
        assert found is not None
        assert (found.password_hash, found.security_version) == ("$new", 2)

    async def test_earlier_passwords_stay_as_many_as_are_wanted_newest_first(self, store: Store) -> None:
        added = account(password_hash="$1")
        await done(store, AddAccount(account=added))
        for version in range(1, 7):
            await done(store, new_password(added, version, keep=3))
        assert await store.list_earlier_passwords(added.id, 9) == ["$6", "$5", "$4"]
        assert await store.list_earlier_passwords(added.id, 2) == ["$6", "$5"]
        await done(store, new_password(added, 7, keep=0))
        assert await store.list_earlier_passwords(added.id, 9) == []

    async def test_a_password_that_is_taken_away_is_kept_and_one_that_is_none_is_not(self, store: Store) -> None:
        added, other = account(password_hash="$1"), account(password_hash="$other")
        await done(store, AddAccount(account=added), AddAccount(account=other))
        taken = SetPassword(account_id=added.id, security_version=1, password_hash=None, keep_earlier=5)
        await done(store, taken)
        assert await lost(store, taken) == "security_version"
        await done(store, new_password(added, 2, keep=5))
        assert await store.list_earlier_passwords(added.id, 9) == ["$1"]
        assert await store.list_earlier_passwords(other.id, 9) == []

    async def test_of_racing_new_passwords_one_wins_and_one_is_set_aside(self, store: Store) -> None:
        added = account(password_hash="$1")
        await done(store, AddAccount(account=added))
        outcomes = await gather(*(store.apply(new_password(added, 1, keep=5)) for _ in range(20)))
        assert sorted(outcome.lost.why for outcome in outcomes if outcome.lost) == ["security_version"] * 19
        assert await store.list_earlier_passwords(added.id, 9) == ["$1"]

    async def test_earlier_passwords_are_forgotten_a_few_at_a_time_but_for_those_that_were_taken_away(
        self, store: Store
    ) -> None:
        added, robbed = account(password_hash="$1"), account(password_hash="$1")
        await done(store, AddAccount(account=added), AddAccount(account=robbed))
        for version in (1, 2, 3):
            await done(store, new_password(added, version, keep=5))
        await done(store, SetPassword(account_id=robbed.id, security_version=1, password_hash=None, keep_earlier=1))
        assert await done(store, ForgetEarlierPasswords(limit=2)) == (2,)
        assert await done(store, ForgetEarlierPasswords(limit=2)) == (1,)
        assert await store.list_earlier_passwords(added.id, 9) == []
        assert await store.list_earlier_passwords(robbed.id, 9) == ["$1"]

    async def test_a_withdrawal_forgets_earlier_passwords(self, store: Store) -> None:
        added = account(password_hash="$1")
        await done(store, AddAccount(account=added), new_password(added, 1, keep=5))
        await done(store, EraseAccount(account_id=added.id, security_version=2, identifier_tag="tag"))
        assert await store.list_earlier_passwords(added.id, 9) == []

    async def test_a_disabled_account_gets_no_password(self, store: Store) -> None:
        added = account(status=AccountStatus.DISABLED)
        await done(store, AddAccount(account=added))
        change = SetPassword(account_id=added.id, security_version=1, password_hash="$new")
        assert await lost(store, change) == "security_version"

    async def test_disabling_and_enabling_raise_the_version(self, store: Store) -> None:
        added = account()
        await done(store, AddAccount(account=added))
        await done(store, SetAccountStatus(account_id=added.id, expected="active", status="disabled"))
        again = SetAccountStatus(account_id=added.id, expected="active", status="disabled")
        assert await lost(store, again) == "account_gone"
        await done(store, SetAccountStatus(account_id=added.id, expected="disabled", status="active"))
        found = await store.find_account(added.id)
        assert found is not None
        assert (found.status, found.security_version) == (AccountStatus.ACTIVE, 3)

    async def test_roles_are_replaced_unless_the_account_is_gone(self, store: Store) -> None:
        added, left = account(roles=("old",)), account(status=AccountStatus.WITHDRAWN)
        await done(store, AddAccount(account=added), AddAccount(account=left))
        await done(store, SetRoles(account_id=added.id, roles=("a", 'b"c')))
        found = await store.find_account(added.id)
        assert found is not None
        assert found.roles == ("a", 'b"c')
        assert await lost(store, SetRoles(account_id=left.id, roles=())) == "account_gone"
        assert await lost(store, SetRoles(account_id=account().id, roles=())) == "account_gone"

    async def test_withdrawal_blanks_the_person_and_keeps_a_pseudonym(self, store: Store) -> None:
        owner, first = await signed_in(store, device=Device("Phone", "OS", "Browser", "mobile"), place="Kyoto")
        await done(store, SetRoles(account_id=owner.id, roles=("admin",)))
        await done(store, ChangeProfile(account_id=owner.id, name="花子", locale="ja"))
        await done(store, EraseAccount(account_id=owner.id, security_version=1, identifier_tag="tag"))

        left = await store.find_account(owner.id)
        assert left is not None
        assert (left.email, left.email_key, left.name, left.roles, left.password_hash) == ("", None, "", (), None)
        assert (left.status, left.security_version) == (AccountStatus.WITHDRAWN, 2)
        seen = await store.find_session(first.id)
        assert seen is not None
        assert (seen.ip, seen.user_agent, seen.place, seen.device) == ("", "", "", Device())

    async def test_withdrawal_forgets_the_code_of_the_newest_warning(self, store: Store) -> None:
        owner, _ = await signed_in(store)
        tag, other = new_id(), new_id()
        codes = [
            OneTimeCode(id=f"not_me:{each}", purpose="not_me", code_hash=b"h", expires_at=NOW + 10)
            for each in (tag, other)
        ]
        await done(store, *(PutCode(code=code) for code in codes))
        await done(store, EraseAccount(account_id=owner.id, security_version=1, identifier_tag=tag))
        spent = [ConsumeCode(id=code.id, purpose="not_me", code_hash=b"h", now=NOW) for code in codes]
        assert await lost(store, spent[0]) == "code_gone"
        await done(store, spent[1])

    async def test_withdrawal_frees_the_address(self, store: Store) -> None:
        owner, _ = await signed_in(store)
        await done(store, EraseAccount(account_id=owner.id, security_version=1, identifier_tag="tag"))
        await done(store, AddAccount(account=account(email_key=owner.email_key)))

    async def test_withdrawal_forgets_devices_and_spoils_sign_ups_of_the_address_only(self, store: Store) -> None:
        owner, _ = await signed_in(store)
        mine, others = sign_up(email_key=owner.email_key), sign_up()
        await done(
            store,
            mine,
            others,
            RememberDevice(identifier_tag="tag", device_tag="d", now=NOW),
            RememberDevice(identifier_tag="other", device_tag="d", now=NOW),
        )
        await done(store, EraseAccount(account_id=owner.id, security_version=1, identifier_tag="tag"))
        assert not await store.is_known_device("tag", "d")
        assert await store.is_known_device("other", "d")
        spoiled = await store.find_pending_sign_up(mine.pending.id)
        assert spoiled == replace(mine.pending, is_decoy=True, email="", email_key="tag", locale="", password_hash="")
        assert await store.list_pending_sign_ups("tag") == [spoiled]
        consume = ConsumeCode(id=mine.code.id, purpose=PURPOSE, code_hash=mine.code.code_hash, now=NOW)
        assert await lost(store, consume) == "code_gone"
        assert await store.find_pending_sign_up(others.pending.id) == others.pending

    async def test_withdrawal_blanks_the_account_s_audit_records_only(self, store: Store) -> None:
        owner, _ = await signed_in(store)
        mine = AuditRecord(
            event="login", outcome="success", at=NOW, account_id=owner.id, ip="i", user_agent="u", place="p", device="d"
        )
        mine = replace(mine, identifier_tag="tag")
        other = AuditRecord(event="login", outcome="failure", at=NOW, account_id="other", ip="i")
        await done(store, AppendAudit(record=mine), AppendAudit(record=other))
        await done(store, EraseAccount(account_id=owner.id, security_version=1, identifier_tag="tag"))
        (kept,) = await store.list_audit(AuditFilter(account_id=owner.id))
        assert (kept.event, kept.ip, kept.user_agent, kept.place, kept.device) == ("login", "", "", "", "")
        assert kept.identifier_tag == ""
        assert [record.ip for record in await store.list_audit(AuditFilter(account_id="other"))] == ["i"]

    async def test_withdrawal_at_a_stale_version_loses(self, store: Store) -> None:
        owner, _ = await signed_in(store)
        change = EraseAccount(account_id=owner.id, security_version=2, identifier_tag="tag")
        assert await lost(store, change) == "security_version"
        assert await store.find_account(owner.id) == owner

    async def test_a_withdrawn_account_starts_no_session(self, store: Store) -> None:
        owner, _ = await signed_in(store)
        await done(store, EraseAccount(account_id=owner.id, security_version=1, identifier_tag="tag"))
        assert await lost(store, start(session(owner), security_version=2)) == "security_version"

    async def test_a_new_address_is_verified_found_and_raises_the_version(self, store: Store) -> None:
        owner = account(is_verified=False)
        key, known = f"{new_id()}@example.org", RememberDevice(identifier_tag=new_id(), device_tag="d", now=NOW)
        wanted = ChangeEmail(
            account_id=owner.id,
            security_version=owner.security_version,
            email=key.upper(),
            email_key=key,
            old_identifier_tag=known.identifier_tag,
        )
        await done(store, AddAccount(account=owner), known)
        (changed,) = await done(store, wanted)
        version = owner.security_version + 1
        assert changed == replace(owner, email=key.upper(), email_key=key, is_verified=True, security_version=version)
        assert await store.find_account_by_email(key) == changed
        assert await store.find_account_by_email(owner.email) is None
        assert not await store.is_known_device(known.identifier_tag, known.device_tag)
        assert await lost(store, wanted) == "security_version"

    async def test_its_own_address_can_be_verified_anew(self, store: Store) -> None:
        owner = account(is_verified=False)
        await done(store, AddAccount(account=owner))
        (changed,) = await done(
            store,
            ChangeEmail(
                account_id=owner.id,
                security_version=owner.security_version,
                email=owner.email,
                email_key=owner.email_key or "",
                old_identifier_tag="",
            ),
        )
        assert changed == replace(owner, is_verified=True, security_version=owner.security_version + 1)

    async def test_of_racing_accounts_one_gets_the_address_and_a_taken_one_loses(self, store: Store) -> None:
        owners, key = [account() for _ in range(5)], f"{new_id()}@example.org"
        await done(store, *(AddAccount(account=owner) for owner in owners))
        outcomes = await gather(
            *(
                store.apply(
                    ChangeEmail(
                        account_id=owner.id,
                        security_version=owner.security_version,
                        email=key,
                        email_key=key,
                        old_identifier_tag="",
                    )
                )
                for owner in owners
            )
        )
        assert sorted(outcome.lost.why if outcome.lost else "" for outcome in outcomes) == ["", *["email_taken"] * 4]
        assert await lost(store, AddAccount(account=account(email_key=key))) == "email_taken"
