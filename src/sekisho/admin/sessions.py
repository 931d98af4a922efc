"""Sessions, as an operator sees them: list those of an account, end one, end all of an account, end all of everybody.

Each end has its audit record (actor `operator`, reason `ended_by_operator`) and its journal entry in
the same commit, so that every node and guard refuses its access tokens within a second.

Spec: OWASP ASVS 5.0 row 7.4.5.
"""

from __future__ import annotations

from collections.abc import Sequence

from sekisho.admin.accounts import OPERATOR, find_account
from sekisho.admin.world import OperatorWorld
from sekisho.errors import NotFound
from sekisho.model import Account, EndReason, Session, SessionId
from sekisho.ports.changes import EndSession, EndSessions

# So many accounts in one commit: few enough that nobody who signs in meanwhile waits for it.
ACCOUNTS_AT_ONCE = 50


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
    return await _end_all_of([account], world)


async def end_everybodys_sessions(world: OperatorWorld, at_once: int = ACCOUNTS_AT_ONCE) -> int:
    """End the sessions of all accounts, some accounts at a time; return how many there were.

    A session that begins while this runs may stay. Cut off, it has ended those that it came to; run again, it ends the
    rest.

    Args:
        at_once: accounts in one commit.
    """
    ended, after_id = 0, ""
    while accounts := await world.store.list_accounts(after_id=after_id, limit=at_once):
        ended += await _end_all_of(accounts, world)
        after_id = accounts[-1].id
    return ended


async def _end_all_of(accounts: Sequence[Account], world: OperatorWorld) -> int:
    now = world.clock.now()
    outcome = await world.store.apply(
        *(
            EndSessions(
                account_id=account.id,
                reason=EndReason.ENDED_BY_OPERATOR,
                now=now,
                journal_until_at=now + world.journal_ms,
                actor=OPERATOR,
            )
            for account in accounts
        )
    )
    ended: int = sum(outcome.results)
    return ended
