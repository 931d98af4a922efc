"""The one transform a password ever goes through, the same when it is set and when it is verified.

NFKC, so that what looks alike on two keyboards is alike (か typed as one code point or as two). No
trimming, no cutting, no change of case. This may never change: it would lock people out.

Spec: NIST SP 800-63B-4 section 3.1.1.2; ASVS 6.2.8.
"""

from __future__ import annotations

import unicodedata

from sekisho.errors import ValidationError

MAX_CHARACTERS = 256

# Decomposed text (a Hangul syllable is up to three code points) shrinks under NFKC, so more than
# MAX_CHARACTERS may be typed; this is only what we are willing to look at.
_MAX_TYPED = 4 * MAX_CHARACTERS


def normal_form(password: str) -> str:
    """Return the form that is checked and hashed, at most `MAX_CHARACTERS` code points.

    Raises:
        ValidationError: `too_long`; or `control_characters` for NUL and for lone surrogates, which
            no encoding can carry. The reason says nothing about any account.
    """
    if len(password) > _MAX_TYPED:
        raise ValidationError(detail="password over the typed bound", details={"password": "too_long"})
    if any(char == "\0" or "\ud800" <= char <= "\udfff" for char in password):
        raise ValidationError(detail="NUL or surrogate in password", details={"password": "control_characters"})
    normal = unicodedata.normalize("NFKC", password)
    if len(normal) > MAX_CHARACTERS:
        raise ValidationError(detail="password over the bound after NFKC", details={"password": "too_long"})
    return normal
