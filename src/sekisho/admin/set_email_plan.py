"""What an operator decides before an account gets another address: what opens it, and what of that goes.

The password and the recovery address go, but where the operator says that they are the owner's. Second factors go only
where somebody else had the account: for who has lost a mailbox they are what still guards it if the operator was lied
to.
"""

from __future__ import annotations

from enum import StrEnum

from sekisho.admin.world import OperatorWorld
from sekisho.identifiers import EmailAddress
from sekisho.mfa.methods import confirmed
from sekisho.model import Account, Discreet, Factor, Millis, RecoveryEmail


class Case(StrEnum):
    """Why the account gets another address; the reason of its audit line."""

    TAKEN_OVER = "taken_over"
    LOST_MAILBOX = "lost_mailbox"


class SetEmail(Discreet, frozen=True, kw_only=True):
    """who: as of `find_account`. keeps_password, keeps_recovery_email: the operator knows that they are the owner's;
    in an account that was taken over nothing is."""

    who: str
    email: str
    case: Case
    keeps_password: bool = False
    keeps_recovery_email: bool = False


class Openers(Discreet, frozen=True, kw_only=True):
    """What opens an account, beside its address. second_factors: kinds. recovery_codes, trusted_devices: how many."""

    password: bool
    recovery_email: RecoveryEmail | None
    second_factors: tuple[str, ...]
    recovery_codes: int
    trusted_devices: int


class Plan(Discreet, frozen=True, kw_only=True):
    account: Account
    email: EmailAddress
    case: Case
    factors: tuple[Factor, ...]
    removed: Openers
    kept: Openers
    now: Millis


async def plan_for(request: SetEmail, account: Account, email: EmailAddress, world: OperatorWorld) -> Plan:
    """Read what opens the account, after the account itself: what is changed later loses the call."""
    now, store = world.clock.now(), world.store
    factors = confirmed(await store.list_factors(account.id))
    found = Openers(
        password=account.password_hash is not None,
        recovery_email=await store.find_recovery_email(account.id),
        second_factors=tuple(factor.kind.value for factor in factors),
        recovery_codes=await store.count_recovery_codes(account.id),
        trusted_devices=len(await store.list_trusted_devices(account.id, now)),
    )
    kept = _kept(found, request, email)
    removed = Openers(
        password=found.password and not kept.password,
        recovery_email=None if kept.recovery_email else found.recovery_email,
        second_factors=() if kept.second_factors else found.second_factors,
        recovery_codes=found.recovery_codes - kept.recovery_codes,
        trusted_devices=found.trusted_devices,
    )
    return Plan(account=account, email=email, case=request.case, factors=factors, removed=removed, kept=kept, now=now)


def _kept(found: Openers, request: SetEmail, email: EmailAddress) -> Openers:
    """Nothing of an account that somebody else had; and one mailbox is no second one."""
    is_owners = request.case is Case.LOST_MAILBOX
    second = found.recovery_email
    keeps_second = is_owners and request.keeps_recovery_email and second and second.email_key != email.key
    return Openers(
        password=found.password and is_owners and request.keeps_password,
        recovery_email=second if keeps_second else None,
        second_factors=found.second_factors if is_owners else (),
        recovery_codes=found.recovery_codes if is_owners else 0,
        trusted_devices=0,
    )
