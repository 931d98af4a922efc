"""Accounts, as an operator sees them: add, find, list, disable, enable, change roles, withdraw.

What an operator does to an account is one commit with its audit record (actor `operator`). The
operator never learns or chooses a password of an account that exists.

Spec: OWASP ASVS 5.0 rows 6.4.6, 7.4.2, 7.4.5.
"""

from __future__ import annotations

import re

from msgspec import Struct
from msgspec.structs import replace

from sekisho.admin.world import OperatorWorld
from sekisho.audit import SUCCESS, Event, record
from sekisho.errors import EmailAlreadyExists, NotFound, ValidationError
from sekisho.identifiers import parse_email
from sekisho.ids import new_account_id
from sekisho.model import Account, AccountId, AccountStatus, Discreet, EndReason, Millis, Origin
from sekisho.outbox import MailKind
from sekisho.passwords.history import kept_when_taken
from sekisho.ports.changes import (
    AddAccount,
    AppendAudit,
    Change,
    EndSessions,
    EraseAccount,
    SetAccountStatus,
    SetPassword,
    SetRoles,
)
from sekisho.ports.factor_changes import RemoveFactors
from sekisho.ports.trust_changes import ForgetTrustedDevices
from sekisho.times import iso_time

OPERATOR = "operator"
LOCALES = ("en", "ja")
ROLES_LIMIT = 50
MAX_PAGE = 1000

_ROLE = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class NewAccount(Discreet, frozen=True, kw_only=True):
    """password None: the account cannot sign in with one until its owner sets one."""

    email: str
    password: str | None = None
    roles: tuple[str, ...] = ()
    locale: str = "en"


class StandingChanged(Struct, frozen=True):
    """The account as it is now, and how many of its sessions ended."""

    account: Account
    ended: int = 0


class DevicesForgotten(Struct, frozen=True):
    """The account, and how many devices are trusted no more."""

    account: Account
    devices: int


async def add_account(request: NewAccount, world: OperatorWorld) -> Account:
    """Add an account whose address counts as verified: the operator vouches for it.

    Raises:
        ValidationError: the address, the password (policy, breached), a role or the locale is not acceptable.
        EmailAlreadyExists: the address has an account.
        ServiceUnavailable: the hash pool is full.
    """
    email, roles = parse_email(request.email), check_roles(request.roles)
    if request.locale not in LOCALES:
        raise ValidationError(details={"locale": "invalid_choice"}, detail="locale")
    password_hash = None
    if request.password is not None:
        world.policy.check(request.password, email=email.address)
        await world.screening.screen(request.password)
        password_hash = await world.passwords.hash(request.password)

    now = world.clock.now()
    account = Account(
        id=new_account_id(),
        email=email.address,
        email_key=email.key,
        locale=request.locale,
        roles=roles,
        password_hash=password_hash,
        created_at=now,
    )
    outcome = await world.store.apply(AddAccount(account=account), audit_line(Event.ACCOUNT_ADDED, account.id, now))
    if outcome.lost:
        raise EmailAlreadyExists(detail=outcome.lost.why)
    return account


async def find_account(who: str, world: OperatorWorld) -> Account:
    """Return the account of an address or an id.

    Raises:
        NotFound: nobody has this address or id. A withdrawn account is found by its id only. If the address was changed
            by its holder in the last days, `details` say whose it was (`account_id`) and until when (`until`).
        ValidationError: it has an `@` but is not an address.
    """
    if "@" not in who:
        account = await world.store.find_account(AccountId(who))
        if account is None:
            raise NotFound(detail="no such account")
        return account
    key = parse_email(who).key
    account = await world.store.find_account_by_email(key)
    if account is None:
        raise NotFound(detail="no such account", details=await _who_had(key, world))
    return account


async def _who_had(email_key: str, world: OperatorWorld) -> dict[str, object] | None:
    """Return whose address this was until lately: an owner who was robbed knows no other. No list of former addresses
    is kept; it stands in the code of the letter that this address got, for as long as that lives."""
    stored = await world.store.find_one_time_code(world.not_me.id_of(email_key))
    account = await world.store.find_account(world.not_me.former_owner(stored, email_key))
    if stored is None or stored.expires_at <= world.clock.now():
        return None
    if account is None or account.status is AccountStatus.WITHDRAWN:
        return None
    return {"account_id": account.id, "until": iso_time(world.not_me.stored_at(stored))}


async def list_accounts(world: OperatorWorld, *, after_id: str = "", limit: int = 100) -> list[Account]:
    """Return accounts in the order of their ids, at most 1000; `after_id` pages forward."""
    return await world.store.list_accounts(after_id=after_id, limit=min(limit, MAX_PAGE))


