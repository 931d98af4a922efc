"""Rules: refreshing, by those who may and by those who may not."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from life.coming_in import clients
from life.model import (
    GRACE_MS,
    SessionModel,
    holds,
)
from life.stage import Stage, all_of, attempt, code_of, picks
from sekisho.errors import Refusal
from sekisho.flows.logout import logout_token
from sekisho.model import SessionId
from sekisho.sessions import TokenPair
from sekisho.tokens.session_values import new_session_secret


class Refreshing(Stage):
    """Every way to present a refresh token."""

    @rule(pick=picks, times=st.integers(1, 4))
    def refresh_again_and_again(self, pick: int, times: int) -> None:
        """A client that behaves: always with the newest token that it was given."""
        session = self.refreshable(pick)
        for _ in range(times if session else 0):
            self.present(session, max(session.tokens), session.client_id)

    @rule(
        pick=picks,
        first=st.integers(0, 3),
        wait_ms=st.sampled_from([0, GRACE_MS // 2, GRACE_MS, GRACE_MS + 1]),
        age=st.integers(0, 4),
        times=st.integers(1, 4),
    )
    def refresh(self, pick: int, first: int, wait_ms: int, age: int, times: int) -> None:
        """Any token that was ever given, current, previous or older, alone or several times at once, some time after
        its owner went on."""
        session = self.refreshable(pick)
        if session is None:
            return
        for _ in range(first):
            self.present(session, max(session.tokens), session.client_id)
        self.move_clock(wait_ms)
        given = sorted(session.tokens, reverse=True)
        self.present(session, given[min(age, len(given) - 1)], session.client_id, times)

    @rule(pick=picks, client_id=clients, age=st.integers(0, 2), times=st.integers(1, 3))
    def refresh_by_another_client(self, pick: int, client_id: str, age: int, times: int) -> None:
        """Of another app, or of the same app on another device, or by chance the right one."""
        session = self.refreshable(pick)
        if session:
            given = sorted(session.tokens, reverse=True)
            self.present(session, given[min(age, len(given) - 1)], client_id, times)

    @rule(pick=picks, times=st.integers(2, 8), previous=st.booleans())
    def refresh_in_many_tabs(self, pick: int, times: int, previous: bool) -> None:
        session = self.refreshable(pick)
        if session:
            given = sorted(session.tokens, reverse=True)
            self.present(session, given[1 if previous and len(given) > 1 else 0], session.client_id, times)

    @rule(pick=picks, by=st.integers(1, 3))
    def refresh_with_a_token_that_the_store_forgot(self, pick: int, by: int) -> None:
        """As after a failover that lost commits: the token proves that we issued it."""
        session = self.refreshable(pick)
        if session:
            tokens = self.edge.refresh.refresh_tokens
            presented = tokens.open(session.tokens[max(session.tokens)])
            ahead = max(session.tokens) + by
            session.tokens[ahead] = tokens.mint(presented.session_id, presented.secret, ahead)
            self.present(session, ahead, session.client_id)

    @rule()
    def everybody_refreshes_at_once(self) -> None:
        world, begun_at, asked, calls = self.server.world, self.now, [], []
        for session in self.model.live(self.now + len(self.model.sessions)):
            if session.tokens:
                counter, client_id, at = max(session.tokens), session.client_id, begun_at + len(asked) + 1
                asked.append((session, counter, self.model.refreshed(session, counter, client_id, at)))
                refresh = partial(world.refresh, session.tokens[counter], client_id=client_id)
                calls.append(self.at_its_own_moment(partial(_attempted, refresh)))
        for (session, counter, verdict), answer in zip(asked, self.do(all_of(calls)), strict=True):
            self.judged([answer], verdict, session, counter)

    @rule(pick=picks, other=picks)
    def refresh_while_logging_out(self, pick: int, other: int) -> None:
        session = self.refreshable(pick)
        if session is None or not session.is_live(self.now):
            return
        self.tick()
        counter = max(session.tokens)
        token, world, origin = session.tokens[counter], self.server.world, self.origin()
        refreshing = attempt(world.refresh(token, client_id=session.client_id, origin=origin))
        leaving = logout_token(token, origin, self.edge.logout)
        answers = self.do(all_of([refreshing, leaving] if other % 2 else [leaving, refreshing]))
        answer = answers[0 if other % 2 else 1]
        if isinstance(answer, TokenPair):
            self.judged([answer], self.model.refreshed(session, counter, session.client_id, self.now), session, counter)
        else:
            holds(code_of(answer) == "refresh_token_invalid", f"logging out made a refresh say {answer!r}")
        self.model.end(session, "logout", self.now)

    @rule(pick=picks, other=picks, how=st.sampled_from(["changed", "secret", "graft", "cookie", "empty"]))
    def refresh_with_a_forged_token(self, pick: int, other: int, how: str) -> None:
        """Nothing that we did not make does anything, also not to the session that it names."""
        session = self.refreshable(pick)
        if session is None:
            return
        tokens, good = self.edge.refresh.refresh_tokens, session.tokens[max(session.tokens)]
        at = 5 + other % (len(good) - 5)
        forged = {
            "changed": good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :],
            "secret": tokens.mint(SessionId(session.sid), new_session_secret(), session.counter),
            "graft": good[:60] + self._another_token(session)[60:],
            "cookie": next((one.cookie for one in self.model.sessions if one.cookie), "sks_"),
            "empty": "",
        }[how]
        if forged == good:
            return
        answer = self.do(attempt(self.server.world.refresh(forged, client_id="phone", origin=self.origin())))
        holds(code_of(answer) == "refresh_token_invalid", f"a forged token ({how}) was answered {answer!r}")

    def _another_token(self, session: SessionModel) -> str:
        others = [one for one in self.model.sessions if one.tokens and one is not session]
        return others[-1].tokens[0] if others else "skr_"

    @rule(pick=picks, other=picks)
    def refresh_in_a_browser_of_two_people(self, pick: int, other: int) -> None:
        mine, others = self.refreshable(pick), self.refreshable(other)
        if mine is None or others is None or mine is others:
            return
        token = others.tokens[max(others.tokens)]
        answer = self.do(attempt(self.server.world.refresh(token, client_id=others.client_id, believed=mine.sid)))
        holds(code_of(answer) == "session_changed", f"I7: a token of another session was answered {answer!r}")


async def _attempted(call: Callable[[], Coroutine[Any, Any, TokenPair]]) -> TokenPair | Refusal:
    return await attempt(call())
