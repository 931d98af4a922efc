"""Not me: the owner was told of something by mail, and it was somebody else. Everything ends at once.

    count the try -> find the account that has the address, or had it
                  -> spend the code, end all sessions, take password and recovery address away: one commit

The code stands in the letter; nothing is done by following a link. Whoever has it reads the mail of the account, and
could reset the password just so; this way it takes one step, and what an intruder holds is worth nothing when it is
done. A new password is set by a password reset, whose code must not go to an address that an intruder has set: so the
recovery address goes, too.

The letter to the former address of an account has a code too: whoever was robbed of the account still reads there. It
ends as much and gives no more: the address stays as it is, which only an operator can look into, and so does the
recovery address: it may be the owner's, and then it is the way back. Once an operator has given the account back to its
owner, no such code from before is good any more: a thief who has changed the address twice has one himself.

An address without an account, a wrong code, a used, replaced or expired one: one answer, the same work.

Spec: OWASP ASVS 5.0 rows 6.3.5, 6.3.7, 6.3.8 and 7.4.3; NIST SP 800-63B-4 section 4.6.
"""

from __future__ import annotations

from msgspec import Struct

from sekisho.audit import FAILURE, SUCCESS, Event, record
from sekisho.errors import InvalidCode
from sekisho.identifiers import EmailAddress, parse_email
from sekisho.model import Account, AccountId, AccountStatus, Discreet, EndReason, Millis, Origin, RecoveryEmail
from sekisho.not_me_codes import PURPOSE, NotMeCodes, parse_not_me_code
from sekisho.notices import Notices
from sekisho.outbox import MailKind, Outbox
from sekisho.passwords.history import kept_when_taken
from sekisho.passwords.policy import PasswordPolicy
from sekisho.ports.changes import AppendAudit, Change, ChangeEmail, ConsumeCode, CountTry, OneTimeCode, SetPassword
from sekisho.ports.clock import Clock
from sekisho.ports.recovery_changes import RemoveRecoveryEmail
from sekisho.ports.storage import Store
from sekisho.sessions import Sessions
from sekisho.throttle import Throttle, refuse_if_throttled
from sekisho.times import iso_time


class NotMe(Discreet, frozen=True):
    """email: the address that the letter went to. code: as it stands in the letter."""

    email: str
    code: str
    seen_from: Origin


class EverythingEnded(Struct, frozen=True):
    """by_former_address: the account has another address now, so that a password reset is nothing for the caller."""

    by_former_address: bool


class NotMeWorld(Struct, frozen=True, kw_only=True):
    store: Store
    clock: Clock
    codes: NotMeCodes
    policy: PasswordPolicy
    throttle: Throttle
    outbox: Outbox
    notices: Notices
    sessions: Sessions


async def not_me(request: NotMe, world: NotMeWorld) -> EverythingEnded:
    """End everything that somebody else may hold. When this returns no session lives, password and recovery
    address are gone, no device is known or trusted, and the owner has a letter that says how to go on. By a former
    address the recovery address stays.

    Raises:
        ValidationError: a field has no good form.
        InvalidCode: wrong, replaced by a newer letter's, from before a change of credentials, expired, used,
            or no account; hides which.
        RateLimitExceeded: too many wrong codes from this network.

    Concurrency: of parallel calls with one code one wins.
    """
    email, code = parse_email(request.email), parse_not_me_code(request.code)
    now = world.clock.now()
    tries = world.throttle.not_me_tries(request.seen_from.ip, now)
    refuse_if_throttled(await world.store.apply(*tries), now)

    caller = await _caller(email, world)
    spending = ConsumeCode(id=world.codes.id_of(email.key), purpose=PURPOSE, code_hash=caller.hash(code), now=now)
    recovery = await world.store.find_recovery_email(caller.account.id if caller.account else AccountId(""))
    following = _ending(caller, tries, request.seen_from, now, world)
    outcome = await world.store.apply(spending, *following, *_forgetting(caller, recovery, now, world))
    if outcome.lost or caller.account is None:
        was_right = outcome.lost is not None and outcome.lost.change is not spending
        raise await _refused("changed_meanwhile" if was_right else "code_gone", email, request.seen_from, now, world)
    return EverythingEnded(by_former_address=caller.had is not None)


