"""Passwords that everybody tries first."""

from __future__ import annotations

from functools import cache
from importlib import resources

_LONGEST_UNIT = 4


class CommonPasswords:
    """The list that comes with the package (`scripts/make_common_passwords.py` makes it).

    Kept as the file's bytes, not as a set of strings: a quarter of a megabyte instead of several, and
    a search through it costs far less than the hash that follows.
    """

    def __init__(self) -> None:
        self._lines = _list()

    def __contains__(self, folded: str) -> bool:
        """Whether the whole case-folded password is on the list, or is one short unit over and over."""
        if "\n" in folded:
            return False
        return b"\n" + folded.encode() + b"\n" in self._lines or _is_repetition(folded)

    def entries(self) -> list[str]:
        """All of the list, for tests and for the reference page."""
        return self._lines.decode().split("\n")[1:-1]


@cache
def _list() -> bytes:
    """Return the file's passwords, each between two line ends. One copy serves every policy of the process."""
    text = resources.files(__package__).joinpath("common_passwords.txt").read_bytes()
    # Cut off, not filtered: forty thousand lines apart for a moment would leave most of a megabyte to every process.
    while text.startswith(b"##"):
        text = text.partition(b"\n")[2]
    return b"\n" + text


def _is_repetition(text: str) -> bool:
    """`aaaaaaaa`, `abcabcabc`, `12341234123`: also when the last unit is cut short."""
    return any(
        text == (text[:size] * (len(text) // size + 1))[: len(text)]
        for size in range(1, min(_LONGEST_UNIT, len(text) // 2) + 1)
    )