async def disable_account(who: str, world: OperatorWorld) -> StandingChanged:
    """Let nobody sign in to the account any more and end all its sessions, in one commit; its owner is told.
    Idempotent.

    Raises:
        NotFound: no such account, or it is withdrawn.
        ValidationError: as `find_account`.
    """
    return await _change_standing(
        who, AccountStatus.ACTIVE, AccountStatus.DISABLED, Event.ACCOUNT_DISABLED, EndReason.ACCOUNT_DISABLED, world
    )


async def enable_account(who: str, world: OperatorWorld) -> StandingChanged:
    """Let the owner sign in again. Sessions that ended stay ended. Idempotent.

    Raises:
        NotFound: no such account, or it is withdrawn.
        ValidationError: as `find_account`.
    """
    return await _change_standing(
        who, AccountStatus.DISABLED, AccountStatus.ACTIVE, Event.ACCOUNT_ENABLED, EndReason.ENDED_BY_OPERATOR, world
    )


async def reset_factors(who: str, world: OperatorWorld) -> StandingChanged:
    """Forget every second factor and recovery code of an account and end all its sessions, in one commit: for who has
    lost them all. The owner is told; the password is enough to sign in until a new factor is enrolled.

    Raises:
        NotFound: no such account, or it is withdrawn.
        ValidationError: as `find_account`.
    """
    account = await present_account(who, world)
    now = world.clock.now()
    outcome = await world.store.apply(
        RemoveFactors(account_id=account.id),
        ending_all(account.id, EndReason.FACTORS_CHANGED, now, world),
        audit_line(Event.FACTORS_RESET, account.id, now),
        world.outbox.letter(MailKind.FACTORS_RESET, to=account.email, locale=account.locale, now=now, at=iso_time(now)),
    )
    if outcome.lost:
        raise NotFound(detail=outcome.lost.why)
    return StandingChanged(await find_account(account.id, world), ended=outcome.results[1])


async def forget_devices(who: str, world: OperatorWorld) -> DevicesForgotten:
    """Ask for the second step again on every device that the owner trusts. Sessions go on.

    Raises:
        NotFound: no such account, or it is withdrawn.
        ValidationError: as `find_account`.
    """
    account = await present_account(who, world)
    forgetting = ForgetTrustedDevices(account_id=account.id)
    outcome = await world.store.apply(forgetting, audit_line(Event.DEVICE_FORGOTTEN, account.id, world.clock.now()))
    return DevicesForgotten(account, outcome.results[0])


async def force_password_change(who: str, world: OperatorWorld) -> StandingChanged:
    """Take the password away, end all sessions and ask the owner by mail to set a new one by a password reset. For a
    password that may be known to others: it does not come back. The operator chooses none.

    Raises:
        NotFound: no such account, it is withdrawn or disabled, or it changed while this ran: look again.
        ValidationError: `email: not_verified`, as its owner could not reset it by mail; or as `find_account`.
    """
    account = await present_account(who, world)
    if account.status is not AccountStatus.ACTIVE:
        raise NotFound(detail="disabled")
    if not account.is_verified:
        raise ValidationError(details={"email": "not_verified"}, detail="the owner could not reset it by mail")
    now = world.clock.now()
    outcome = await world.store.apply(
        ending_all(account.id, EndReason.PASSWORD_CHANGED, now, world),
        SetPassword(
            account_id=account.id,
            security_version=account.security_version,
            password_hash=None,
            keep_earlier=kept_when_taken(world.policy.history),
        ),
        audit_line(Event.PASSWORD_CHANGE_FORCED, account.id, now),
        world.outbox.letter(MailKind.PASSWORD_CHANGE_FORCED, to=account.email, locale=account.locale, now=now),
    )
    if outcome.lost:
        raise NotFound(detail=outcome.lost.why)
    return StandingChanged(await find_account(account.id, world), ended=outcome.results[0])


async def unlock(who: str, world: OperatorWorld, *, ip: str = "") -> Account | None:
    """Clear the counted failures and mails of an address, and of its account if it has one. Return that account.

    ip: also what was counted for the address and the network of this IP address together.

    Raises:
        NotFound: `who` is an id that nobody has, or whose account is withdrawn.
        ValidationError: as `find_account`.
    """
    if "@" in who:
        email_key = parse_email(who).key
        account = await world.store.find_account_by_email(email_key)
    else:
        account = await present_account(who, world)
        email_key = account.email_key or ""
    line = record(
        Event.ACCOUNT_UNLOCKED,
        SUCCESS,
        at=world.clock.now(),
        origin=Origin(),
        account_id=account.id if account else "",
        identifier_tag=world.throttle.identifier_tag(email_key),
        actor=OPERATOR,
    )
    forgotten = world.throttle.forget_all(email_key, account.id if account else "", ip)
    await world.store.apply(*forgotten, AppendAudit(record=line))
    return account


