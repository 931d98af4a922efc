"""SHA-crypt against what a C library makes of the same passwords."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from sekisho.passwords.foreign import parse_foreign
from sekisho.passwords.sha_crypt import MAX_PASSWORD_BYTES, MAX_ROUNDS, ShaCrypt, parse_sha_crypt

# Made by glibc 2.36, crypt(3): a password and what came out.
GLIBC = [
    ("", "$5$s$u9jS/E6rlpZoj8KCMVhpLKJh2MrO5hc9UBdfKCcvVU7"),
    ("a", "$6$0123456789abcdef$qn2kMgR/Cs9pZI2hZfok3cbi0oHyRjH7NUyfGhPKp6EBvlZWbL3JMmASYlyEBxhP4jB3zti0119AKDkHdAVHI0"),
    ("Hanako Yamada 2026", "$5$rounds=1777$abc$J7b/sMvIhDxh7gQHiXNUAB3iaUUEpFmogXmw5q6rWd5"),
    (
        "ひみつのことば",
        "$6$rounds=1000$x./Y$et4mWcg1ETlYQ6ENqSrCtDzHotuUATspWfmX/O3OyvNvSkz5XBc381qT0rK1d0474ylxbXkAh1gn0HFni5W62.",
    ),
    (
        "x" * 120,
        "$6$rounds=1234$saltsalt$fNEmOyXLQTXobZeoULJEBU9BOnnPZ7V0ZXanboVCzquDDOjBBwV9xP8H4NSs49VPT/1rW1GkJXxv5qya4dAsC.",
    ),
    ("x" * 100, "$5$saltsalt$KYdc3hjfAdyHM6XPspIq1FaqoDPA6x.vXCibKNANhR3"),
]


def parsed(encoded: str) -> ShaCrypt:
    found = parse_sha_crypt(encoded)
    assert found is not None
    assert parse_foreign(encoded) == found
    return found


@pytest.mark.parametrize(("password", "encoded"), GLIBC)
def test_what_glibc_made_verifies_and_nothing_else_does(password: str, encoded: str) -> None:
    found = parsed(encoded)
    assert found.matches(password.encode())
    for wrong in (password + "x", password.swapcase() + "!"):
        assert not found.matches(wrong.encode())


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")
@pytest.mark.parametrize("kind", ["-5", "-6"])
def test_openssl_agrees_at_every_length_around_a_block(kind: str) -> None:
    passwords = ["x" * length for length in (1, 31, 32, 33, 63, 64, 65, 127, 128, 129)]
    made = subprocess.run(
        ["openssl", "passwd", kind, "-salt", "0123456789abcdef", "-stdin"],
        input="\n".join(passwords),
        capture_output=True,
        text=True,
        check=True,
    )
    for password, encoded in zip(passwords, made.stdout.split(), strict=True):
        assert parsed(encoded).matches(password.encode()), len(password)


def test_V11_4_2_rounds_and_length_are_bounded() -> None:
    within = parse_sha_crypt(f"$6$rounds={MAX_ROUNDS}$salt$" + "a" * 86)
    beyond = parse_sha_crypt(f"$6$rounds={MAX_ROUNDS + 1}$salt$" + "a" * 86)
    assert within is not None
    assert within.is_bounded
    assert beyond is not None
    assert not beyond.is_bounded
    assert not within.matches(b"x" * (MAX_PASSWORD_BYTES + 1))
