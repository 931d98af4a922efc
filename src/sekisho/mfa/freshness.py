"""Whether a proof beside the password is wanted for what a person is about to do with the account.

Spec: RFC 9470 section 3; ASVS 7.5.1.
"""

from __future__ import annotations

from sekisho.errors import SessionRevoked
from sekisho.mfa.methods import AAL1, check_fresh, level_of
from sekisho.model import Millis, Principal
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
