"""The file of breached passwords: made from a list, looked up without a network, and refused when it is not whole."""

from __future__ import annotations

import hashlib
import io
import random
from pathlib import Path

import pytest

from sekisho.admin.breached_file import NotAList, make_breached_file
from sekisho.passwords.breached import FIRST_ENTRY_AT, BreachedFile, BreachedFileUnusable


def sha1(password: str) -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest()


def made(folder: Path, lines: list[str], **how: object) -> BreachedFile:
    place = folder / "breached.bin"
    make_breached_file(io.BytesIO("\n".join(lines).encode()), place, **how)  # type: ignore[arg-type]
    return BreachedFile(place)


@pytest.mark.parametrize("order", ["sorted", "shuffled"])
def test_V6_2_12_what_is_on_the_list_is_found_and_nothing_else(tmp_path: Path, order: str) -> None:
    passwords = [f"password number {number}" for number in range(5000)]
    lines = [f"{sha1(each).upper()}:{number + 1}" for number, each in enumerate(passwords)]
    lines = sorted(lines) if order == "sorted" else random.Random(1).sample(lines, len(lines))
    file = made(tmp_path, [*lines, "", lines[7]])

    assert len(file) == 5000
    assert all(each in file for each in passwords)
    assert not any(f"{each}x" in file for each in passwords)


def test_words_are_hashed_as_they_stand(tmp_path: Path) -> None:
    file = made(tmp_path, ["ひみつのことば", "tea: at four", "tea: at four"], has_words=True)

    assert len(file) == 2
    assert "ひみつのことば" in file
    assert "tea: at four" in file
    assert "tea" not in file


def test_what_was_seen_seldom_may_be_left_out(tmp_path: Path) -> None:
    lines = [f"{sha1('rare')}:2", f"{sha1('frequent')}:3", sha1("without a number")]
    place = tmp_path / "breached.bin"
    done = make_breached_file(io.BytesIO("\r\n".join(lines).encode()), place, at_least=3)

    assert (done.lines, done.passwords, done.rare) == (3, 2, 1)
    assert "rare" not in BreachedFile(place)
    assert "frequent" in BreachedFile(place)


@pytest.mark.parametrize(
    "line",
    [
        "password",
        "g" * 40,
        "a" * 39,
        "a" * 41,
        f"{'a' * 40}:many",
        "x" * 100_000,
        " " * 40,
        " ".join(["aa"] * 13) + "  ",
    ],
)
def test_a_line_of_another_form_is_named_and_no_file_is_left(tmp_path: Path, line: str) -> None:
    with pytest.raises(NotAList) as refused:
        made(tmp_path, [sha1("one"), line])
    assert refused.value.line == 2
    assert list(tmp_path.iterdir()) == []


def test_the_line_that_is_named_counts_empty_ones(tmp_path: Path) -> None:
    with pytest.raises(NotAList) as refused:
        made(tmp_path, [sha1("one"), "", "", "no hash"])
    assert refused.value.line == 4


def test_a_failure_leaves_the_file_from_before(tmp_path: Path) -> None:
    made(tmp_path, [sha1("one")])
    with pytest.raises(NotAList):
        made(tmp_path, ["no hash"])
    assert "one" in BreachedFile(tmp_path / "breached.bin")


def damage_cut(data: bytes) -> bytes:
    return data[:-3]


def damage_longer(data: bytes) -> bytes:
    return data + b"x"


def damage_version(data: bytes) -> bytes:
    return data[:11] + b"\x07" + data[12:]


def damage_starts(data: bytes) -> bytes:
    return data[:32] + b"\xff" * 8 + data[40:]


def damage_all(data: bytes) -> bytes:
    return b"a text of another kind" * 40_000


@pytest.mark.parametrize(
    "damage", [damage_cut, damage_longer, damage_version, damage_starts, damage_all, lambda _: b""]
)
def test_a_file_that_is_not_whole_is_refused_by_name(tmp_path: Path, damage: object) -> None:
    made(tmp_path, [sha1("one"), sha1("two")]).close()
    place = tmp_path / "breached.bin"
    place.write_bytes(damage(place.read_bytes()))  # type: ignore[operator]

    with pytest.raises(BreachedFileUnusable, match=r"breached\.bin"):
        BreachedFile(place)
    with pytest.raises(BreachedFileUnusable, match="nowhere"):
        BreachedFile(tmp_path / "nowhere")


def test_an_empty_list_makes_a_file_that_holds_nothing(tmp_path: Path) -> None:
    file = made(tmp_path, [])

    assert len(file) == 0
    assert "password" not in file
    assert (tmp_path / "breached.bin").stat().st_size == FIRST_ENTRY_AT
