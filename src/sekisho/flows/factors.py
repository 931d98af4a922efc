"""Factors: a signed-in person's authenticators beside the password.

    list_factors    what there is, and how many recovery codes are unused
    rename          another name, for the person's own use
    remove          fresh? -> may it go? -> forget it, and the recovery codes with the last one

What changes how one may come in demands a fresh proof, raises the account's `security_version` and is told to the
owner.

Spec: NIST SP 800-63B-4 section 4.1; OWASP ASVS 5.0 rows 6.3.7, 6.5.6, 7.4.3, 7.5.1.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from sekisho.audit import Event
from sekisho.errors import FactorRequired, NotFound
from sekisho.factor_owner import (
    FactorsWorld,
    Owner,
    check_factor_id,
    check_name,
    ending_others,
    owner_of,
    refusal_of_lost,
    told,
)
from sekisho.mfa.methods import check_fresh, confirmed, level_of
from sekisho.model import AAL2, Factor, Origin, Principal
from sekisho.outbox import MailKind
from sekisho.ports.factor_changes import RemoveFactor, RenameFactor


class FactorList(Struct, frozen=True):
    """numbers: the masked phone number of each factor, in their order; "" for those without."""

    factors: tuple[Factor, ...]
    unused_recovery_codes: int
    numbers: tuple[str, ...] = ()


async def list_factors(principal: Principal, world: FactorsWorld) -> FactorList:
    """Return the confirmed factors, oldest first."""
    factors = confirmed(await world.store.list_factors(principal.account_id))
    numbers = tuple(world.phones.masked(factor) for factor in factors)
    return FactorList(factors, await world.store.count_recovery_codes(principal.account_id), numbers)


async def rename(factor_id: str, name: str, principal: Principal, seen_from: Origin, world: FactorsWorld) -> Factor:
    """Give a factor another name, for the person's own use.

    Raises:
        ValidationError: the name is too long or has control characters.
        NotFound: unknown, unfinished, or another account's; the caller cannot tell which.
    """
    checked, who = check_name(name), await owner_of(principal, world)
    check_factor_id(factor_id)
    outcome = await world.store.apply(
        RenameFactor(factor_id=factor_id, account_id=who.account.id, name=checked),
        who.audit(Event.FACTOR_RENAMED, seen_from, subject=factor_id),
    )
    if outcome.lost:
        raise NotFound(detail=outcome.lost.why)
    renamed: Factor = outcome.results[0]
    return renamed


async def remove(
    factor_id: str, principal: Principal, seen_from: Origin, world: FactorsWorld, *, end_others: bool = False
) -> int:
    """Forget a factor; return how many other sessions ended. With the last one the recovery codes go.

    Raises:
        StepUpRequired: the session's proof is too old or too weak.
        NotFound: unknown, unfinished, or another account's; the caller cannot tell which.
        FactorRequired: the account's role or the app of this session requires one, and this is the last.
        SessionRevoked: the session ended meanwhile.
        ServiceUnavailable: the account changed its credentials meanwhile; ask again.
    """
    check_factor_id(factor_id)
    who = await owner_of(principal, world)
    check_fresh(who.session, who.factors, who.now, world.fresh_ms)
    having = confirmed(who.factors)
    factor = next((one for one in having if one.id == factor_id), None)
    if factor is None:
        raise NotFound(detail="no such factor")
    _check_last(factor, having, who, world)
    left = str(len(having) - 1)
    outcome = await world.store.apply(
        RemoveFactor(factor_id=factor.id, account_id=who.account.id, security_version=who.account.security_version),
        who.audit(Event.FACTOR_REMOVED, seen_from, subject=factor.id),
        *who.letter(
            MailKind.FACTOR_REMOVED, seen_from, world, factor=factor.kind.value, name=told(factor, world), left=left
        ),
        *ending_others(who, seen_from, world, end_others),
    )
    if outcome.lost:
        raise refusal_of_lost(outcome.lost)
    return outcome.results[-1] if end_others else 0


def _check_last(factor: Factor, having: Sequence[Factor], who: Owner, world: FactorsWorld) -> None:
    """Keep what a requirement stands on. That nobody removes two at once is for `security_version` to see to."""
    others = [one for one in having if one.id != factor.id]
    is_last = level_of([factor]) == AAL2 and level_of(others) != AAL2
    if is_last and world.sessions.must_keep_factor(who.account, who.session.client_id):
        raise FactorRequired(detail="the last one that is required")