async def change_roles(
    who: str, world: OperatorWorld, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()
) -> Account:
    """Add and remove roles; return the account as it is now. What is there (or gone) already stays so.

    Access tokens that carry roles keep the old ones until they are refreshed, at most one token life later.

    Raises:
        NotFound: no such account, or it is withdrawn.
        ValidationError: `roles: invalid_characters` or `too_many`.

    Concurrency: of two operators who change one account's roles at once, the later one's set stands whole.
    """
    added = check_roles(add)
    account = await present_account(who, world)
    kept = tuple(role for role in account.roles if role not in remove)
    roles = check_roles((*kept, *(role for role in added if role not in kept)))
    if roles == account.roles:
        return account
    now = world.clock.now()
    outcome = await world.store.apply(
        SetRoles(account_id=account.id, roles=roles), audit_line(Event.ROLES_CHANGED, account.id, now)
    )
    if outcome.lost:
        raise NotFound(detail=outcome.lost.why)
    return replace(account, roles=roles)


async def withdraw_account(who: str, world: OperatorWorld) -> StandingChanged:
    """Erase an account for its owner: as `flows.withdrawal`, but asked for by the operator, without the password.

    Raises:
        NotFound: no such account, or it is withdrawn already, or it changed while this ran: look again.
        ValidationError: as `find_account`.
    """
    account = await present_account(who, world)
    now = world.clock.now()
    ending = ending_all(account.id, EndReason.WITHDRAWAL, now, world)
    outcome = await world.store.apply(
        ending,
        *_activation(account),
        audit_line(Event.WITHDRAWAL, account.id, now),
        world.outbox.letter(MailKind.ACCOUNT_WITHDRAWN, to=account.email, locale=account.locale, now=now),
        # Last, so that it blanks what the lines above have just written about the person.
        EraseAccount(
            account_id=account.id,
            security_version=account.security_version + len(_activation(account)),
            identifier_tag=world.throttle.identifier_tag(account.email_key or ""),
        ),
    )
    if outcome.lost:
        raise NotFound(detail=outcome.lost.why)
    return StandingChanged(await find_account(account.id, world), ended=outcome.results[0])


def check_roles(roles: tuple[str, ...]) -> tuple[str, ...]:
    """Return the roles, each once, in the order given.

    Raises:
        ValidationError: `roles: invalid_characters` (1 to 64 letters, digits, `.`, `_`, `:`, `-`) or `too_many`.
    """
    if any(_ROLE.fullmatch(role) is None for role in roles):
        raise ValidationError(details={"roles": "invalid_characters"}, detail="role")
    if len(roles) > ROLES_LIMIT:
        raise ValidationError(details={"roles": "too_many"}, detail="roles")
    return tuple(dict.fromkeys(roles))


async def _change_standing(
    who: str,
    expected: AccountStatus,
    status: AccountStatus,
    event: Event,
    reason: EndReason,
    world: OperatorWorld,
) -> StandingChanged:
    account = await present_account(who, world)
    if account.status is status:
        return StandingChanged(account)
    now = world.clock.now()
    letter = MailKind.ACCOUNT_ENABLED if status is AccountStatus.ACTIVE else MailKind.ACCOUNT_DISABLED
    outcome = await world.store.apply(
        SetAccountStatus(account_id=account.id, expected=expected, status=status),
        ending_all(account.id, reason, now, world),
        audit_line(event, account.id, now),
        world.outbox.letter(letter, to=account.email, locale=account.locale, now=now, at=iso_time(now)),
    )
    if outcome.lost:
        raise NotFound(detail=outcome.lost.why)
    return StandingChanged(await find_account(account.id, world), ended=outcome.results[1])


async def present_account(who: str, world: OperatorWorld) -> Account:
    """Return the account of an address or an id, active or disabled.

    Raises:
        NotFound: no such account, or it is withdrawn.
        ValidationError: as `find_account`.
    """
    account = await find_account(who, world)
    if account.status is AccountStatus.WITHDRAWN:
        raise NotFound(detail="withdrawn")
    return account


def _activation(account: Account) -> tuple[Change, ...]:
    """Only an active account can be erased: a disabled one becomes active inside the commit that erases it."""
    if account.status is AccountStatus.ACTIVE:
        return ()
    return (SetAccountStatus(account_id=account.id, expected=account.status, status=AccountStatus.ACTIVE),)


def ending_all(account_id: AccountId, reason: EndReason, now: Millis, world: OperatorWorld) -> EndSessions:
    """Return the change that ends all sessions of an account by the operator's hand."""
    return EndSessions(
        account_id=account_id, reason=reason, now=now, journal_until_at=now + world.journal_ms, actor=OPERATOR
    )


def audit_line(event: Event, account_id: AccountId, now: Millis, reason: str = "") -> AppendAudit:
    """Return the record of what an operator did to an account."""
    line = record(event, SUCCESS, at=now, origin=Origin(), account_id=account_id, actor=OPERATOR, reason=reason)
    return AppendAudit(record=line)
