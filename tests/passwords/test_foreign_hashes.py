"""Hashes of other systems: published examples verify, wrong passwords do not, and no hash makes a login dear."""

from __future__ import annotations

import hashlib
from base64 import b64encode

import bcrypt
import pytest

from same_work import shortest_s
from sekisho.passwords import hashing
from sekisho.passwords.encoded import is_usable
from sekisho.passwords.foreign import parse_foreign, unwrapped
from sekisho.passwords.hashing import HashPool
from sekisho.passwords.parameters import PROFILES

pytestmark = pytest.mark.anyio


def b64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def unpadded(data: bytes) -> str:
    return b64(data).rstrip("=")


# From Firebase's own documentation of its scrypt (github.com/firebase/scrypt, README).
FIREBASE = (
    "$firebase-scrypt$ln=14,r=8$42xEC+ixf3L2lw==$Bw==$"
    "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$"
    "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="
)
# RFC 7914 section 12: scrypt("pleaseletmein", "SodiumChloride", 16384, 8, 1).
RFC_7914 = bytes.fromhex(
    "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
)
# RFC 7914 section 11: PBKDF2-HMAC-SHA256("Password", "NaCl", 80000, 64).
RFC_7914_PBKDF2 = bytes.fromhex(
    "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
    "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d"
)
# RFC 6070: PBKDF2-HMAC-SHA1("password", "salt", 4096, 20).
RFC_6070 = bytes.fromhex("4b007901b765489abead49d926f721d065a429c1")

PUBLISHED = {
    "firebase": ("user1password", FIREBASE),
    "scrypt": ("pleaseletmein", f"$scrypt$ln=14,r=8,p=1${unpadded(b'SodiumChloride')}${unpadded(RFC_7914)}"),
    "scrypt of Django": ("pleaseletmein", f"scrypt$16384$SodiumChloride$8$1${b64(RFC_7914)}"),
    "pbkdf2": ("Password", f"$pbkdf2-sha256$i=80000${unpadded(b'NaCl')}${unpadded(RFC_7914_PBKDF2)}"),
    "pbkdf2 of passlib": ("password", f"$pbkdf2$4096${unpadded(b'salt')}${unpadded(RFC_6070)}"),
    "pbkdf2 of Django": ("Password", f"pbkdf2_sha256$80000$NaCl${b64(RFC_7914_PBKDF2)}"),
    "pbkdf2 sha1 of Django": ("password", f"pbkdf2_sha1$4096$salt${b64(RFC_6070)}"),
    "LDAP": ("hanako", "{SSHA}" + b64(hashlib.sha1(b"hanakopepper", usedforsecurity=False).digest() + b"pepper")),
    "LDAP sha512": ("hanako", "{SSHA512}" + b64(hashlib.sha512(b"hanakosalt").digest() + b"salt")),
    "sha1 of Django": ("hanako", "sha1$a1b2$" + hashlib.sha1(b"a1b2hanako", usedforsecurity=False).hexdigest()),
    "sha256": ("hanako", "sha256$a1b2$" + hashlib.sha256(b"a1b2hanako").hexdigest()),
    # From the specification of SHA-crypt.
    "sha256-crypt": ("Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"),
    "sha512-crypt": (
        "Hello world!",
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
    ),
    "bcrypt_sha256 of Django": (
        "hanako",
        "bcrypt_sha256$" + bcrypt.hashpw(hashlib.sha256(b"hanako").hexdigest().encode(), bcrypt.gensalt(4)).decode(),
    ),
}


@pytest.fixture(scope="module")
def pool() -> HashPool:
    return HashPool(PROFILES["low_memory"], threads=1)


@pytest.mark.parametrize("kind", PUBLISHED)
async def test_a_hash_of_another_system_verifies_and_asks_for_a_new_one(pool: HashPool, kind: str) -> None:
    password, encoded = PUBLISHED[kind]
    assert await pool.verify(password, encoded)
    assert pool.needs_rehash(encoded)
    for wrong in (password + "x", password.upper() if password.islower() else password.lower(), "", " " + password):
        assert not await pool.verify(wrong, encoded), wrong


