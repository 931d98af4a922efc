"""Pepper: without it a hash is worth nothing, and a new one takes over without locking anybody out."""

from __future__ import annotations

import pytest

from sekisho.passwords.encoded import matches
from sekisho.passwords.hashing import HashPool
from sekisho.passwords.parameters import PROFILES, Bcrypt, Parameters
from sekisho.passwords.pepper import Peppers

pytestmark = pytest.mark.anyio

OLD, NEW = b"an old pepper of this server, long enough", b"the new pepper of this server, long enough"
PASSWORD = "eleven quiet lanterns"
KINDS = [PROFILES["low_memory"], Bcrypt(10)]


def pool(parameters: Parameters, *peppers: bytes | None) -> HashPool:
    return HashPool(parameters, threads=1, peppers=Peppers(*peppers))


@pytest.mark.parametrize("parameters", KINDS, ids=["argon2", "bcrypt"])
async def test_N_10_a_hash_verifies_with_its_pepper_only(parameters: Parameters) -> None:
    with_pepper = pool(parameters, OLD)
    encoded = await with_pepper.hash(PASSWORD)
    assert await with_pepper.verify(PASSWORD, encoded)
    assert not await with_pepper.verify(PASSWORD + "x", encoded)
    assert not with_pepper.needs_rehash(encoded)
    assert not await pool(parameters).verify(PASSWORD, encoded)
    assert not await pool(parameters, NEW).verify(PASSWORD, encoded)
    inner = "$" + encoded.removeprefix("$pepper$").partition("$")[2]
    assert not matches(PASSWORD.encode(), inner)
    assert not await with_pepper.verify(PASSWORD, inner)
    assert OLD.decode() not in encoded + repr(Peppers(OLD))


@pytest.mark.parametrize("parameters", KINDS, ids=["argon2", "bcrypt"])
async def test_a_new_pepper_takes_over_while_the_previous_one_still_verifies(parameters: Parameters) -> None:
    without, older, newer = pool(parameters), pool(parameters, OLD), pool(parameters, NEW, OLD)
    plain, peppered = await without.hash(PASSWORD), await older.hash(PASSWORD)
    for encoded in (plain, peppered):
        assert await newer.verify(PASSWORD, encoded)
        assert newer.needs_rehash(encoded)
    assert older.needs_rehash(plain)
    moved = await newer.hash(PASSWORD)
    assert await newer.verify(PASSWORD, moved)
    assert not newer.needs_rehash(moved)
    assert not await older.verify(PASSWORD, moved)
    leaving = pool(parameters, None, OLD)
    assert await leaving.verify(PASSWORD, peppered)
    assert leaving.needs_rehash(peppered)
    assert not leaving.needs_rehash(await leaving.hash(PASSWORD))


async def test_under_bcrypt_a_pepper_sees_the_whole_of_a_long_password() -> None:
    with_pepper = pool(Bcrypt(10), OLD)
    long = "x" * 200
    encoded = await with_pepper.hash(long)
    assert await with_pepper.verify(long, encoded)
    assert not await with_pepper.verify(long[:-1], encoded)


@pytest.mark.parametrize("encoded", ["$pepper$", "$pepper$AAAAAAAA", "$pepper$AAAAAAAA$2b$10$x", "$pepper$$argon2id$"])
async def test_a_damaged_mark_lets_nobody_in(encoded: str) -> None:
    assert not await pool(PROFILES["low_memory"], OLD).verify(PASSWORD, encoded)
