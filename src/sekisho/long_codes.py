"""Long codes to be typed: so many random bits that nobody guesses one, so that no tries need to be counted.

Spec: NIST SP 800-63B-4 section 3.1.2 (look-up secrets).
"""

from __future__ import annotations

import re
import secrets
import unicodedata

from sekisho.errors import ValidationError

# Crockford's: without I, L, O and U, which people take for something else.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BITS_A_CHARACTER = 5
_GROUP = 4
_MAX_TYPED = 64
_BETWEEN = re.compile(r"[\s\-\u2010\u2012-\u2015\u2212\u30fc]+")
_CHARACTERS = re.compile(f"[{_ALPHABET}]+")
_MISREAD = str.maketrans("ILO", "110")


def new_long_code(bits: int) -> str:
    """Return a code of so many random bits as it is shown, in groups of four."""
    code = "".join(secrets.choice(_ALPHABET) for _ in range(-(-bits // _BITS_A_CHARACTER)))
    return "-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))


def parse_long_code(text: str, bits: int) -> str:
    """Return the code that a person typed, without hyphens: small letters, full-width forms and spaces are fine.

    Raises:
        ValidationError: `code: invalid_format`. It cannot be any code.
    """
    if len(text) <= _MAX_TYPED:
        code = _BETWEEN.sub("", unicodedata.normalize("NFKC", text)).upper().translate(_MISREAD)
        if len(code) == -(-bits // _BITS_A_CHARACTER) and _CHARACTERS.fullmatch(code):
            return code
    raise ValidationError(detail="no long code", details={"code": "invalid_format"})
