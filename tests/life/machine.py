"""The state machine: everything that people, apps, thieves, operators and time may do to sessions.

Each rule asks the model what ought to happen, does it to the real server, and compares. This module has the rules
for leaving, for operators, and for time; how people come in and refresh stands in modules of their own.
"""

from __future__ import annotations

from asyncio import sleep

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from life.coming_in import EMAILS, HASH_COSTS, WRONG_PASSWORD, ComingIn
from life.model import (
    ABSOLUTE_MS,
    ACCEPTED,
    DAY_MS,
    GRACE_MS,
    IDLE_MS,
    MINUTE_MS,
    SECOND_MS,
    InvariantBroken,
    SessionModel,
    holds,
)
from life.refreshing import Refreshing
from life.stage import attempt, code_of, picks
from sekisho.admin import accounts as operator_accounts
from sekisho.admin import keys as operator_keys
from sekisho.admin import sessions as operator_sessions
from sekisho.errors import Refusal
from sekisho.flows.authenticate import authenticate_bearer, authenticate_cookie
from sekisho.flows.logout import logout_all, logout_cookie, logout_token
from sekisho.flows.session_list import end_session
from sekisho.flows.withdrawal import withdraw

RING_RELOADS_WITHIN = 100


class SessionLife(ComingIn, Refreshing):
    """All rules together."""

    @precondition(lambda self: self.model.sessions)
    @rule(pick=picks, counter=picks)
    def log_out(self, pick: int, counter: int) -> None:
        """With any authentic token of the session, or its cookie; also again, and when its time is over."""
        session = self.model.sessions[pick % len(self.model.sessions)]
        if session.cookie:
            self.do(logout_cookie(session.cookie, self.origin(), self.edge.logout))
        else:
            token = sorted(session.tokens.items())[counter % len(session.tokens)][1]
            self.do(logout_token(token, self.origin(), self.edge.logout))
        self.model.end(session, "logout", self.now)

    @precondition(lambda self: self.model.sessions)
    @rule(pick=picks)
    def log_out_with_a_forged_token(self, pick: int) -> None:
        session = self.model.sessions[pick % len(self.model.sessions)]
        good = session.cookie or session.tokens[max(session.tokens)]
        forged = good[:-3] + ("AAA" if good[-3:] != "AAA" else "BBB")
        self.do(logout_token(forged, self.origin(), self.edge.logout))
        self.do(logout_cookie(forged, self.origin(), self.edge.logout))

    @rule(pick=picks, except_current=st.booleans())
    def log_out_everywhere(self, pick: int, except_current: bool) -> None:
        session = self.live_session(pick)
        if session:
            ended = self.do(
                logout_all(
                    self.principal(session), self.origin(), except_current=except_current, world=self.edge.logout
                )
            )
            but = session if except_current else None
            expected = self.model.end_all(session.account, "logout_all", self.now, but)
            holds(ended == expected, f"logout-all ended {ended}, not {expected}")

    @rule(pick=picks, other=picks, by_operator=st.booleans())
    def end_one(self, pick: int, other: int, by_operator: bool) -> None:
        """One of one's own sessions, or somebody else's, which must look as if it did not exist."""
        mine = self.live_session(pick)
        if mine is None:
            return
        target = self.model.sessions[other % len(self.model.sessions)]
        if by_operator:
            call = operator_sessions.end_session(target.sid, self.server.operator)
        else:
            call = end_session(target.sid, self.principal(mine), self.origin(), self.edge.session_list)
        answer = self.do(attempt(call))
        may = target.is_live(self.now) and (by_operator or target.account is mine.account)
        holds(code_of(answer) == ("" if may else "not_found"), f"I7: ending {target} as {mine} gave {answer!r}")
        if may:
            self.model.end(target, "ended_by_operator" if by_operator else "ended_by_owner", self.now)

    @rule(email=st.sampled_from(EMAILS), what=st.sampled_from(["disable", "enable", "enable", "end all", "withdraw"]))
    def operator_acts(self, email: str, what: str) -> None:
        account = self.model.owner_of(email)
        if account is None:
            return
        operator, who = self.server.operator, account.id
        if what == "disable":
            ended = self.do(operator_accounts.disable_account(who, operator)).ended
            was_active, account.status = account.status == "active", "disabled"
            expected = self.model.end_all(account, "account_disabled", self.now) if was_active else 0
        elif what == "enable":
            ended = self.do(operator_accounts.enable_account(who, operator)).ended
            account.status, expected = "active", 0
        elif what == "end all":
            ended = self.do(operator_sessions.end_all_sessions(who, operator))
            expected = self.model.end_all(account, "ended_by_operator", self.now)
        else:
            ended = self.do(operator_accounts.withdraw_account(who, operator)).ended
            expected = self.model.withdrawn(account, self.now)
            self.model.note("withdrawal", "success", account.id)
        holds(ended == expected, f"{what} ended {ended} sessions, not {expected}")

    @rule(pick=picks, is_right=st.booleans())
    def leave_for_good(self, pick: int, is_right: bool) -> None:
        session = self.live_session(pick)
        if session is None:
            return
        account = session.account
        password = account.password if is_right else WRONG_PASSWORD
        answer = self.do(attempt(withdraw(password, self.principal(session), self.origin(), self.edge.withdrawal)))
        if account.factor and not (self.is_fresh(session) and session.acr == "aal2"):
            holds(code_of(answer) == "step_up_required", f"half a proof closed an account: {answer!r}")
            return
        holds(code_of(answer) == ("" if is_right else "invalid_credentials"), f"withdrawal gave {answer!r}")
        if is_right:
            self.model.withdrawn(account, self.now)
            self.model.note("withdrawal", "success", account.id, session.sid)
        else:
            self.model.note("withdrawal", "failure", account.id, session.sid, "wrong_password")

    @rule(how=st.sampled_from(["rotate", "retire", "compromise"]))
    def signing_keys_move_on(self, how: str) -> None:
        """Nobody is logged out, whatever happens to the keys: what the invariants say of sessions still holds."""

        async def move_on() -> None:
            operator = self.server.operator
            before = {key.state.value: key.kid for key in await operator_keys.list_keys(operator)}
            if how == "compromise":
                keys = await operator_keys.compromise(before["active"], operator)
            else:
                keys = await operator_keys.rotate(operator)
            if how == "retire":
                keys = await operator_keys.retire(before["active"], operator)
            if how != "rotate":
                self.model.refused_keys.add(before["active"])
            newest = next(key.kid for key in keys if key.state.value == "next")
            for _ in range(RING_RELOADS_WITHIN):
                if newest.encode() in self.edge.jwks():
                    return
                await sleep(0.02)
            raise InvariantBroken("a change of keys was not noticed")

        self.do(move_on())

    @rule(
        by_ms=st.sampled_from(
            [
                1,
                SECOND_MS,
                GRACE_MS // 2,
                GRACE_MS,
                GRACE_MS + 1,
                -SECOND_MS,
                -20 * SECOND_MS,
                14 * MINUTE_MS,
                16 * MINUTE_MS,
                DAY_MS,
                IDLE_MS - 1,
                IDLE_MS,
                ABSOLUTE_MS - IDLE_MS,
                ABSOLUTE_MS,
            ]
        )
    )
    def the_clock_moves(self, by_ms: int) -> None:
        self.move_clock(by_ms)

    @rule(by_ms=st.sampled_from([IDLE_MS, ABSOLUTE_MS]), is_swept=st.booleans())
    def nobody_comes_for_long(self, by_ms: int, is_swept: bool) -> None:
        """And then all come back, with what was good when they left."""
        self.move_clock(by_ms)
        if is_swept:
            self.upkeep_sweeps()
        for session in self.model.sessions[-5:]:
            if session.tokens:
                self.present(session, max(session.tokens), session.client_id)

    @rule()
    def upkeep_sweeps(self) -> None:
        self.do(self.server.sweep())
        self.model.swept(self.now)

    @rule(
        killed=st.booleans(),
        policy_profile=st.sampled_from(sorted(ACCEPTED)),
        hash_profile=st.sampled_from(sorted(HASH_COSTS)),
    )
    def the_server_restarts(self, killed: bool, policy_profile: str, hash_profile: str) -> None:
        """Stopped or killed, and perhaps with another policy for passwords and another cost for hashes."""
        self.server.restart(killed=killed, policy_profile=policy_profile, hash_profile=hash_profile)
        self.model.swept(self.now)

    @rule()
    def everybody_asks_who_they_are(self) -> None:
        """All access tokens of late, and all session cookies: each gets its own answer and no other."""
        world = self.edge.authenticate
        for token in self.model.access_tokens[-40:]:
            try:
                answer: object = authenticate_bearer(token.text, world)
            except Refusal as refusal:
                answer = refusal
            right = self.model.answer_to_bearer(token, self.now)
            holds(code_of(answer) in right, f"I3: {token} was answered {answer!r}, not {right}")
            self.is_principal_of(answer, token.session)
        for session in self.model.sessions:
            if session.cookie:
                self.tick()
                right_one = self.model.answer_to_cookie(session, self.now)
                answer = self.do(attempt(authenticate_cookie(session.cookie, self.origin(), world)))
                holds(code_of(answer) == right_one, f"I3: the cookie of {session} was answered {answer!r}")
                self.is_principal_of(answer, session)
                if not right_one and self.now - session.last_seen_at >= MINUTE_MS:
                    self.model.used(session, self.now)

    def is_principal_of(self, answer: object, session: SessionModel) -> None:
        holds(isinstance(answer, Refusal) or answer == self.principal(session), f"I7: {session} was told {answer!r}")
