"""What the rules of the machine stand on, and what must hold after each of them.

The invariants I1 to I8 (DESIGN section 3) are checked in answers (`judged`, `belongs_to`) and, after each step, on the
store itself (`the_invariants_hold`).
"""

from __future__ import annotations

from asyncio import gather
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant

from life.model import (
    ABSOLUTE_MS,
    ENDED,
    IDLE_MS,
    MAX_SESSIONS,
    REPEATED,
    REPLAYED,
    ROTATED,
    SECOND_MS,
    WRONG_CLIENT,
    AccessTokenModel,
    AccountModel,
    Model,
    SessionModel,
    holds,
)
from life.server import EdgeChange, Server, unchanged
from sekisho.errors import Refusal
from sekisho.flows.session_list import list_sessions
from sekisho.model import AccountId, Origin, Principal, SessionId, Transport
from sekisho.rfc import base64url
from sekisho.sessions import TokenPair
from world import a_network

T = TypeVar("T")

AUDITED = (
    *("login", "sign_up", "withdrawal", "session_ended", "store_behind"),
    *("second_factor_asked", "second_factor", "step_up", "factor_added", "factor_removed"),
)
MOST_BACK_MS = 30 * SECOND_MS

picks = st.integers(0, 59)


async def attempt(call: Coroutine[Any, Any, T]) -> T | Refusal:
    try:
        return await call
    except Refusal as refusal:
        return refusal


def code_of(answer: object) -> str:
    return answer.code if isinstance(answer, Refusal) else ""


def _segment(token: str, number: int) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(base64url.decode(token.split(".")[number], 8192))
    return decoded


