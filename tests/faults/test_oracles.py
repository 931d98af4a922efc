"""FS-20, FS-21: what answers tell about accounts, and what an attacker of many addresses costs."""

from __future__ import annotations

import re
import statistics
from collections.abc import Awaitable, Callable, Iterable

import pytest

from faults.conftest import MakeSite
from faults.site import Site, account, disabled_account, memory_kib, port_of, until
from faults.wire import Answer, Wire

pytestmark = pytest.mark.anyio

WRONG = "machigai no himitsu"
COMPARISONS = 4
heavy = pytest.mark.heavy
SAMPLES = pytest.mark.parametrize(
    ("engine", "samples"),
    [
        ("sqlite", 40),
        pytest.param("sqlite", 250, marks=[heavy, pytest.mark.alone]),
        pytest.param("postgres", 20, marks=heavy),
        pytest.param("redis", 20, marks=heavy),
    ],
    indirect=["engine"],
)


Ask = Callable[[str, int], Awaitable[Answer]]


async def alike(kinds: Iterable[str], samples: int, ask: Ask, status: int) -> None:
    """Ask in turns; hold the answers to the same bytes, and to times that nobody can tell apart.

    Ratios, since a shared machine has no milliseconds. Where the times differ the comparison is made again, with
    numbers that were not used yet: what others do on the machine does not come back every time, a difference does.
    """
    times: list[object] = []
    for comparison in range(COMPARISONS):
        answers: dict[str, list[Answer]] = {kind: [] for kind in kinds}
        for number in range(comparison * samples, (comparison + 1) * samples):
            for kind, found in answers.items():
                found.append(await ask(kind, number))
        assert {answer.status for found in answers.values() for answer in found} == {status}
        assert len({_bytes(answer) for found in answers.values() for answer in found}) == 1
        differing = _differing(answers)
        if not differing:
            return
        times.append(differing)
    raise AssertionError(times)


def _differing(answers: dict[str, list[Answer]]) -> dict[str, dict[str, float]]:
    """Return the measures that differ; a few samples beside other tests say something by their minimum only."""
    are_many = min(len(found) for found in answers.values()) > 100
    tolerance = 1.25 if are_many else 1.5
    differing = {}
    for measure in (min, statistics.median) if are_many else (min,):
        times = {kind: measure(answer.took_s for answer in found) for kind, found in answers.items()}
        if max(times.values()) >= tolerance * min(times.values()):
            differing[measure.__name__] = times
    return differing


def _bytes(answer: Answer) -> bytes:
    """All of an answer but its date, and the random handle of a sign-up with the address that was sent."""
    head = re.sub(rb"\r\ndate: [^\r]+|\r\ncontent-length: [^\r]+", b"", answer.head)
    return head + re.sub(rb'"(pending|email)":"[^"]+"', b"", answer.body)


@SAMPLES
async def test_FS_20_four_kinds_of_refused_login_look_and_last_alike(site: Site, samples: int) -> None:
    await site.seed(account(0), disabled_account(1), account(2, password_hash=None))
    kinds = {"wrong": "canary-0", "disabled": "canary-1", "no password": "canary-2", "unknown": "nobody-9"}
    with site.serving() as server:
        wire = Wire(port_of(server))

        async def ask(kind: str, _: int) -> Answer:
            body = {"email": f"{kinds[kind]}@example.com", "password": WRONG, "client_id": "web"}
            return await wire.call("POST", "auth/login", body)

        await alike(kinds, samples, ask, 401)


@SAMPLES
async def test_FS_20_sending_a_code_does_not_tell_who_has_an_account(site: Site, samples: int) -> None:
    await site.seed(*(account(number) for number in range(COMPARISONS * samples)))
    with site.serving() as server:
        wire = Wire(port_of(server))

        async def ask(kind: str, number: int) -> Answer:
            body = {"email": f"{kind}-{number}@example.com", "password": WRONG, "client_id": "web"}
            return await wire.call("POST", "auth/signup/send-code", body)

        await alike(("canary", "nobody"), samples, ask, 200)


@pytest.mark.parametrize(
    ("engine", "networks"),
    [
        ("sqlite", 200),
        pytest.param("sqlite", 3000, marks=[heavy, pytest.mark.timeout(1200)]),
        pytest.param("postgres", 60, marks=heavy),
        pytest.param("redis", 60, marks=heavy),
    ],
    indirect=["engine"],
)
async def test_FS_21_an_attacker_of_many_networks_fills_neither_memory_nor_the_file(
    make_site: MakeSite, networks: int
) -> None:
    site = make_site(
        SEKISHO_TRUSTED_PROXIES="127.0.0.1/32",
        SEKISHO_LIMITS__LOGIN_FAILURES_PER_DAY="20",
        SEKISHO_LIMITS__LOGIN_NETWORK_FAILURES="50",
    )
    await site.seed(account(0))
    with site.serving() as server:
        wire, before = Wire(port_of(server)), memory_kib(server)
        statuses = [(await guess(wire, f"2001:db8:0:{number:x}::1")).status for number in range(networks)]
        assert memory_kib(server) - before < 60_000
        assert statuses == [401] * 20 + [429] * (networks - 20), "twenty guesses, from however many networks"
        # A try that loses is not counted: nothing is written for it.
        assert site.value("SELECT count(*) FROM throttle") <= 2 * 20 + 1

        # Many names instead of many networks: 2^64 addresses of one network are one sender.
        names = [await guess(wire, f"2001:db8:ffff:1::{n:x}", f"nobody-{n}") for n in range(1, 121)]
        assert [answer.status for answer in names].count(401) == 50
        rows = site.value("SELECT count(*) FROM throttle")
        assert rows <= 2 * 20 + 1 + 2 * 120 + 1

    # As if their time were over: the next start cleans up at once, as every minute does.
    site.rows("UPDATE throttle SET window_ends_at = 1")
    with site.serving():
        await until(lambda: site.value("SELECT count(*) FROM throttle") == 0, 60, "the purge")


async def guess(wire: Wire, address: str, name: str = "canary-0") -> Answer:
    body = {"email": f"{name}@example.com", "password": WRONG, "client_id": "web"}
    return await wire.call("POST", "auth/login", body, x_forwarded_for=address)
