"""The state machine: everything that people, apps, thieves, operators and time may do to sessions.

Each rule asks the model what ought to happen, does it to the real server, and compares. After each step the
invariants I1 to I8 (DESIGN section 3) are checked on the store itself.
"""

from __future__ import annotations

import re
from asyncio import gather, sleep
from collections import Counter
from collections.abc import Callable, Coroutine
from functools import cache, partial
from typing import Any, TypeVar

import argon2
import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from life.model import (
    ABSOLUTE_MS,
    ACCEPTED,
    CODE_MS,
    DAY_MS,
    ENDED,
    GOOD_EVERYWHERE,
    GRACE_MS,
    IDLE_MS,
    MAX_SESSIONS,
    MINUTE_MS,
    NO_LEGACY,
    REPEATED,
    REPLAYED,
    ROTATED,
    SECOND_MS,
    TOO_SHORT,
    WRONG_CLIENT,
    AccessTokenModel,
    AccountModel,
    InvariantBroken,
    Model,
    SessionModel,
    SignUpModel,
    holds,
)
from life.server import EdgeChange, Server, _unchanged
from sekisho.admin import accounts as operator_accounts
from sekisho.admin import keys as operator_keys
from sekisho.admin import sessions as operator_sessions
from sekisho.audit import Event
from sekisho.errors import Refusal, ValidationError
from sekisho.flows.authenticate import authenticate_bearer, authenticate_cookie
from sekisho.flows.logout import logout_all, logout_cookie, logout_token
from sekisho.flows.session_list import end_session, list_sessions
from sekisho.flows.withdrawal import withdraw
from sekisho.identifiers import parse_client_id, parse_email
from sekisho.ids import new_account_id
from sekisho.model import Account, AccountId, Origin, Principal, SessionId, Transport
from sekisho.ports.changes import AddAccount
from sekisho.rfc import base64url
from sekisho.sessions import Proof, TokenPair
from sekisho.tokens.session_values import new_session_secret
from world import a_network

T = TypeVar("T")

EMAILS = ("hanako@mail.test", "jiro@mail.test", "saburo@mail.test", "shiro@mail.test")
CLIENTS = ("web", "web:laptop-000000000000", "web:tablet-000000000000", "phone:first-000000000000", "phone")
WRONG_PASSWORD = "another password altogether"
AUDITED = ("login", "sign_up", "withdrawal", "session_ended", "store_behind")
HASH_COSTS = {"low_memory": "m=12288,t=3,", "standard": "m=19456,t=2,"}
MOST_BACK_MS = 30 * SECOND_MS
RING_RELOADS_WITHIN = 100

_CODE = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")

clients = st.sampled_from(CLIENTS)
transports = st.sampled_from([Transport.BODY, Transport.BODY, Transport.COOKIE, Transport.SESSION])
picks = st.integers(0, 59)


@cache
def old_hash(password: str) -> str:
    """Return a hash as another system may have left it: far too cheap, so that the first login replaces it."""
    return argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)


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


