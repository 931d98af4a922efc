"""The second step of a login, with an authenticator app: both steps together, and the check of a code by itself.

A code counts once, so every sign-in has an account and a challenge of its own, on a site of this scenario's own.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import apsw
import pyotp
from msgspec import Struct, json, structs

from bench.measure import SATURATING_USERS, Plan, saturate
from bench.requests import post
from bench.rows import Row, row
from bench.scenarios.login import PATH as LOGIN
from bench.scenarios.login import USERS
from bench.scripts import Taking, must_contain
from bench.seeding import seed
from bench.setting import Setting
from bench.site import CLIENT_ID, PASSWORD, Site, email_of, first_account, now_ms
from sekisho.identifiers import parse_client_id
from sekisho.ids import new_handle
from sekisho.mfa.challenges import Challenges
from sekisho.mfa.totp import STEP_MS, TotpKeys
from sekisho.model import AccountId, Factor, FactorKind, Transport
from sekisho.ports.factor_changes import AddFactor, ConfirmFactor
from sekisho.storage.sqlite import SqliteStore

PATH = "/api/v1/auth/second-factor"
# What the fastest machine could ask for in the time of a plan.
FULL_SUPPLY, QUICK_SUPPLY = (4_000, 16_000), (500, 5_000)
CHECKS_S = 3.0
_STARTED = "SELECT count(*), count(DISTINCT account_id) FROM sessions WHERE amr LIKE '%otp%'"


class Person(Struct, frozen=True):
    """challenge: what a sign-in whose password was right was given, "" for who begins with the password."""

    email: str
    codes: pyotp.HOTP
    challenge: str = ""

    def code(self) -> str:
        return self.codes.at(now_ms() // STEP_MS)


async def run(setting: Setting) -> list[Row]:
    logins, checks = FULL_SUPPLY if setting.plan.repeats > 1 else QUICK_SUPPLY
    with tempfile.TemporaryDirectory(dir=setting.folder) as name:
        site = await seed(Path(name), logins + checks)
        people = await enrolled(site, waiting_from=logins)
        with setting.serving(site) as server:
            begin = iter(people[:logins])
            both = await saturate(server, [BothSteps(begin) for _ in range(USERS)], setting.plan)
            asked = _second_steps(people[logins:])
            check = await saturate(
                server, [Taking(asked, must_contain) for _ in range(SATURATING_USERS)], _short(setting.plan)
            )
        broken = _started_twice(site)
    # Two answers are one login; how long each took alone says nothing.
    whole = structs.replace(both, per_second=both.per_second / 2, cpu_us=both.cpu_us * 2)
    login = structs.replace(row("login with an authenticator app", whole, None), p50_ms=None, p99_ms=None)
    return [login, row("second-factor check", check, None, broken=broken)]


class BothSteps:
    """Signs one person in after the other. Between the two steps nothing may be issued."""

    def __init__(self, people: Iterator[Person]) -> None:
        self._people = people
        self._person: Person | None = None
        self._challenge = ""

    def request(self) -> bytes:
        if self._person is None or not self._challenge:
            self._person = next(self._people)
            return post(
                LOGIN,
                json.encode({"email": self._person.email, "password": PASSWORD, "client_id": CLIENT_ID}),
            )
        return _second_step(structs.replace(self._person, challenge=self._challenge))

    def judge(self, status: int, body: bytes) -> str:
        assert self._person is not None
        if self._challenge:
            self._challenge = ""
            return must_contain(self._person.email.encode(), status, body)
        if status != 200 or b"second_factor_required" not in body:
            return f"a right password was answered with {status} and no second step"
        if b"_token" in body:
            return "something was issued before the second step"
        self._challenge = json.decode(body)["challenge"]
        return ""


def _second_steps(people: list[Person]) -> Iterator[tuple[bytes, bytes]]:
    for person in people:
        yield _second_step(person), person.email.encode()
    raise RuntimeError("the challenges ran out: more of them must be made for this machine")


def _second_step(person: Person) -> bytes:
    said = {"challenge": person.challenge, "method": "totp", "code": person.code(), "client_id": CLIENT_ID}
    return post(PATH, json.encode(said))


async def enrolled(site: Site, waiting_from: int) -> list[Person]:
    """Give every account an authenticator app; those from `waiting_from` on have shown their password already."""
    keys, challenges, now = TotpKeys(site.master(), "bench"), Challenges(site.master()), now_ms()
    base = first_account(now)
    secret = keys.new()
    people: list[Person] = []
    store = await SqliteStore.open(site.database_path, durability="off")
    try:
        for number, given in enumerate(site.accounts):
            account, factor_id = structs.replace(base, id=AccountId(given)), new_handle()
            factor = Factor(
                id=factor_id,
                account_id=account.id,
                kind=FactorKind.TOTP,
                name="",
                sealed=keys.seal(factor_id, secret),
                created_at=now,
                expires_at=now + 60_000,
            )
            version = account.security_version
            changes = [
                AddFactor(factor=factor, security_version=version, max_factors=5),
                ConfirmFactor(factor_id=factor_id, account_id=account.id, security_version=version, step=0, now=now),
            ]
            challenge = ""
            if number >= waiting_from:
                confirmed = structs.replace(account, security_version=version + 1)
                opened = challenges.new(confirmed, parse_client_id(CLIENT_ID), Transport.BODY, now)
                challenge, changes = opened.value, [*changes, opened.opening]
            outcome = await store.apply(*changes)
            assert outcome.lost is None, outcome.lost
            people.append(Person(email_of(number), pyotp.HOTP(secret), challenge))
    finally:
        await store.close()
    return people


def _short(plan: Plan) -> Plan:
    """Codes are used up: one stretch, and no longer than they last."""
    return structs.replace(plan, repeats=1, seconds=min(plan.seconds, CHECKS_S))


def _started_twice(site: Site) -> Counter[str]:
    """I4: whoever has shown a code has one session by it, however often anything was sent."""
    connection = apsw.Connection(str(site.database_path))
    try:
        ((sessions, accounts),) = connection.execute(_STARTED)
    finally:
        connection.close()
    assert accounts, "no session says that a code was shown"
    return +Counter({"a code or a challenge that started two sessions": sessions - accounts})
