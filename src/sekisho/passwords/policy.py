"""What may be a password. Asked when one is set, never when one is verified.

Profiles: `standard` (8 characters), `strict` (15, NIST SP 800-63B-4 for a password that stands alone),
`legacy` (12, and upper, lower, digit and symbol), which exists for those whose rules demand it and
departs from ASVS 6.2.5. All refuse common passwords and the person's own names.

`standard` and `legacy` also refuse what fewer than a million guesses would find, as zxcvbn estimates: their length
alone does not keep that out. `strict` refuses nothing on an estimate, which NIST knows no rule for. Each of them says
with a refusal what would be better.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from enum import StrEnum

from msgspec import Struct

from sekisho.errors import ValidationError
from sekisho.passwords.common import CommonPasswords
from sekisho.passwords.context import context_words, is_context_word, parts_of
from sekisho.passwords.normal_form import normal_form
from sekisho.passwords.screening import REASONS as SCREENED
from sekisho.passwords.strength import estimate

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
    "too_guessable",
    *SCREENED,
)
"""Every reason that `check`, screening or hashing may give for a password, for the message catalogue."""


_HINTED = frozenset({"too_short", "too_common", "contains_personal_word", "too_guessable"})
MAX_SCORE = 4


class Profile(StrEnum):
    STANDARD = "standard"
    STRICT = "strict"
    LEGACY = "legacy"


class _Rules(Struct, frozen=True):
    min_length: int
    min_score: int = 0
    history: int = 0
    needs_classes: bool = False
    deviations: tuple[str, ...] = ()


_RULES = {
    Profile.STANDARD: _Rules(8, min_score=2),
    Profile.STRICT: _Rules(15),
    Profile.LEGACY: _Rules(
        12,
        min_score=2,
        history=5,
        needs_classes=True,
        deviations=("ASVS 6.2.5", "NIST SP 800-63B-4 3.1.1.2 (composition rules)"),
    ),
}


class PasswordPolicy:
    """One profile with the words of this service.

    context_words: the product's and the operator's names.
    min_length: in code points after NFKC.
    min_score: what the estimate must reach, 0 to 4; None as the profile has it.
    history: how many passwords of an account, the present one among them, a new one must differ from; None likewise.
    deviations: what this profile does that the standards forbid outright, to be said at start. All that the settings
        depart from is `compliance.departures`.
    """

    def __init__(
        self,
        profile: Profile | str,
        context_words: Iterable[str] = (),
        *,
        min_score: int | None = None,
        history: int | None = None,
    ) -> None:
        self.profile = Profile(profile)
        self._rules = _RULES[self.profile]
        self.min_score = self._rules.min_score if min_score is None else min_score
        self.history = self._rules.history if history is None else history
        self._words = tuple(context_words)
        self._common = CommonPasswords()

    @property
    def min_length(self) -> int:
        return self._rules.min_length

    @property
    def needs_classes(self) -> bool:
        return self._rules.needs_classes

    @property
    def deviations(self) -> tuple[str, ...]:
        return self._rules.deviations

    def check(self, password: str, *, email: str, name: str = "") -> None:
        """Let a good password pass.

        Args:
            name: what its owner is called, "" where nobody knows.

        Raises:
            ValidationError: `details` says `password` and one of `REASONS`, the first that applies; `password_hints`
                what would be better, where the estimate has anything to say.
        """
        normal = normal_form(password)
        reason = self._reason_against(normal, email, name)
        hints: tuple[str, ...] = ()
        if not reason or reason in _HINTED:
            found = estimate(normal, (*self._words, *parts_of(email, name)))
            hints = found.hints
            reason = reason or ("too_guessable" if found.score < self.min_score else "")
        if reason:
            raise ValidationError(
                detail=f"password refused: {reason}",
                details={"password": reason, "password_hints": list(hints)} if hints else {"password": reason},
                values={"min_length": self.min_length},
            )

    def _reason_against(self, normal: str, email: str, name: str) -> str:
        if len(normal) < self._rules.min_length:
            return "too_short"
        folded = unicodedata.normalize("NFKC", normal.casefold())
        if is_context_word(folded, context_words(self._words, email, name)):
            return "contains_personal_word"
        if folded in self._common:
            return "too_common"
        if self._rules.needs_classes:
            return next((reason for reason, is_met in _CLASSES if not is_met(normal)), "")
        return ""
