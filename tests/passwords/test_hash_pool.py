"""The hash pool: whole passwords, equal work, bounded queue. Names carry the rows of the security checklist."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import bcrypt
import pytest
from argon2 import PasswordHasher, Type

from same_work import Work, cpu_ratio, shortest_s
from sekisho.errors import ServiceUnavailable, ValidationError
from sekisho.passwords.hashing import HashPool
from sekisho.passwords.parameters import PROFILES, Argon2, Bcrypt

pytestmark = pytest.mark.anyio

CHEAP_BCRYPT = Bcrypt(rounds=10)


@pytest.fixture(scope="module")
def pool() -> Iterator[HashPool]:
    made = HashPool(threads=1)
    yield made
    made.close()


@pytest.fixture(scope="module")
def bcrypt_pool() -> Iterator[HashPool]:
    made = HashPool(CHEAP_BCRYPT, threads=1)
    yield made
    made.close()


@pytest.fixture
def narrow_pool() -> Iterator[HashPool]:
    """One hash runs, two may wait."""
    made = HashPool(threads=1, max_waiting=2)
    yield made
    made.close()


def reason(refused: pytest.ExceptionInfo[ValidationError]) -> object:
    return (refused.value.details or {})["password"]


async def started(work: Awaitable[object]) -> asyncio.Task[object]:
    task = asyncio.ensure_future(work)
    await asyncio.sleep(0)
    return task


@contextmanager
def held(pool: HashPool) -> Iterator[None]:
    """Keep its one thread busy with something that is no hash, so that nothing is done while the block runs."""
    go_on = threading.Event()
    pool._executor.submit(go_on.wait)
    try:
        yield
    finally:
        go_on.set()


async def settled(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - a thread, not a task, makes it true
            await asyncio.sleep(0.005)


def waiting_in(pool: HashPool) -> int:
    """Return how much work no thread has taken up yet."""
    return pool._executor._work_queue.qsize()


def verifying(pool: HashPool, stored: str | None, password: str = "something wrong") -> Work:
    async def verify() -> None:
        await pool.verify(password, stored)

    return verify


async def test_a_new_hash_is_argon2id_with_the_parameters_of_the_profile(pool: HashPool) -> None:
    encoded = await pool.hash("tea at four o'clock")
    assert encoded.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await pool.verify("tea at four o'clock", encoded)
    assert not await pool.verify("tea at five o'clock", encoded)


async def test_V6_2_8_case_outer_spaces_and_the_73rd_byte_matter(pool: HashPool) -> None:
    password = " " + "x" * 72 + "Y "
    encoded = await pool.hash(password)
    assert await pool.verify(password, encoded)
    for other in (password.strip(), password.lower(), " " + "x" * 72 + "Z "):
        assert not await pool.verify(other, encoded)


async def test_V6_2_8_sharp_s_is_not_ss(pool: HashPool) -> None:
    assert not await pool.verify("STRASSE und Weg", await pool.hash("straße und Weg"))


async def test_N_03_the_same_text_typed_on_two_platforms_is_one_password(pool: HashPool) -> None:
    encoded = await pool.hash("がっこうのひみつ café")
    decomposed = "か\u3099っこうのひみつ cafe\u0301"
    assert await pool.verify(decomposed, encoded)


async def test_N_02_and_V6_2_9_256_code_points_work_and_257_are_refused(pool: HashPool) -> None:
    longest = "\U0001f375" * 256
    assert await pool.verify(longest, await pool.hash(longest))
    with pytest.raises(ValidationError) as refused:
        await pool.hash(longest + "x")
    assert reason(refused) == "too_long"


async def test_V6_2_9_a_megabyte_is_refused_before_any_work_and_alike_for_every_account(pool: HashPool) -> None:
    for encoded in (None, "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$aGFzaA"):

        async def refuse(encoded: str | None = encoded) -> None:
            with pytest.raises(ValidationError) as refused:
                await pool.verify("x" * 1_000_000, encoded)
            assert reason(refused) == "too_long"

        assert await shortest_s(refuse, within_s=0.01) < 0.01


@pytest.mark.parametrize("password", ["with a \0 in it", "with a lone \ud83c in it"])
async def test_what_no_hash_can_take_whole_is_refused(pool: HashPool, password: str) -> None:
    with pytest.raises(ValidationError) as refused:
        await pool.hash(password)
    assert reason(refused) == "control_characters"


UNUSABLE = [
    None,
    "",
    "!",
    "plain text",
    "$argon2id$v=19$m=0,t=0,p=0$$",
    "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$" + "A" * 43,
    "$argon2id$v=19$m=x,t=2,p=1$c29tZXNhbHQ$aGFzaA",
    "$2b$31$" + "A" * 53,
    "$argon2id$" + "A" * 5000,
]


@pytest.mark.parametrize("encoded", UNUSABLE)
async def test_KA_089_without_a_usable_hash_the_answer_is_no(pool: HashPool, encoded: str | None) -> None:
    assert not await pool.verify("tea at four o'clock", encoded)


@pytest.mark.parametrize("kind", ["argon2id", "bcrypt"])
async def test_KA_089_an_unknown_account_costs_the_work_of_a_real_one(
    kind: str, pool: HashPool, bcrypt_pool: HashPool
) -> None:
    chosen = pool if kind == "argon2id" else bcrypt_pool
    encoded = await chosen.hash("tea at four o'clock")

    for stored in (None, "!", UNUSABLE[5]):
        ratio = await cpu_ratio(verifying(chosen, stored), verifying(chosen, encoded), at_least=0.6, at_most=1.7)
        assert 0.6 < ratio < 1.7


async def test_KA_112_bcrypt_refuses_a_new_password_that_it_would_not_see_whole(bcrypt_pool: HashPool) -> None:
    fits = "あ" * 24
    assert await bcrypt_pool.verify(fits, await bcrypt_pool.hash(fits))
    with pytest.raises(ValidationError) as refused:
        await bcrypt_pool.hash(fits + "x")
    assert reason(refused) == "too_long"


async def test_KA_112_an_imported_bcrypt_hash_never_matches_by_its_first_72_bytes(pool: HashPool) -> None:
    encoded = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(10)).decode()
    assert await pool.verify("x" * 72, encoded)
    assert not await pool.verify("x" * 73, encoded)
    assert await cpu_ratio(verifying(pool, encoded, "x" * 73), verifying(pool, None), at_least=0.6) > 0.6


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
async def test_imported_bcrypt_hashes_verify_and_ask_for_a_new_hash(pool: HashPool, prefix: str) -> None:
    encoded = prefix + bcrypt.hashpw(b"tea at four", bcrypt.gensalt(10)).decode()[4:]
    assert await pool.verify("tea at four", encoded)
    assert not await pool.verify("tea at five", encoded)
    assert pool.needs_rehash(encoded)


async def test_hashes_of_other_argon2_kinds_and_costs_verify_and_ask_for_a_new_hash(pool: HashPool) -> None:
    for kind in (Type.I, Type.D, Type.ID):
        encoded = PasswordHasher(1, 1024, 1, type=kind).hash("tea at four")
        assert await pool.verify("tea at four", encoded)
        assert pool.needs_rehash(encoded)


async def test_a_hash_of_today_needs_no_rehash(pool: HashPool, bcrypt_pool: HashPool) -> None:
    argon2_hash, bcrypt_hash = await pool.hash("tea at four"), await bcrypt_pool.hash("tea at four")
    assert not pool.needs_rehash(argon2_hash)
    assert not bcrypt_pool.needs_rehash(bcrypt_hash)
    assert bcrypt_pool.needs_rehash(argon2_hash)
    assert pool.needs_rehash("damaged")


@pytest.mark.parametrize(
    ("memory_kib", "passes"), [(46 * 1024 - 1, 1), (19 * 1024 - 1, 2), (12 * 1024 - 1, 3), (1, 32)]
)
def test_V11_4_2_weaker_parameters_than_the_floors_are_refused(memory_kib: int, passes: int) -> None:
    with pytest.raises(ValueError, match="needs at least"):
        Argon2(memory_kib=memory_kib, passes=passes)


@pytest.mark.parametrize("rounds", [4, 9, 17])
def test_V11_4_2_bcrypt_rounds_have_a_floor_and_a_ceiling(rounds: int) -> None:
    with pytest.raises(ValueError, match="rounds"):
        Bcrypt(rounds=rounds)


def test_V11_4_2_no_number_of_passes_or_lanes_is_absurd() -> None:
    for bad in ({"passes": 0}, {"passes": 33}, {"passes": 3, "lanes": 0}, {"passes": 3, "lanes": 17}):
        with pytest.raises(ValueError, match="argon2id"):
            Argon2(memory_kib=64 * 1024, **bad)
    assert PROFILES["standard"] == Argon2(memory_kib=19456, passes=2, lanes=1)


async def test_a_full_queue_answers_at_once_that_it_is_busy(narrow_pool: HashPool) -> None:
    with held(narrow_pool):
        tasks = [await started(narrow_pool.hash("tea at four")) for _ in range(3)]
        for refused_call in (narrow_pool.hash("tea at four"), narrow_pool.verify("tea at four", None)):
            with pytest.raises(ServiceUnavailable) as refused:
                await asyncio.wait_for(refused_call, 30)
            assert refused.value.retry_after
    assert len(set(await asyncio.gather(*tasks))) == 3
    assert narrow_pool.in_hand == 0
    assert await narrow_pool.hash("tea at four")


async def test_waiting_callers_that_go_away_free_their_places(narrow_pool: HashPool) -> None:
    with held(narrow_pool):
        running, *waiting = [await started(narrow_pool.hash("tea at four")) for _ in range(3)]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert narrow_pool.in_hand == 1
    more = [await started(narrow_pool.hash("tea at four")) for _ in range(2)]
    await asyncio.gather(running, *more)
    assert narrow_pool.in_hand == 0


async def test_a_running_hash_keeps_its_place_until_it_is_done_though_nobody_listens() -> None:
    pool = HashPool(PROFILES["strong"], threads=1, max_waiting=0)
    running = await started(pool.hash("tea at four"))
    await settled(lambda: waiting_in(pool) == 0)
    await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    with pytest.raises(ServiceUnavailable):
        await pool.hash("tea at four")
    await settled(lambda: pool.in_hand == 0)
    assert await pool.hash("tea at four")
    pool.close()


async def test_closing_refuses_those_that_wait_and_those_that_come_later(narrow_pool: HashPool) -> None:
    tasks = [await started(narrow_pool.hash("tea at four")) for _ in range(3)]
    await settled(lambda: waiting_in(narrow_pool) == 2)
    narrow_pool.close()
    first, *others = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(first, str)
    assert all(isinstance(other, ServiceUnavailable) for other in others)
    with pytest.raises(ServiceUnavailable):
        await narrow_pool.hash("tea at four")


async def test_the_event_loop_goes_on_while_hashes_run(narrow_pool: HashPool) -> None:
    """In one try of many: while a machine gives this process no time, no loop of it goes on."""
    for _ in range(20):
        tasks = [await started(narrow_pool.hash("tea at four")) for _ in range(3)]
        ticks = 0
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0.001)
            ticks += 1
        if ticks > 2:
            return
    raise AssertionError("the loop stood still")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux schedules threads by themselves")
async def test_hashing_threads_have_a_lower_priority_and_no_others(pool: HashPool) -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    await pool.hash("tea at four")
    hashing = [thread for thread in threading.enumerate() if thread.name.startswith("password-hash")]
    assert hashing
    assert all(os.getpriority(os.PRIO_PROCESS, thread.native_id or 0) >= 10 for thread in hashing)
    assert os.getpriority(os.PRIO_PROCESS, threading.main_thread().native_id or 0) == before
