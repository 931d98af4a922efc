"""Session list: what is signed in, which one is this, and ending one of them.

    current_session  the account and the session of the caller
    list_sessions    the account's live sessions, last used first
    end_session      one of them; what is unknown and what belongs to others look the same

Spec: OWASP ASVS 5.0 rows 7.4.2 and 7.5.2.
"""

from __future__ import annotations

from msgspec import Struct

from sekisho.errors import NotFound, SessionRevoked
from sekisho.ids import could_be_ours
from sekisho.model import Account, EndReason, Origin, Principal, Session, SessionId
from sekisho.ports.clock import Clock
from sekisho.ports.storage import Store
from sekisho.sessions import Sessions


class SessionListWorld(Struct, frozen=True, kw_only=True):
    store: Store
    clock: Clock
    sessions: Sessions


class CurrentSession(Struct, frozen=True):
    """account: with the roles that it may wear in this session. acr_required: as in a `TokenPair`."""

    account: Account
    session: Session
    acr_required: str


async def current_session(principal: Principal, world: SessionListWorld) -> CurrentSession:
    """Return the caller's account and session.

    Raises:
        SessionRevoked: it ended after the credential was checked.
    """
    found = await world.store.find_session_and_account(principal.session_id)
    if found is None or found[0].ended_at is not None:
        raise SessionRevoked(detail="ended during the call")
    session, account = found
    worn, acr_required = world.sessions.standing(session, account)
    return CurrentSession(worn, session, acr_required)


async def list_sessions(principal: Principal, world: SessionListWorld) -> list[Session]:
    """Return the live sessions of the caller's account, last used first."""
    return await world.store.list_sessions(principal.account_id, world.clock.now())


async def end_session(session_id: str, principal: Principal, seen_from: Origin, world: SessionListWorld) -> None:
    """End one session of the caller's account, be it the current one.

    Raises:
        NotFound: unknown, ended already, or another account's; the caller cannot tell which.
    """
    if not could_be_ours(session_id):
        raise NotFound(detail="not_live")
    outcome = await world.store.apply(
        world.sessions.ending(
            SessionId(session_id),
            EndReason.ENDED_BY_OWNER,
            seen_from,
            world.clock.now(),
            account_id=principal.account_id,
            must_be_live=True,
        )
    )
    if outcome.lost:
        raise NotFound(detail=outcome.lost.why)