class SessionLife(RuleBasedStateMachine):
    """change: see `Server`."""

    def __init__(self, change: EdgeChange = _unchanged) -> None:
        super().__init__()
        self.server = Server(change)
        self.model = Model()
        self.requests = 0
        self.highest_time = self.now

    def teardown(self) -> None:
        self.server.close()

    # What the rules stand on.

    @property
    def now(self) -> int:
        return self.server.clock.now()

    @property
    def edge(self) -> Any:
        return self.server.world.edge

    def do(self, call: Coroutine[Any, Any, T]) -> T:
        return self.server.run(call)

    def tick(self) -> int:
        """Let a millisecond pass, so that no two sessions were used last at the same moment: whom eviction takes
        would be chance then, and a failure could not be repeated."""
        self.the_clock_moves(1)
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
        self.judged(list(self.do(_all(calls))), verdict, session, counter)
        return verdict

    # Rules: coming in.

    @initialize()
    def two_people_are_signed_in(self) -> None:
        self.add_account(EMAILS[0])
        self.add_account(EMAILS[1])
        self.sign_ins_at_once(EMAILS[0], 2, Transport.BODY)
        self.sign_ins_at_once(EMAILS[1], 1, Transport.COOKIE)

    @rule(email=st.sampled_from(EMAILS))
    def add_account(self, email: str) -> None:
        """An account from another system, with a hash that is too cheap for today."""
        address = parse_email(email)
        account = Account(
            id=new_account_id(),
            email=address.address,
            email_key=address.key,
            password_hash=old_hash(NO_LEGACY),
            created_at=self.now,
        )
        outcome = self.do(self.server.world.store.apply(AddAccount(account=account)))
        holds((outcome.lost is None) == (self.model.owner_of(email) is None), "an address with two accounts")
        if outcome.lost is None:
            self.model.accounts.append(AccountModel(email, account.id, NO_LEGACY))

    @rule(
        email=st.sampled_from(EMAILS),
        password=st.sampled_from([GOOD_EVERYWHERE, GOOD_EVERYWHERE, NO_LEGACY, TOO_SHORT]),
        client_id=clients,
        transport=transports,
        times=st.integers(0, 3),
    )
    def sign_up(self, email: str, password: str, client_id: str, transport: Transport, times: int) -> None:
        """Ask for a code, and come back with it at once: so many times at the same moment, or not yet."""
        before = len(self.model.sign_ups)
        self._send_code(email, password, client_id)
        if times and len(self.model.sign_ups) > before:
            self._verify_code(self.model.sign_ups[-1], True, client_id, transport, times)

    def _send_code(self, email: str, password: str, client_id: str) -> None:
        world = self.server.world
        sent = self.do(attempt(world.send_code(email, password, client_id=client_id, origin=self.origin())))
        if password not in ACCEPTED[self.server.policy_profile]:
            holds(isinstance(sent, ValidationError), "a password that the policy forbids")
            return
        holds(not isinstance(sent, Refusal), f"sign-up refused: {sent!r}")
        codes = [found[0] for letter in self.do(world.mail(email)) if (found := _CODE.search(letter.text))]
        is_decoy = self.model.owner_of(email) is not None
        self.model.sign_ups.append(
            SignUpModel(
                handle=sent.pending,
                email=email,
                password=password,
                client_id=client_id,
                code="000000" if is_decoy else codes[-1],
                until=self.now + CODE_MS,
                is_decoy=is_decoy,
            )
        )

    @precondition(lambda self: self.model.sign_ups)
    @rule(
        pick=picks,
        is_right=st.sampled_from([True, True, False]),
        is_other_client=st.sampled_from([False, False, True]),
        transport=transports,
        times=st.integers(1, 4),
    )
    def verify_code(self, pick: int, is_right: bool, is_other_client: bool, transport: Transport, times: int) -> None:
        """Any code that was ever mailed, used or not, or a wrong one; once or several times at the same moment."""
        sign_up = self.model.sign_ups[pick % len(self.model.sign_ups)]
        client_id = "other" if is_other_client else sign_up.client_id
        self._verify_code(sign_up, is_right, client_id, transport, times)

    def _verify_code(
        self, sign_up: SignUpModel, is_right: bool, client_id: str, transport: Transport, times: int
    ) -> None:
        self.tick()
        code = sign_up.code if is_right else f"{(int(sign_up.code) + 1) % 1_000_000:06}"
        expected = self.model.sign_up_answers(sign_up, is_right, client_id, times, self.now)
        calls = [
            attempt(
                self.server.world.verify_code(
                    code,
                    sign_up.email,
                    pending=sign_up.handle,
                    client_id=client_id,
                    transport=transport,
                    origin=self.origin(),
                )
            )
            for _ in range(times)
        ]
        answers = self.do(_all(calls))
        got = Counter(code_of(answer) for answer in answers)
        holds(got[""] <= 1, "I4: a one-time code succeeded twice")
        holds(got == Counter(expected), f"I4: {sign_up} answered {got}, not {expected}")
        for pair in answers:
            if isinstance(pair, TokenPair):
                account = AccountModel(sign_up.email, pair.account.id, sign_up.password)
                self.model.accounts.append(account)
                self.started(pair, account, client_id, transport, "sign_up", self.now)

    @rule(
        email=st.sampled_from((EMAILS[0], *EMAILS)),
        client_id=clients,
        transport=transports,
        is_right=st.sampled_from([True, True, True, False]),
        replaces=st.none() | picks,
    )
    def login(self, email: str, client_id: str, transport: Transport, is_right: bool, replaces: int | None) -> None:
        self.tick()
        account = self.model.owner_of(email)
        replaced = None if replaces is None else self.live_session(replaces)
        answer = self.do(
            attempt(
                self.server.world.login(
                    email,
                    account.password if account and is_right else WRONG_PASSWORD,
                    client_id=client_id,
                    transport=transport,
                    origin=self.origin(),
                    replaces=SessionId(replaced.sid) if replaced else None,
                )
            )
        )
        reason = _why_no_login(account, is_right)
        if reason or account is None:
            self.model.note("login", "failure", account.id if account else "", reason=reason)
            holds(code_of(answer) == "invalid_credentials", f"I5: a login that must fail ({reason}) gave {answer!r}")
            return
        holds(isinstance(answer, TokenPair), f"a good login was refused: {answer!r}")
        if replaced:
            self.model.end(replaced, "signed_in_again", self.now)
        self.started(answer, account, client_id, transport, "login", self.now)
        row = self.do(self.server.world.store.find_account(AccountId(account.id)))
        holds(HASH_COSTS[self.server.hash_profile] in row.password_hash, "a weak hash was kept at login")

    @rule(email=st.sampled_from(EMAILS), times=st.integers(2, 5), transport=transports)
    def sign_ins_at_once(self, email: str, times: int, transport: Transport) -> None:
        """Several that have passed their questions start their sessions at the same moment."""
        account = self.model.owner_of(email)
        if account is None or account.status != "active":
            return
        row = self.do(self.server.world.store.find_account(AccountId(account.id)))
        sessions, proof = self.edge.login.sessions, Proof(event=Event.LOGIN, amr=("pwd",))
        begun_at, asked = self.now, CLIENTS[:times]
        calls = [
            self.at_its_own_moment(
                partial(sessions.start, row, proof, parse_client_id(client_id), transport, self.origin())
            )
            for client_id in asked
        ]
        for number, (pair, client_id) in enumerate(zip(self.do(_all(calls)), asked, strict=True), start=1):
            self.started(pair, account, client_id, transport, "login", begun_at + number)

    @rule(email=st.sampled_from(EMAILS))
    def login_while_the_account_is_disabled(self, email: str) -> None:
        """Whoever wins, nobody is signed in afterwards."""
        self.tick()
        account = self.model.owner_of(email)
        if account is None or account.status != "active":
            return
        world, operator = self.server.world, self.server.operator
        answer, _ = self.do(
            _all(
                [
                    attempt(world.login(email, account.password, origin=self.origin())),
                    attempt(operator_accounts.disable_account(account.id, operator)),
                ]
            )
        )
        if isinstance(answer, TokenPair):
            self.started(answer, account, "web", Transport.BODY, "login", self.now)
        else:
            holds(answer.detail in ("changed_meanwhile", "account_disabled"), f"login refused: {answer.detail}")
            self.model.note("login", "failure", account.id, reason=answer.detail)
        account.status = "disabled"
        self.model.end_all(account, "account_disabled", self.now)

    # Rules: refreshing.

    def refreshable(self, pick: int) -> SessionModel | None:
        """A session that has refresh tokens; three times of four a live one."""
        having = [session for session in self.model.sessions if session.tokens]
        live = [session for session in having if session.is_live(self.now)]
        among = live if live and pick % 4 else having
        return among[pick // 4 % len(among)] if among else None

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
        self.the_clock_moves(wait_ms)
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
        for (session, counter, verdict), answer in zip(asked, self.do(_all(calls)), strict=True):
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
        answers = self.do(_all([refreshing, leaving] if other % 2 else [leaving, refreshing]))
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

    # Rules: going out.

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

    # Rules: operators, leaving for good.

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
        holds(code_of(answer) == ("" if is_right else "invalid_credentials"), f"withdrawal gave {answer!r}")
        if is_right:
            self.model.withdrawn(account, self.now)
            self.model.note("withdrawal", "success", account.id, session.sid)
        else:
            self.model.note("withdrawal", "failure", account.id, session.sid, "wrong_password")

    @rule(is_compromised=st.booleans())
    def signing_keys_move_on(self, is_compromised: bool) -> None:
        """Nobody is logged out, whatever happens to the keys: what the invariants say of sessions still holds."""

        async def move_on() -> None:
            operator = self.server.operator
            before = {key.state.value: key.kid for key in await operator_keys.list_keys(operator)}
            if is_compromised:
                keys = await operator_keys.compromise(before["active"], operator)
                self.model.compromised.add(before["active"])
            else:
                keys = await operator_keys.rotate(operator)
            newest = next(key.kid for key in keys if key.state.value == "next")
            for _ in range(RING_RELOADS_WITHIN):
                if newest.encode() in self.edge.jwks():
                    return
                await sleep(0.02)
            raise InvariantBroken("a change of keys was not noticed")

        self.do(move_on())

    # Rules: time and the process.

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
        """Also back a little, as a clock that is corrected does."""
        target = max(self.now + by_ms, self.highest_time - MOST_BACK_MS)
        self.server.clock.advance(seconds=(target - self.now) / 1000)
        self.highest_time = max(self.highest_time, self.now)

    @rule(by_ms=st.sampled_from([IDLE_MS, ABSOLUTE_MS]), is_swept=st.booleans())
    def nobody_comes_for_long(self, by_ms: int, is_swept: bool) -> None:
        """And then all come back, with what was good when they left."""
        self.the_clock_moves(by_ms)
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

    # After each step.

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


def _why_no_login(account: AccountModel | None, is_right: bool) -> str:
    if account is None:
        return "unknown_account"
    if account.status != "active":
        return "account_disabled"
    return "" if is_right else "wrong_password"


def _ends(row: Any, session: SessionModel) -> str:
    invariant_of = "I2" if session.end_reason == "refresh_token_replayed" else "I3"
    return f"{invariant_of}: the row of {session} is ended at {row.ended_at} ({row.end_reason}), not {session.ended_at}"


async def _attempted(call: Callable[[], Coroutine[Any, Any, T]]) -> T | Refusal:
    return await attempt(call())


async def _all(calls: list[Coroutine[Any, Any, Any]]) -> list[Any]:
    return list(await gather(*calls))
