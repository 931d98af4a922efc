"""Refresh: trade a refresh token for a new pair.

    open the token (no I/O) -> is it the session believed in? -> rotate (one atomic change) -> refuse
    -> used from another network? note, by policy more -> mint

Spec: RFC 6749 section 6; RFC 9700 section 4.14.2 (rotation and replay detection).
"""

from __future__ import annotations

from msgspec import Struct

from sekisho.anomalies import LastUse
from sekisho.anomalies.moves import Moves
from sekisho.errors import ClientIdMismatch, RefreshTokenInvalid, SessionChanged
from sekisho.model import Discreet, Origin, Session
from sekisho.ports.clock import Clock
from sekisho.ports.storage import Ended, Repeated, Replayed, Rotated, WrongClient
from sekisho.sessions import Sessions, TokenPair
from sekisho.tokens.refresh_token import RefreshTokens


class Refresh(Discreet, frozen=True):
    """client_id: as sent, or the app that the cookie names. believed_session: the session id that the
    client thinks it continues, if it says one."""

    refresh_token: str
    client_id: str
    seen_from: Origin
    believed_session: str | None = None


class RefreshWorld(Struct, frozen=True, kw_only=True):
    clock: Clock
    refresh_tokens: RefreshTokens
    sessions: Sessions
    moves: Moves


async def refresh(request: Refresh, world: RefreshWorld) -> TokenPair:
    """Return a fresh access token and the one successor of the presented refresh token.

    A client whose answer was lost, or ten tabs that refresh at once, all get the same
    successor. A token older than that means that two parties hold it: the session ends.

    Raises:
        RefreshTokenInvalid: forged, replayed, expired, ended, or moved too unusually; the client cannot tell which.
        ClientIdMismatch: a good token in the wrong hands; the session has been ended.
        SessionChanged: the token is of another session than the one believed in; nothing ended.

    Concurrency: of any number of callers with one live token exactly one rotates; the
        others get its successor.
    """
    presented = world.refresh_tokens.open(request.refresh_token)
    if request.believed_session not in (None, presented.session_id):
        raise SessionChanged(detail="token of another session than believed")

    rotation = await world.sessions.rotate(presented, request.client_id, request.seen_from)

    match rotation:  # already committed: refusing undoes nothing
        case Rotated(session, account) | Repeated(session, account):
            if isinstance(rotation, Rotated) and world.moves.has_moved(session, rotation.seen_ip, request.seen_from.ip):
                session = await _after_move(rotation, request.seen_from, world)
            successor = world.refresh_tokens.successor(presented)
            return world.sessions.pair(session, account, successor, world.clock.now())
        case WrongClient(detail=detail):
            raise ClientIdMismatch(detail=detail)
        case Replayed(detail=detail) | Ended(detail=detail):
            raise RefreshTokenInvalid(detail=detail)


async def _after_move(rotated: Rotated, origin: Origin, world: RefreshWorld) -> Session:
    last = LastUse(rotated.seen_ip, rotated.seen_at)
    after = await world.moves.judge(rotated.session, rotated.account, last, origin, world.clock.now())
    if after is None:
        raise RefreshTokenInvalid(detail="moved too unusually")
    return after