class _Caller(Struct, frozen=True):
    """Who reads the mail of the address.

    account: None if no code can be right.
    had: the stored code, if the address is one that the account had before.
    """

    email: EmailAddress
    account: Account | None
    had: OneTimeCode | None
    codes: NotMeCodes

    def hash(self, code: str) -> bytes:
        if self.had and self.account:
            return self.codes.hash_for_former(self.had, self.account, self.email.key, code)
        return self.codes.hash(self.account, self.email.key, code)


async def _caller(email: EmailAddress, world: NotMeWorld) -> _Caller:
    """Find by the address, and by the code that is stored for it, whichever is there, unless an operator has given the
    account back since: always the same reads."""
    has = await world.store.find_account_by_email(email.key)
    stored = await world.store.find_one_time_code(world.codes.id_of(email.key))
    had = await world.store.find_account(world.codes.former_owner(stored, email.key))
    mark = await world.store.find_one_time_code(world.codes.id_of_mark(had.id if had else AccountId("")))
    if stored and world.codes.has_ended(stored, mark):
        had = None
    account = has or had
    is_active = account is not None and account.status is AccountStatus.ACTIVE
    return _Caller(email, account if is_active else None, None if has or not had else stored, world.codes)


def _ending(
    caller: _Caller, tries: tuple[CountTry, ...], origin: Origin, now: Millis, world: NotMeWorld
) -> tuple[Change, ...]:
    """Return what happens with the right code. Made for nobody as well: sealing a letter takes time that could be
    measured."""
    email = caller.email
    account = caller.account or Account(id=AccountId(""), email=email.address, email_key=email.key, created_at=now)
    verifying = () if caller.had else (_verified(account, email, world),)
    no_password = SetPassword(
        account_id=account.id,
        security_version=account.security_version + len(verifying),
        password_hash=None,
        keep_earlier=kept_when_taken(world.policy.history),
    )
    reason = "former_address" if caller.had else ""
    line = record(Event.NOT_ME, SUCCESS, at=now, origin=origin, account_id=account.id, reason=reason)
    return (
        world.sessions.ending_all(account.id, EndReason.PASSWORD_CHANGED, origin, now),
        *verifying,
        no_password,
        AppendAudit(record=line),
        *world.notices.notice(MailKind.NOT_ME, account, origin, now),
        *world.throttle.give_back(tries, now),
    )


def _verified(account: Account, email: EmailAddress, world: NotMeWorld) -> ChangeEmail:
    """The code came to the account's address: that verifies it, so that the password can be reset by it, and the
    devices that were known by it are forgotten."""
    return ChangeEmail(
        account_id=account.id,
        security_version=account.security_version,
        email=account.email,
        email_key=email.key,
        old_identifier_tag=world.throttle.identifier_tag(email.key),
    )


def _forgetting(caller: _Caller, recovery: RecoveryEmail | None, now: Millis, world: NotMeWorld) -> tuple[Change, ...]:
    """Return what takes the recovery address away, after the two changes that each raised the version. The letter is
    made for everybody, as those of `_ending`."""
    account, own = caller.account, caller.email.address
    to, locale = recovery.email if recovery else own, account.locale if account else "en"
    kind, at = MailKind.RECOVERY_EMAIL_GONE, iso_time(now)
    letter = world.outbox.letter(kind, to=to, locale=locale, now=now, email=own, at=at)
    if account is None or recovery is None or caller.had:
        return ()
    gone = record(Event.RECOVERY_EMAIL_REMOVED, SUCCESS, at=now, origin=Origin(), account_id=account.id)
    version = account.security_version + 2
    return RemoveRecoveryEmail(account_id=account.id, security_version=version), AppendAudit(record=gone), letter


async def _refused(reason: str, email: EmailAddress, origin: Origin, now: Millis, world: NotMeWorld) -> InvalidCode:
    """Write the audit record of a refused code and return what to raise."""
    tag = world.throttle.identifier_tag(email.key)
    line = record(Event.NOT_ME, FAILURE, at=now, origin=origin, reason=reason, identifier_tag=tag)
    await world.store.apply(AppendAudit(record=line))
    return InvalidCode(detail=reason)
