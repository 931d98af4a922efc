"""Set email: an account is given back to its owner under an address that the operator vouches for.

    read the account, and what opens it
      -> all sessions end, the address changes, what may be somebody else's goes, every mailbox is told: one commit
      -> where the account has changed meanwhile: read again

For two kinds of people: who has lost the mailbox, and who has lost the whole account to somebody else. What goes with
the address in which case is decided in `set_email_plan`, who hears of it in `set_email_letters`.

Spec: NIST SP 800-63B-4 sections 4.2 and 4.6; OWASP ASVS 5.0 rows 6.3.7, 6.4.4, 6.4.6 and 7.4.5.
"""

from __future__ import annotations

from sekisho.admin.accounts import OPERATOR, audit_line, ending_all, present_account
from sekisho.admin.set_email_letters import letters
from sekisho.admin.set_email_plan import Case, Openers, Plan, SetEmail, plan_for
from sekisho.admin.world import OperatorWorld
from sekisho.audit import Event
from sekisho.errors import EmailAlreadyExists
from sekisho.identifiers import parse_email
from sekisho.mfa.suspension import suspending
from sekisho.model import Account, Discreet, EndReason, Origin
from sekisho.passwords.history import kept_when_taken
from sekisho.ports.changes import AppendAudit, Change, PutCode
from sekisho.ports.recovery_changes import GiveAccountBack

# How often it may be overtaken: whoever changes credentials needs codes and hashes for it, and is limited in both.
TRIES = 10


class GivenBack(Discreet, frozen=True, kw_only=True):
    """The account as it is now. ended: sessions."""

    account: Account
    former_email: str
    ended: int
    removed: Openers
    kept: Openers


class HasItAlready(Discreet, frozen=True):
    """The account has the address already, verified: nothing was changed."""

    account: Account


class Overtaken(Discreet, frozen=True):
    """Somebody kept changing the account: nothing was changed. Once it is disabled nobody can."""

    account: Account


async def set_email(request: SetEmail, world: OperatorWorld) -> GivenBack | HasItAlready | Overtaken:
    """Give an account, active or disabled, another address that counts at once. What somebody else may hold of it is
    worth nothing when this returns: sessions, trusted and known devices, codes that are under way, also those of
    letters to former addresses.

    Raises:
        NotFound: no such account, or it is withdrawn.
        EmailAlreadyExists: another account has the address.
        ValidationError: one of the addresses has no good form.

    Concurrency: what was read is what is changed. What its holder does at the same moment comes before, and is undone,
        or after, and is refused.
    """
    email = parse_email(request.email)
    account = await present_account(request.who, world)
    for _ in range(TRIES):
        if account.email_key == email.key and account.is_verified:
            return HasItAlready(account)
        plan = await plan_for(request, account, email, world)
        ending = ending_all(account.id, EndReason.EMAIL_CHANGED, plan.now, world)
        first = _suspending(plan)
        outcome = await world.store.apply(
            *first,
            ending,
            _giving_back(plan, world),
            # Whoever took the account over and changed its address twice has had such a letter, too.
            PutCode(code=world.not_me.ending_former(account.id, plan.now)),
            *_lines(plan),
            *letters(plan, world),
        )
        if outcome.lost is None:
            ended, after, *_ = outcome.results[len(first) :]
            return GivenBack(
                account=after, former_email=account.email, ended=ended, removed=plan.removed, kept=plan.kept
            )
        if outcome.lost.why == "email_taken":
            raise EmailAlreadyExists(detail=outcome.lost.why)
        account = await present_account(account.id, world)
    return Overtaken(account)


def _giving_back(plan: Plan, world: OperatorWorld) -> GiveAccountBack:
    account = plan.account
    return GiveAccountBack(
        account_id=account.id,
        security_version=account.security_version,
        email=plan.email.address,
        email_key=plan.email.key,
        old_identifier_tag=world.throttle.identifier_tag(account.email_key or ""),
        keep_earlier=kept_when_taken(world.policy.history),
        takes_password=plan.removed.password,
        takes_recovery_email=plan.kept.recovery_email is None,
        takes_factors=plan.case is Case.TAKEN_OVER,
    )


def _suspending(plan: Plan) -> tuple[Change, ...]:
    """Of an owner who stays known by the password, the new mailbox is no second proof: the operator may have been lied
    to."""
    if plan.case is Case.TAKEN_OVER:
        return ()
    return suspending(plan.account, plan.factors, Origin(), plan.now, OPERATOR)


def _lines(plan: Plan) -> tuple[AppendAudit, ...]:
    """Return a line for the address, and one for each thing that went with it, as if it had been taken by itself."""
    removed = plan.removed
    went = {
        Event.PASSWORD_CHANGE_FORCED: removed.password,
        Event.RECOVERY_EMAIL_REMOVED: removed.recovery_email,
        Event.FACTORS_RESET: removed.second_factors or removed.recovery_codes,
        Event.DEVICE_FORGOTTEN: removed.trusted_devices,
    }
    return (
        audit_line(Event.EMAIL_RESET, plan.account.id, plan.now, plan.case),
        *(audit_line(event, plan.account.id, plan.now) for event, is_gone in went.items() if is_gone),
    )
