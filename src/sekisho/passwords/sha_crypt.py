"""SHA-crypt: the password hash of Linux systems, `$5$` over SHA-256 and `$6$` over SHA-512. Verified, never made.

    $6$salt$hash                    5,000 rounds
    $6$rounds=656000$salt$hash      as many as it says

Spec: U. Drepper, "Unix crypt using SHA-256 and SHA-512" (2008).
"""

from __future__ import annotations

import hashlib
import hmac
import re

from msgspec import Struct

DEFAULT_ROUNDS = 5_000
MIN_ROUNDS = 1_000
# What passlib makes by default, and a little more. Python holds its lock meanwhile: about 0.7 µs of CPU a round.
MAX_ROUNDS = 700_000
# A round hashes the password up to twice.
MAX_PASSWORD_BYTES = 256

_FORM = re.compile(r"\$([56])\$(?:rounds=(\d{1,9})\$)?([./A-Za-z0-9]{1,16})\$([./A-Za-z0-9]{43}|[./A-Za-z0-9]{86})")
_DIGESTS = {"5": "sha256", "6": "sha512"}
_CHARACTERS = {"sha256": 43, "sha512": 86}
_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# Rounds differ by their number modulo 2, 3 and 7.
_CYCLE = 42


class ShaCrypt(Struct, frozen=True):
    digest: str
    rounds: int
    salt: bytes
    expected: str

    @property
    def is_bounded(self) -> bool:
        return MIN_ROUNDS <= self.rounds <= MAX_ROUNDS and len(self.expected) == _CHARACTERS[self.digest]

    def matches(self, password: bytes) -> bool:
        if len(password) > MAX_PASSWORD_BYTES:
            return False
        found = _encoded(_run(self.digest, self.rounds, self.salt, password))
        return hmac.compare_digest(found, self.expected)


def parse_sha_crypt(encoded: str) -> ShaCrypt | None:
    """Return the hash if it has this form, whatever it costs."""
    found = _FORM.fullmatch(encoded)
    if found is None:
        return None
    rounds = int(found[2]) if found[2] else DEFAULT_ROUNDS
    return ShaCrypt(_DIGESTS[found[1]], rounds, found[3].encode("ascii"), found[4])


def _run(name: str, rounds: int, salt: bytes, password: bytes) -> bytes:
    length = len(password)
    inner = hashlib.new(name, password + salt + password).digest()
    mixed = password + salt + _filled(inner, length)
    while length:
        mixed += inner if length & 1 else password
        length >>= 1
    running = hashlib.new(name, mixed).digest()

    p = _filled(hashlib.new(name, password * len(password)).digest(), len(password))
    s = _filled(hashlib.new(name, salt * (16 + running[0])).digest(), len(salt))
    parts = [(s if number % 3 else b"") + (p if number % 7 else b"") for number in range(_CYCLE)]
    # An even round hashes what runs first, an odd one last.
    constant = [p + part if number & 1 else part + p for number, part in enumerate(parts)]
    hashed = getattr(hashlib, name)
    for number in range(rounds):
        part = constant[number % _CYCLE]
        running = hashed(part + running if number & 1 else running + part).digest()
    return running


def _filled(digest: bytes, length: int) -> bytes:
    return (digest * (length // len(digest) + 1))[:length]


def _encoded(digest: bytes) -> str:
    """Return the digest in the form's own base64: three bytes, taken from three thirds in turn, low bits first."""
    third, rest = divmod(len(digest), 3)
    text = ""
    for number in range(third):
        places = [number, number + third, number + 2 * third]
        turn = number % 3 if len(digest) == 64 else -number % 3
        text += _four(*(digest[place] for place in places[turn:] + places[:turn]))
    tail = digest[3 * third :]
    return text + (_four(0, 0, tail[0])[:2] if rest == 1 else _four(0, tail[1], tail[0])[:3])


def _four(high: int, middle: int, low: int) -> str:
    bits = high << 16 | middle << 8 | low
    return "".join(_ALPHABET[bits >> shift & 63] for shift in (0, 6, 12, 18))
