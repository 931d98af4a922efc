"""What is stored sealed, and the strength of what seals and signs."""

from __future__ import annotations

import pytest

from sekisho.master_secret import MasterSecret, UnsealError
from sekisho.outbox import MailKind, Outbox
from sekisho.ports.changes import QueueMail
from sekisho.rfc.keys import KeyRefused, new_private_key

MASTER = MasterSecret(b"uT4mXw9ZkQ2rB7sVe1LdYc6HnPj3GfAa")


def a_letter(to: str) -> QueueMail:
    return Outbox(MASTER).letter(MailKind.SIGN_UP_CODE, to=to, locale="en", now=1, code="123456", minutes="15")


def test_V11_3_3_a_sealed_value_does_not_open_in_another_row_or_for_another_purpose() -> None:
    mine, theirs = a_letter("a@example.com"), a_letter("b@example.com")

    for sealed, context, purpose in (
        (mine.sealed, f"outbox:{theirs.id}", "outbox"),
        (mine.sealed, f"signing_keys:{mine.id}", "outbox"),
        (mine.sealed, f"outbox:{mine.id}", "signing key"),
    ):
        with pytest.raises(UnsealError):
            MASTER.unseal(purpose, sealed, context)
    assert MASTER.unseal("outbox", mine.sealed, f"outbox:{mine.id}")


def test_V11_3_4_the_same_value_is_never_sealed_alike() -> None:
    sealed = {MASTER.seal("outbox", b"the same", "outbox:1") for _ in range(500)}

    assert len(sealed) == len({value[1:13] for value in sealed}) == 500


def test_V11_4_3_V11_4_4_each_purpose_has_a_key_of_its_own_and_no_hash_is_cut_short() -> None:
    keys = [MASTER.derive(purpose) for purpose in ("refresh token", "session cookie", "refresh", "")]

    assert len(set(keys)) == len(keys)
    assert {len(key) for key in keys} == {32}
    assert len(MASTER.tag("csrf", "a")) == 32
    assert MASTER.tag("csrf", "ab", "c") != MASTER.tag("csrf", "a", "bc")


def test_V11_2_3_V11_6_1_every_key_that_signs_here_has_128_bits_of_strength() -> None:
    sizes = {alg: new_private_key(alg).material.public_key() for alg in ("ES256", "Ed25519", "RS256")}

    assert getattr(sizes["ES256"], "key_size", 0) == 256
    assert getattr(sizes["RS256"], "key_size", 0) >= 3072
    for algorithm in ("none", "HS256", "RS512x", "ES256K", "RS1"):
        with pytest.raises(KeyRefused):
            new_private_key(algorithm)
