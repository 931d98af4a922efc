"""What may be a password. Asked when one is set, never when one is verified.

Profiles: `standard` (8 characters), `strict` (15, NIST SP 800-63B-4 for a password that stands alone),
`legacy` (12, and upper, lower, digit and symbol), which exists for those whose rules demand it and
departs from ASVS 6.2.5. All refuse common passwords and the person's own names.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from enum import StrEnum

from msgspec import Struct

from sekisho.errors import ValidationError
from sekisho.passwords.common import CommonPasswords
from sekisho.passwords.context import context_words, is_context_word
from sekisho.passwords.normal_form import normal_form

# Letters without case (kana, kanji, Hangul, Arabic …) count as upper and as lower: who writes no
# Latin can comply too.
_CASELESS = ("Lo", "Lm")


def _has(*categories: str) -> Callable[[str], bool]:
    return lambda password: any(unicodedata.category(char).startswith(categories) for char in password)


_CLASSES: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("needs_upper", _has("Lu", "Lt", *_CASELESS)),
    ("needs_lower", _has("Ll", *_CASELESS)),
    ("needs_digit", _has("Nd")),
    ("needs_symbol", _has("P", "S", "Zs")),
)

REASONS = (
    "too_short",
    "too_long",
    "control_characters",
    "too_common",
    "contains_personal_word",
    *(reason for reason, _ in _CLASSES),
)
"""Every reason that `check` or hashing may give for a password, for the message catalogue."""


class Profile(StrEnum):
    STANDARD = "standard"
    STRICT = "strict"
    LEGACY = "legacy"


class _Rules(Struct, frozen=True):
    min_length: int
    needs_classes: bool = False
    deviations: tuple[str, ...] = ()


_RULES = {
    Profile.STANDARD: _Rules(8),
    Profile.STRICT: _Rules(15),
    Profile.LEGACY: _Rules(12, True, ("ASVS 6.2.5", "NIST SP 800-63B-4 3.1.1.2 (composition rules)")),
}


class PasswordPolicy:
    """One profile with the words of this service.

    context_words: the product's and the operator's names.
    min_length: in code points after NFKC.
    deviations: the requirements that this profile breaks, to be said at start and by `doctor`.
    """

    def __init__(self, profile: Profile | str, context_words: Iterable[str] = ()) -> None:
        self.profile = Profile(profile)
        self._rules = _RULES[self.profile]
        self._words = tuple(context_words)
        self._common = CommonPasswords()

    @property
    def min_length(self) -> int:
        return self._rules.min_length

    @property
    def deviations(self) -> tuple[str, ...]:
        return self._rules.deviations

    def check(self, password: str, *, email: str) -> None:
        """Let a good password pass.

        Raises:
            ValidationError: `details` says `password` and one of `REASONS`, the first that applies.
        """
        normal = normal_form(password)
        reason = self._reason_against(normal, email)
        if reason:
            raise ValidationError(
                detail=f"password refused: {reason}",
                details={"password": reason},
                values={"min_length": self.min_length},
            )

    def _reason_against(self, normal: str, email: str) -> str:
        if len(normal) < self._rules.min_length:
            return "too_short"
        folded = unicodedata.normalize("NFKC", normal.casefold())
        if is_context_word(folded, context_words(self._words, email)):
            return "contains_personal_word"
        if folded in self._common:
            return "too_common"
        if self._rules.needs_classes:
            return next((reason for reason, is_met in _CLASSES if not is_met(normal)), "")
        return ""
