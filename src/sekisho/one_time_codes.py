"""One-time codes to be typed: six digits, kept only as a keyed hash.

Six digits are few: what protects them is that tries are counted before the comparison
(`CountCodeTry`), by code and by address, and that a code lives for minutes.

Spec: NIST SP 800-63B-4 section 3.1.3; ASVS 6.5.3, 6.5.4.
"""

from __future__ import annotations

import hmac
import re
import secrets
import unicodedata

from sekisho.errors import ValidationError
from sekisho.master_secret import MasterSecret

CODE_DIGITS = 6

_MAX_TYPED = 32
_HASH_BYTES = 32
_SIX_DIGITS = re.compile(r"[0-9]{6}")
# Spaces and the dashes that keyboards and mail programs make of "-"; after NFKC, so full-width forms are covered.
_BETWEEN = re.compile(r"[\s\-\u2010\u2012-\u2015\u2212\u30fc]+")


def parse_code(text: str) -> str:
    """Return the six digits of what a person typed: full-width digits, spaces and hyphens are fine.

    Raises:
        ValidationError: `code: invalid_format`. Not counted as a try: it cannot be any code.
    """
    if len(text) <= _MAX_TYPED:
        digits = _BETWEEN.sub("", unicodedata.normalize("NFKC", text))
        if _SIX_DIGITS.fullmatch(digits):
            return digits
    raise ValidationError(detail="not six digits", details={"code": "invalid_format"})


class OneTimeCodes:
    """Makes codes and what is stored of them."""

    def __init__(self, master: MasterSecret) -> None:
        self._master = master

    def new(self) -> str:
        """Return six digits, each of the million equally likely."""
        return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"

    def hash(self, purpose: str, code_id: str, code: str) -> bytes:
        """Return what is stored: says nothing without the master secret, in another flow or under another id."""
        return self._master.tag("one_time_code", purpose, code_id, code)

    def same(self, a: bytes, b: bytes) -> bool:
        """Compare two hashes in constant time."""
        return hmac.compare_digest(a, b)

    def hash_of_nothing(self) -> bytes:
        """Return a random hash for a decoy: no code has it."""
        return secrets.token_bytes(_HASH_BYTES)
