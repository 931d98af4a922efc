"""Rules: how people come in. Sign-up with a code, login, and races of both."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache, partial

import argon2
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from life.model import (
    ACCEPTED,
    CODE_MS,
    GOOD_EVERYWHERE,
    NO_LEGACY,
    TOO_SHORT,
    AccountModel,
    SignUpModel,
    holds,
)
from life.proving import Proving
from life.stage import all_of, attempt, code_of, picks
from sekisho.admin import accounts as operator_accounts
from sekisho.audit import Event
from sekisho.errors import Refusal, ValidationError
from sekisho.identifiers import parse_client_id, parse_email
from sekisho.ids import new_account_id
from sekisho.model import Account, AccountId, SessionId, Transport
from sekisho.ports.changes import AddAccount
from sekisho.sessions import Proof, TokenPair

EMAILS = ("hanako@mail.test", "jiro@mail.test", "saburo@mail.test", "shiro@mail.test")
CLIENTS = ("web", "web:laptop-000000000000", "web:tablet-000000000000", "phone:first-000000000000", "phone")
WRONG_PASSWORD = "another password altogether"
HASH_COSTS = {"low_memory": "m=12288,t=3,", "standard": "m=19456,t=2,"}

_CODE = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")

clients = st.sampled_from(CLIENTS)
transports = st.sampled_from([Transport.BODY, Transport.BODY, Transport.COOKIE, Transport.SESSION])


@cache
def old_hash(password: str) -> str:
    """Return a hash as another system may have left it: far too cheap, so that the first login replaces it."""
    return argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)


class ComingIn(Proving):
    """Every way to start a session."""

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
        answers = self.do(all_of(calls))
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
        if account and account.factor and account.status == "active" and is_right:
            self.ask(account, transport)
            return
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
        for number, (pair, client_id) in enumerate(zip(self.do(all_of(calls)), asked, strict=True), start=1):
            self.started(pair, account, client_id, transport, "login", begun_at + number)

    @rule(email=st.sampled_from(EMAILS))
    def login_while_the_account_is_disabled(self, email: str) -> None:
        """Whoever wins, nobody is signed in afterwards."""
        self.tick()
        account = self.model.owner_of(email)
        if account is None or account.status != "active" or account.factor:
            return
        world, operator = self.server.world, self.server.operator
        answer, _ = self.do(
            all_of(
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


def _why_no_login(account: AccountModel | None, is_right: bool) -> str:
    if account is None:
        return "unknown_account"
    if account.status != "active":
        return "account_disabled"
    return "" if is_right else "wrong_password"
