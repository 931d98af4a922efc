"""Rules: authenticator apps and recovery codes. Enrolling and removing, the second step of a sign-in, step-up."""

from __future__ import annotations

from typing import Any

import pyotp
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from life.model import FRESH_MS, AccountModel, FactorModel, SessionModel, holds
from life.stage import Stage, all_of, attempt, code_of, picks
from sekisho.errors import Refusal
from sekisho.flows.enrolment import Enrol, confirm, enrol
from sekisho.flows.factors import remove
from sekisho.flows.login import Login, login
from sekisho.flows.step_up import StepUp, step_up
from sekisho.mfa.challenges import SecondFactorRequired
from sekisho.mfa.totp import STEP_MS
from sekisho.model import SessionId, Transport
from sekisho.sessions import TokenPair

METHODS = st.sampled_from(["totp", "totp", "totp", "recovery_code"])


class Proving(Stage):
    """How a person proves more than a password."""

    @rule(pick=picks, times=st.integers(1, 3))
    def enrol_an_app(self, pick: int, times: int) -> None:
        session = self.live_session(pick)
        if session is None or session.account.factor is not None:
            return
        who, flows = self.principal(session), self.edge.factors
        self.tick()
        begun = self.do(attempt(enrol(Enrol("totp"), who, self.origin(), flows)))
        if not self.is_fresh(session):
            holds(code_of(begun) == "step_up_required", f"a stale proof enrolled: {begun!r}")
            return
        holds(not isinstance(begun, Refusal), f"enrolling was refused: {begun!r}")
        step = self.now // STEP_MS
        code = pyotp.HOTP(begun.secret).at(step)
        calls = [attempt(confirm(begun.id, code, who, self.origin(), flows)) for _ in range(times)]
        done = [answer for answer in self.do(all_of(calls)) if not isinstance(answer, Refusal)]
        holds(len(done) == 1, f"I4: {len(done)} of {times} confirmed one enrolment")
        self.model.note("factor_added", "success", session.account.id, session.sid)
        session.account.factor = FactorModel(begun.id, begun.secret, step, list(done[0].recovery_codes))
        session.proved_at, session.acr = self.now, "aal2"

    @rule(pick=picks)
    def remove_the_app(self, pick: int) -> None:
        session = self.live_session(pick)
        if session is None or session.account.factor is None:
            return
        self.tick()
        call = remove(session.account.factor.id, self.principal(session), self.origin(), self.edge.factors)
        answer = self.do(attempt(call))
        may = self.is_fresh(session) and session.acr == "aal2"
        holds(code_of(answer) == ("" if may else "step_up_required"), f"removing a factor gave {answer!r}")
        if may:
            self.model.note("factor_removed", "success", session.account.id, session.sid)
            session.account.factor = None

    @rule(pick=picks, method=METHODS, is_right=st.sampled_from([True, True, False]), times=st.integers(1, 3))
    def step_up_by_code(self, pick: int, method: str, is_right: bool, times: int) -> None:
        """Once or several times at the same moment, in one session or two."""
        session = self.live_session(pick)
        if session is None or session.account.factor is None:
            return
        account = session.account
        self.tick()
        code, may = self.code_of(account, method, is_right)
        among = [other for other in self.model.live_of(account, self.now) if other is not session][: times - 1]
        asking = [session, *among]
        calls = [
            attempt(step_up(StepUp(None, method, code), self.principal(one), self.origin(), self.edge.step_up))
            for one in asking
        ]
        won = 0
        for one, answer in zip(asking, self.do(all_of(calls)), strict=True):
            if isinstance(answer, TokenPair):
                won += 1
                one.proved_at, one.acr = self.now, "aal2"
                self.model.note("step_up", "success", account.id, one.sid)
                holds(answer.session.id == one.sid, "I7: a step-up answered for another session")
            else:
                holds(code_of(answer) == "invalid_code", f"a step-up gave {answer!r}")
                self.model.note("step_up", "failure", account.id, one.sid, answer.detail)
        holds(won == may, f"I4: {won} of {len(asking)} succeeded with one code that {'may' if may else 'may not'}")
        self.used_up(account, method, code, won)

    @rule(pick=picks, is_right=st.sampled_from([True, True, False]))
    def step_up_by_password(self, pick: int, is_right: bool) -> None:
        session = self.live_session(pick)
        if session is None:
            return
        self.tick()
        password = session.account.password if is_right else "another password altogether"
        call = step_up(StepUp(password), self.principal(session), self.origin(), self.edge.step_up)
        answer = self.do(attempt(call))
        if session.account.factor is not None:
            holds(code_of(answer) == "step_up_required", f"half a proof stepped up: {answer!r}")
        elif is_right:
            holds(isinstance(answer, TokenPair), f"a step-up was refused: {answer!r}")
            session.proved_at, session.acr = self.now, "aal1"
            self.model.note("step_up", "success", session.account.id, session.sid)
        else:
            holds(code_of(answer) == "invalid_credentials", f"a wrong password gave {answer!r}")
            self.model.note("step_up", "failure", session.account.id, session.sid, "wrong_password")

    @precondition(lambda self: any(account.factor for account in self.model.accounts))
    @rule(
        pick=picks,
        method=METHODS,
        transport=st.sampled_from([Transport.BODY, Transport.COOKIE, Transport.SESSION]),
        is_right=st.sampled_from([True, True, True, False]),
        challenges=st.integers(1, 3),
        times=st.integers(1, 3),
        replaces=st.none() | picks,
    )
    def sign_in_with_the_second_step(
        self,
        pick: int,
        method: str,
        transport: Transport,
        is_right: bool,
        challenges: int,
        times: int,
        replaces: int | None,
    ) -> None:
        """One code for several waiting sign-ins, each answered several times, all at the same moment: one wins."""
        having = [account for account in self.model.accounts if account.factor and account.status == "active"]
        if not having:
            return
        account = having[pick % len(having)]
        asked = [self.ask(account, transport) for _ in range(challenges)]
        self.tick()
        code, may = self.code_of(account, method, is_right)
        replaced = None if replaces is None else self.live_session(replaces)
        held = SessionId(replaced.sid) if replaced else None
        calls = [
            attempt(self.server.world.answer(one, code, method=method, origin=self.origin(), replaces=held))
            for one in asked
            for _ in range(times)
        ]
        answers = self.do(all_of(calls))
        pairs = [answer for answer in answers if isinstance(answer, TokenPair)]
        holds(len(pairs) == may, f"I4: {len(pairs)} of {len(calls)} signed in with one code")
        for answer in answers:
            if isinstance(answer, Refusal):
                holds(answer.code in ("invalid_code", "session_not_found"), f"a second step gave {answer!r}")
                self.model.note("second_factor", "failure", account.id, reason=answer.detail)
        for pair in pairs:
            if replaced:
                self.model.end(replaced, "signed_in_again", self.now)
            self.started(pair, account, "web", transport, "login", self.now)
            self.model.sessions[-1].acr = "aal2"
        self.used_up(account, method, code, len(pairs))

    def ask(self, account: AccountModel, transport: Transport) -> Any:
        """Give the password; nothing is issued."""
        self.tick()
        request = Login(account.email, account.password, "web", transport, self.origin())
        asked = self.do(attempt(login(request, self.edge.login)))
        holds(isinstance(asked, SecondFactorRequired), f"I5: a password alone was enough: {asked!r}")
        self.model.note("second_factor_asked", "success", account.id)
        return asked

    def code_of(self, account: AccountModel, method: str, is_right: bool) -> tuple[str, bool]:
        """Return a code, and whether somebody may succeed with it. A used one of each kind is among the wrong ones."""
        factor = account.factor
        assert factor is not None
        if method == "recovery_code":
            unused = [code for code in factor.recovery_codes if code not in factor.used_codes]
            if is_right and unused:
                return unused[0], True
            return (factor.used_codes or ["0000-0000-0000-0000-0000-0000"])[-1], False
        step = self.now // STEP_MS
        codes = pyotp.HOTP(factor.secret)
        if is_right:
            return codes.at(step), step > factor.last_step
        near = {codes.at(around) for around in range(step - 2, step + 3)}
        used = codes.at(factor.last_step)
        if used not in {codes.at(around) for around in range(step - 1, step + 2) if around > factor.last_step}:
            return used, False
        return next(text for number in range(10) if (text := f"{number:06}") not in near), False

    def used_up(self, account: AccountModel, method: str, code: str, times: int) -> None:
        factor = account.factor
        if not times or factor is None:
            return
        if method == "recovery_code":
            factor.used_codes.append(code)
        else:
            factor.last_step = self.now // STEP_MS

    def is_fresh(self, session: SessionModel) -> bool:
        return abs(self.now - session.proved_at) <= FRESH_MS
