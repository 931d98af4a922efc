"""Whether a proof beside the password is wanted for what a person is about to do with the account, and whether what
they rest on still stands.

Spec: RFC 9470 section 3; ASVS 7.5.1.
"""

from __future__ import annotations

from sekisho.errors import Refusal, ServiceUnavailable, SessionRevoked
from sekisho.mfa.methods import AAL1, check_fresh, level_of
from sekisho.model import AccountStatus, Millis, Principal
from sekisho.ports.storage import Store


async def require_fresh(store: Store, principal: Principal, now: Millis, fresh_ms: int, *, has_password: bool) -> None:
    """Let the call go on.

    Args:
        has_password: whether the call carries the password, which is checked afterwards. That is a fresh proof by
            itself, but half of one where the account has a second factor.

    Raises:
        StepUpRequired: the session's proof is too old or too weak.
        SessionRevoked: it ended during the call.
    """
    factors = await store.list_factors(principal.account_id)
    if has_password and level_of(factors) == AAL1:
        return
    session = await store.find_session(principal.session_id)
    if session is None or session.ended_at is not None:
        raise SessionRevoked(detail="ended during the call")
    check_fresh(session, factors, now, fresh_ms)


async def overtaken(store: Store, principal: Principal, why: str) -> Refusal:
    """Return what to raise where another call changed the account first: the caller's session has ended with it, or it
    goes on and to ask again is right. Told that it is over, a client would sign its person out."""
    found = await store.find_session_and_account(principal.session_id)
    if found is None or found[0].ended_at is not None or found[1].status is not AccountStatus.ACTIVE:
        return SessionRevoked(detail=why)
    return ServiceUnavailable(detail=why, retry_after=1)
