"""Sessions, as an operator sees them: list those of an account, end one, end all of an account.

Each end has its audit record (actor `operator`, reason `ended_by_operator`) and its journal entry in
the same commit, so that every node and guard refuses its access tokens within a second.

Spec: OWASP ASVS 5.0 row 7.4.5.
"""

from __future__ import annotations

from sekisho.admin.accounts import OPERATOR, find_account
from sekisho.admin.world import OperatorWorld
from sekisho.errors import NotFound
from sekisho.model import Account, EndReason, Session, SessionId
from sekisho.ports.changes import EndSession, EndSessions


async def list_sessions(who: str, world: OperatorWorld) -> tuple[Account, list[Session]]:
    """Return the account of an address or id, and its live sessions, last used first.

    Raises:
        NotFound: no such account.
        ValidationError: it has an `@` but is not an address.
    """
    account = await find_account(who, world)
    return account, await world.store.list_sessions(account.id, world.clock.now())


async def end_session(session_id: str, world: OperatorWorld) -> None:
    """End one session.

    Raises:
        NotFound: unknown, or it has ended already.
    """
    now = world.clock.now()
    outcome = await world.store.apply(
        EndSession(
            session_id=SessionId(session_id),
            reason=EndReason.ENDED_BY_OPERATOR,
            now=now,
            journal_until_at=now + world.journal_ms,
            must_be_live=True,
            actor=OPERATOR,
        )
    )
    if outcome.lost:
        raise NotFound(detail=outcome.lost.why)


async def end_all_sessions(who: str, world: OperatorWorld) -> int:
    """End all sessions of the account of an address or id; return how many there were. Idempotent.

    Raises:
        NotFound: no such account.
        ValidationError: it has an `@` but is not an address.
    """
    account = await find_account(who, world)
    now = world.clock.now()
    outcome = await world.store.apply(
        EndSessions(
            account_id=account.id,
            reason=EndReason.ENDED_BY_OPERATOR,
            now=now,
            journal_until_at=now + world.journal_ms,
            actor=OPERATOR,
        )
    )
    ended: int = outcome.results[0]
    return ended
