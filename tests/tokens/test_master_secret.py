"""The master secret: independent keys, tags that do not run together, seals that cannot be moved."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.master_secret import MasterSecret, UnsealError

MASTER = MasterSecret(b"0123456789abcdef0123456789abcdef")
OTHER = MasterSecret(b"another secret of enough length!")


@pytest.mark.parametrize("secret", [b"", b"x" * 31])
def test_KA_009_a_short_master_secret_is_refused(secret: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        MasterSecret(secret)


def test_keys_differ_by_purpose_length_and_secret_and_nothing_else() -> None:
    assert MASTER.derive("a") == MasterSecret(b"0123456789abcdef0123456789abcdef").derive("a")
    keys = [MASTER.derive("a"), MASTER.derive("b"), OTHER.derive("a"), MASTER.derive("a", 64)[:32]]
    assert len(set(keys)) == 4
    assert len(MASTER.derive("a", 16)) == 16


def test_what_is_derived_never_changes_between_releases() -> None:
    assert MASTER.derive("pinned").hex() == "efdb7bc854f4e6eb868e45dbe44f5d2512110cd0a2ce3ad1494bd9f5d28953c1"
    assert MASTER.tag("pinned", "a", b"b").hex() == "8fa89fb868ea1be0fc8445278f49d1c900b86ee40cf6371df6361f8a90c17a21"
    assert MASTER.fingerprint() == "YG7UBT6OUkXE2rFp82BKag"


@given(st.lists(st.binary(max_size=6), max_size=4), st.lists(st.binary(max_size=6), max_size=4))
def test_tags_are_equal_only_for_the_same_parts(left: list[bytes], right: list[bytes]) -> None:
    assert (MASTER.tag("t", *left) == MASTER.tag("t", *right)) == (left == right)


def test_parts_cannot_run_into_each_other_and_purposes_differ() -> None:
    assert MASTER.tag("t", "ab", "c") != MASTER.tag("t", "a", "bc") != MASTER.tag("t", "abc")
    assert MASTER.tag("t", "a") != MASTER.tag("u", "a")
    assert MASTER.tag("t", "あ") == MASTER.tag("t", "あ".encode())


@given(st.binary(max_size=100), st.text(max_size=20))
def test_what_is_sealed_opens_for_the_same_purpose_and_context(plain: bytes, context: str) -> None:
    sealed = MASTER.seal("p", plain, context)
    assert MASTER.unseal("p", sealed, context) == plain
    assert sealed != MASTER.seal("p", plain, context)
    for master, purpose, where in ((MASTER, "p", context + "x"), (MASTER, "q", context), (OTHER, "p", context)):
        with pytest.raises(UnsealError):
            master.unseal(purpose, sealed, where)


def test_a_change_of_any_byte_of_a_sealed_value_is_refused() -> None:
    sealed = MASTER.seal("p", b"plain", "row:1")
    for place in range(len(sealed)):
        with pytest.raises(UnsealError):
            MASTER.unseal("p", sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :], "row:1")
    for length in range(len(sealed)):
        with pytest.raises(UnsealError):
            MASTER.unseal("p", sealed[:length], "row:1")


def test_the_fingerprint_tells_secrets_apart() -> None:
    assert MASTER.fingerprint() != OTHER.fingerprint()


def successor_of(old: MasterSecret, secret: bytes, last_seal: int = 0) -> MasterSecret:
    new = MasterSecret(secret)
    new.recall(old.replaced_by(MasterSecret(secret), 1_800_000_000_000, last_seal, b"digest"))
    return new


def test_V13_3_4_a_secret_knows_those_that_it_replaced_and_they_do_not_know_it() -> None:
    sealed = MASTER.seal("p", b"plain", "row:1")
    second = successor_of(MASTER, b"the second secret, long enough!!", 7)
    third = successor_of(second, b"the third secret, as long as it is")

    assert [(each.secret.fingerprint(), each.last_seal) for each in third.formers] == [
        (MASTER.fingerprint(), 7),
        (second.fingerprint(), 0),
    ]
    assert second.unseal("p", sealed, "row:1") == third.unseal("p", sealed, "row:1") == b"plain"
    with pytest.raises(UnsealError):
        second.unseal_own("p", sealed, "row:1")
    with pytest.raises(UnsealError):
        MASTER.unseal("p", third.seal("p", b"plain", "row:1"), "row:1")


def test_a_lasting_tag_is_the_first_secrets_and_a_tag_is_the_present_ones() -> None:
    second = successor_of(MASTER, b"the second secret, long enough!!")
    third = successor_of(second, b"the third secret, as long as it is")

    assert third.lasting_tag("t", "a") == second.lasting_tag("t", "a") == MASTER.tag("t", "a")
    assert len({each.tag("t", "a") for each in (MASTER, second, third)}) == 3


def test_secrets_from_before_that_were_changed_or_are_anothers_are_refused() -> None:
    kept = MASTER.replaced_by(OTHER, 0, 0, b"")
    MasterSecret(b"another secret of enough length!").recall(kept)
    for text in ("", "!", kept[:-4], "B" + kept[1:]):
        with pytest.raises(UnsealError):
            MasterSecret(b"another secret of enough length!").recall(text)
    with pytest.raises(UnsealError):
        MASTER.recall(kept)


def test_nothing_shows_the_secret() -> None:
    assert repr(MASTER) == str(MASTER) == f"{MASTER}" == "<MasterSecret>"
    with pytest.raises(TypeError, match="not to be written out"):
        pickle.dumps(MASTER)
