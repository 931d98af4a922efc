"""Context words: what a stranger would try for this person on this service.

A password is compared as a whole (NIST: not a substring of it), after its decoration has been taken
off: hanako@example.jp may not choose `Hanako2026!`, but may choose `hanako likes tea at four`.

Spec: ASVS 6.1.2, 6.2.11; NIST SP 800-63B-4 section 3.1.1.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import permutations

_DECORATION = re.compile(r"[\W\d_]+")
_SEPARATORS = re.compile(r"[\W_]+")
_SHORTEST_PART = 3
_MAX_PARTS = 12
_MOST_DECORATION = 32
_LETTERS = [str.maketrans("013457@$!", letters) for letters in ("oleastasi", "oieastasi")]


def context_words(fixed: Iterable[str], email: str, name: str = "") -> frozenset[str]:
    """Return all that counts as a name of the service or of the person, in bare form.

    From the address and the person's name: the whole, both sides, their parts of three letters or more, and two parts
    in a row.
    """
    parts = parts_of(email, name)
    local, labels = _sides(email)
    words = [*fixed, email, name, local, email.casefold().rpartition("@")[2], *labels, *parts]
    words += [first + second for first, second in permutations(parts[:_MAX_PARTS], 2)]
    return frozenset(bare for word in words if (bare := _bare(word)))


def parts_of(email: str, name: str = "") -> list[str]:
    """Return the words of three letters or more that the address and the name are made of."""
    local, labels = _sides(email)
    return _parts(local) + _parts(name.casefold()) + [part for label in labels for part in _parts(label)]


def _sides(email: str) -> tuple[str, list[str]]:
    local, _, domain = email.casefold().rpartition("@")
    return local, domain.split(".")[:-1] or [domain]


def is_context_word(folded: str, words: frozenset[str]) -> bool:
    """Whether the case-folded password is one of the words: as it stands, reversed, twice, with
    digits and marks around it, or with digits for letters."""
    forms = {_bare(folded), _strip(folded), *_letters_again(folded)}
    forms |= {form[::-1] for form in forms}
    return any(form in words or _half(form) in words for form in forms if form)


def _bare(text: str) -> str:
    return _SEPARATORS.sub("", text.casefold())


def _strip(text: str) -> str:
    """Take digits and marks off both ends, and separators out."""
    start = _DECORATION.match(text)
    text = text[start.end() :] if start else text
    return _bare(text[: _end_of_core(text)])


def _letters_again(text: str) -> set[str]:
    """Read digits as letters. Where the word ends and its decoration begins is anybody's guess
    (`h4n4k0!2026`), so each end is tried."""
    start = _end_of_core(text)
    ends = range(start, min(len(text), start + _MOST_DECORATION) + 1)
    return {_bare(text[:end].translate(table)) for end in ends for table in _LETTERS}


def _end_of_core(text: str) -> int:
    end = len(text)
    while end and _DECORATION.match(text[end - 1]):
        end -= 1
    return end


def _half(form: str) -> str:
    """The word that stands twice in `form`, or ""."""
    middle = len(form) // 2
    return form[:middle] if form and form[:middle] == form[middle:] else ""


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r"[\W\d_]+", text) if len(part) >= _SHORTEST_PART]