class Stage(RuleBasedStateMachine):
    """The server, the model, and how what one does is compared with what the other says. change: see `Server`."""

    def __init__(self, change: EdgeChange = unchanged) -> None:
        super().__init__()
        self.server = Server(change)
        self.model = Model()
        self.requests = 0
        self.highest_time = self.now

    def teardown(self) -> None:
        self.server.close()

    @property
    def now(self) -> int:
        return self.server.clock.now()

    @property
    def edge(self) -> Any:
        return self.server.world.edge

    def do(self, call: Coroutine[Any, Any, T]) -> T:
        return self.server.run(call)

    def move_clock(self, by_ms: int) -> None:
        """Forward as far as you like; back only a little, as a clock that is corrected does."""
        target = max(self.now + by_ms, self.highest_time - MOST_BACK_MS)
        self.server.clock.advance(seconds=(target - self.now) / 1000)
        self.highest_time = max(self.highest_time, self.now)

    def tick(self) -> int:
        """Let a millisecond pass, so that no two sessions were used last at the same moment: whom eviction takes
        would be chance then, and a failure could not be repeated."""
        self.move_clock(1)
        return self.now

    async def at_its_own_moment(self, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Begin a call a millisecond after the one before it; all of them are under way together all the same."""
        self.tick()
        return await call()

    def origin(self) -> Origin:
        self.requests += 1
        return a_network(self.requests % 60_000)

    def live_session(self, pick: int) -> SessionModel | None:
        live = self.model.live(self.now)
        return live[pick % len(live)] if live else None

    def principal(self, session: SessionModel) -> Principal:
        return Principal(AccountId(session.account.id), SessionId(session.sid), session.client_id)

    def started(
        self, pair: TokenPair, account: AccountModel, client_id: str, transport: Transport, event: str, at: int
    ) -> None:
        """Take a new session into the model, which says who has to go for it."""
        holds(account.status == "active", "I5: a session started for an account that may not have one")
        session = SessionModel(
            name=f"s{len(self.model.sessions)}",
            sid=pair.session.id,
            account=account,
            client_id=client_id,
            transport=transport.value,
            created_at=at,
            proved_at=at,
            last_seen_at=at,
            rotated_at=at,
            idle_until=at + IDLE_MS,
            absolute_until=at + ABSOLUTE_MS,
        )
        if transport is Transport.SESSION:
            session.cookie = pair.credential
        else:
            session.tokens[0] = pair.credential
        self.model.start(session, event)
        self.belongs_to(pair, session)

    def belongs_to(self, pair: TokenPair, session: SessionModel) -> None:
        """I7: nothing in an answer is of another session or account."""
        account = session.account
        told = (pair.account.id, pair.account.email, pair.session.id, pair.session.account_id)
        mine = (account.id, account.email, session.sid, account.id)
        holds(told == mine, f"I7: an answer to {session} told of {told}")
        if session.transport == "session":
            holds(pair.access_token is None, "a session cookie came with an access token")
            return
        holds(self.edge.refresh.refresh_tokens.open(pair.credential).session_id == session.sid, "I7: a foreign token")
        assert pair.access_token is not None
        kid, claims = _segment(pair.access_token, 0)["kid"], _segment(pair.access_token, 1)
        said = tuple(claims[name] for name in ("sub", "email", "sid", "client_id"))
        holds(said == (account.id, account.email, session.sid, session.client_id), f"I7: a token said {said}")
        issued, expires = claims["iat"] * 1000, claims["exp"] * 1000
        holds(expires <= session.absolute_until, "an access token outlives its session")
        self.model.access_tokens.append(AccessTokenModel(pair.access_token, session, kid, issued, expires))

    def judged(self, answers: list[Any], verdict: str, session: SessionModel, counter: int) -> None:
        """Compare the answers to one token, presented once or at once, with the model's verdict on it."""
        pairs = [answer for answer in answers if isinstance(answer, TokenPair)]
        if verdict in (ROTATED, REPEATED):
            holds(len(pairs) == len(answers), f"I8: a good token ({verdict}) was refused: {answers}")
            successor = session.tokens.setdefault(counter + 1, pairs[0].credential)
            holds({pair.credential for pair in pairs} == {successor}, "I8: a token got two successors")
            for pair in pairs:
                self.belongs_to(pair, session)
            return
        invariant_of = {REPLAYED: "I2", WRONG_CLIENT: "client", ENDED: "I5"}[verdict]
        holds(not pairs, f"{invariant_of}: tokens were issued for a token that is {verdict}")
        wrong = "client_id_mismatch" if verdict == WRONG_CLIENT else "refresh_token_invalid"
        codes = {code_of(answer) for answer in answers}
        holds(wrong in codes and codes <= {wrong, "refresh_token_invalid"}, f"{verdict} was answered {codes}")
        if verdict == REPLAYED:
            holds(any(answer.detail.startswith("counter ") for answer in answers), "I2: a replay was not noticed")

    def present(self, session: SessionModel, counter: int, client_id: str, times: int = 1) -> str:
        """Present one of the session's tokens and compare; return the verdict."""
        token = session.tokens[counter]
        verdict = self.model.refreshed(session, counter, client_id, self.tick())
        calls = [
            attempt(self.server.world.refresh(token, client_id=client_id, origin=self.origin())) for _ in range(times)
        ]
        self.judged(list(self.do(all_of(calls))), verdict, session, counter)
        return verdict

    def refreshable(self, pick: int) -> SessionModel | None:
        """A session that has refresh tokens; three times of four a live one."""
        having = [session for session in self.model.sessions if session.tokens]
        live = [session for session in having if session.is_live(self.now)]
        among = live if live and pick % 4 else having
        return among[pick // 4 % len(among)] if among else None

    @invariant()
    def the_invariants_hold(self) -> None:
        """Sessions first: who reads a failure learns of the row before the lists that follow from it."""
        self.do(self._compare_sessions())
        self.do(self._compare_accounts())
        self.do(self._compare_audit())

    async def _compare_sessions(self) -> None:
        store = self.server.world.store
        for session in self.model.sessions:
            row = await store.find_session(SessionId(session.sid))
            if row is None or session.is_purged:
                holds(row is None and session.is_purged, f"I3: {session} is kept or forgotten against the rules")
                continue
            holds((row.ended_at, row.end_reason) == (session.ended_at, session.end_reason), _ends(row, session))
            times = (row.last_seen_at, row.rotated_at, row.idle_expires_at, row.expires_at)
            expected = (session.last_seen_at, session.rotated_at, session.idle_until, session.absolute_until)
            holds(row.counter == session.counter, f"I1: the row of {session} is at {row.counter}")
            holds(times == expected, f"the times of {session} are {times}, not {expected}")
            proof = (row.auth_time_at, row.acr)
            holds(proof == (session.proved_at, session.acr), f"I5: {session} claims the proof {proof}")
            live = [number for number in session.tokens if number >= row.counter and session.is_live(self.now)]
            holds(len(live) <= 1, f"I1: {session} has the live tokens {live}")

    async def _compare_accounts(self) -> None:
        for account in self.model.accounts:
            row = await self.server.world.store.find_account(AccountId(account.id))
            holds(row is not None and row.status.value == account.status, f"I3: {account} is {row and row.status}")
            live = self.model.live_of(account, self.now)
            holds(account.status == "active" or not live, f"I5: {account} has live sessions")
            somebody = Principal(AccountId(account.id), SessionId(""), "web")
            listed = {one.id for one in await list_sessions(somebody, self.edge.session_list)}
            holds(listed == {one.sid for one in live}, f"I7: {account} was shown {listed}, not {live}")
            holds(len(live) <= MAX_SESSIONS, f"{account} has {len(live)} sessions")

    async def _compare_audit(self) -> None:
        written = Counter(
            (line.event, line.outcome, line.account_id, line.session_id, line.reason)
            for line in await self.server.world.audit()
            if line.event in AUDITED
        )
        missing, too_many = self.model.audit - written, written - self.model.audit
        holds(not missing and not too_many, f"I6: missing {missing}, too many {too_many}")


def _ends(row: Any, session: SessionModel) -> str:
    invariant_of = "I2" if session.end_reason == "refresh_token_replayed" else "I3"
    return f"{invariant_of}: the row of {session} is ended at {row.ended_at} ({row.end_reason}), not {session.ended_at}"


async def all_of(calls: list[Coroutine[Any, Any, Any]]) -> list[Any]:
    return list(await gather(*calls))
