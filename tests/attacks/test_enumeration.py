"""Whether an address has an account: not by the bytes of any answer, not by its time.

Times are compared as ratios of the minimum and of the median over a hundred samples of each kind, taken in turns, so
that a busy machine slows all of them alike. Where they differ, the whole comparison is made again with other addresses:
noise does not come back every time, a difference does.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from random import sample
from statistics import median
from typing import NamedTuple

import httpx2
import pytest

from attacks.conftest import CHEAP
from http_site import PASSWORD, Client, Site, open_site
from sekisho.admin.accounts import disable_account
from sekisho.assemble import operator
from sekisho.settings import load

pytestmark = pytest.mark.anyio

# As many as the widest limit of code sends allows to one address.
ROUNDS, BATCHES, COMPARISONS = 30, 3, 4
# Without its hash an answer would be some twenty times faster. Answers without a hash take a millisecond, of
# which a busy machine may double the median: there the minimum alone speaks. The median is one of processor times:
# others on the machine keep the hashing threads, which give way to all, waiting as long as they like.
SAME_MINIMUM = 1.3
SAME_MEDIAN = 1.35
WIDE_LIMITS = {
    "SEKISHO_LIMITS__LOGIN_FAILURES": "1000",
    "SEKISHO_LIMITS__LOGIN_NETWORK_FAILURES": "10000",
    "SEKISHO_LIMITS__LOGIN_FAILURES_PER_DAY": "10000",
    "SEKISHO_LIMITS__CODE_SENDS": "100",
    "SEKISHO_LIMITS__CODE_SENDS_PER_DAY": "1000",
    "SEKISHO_LIMITS__CODE_NETWORK_SENDS": "1000",
    "SEKISHO_LIMITS__CODE_TRIES": "10",
    "SEKISHO_LIMITS__CODE_FAILURES_PER_DAY": "1000",
}
KINDS = {
    "known": "known@example.com",
    "unknown": "nobody@example.com",
    "disabled": "asleep@example.com",
    "recoverable": "twice@example.com",
}
"""One address of each kind."""


class Taken(NamedTuple):
    """What one answer took: seconds by the clock, and of processor time in all threads."""

    waited_s: float
    worked_s: float


def people(comparison: int) -> dict[str, str]:
    """Return an address of each kind that only this comparison uses."""
    return {kind: f"{comparison}-{email}" for kind, email in KINDS.items()} if comparison else KINDS


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Site]:
    """A site with accounts of each kind for every comparison, and limits wide enough to measure."""
    async with open_site(tmp_path, **CHEAP, **WIDE_LIMITS) as site:
        for comparison in range(COMPARISONS):
            for kind in ("known", "disabled"):
                await site.client().signed_in(people(comparison)[kind])
            await with_recovery_email(site, people(comparison)["recoverable"])
        async with operator(load("dev", CHEAP, tmp_path)) as world:
            for comparison in range(COMPARISONS):
                await disable_account(people(comparison)["disabled"], world)
        yield site


async def with_recovery_email(site: Site, email: str) -> None:
    client = site.client()
    await client.signed_in(email)
    second = f"second-{email}"
    await client.post("user/recovery-email/send-code", {"email": second, "password": PASSWORD})
    taken = await client.post("user/recovery-email/verify-code", {"email": second, "code": await site.code_for(second)})
    assert taken.status_code == 200, taken.text


async def login(client: Client, email: str) -> httpx2.Response:
    return await client.post("auth/login", {"email": email, "password": "not the password", "client_id": "web"})


async def send_code(client: Client, email: str) -> httpx2.Response:
    return await client.post("auth/signup/send-code", {"email": email, "password": PASSWORD, "client_id": "web"})


async def resend_code(client: Client, email: str) -> httpx2.Response:
    return await client.post("auth/signup/resend-code", {"email": email, "client_id": "web"})


async def verify_code(client: Client, email: str) -> httpx2.Response:
    return await client.post("auth/signup/verify-code", {"email": email, "code": "000000", "client_id": "web"})


async def send_reset_code(client: Client, email: str) -> httpx2.Response:
    return await client.post("auth/password-reset/send-code", {"email": email})


async def verify_reset_code(client: Client, email: str) -> httpx2.Response:
    return await client.post("auth/password-reset/verify-code", {"email": email, "code": "000000"})


async def not_me(client: Client, email: str) -> httpx2.Response:
    return await client.post("auth/not-me", {"email": email, "code": "0000-0000-0000-0000"})


CALLS: list[Callable[[Client, str], Awaitable[httpx2.Response]]] = [
    login,
    send_code,
    resend_code,
    verify_code,
    send_reset_code,
    verify_reset_code,
    not_me,
]


def without_what_differs(answer: httpx2.Response, email: str) -> tuple[int, list[tuple[str, str]], str, int]:
    """Return an answer with the caller's own address and the random handle of the sign-up taken out."""
    body = answer.text.replace(email, "ADDRESS")
    pending = answer.json().get("pending", "")
    headers = [(name, value) for name, value in answer.headers.multi_items() if name != "content-length"]
    return answer.status_code, headers, body.replace(pending, "PENDING") if pending else body, len(pending)


async def test_V6_3_8_KA_089_every_call_answers_every_kind_of_address_with_the_same_bytes(town: Site) -> None:
    for call in CALLS:
        answers = {kind: without_what_differs(await call(town.client(), email), email) for kind, email in KINDS.items()}
        assert answers["known"] == answers["unknown"] == answers["disabled"] == answers["recoverable"], call.__name__


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
async def test_V6_3_8_KA_089_FS_20_the_time_of_an_answer_tells_no_kind_of_address(
    town: Site, call: Callable[[Client, str], Awaitable[httpx2.Response]]
) -> None:
    found = {}
    for comparison in range(COMPARISONS):
        client, kinds = town.client(ip=f"198.51.100.{comparison}"), people(comparison)
        for email in kinds.values():
            await send_code(client, email)
        taken: dict[str, list[Taken]] = {kind: [] for kind in kinds}
        for _ in range(BATCHES):
            for _ in range(ROUNDS):
                # In a new order each time: the letter of one call may be delivered during the next.
                for kind in sample(list(kinds), len(kinds)):
                    started, worked = time.perf_counter(), time.process_time()
                    await call(client, kinds[kind])
                    taken[kind].append(Taken(time.perf_counter() - started, time.process_time() - worked))
            if are_alike(taken, with_hash=call in (login, send_code)):
                return
        found[comparison] = {kind: (fastest(times), usual_work(times)) for kind, times in taken.items()}

    raise AssertionError(found)


def fastest(times: list[Taken]) -> float:
    return min(each.waited_s for each in times)


def usual_work(times: list[Taken]) -> float:
    return median(each.worked_s for each in times)


def are_alike(taken: dict[str, list[Taken]], *, with_hash: bool) -> bool:
    least = [fastest(times) for times in taken.values()]
    middle = [usual_work(times) for times in taken.values()]
    return max(least) / min(least) < SAME_MINIMUM and (not with_hash or max(middle) / min(middle) < SAME_MEDIAN)


async def test_V6_3_8_a_limit_tells_no_kind_of_address(tmp_path: Path) -> None:
    async with open_site(tmp_path, **CHEAP) as site:
        await site.client().signed_in(KINDS["known"])
        answers = {}
        for number, kind in enumerate(("known", "unknown")):
            client = site.client(ip=f"198.51.100.{number}")
            tries = [await login(client, KINDS[kind]) for _ in range(7)]
            answers[kind] = [(each.status_code, each.json()["error"]) for each in tries]

    assert answers["known"] == answers["unknown"]
