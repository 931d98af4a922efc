"""Recovery codes: ten new ones for whoever has a second factor, the older die.

    fresh? -> ten new ones -> told to the owner

Spec: NIST SP 800-63B-4 section 3.1.2 (look-up secrets); OWASP ASVS 5.0 rows 6.3.7, 7.5.1.
"""

from __future__ import annotations

from sekisho.errors import NotFound
from sekisho.factor_owner import FactorsWorld, codes_change, owner_of, refusal_of_lost
from sekisho.mfa.methods import check_fresh, confirmed
from sekisho.model import Origin, Principal
from sekisho.outbox import MailKind


async def new_recovery_codes(principal: Principal, seen_from: Origin, world: FactorsWorld) -> tuple[str, ...]:
    """Return ten new recovery codes, this once; the older ones die.

    Raises:
        StepUpRequired: the session's proof is too old or too weak.
        NotFound: the account has no second factor that they could stand in for.
        SessionRevoked: the session ended meanwhile.
        ServiceUnavailable: the account changed its credentials meanwhile; ask again.
    """
    who = await owner_of(principal, world)
    check_fresh(who.session, who.factors, who.now, world.fresh_ms)
    if not confirmed(who.factors):
        raise NotFound(detail="no second factor")
    codes = world.recovery.new_set()
    outcome = await world.store.apply(
        *codes_change(who, codes, who.account.security_version, seen_from, world),
        *who.letter(MailKind.RECOVERY_CODES_MADE, seen_from, world),
    )
    if outcome.lost:
        raise refusal_of_lost(outcome.lost)
    return codes