@pytest.mark.parametrize("kind", PUBLISHED)
async def test_a_damaged_hash_lets_nobody_in(pool: HashPool, kind: str) -> None:
    password, encoded = PUBLISHED[kind]
    last = encoded.rstrip("=")
    flipped = last[:-6] + ("A" if last[-6] not in "Aa" else "b") + last[-5:]
    for damaged in (encoded[:24], flipped, encoded + "$", f" {encoded}", encoded[1:]):
        assert not await pool.verify(password, damaged), damaged


HOSTILE = [
    "$pbkdf2-sha256$i=999999999$c2FsdA$" + unpadded(bytes(32)),
    "pbkdf2_sha256$3000001$salt$" + b64(bytes(32)),
    "pbkdf2_sha256$0$salt$" + b64(bytes(32)),
    "$pbkdf2-sha1$i=3000000$c2FsdA$" + unpadded(bytes(64)),
    "$pbkdf2-sha256$i=800000$c2FsdA$" + unpadded(bytes(256)),
    "$argon2id$v=19$m=1048576,t=5,p=1$c2FsdHNhbHQ$" + unpadded(bytes(32)),
    "$2b$03$" + "a" * 53,
    "$scrypt$ln=31,r=8,p=1$c2FsdA$" + unpadded(bytes(32)),
    "$scrypt$ln=18,r=9,p=1$c2FsdA$" + unpadded(bytes(32)),
    "$scrypt$ln=14,r=8,p=99$c2FsdA$" + unpadded(bytes(32)),
    "$scrypt$ln=0,r=8,p=1$c2FsdA$" + unpadded(bytes(32)),
    "scrypt$16385$salt$8$1$" + b64(bytes(32)),
    "$firebase-scrypt$ln=30,r=8$c2FsdA$Bw$c2FsdA$" + unpadded(bytes(32)),
    "bcrypt_sha256$$2b$31$" + "a" * 53,
    "{SSHA}" + b64(bytes(12)),
    "$pbkdf2-sha256$i=1$c2FsdA$" + unpadded(bytes(8)),
    "$pbkdf2-sha256$i=1$c2FsdA$" + unpadded(bytes(600)),
    "sha256$salt$" + "ab" * 20,
    "$6$rounds=700001$salt$" + "a" * 86,
    "$6$rounds=999999999$salt$" + "a" * 86,
    "$5$rounds=999$salt$" + "a" * 43,
    "$6$salt$" + "a" * 43,
    "$5$salt$" + "a" * 86,
    "$6$a salt too long$" + "a" * 86,
    "sha1$salt$" + "a" * 41,
    "x" * 100_000,
]


@pytest.mark.parametrize("encoded", HOSTILE, ids=range(len(HOSTILE)))
async def test_V11_4_2_a_hostile_hash_costs_no_more_than_no_hash(pool: HashPool, encoded: str) -> None:
    assert parse_foreign(encoded) is None
    assert not is_usable(encoded, b"password")
    assert not await pool.verify("password", encoded)
    assert await shortest_s(lambda: pool.verify("password", encoded), within_s=2) < 2


def test_what_keycloak_makes_by_default_is_taken() -> None:
    for digest, iterations in (("sha1", 1_300_000), ("sha256", 600_000), ("sha512", 210_000)):
        assert parse_foreign(f"$pbkdf2-{digest}$i={iterations}$c2FsdA$" + unpadded(bytes(64))) is not None, digest


async def test_KA_089_a_cheap_hash_costs_a_wrong_password_the_work_of_a_real_one(
    pool: HashPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []
    real = hashing.matches
    monkeypatch.setattr(hashing, "matches", lambda secret, encoded: compared.append(encoded) or real(secret, encoded))
    assert not await pool.verify("wrong", PUBLISHED["sha256"][1])
    assert len(compared) == 1


def test_what_django_wraps_is_taken_out_of_its_wrapper() -> None:
    assert unwrapped("argon2$argon2id$v=19$m=1,t=1,p=1$a$b") == "$argon2id$v=19$m=1,t=1,p=1$a$b"
    assert unwrapped("bcrypt$$2b$12$abc") == "$2b$12$abc"
    assert unwrapped("pbkdf2_sha256$1$a$b") == "pbkdf2_sha256$1$a$b"
