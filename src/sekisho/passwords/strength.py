"""Strength: how many guesses a password would stand, and what would make it better.

The estimate is zxcvbn's. It grows with the square of the length and, for digits and marks that stand for letters, with
every way to read them: a hundred characters of `4@8({[<` keep a core busy for a second. So it looks at one window of
the password, and at one spelling of each letter. What is left costs about a millisecond at most.

Spec: NIST SP 800-63B-4 section 3.1.1.2 (guidance); Wheeler, "zxcvbn: Low-Budget Password Strength Estimation" (2016).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from msgspec import Struct
from zxcvbn_rs_py import Entropy, zxcvbn

WINDOW = 24
"""Characters that one estimate looks at."""

MOST_HINTS = 3
_MOST_WORDS = 32

# Each letter in one spelling: what is left out would be tried as the same letter once more.
_ONE_SPELLING = str.maketrans("@{[<!|$+", "4(((1157")

HINTS = {
    "Warning.StraightRowsOfKeysAreEasyToGuess": "row_of_keys",
    "Warning.ShortKeyboardPatternsAreEasyToGuess": "short_key_pattern",
    "Warning.RepeatsLikeAaaAreEasyToGuess": "repeated_character",
    "Warning.RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess": "repeated_part",
    "Warning.ThisIsATop10Password": "among_first_10",
    "Warning.ThisIsATop100Password": "among_first_100",
    "Warning.ThisIsACommonPassword": "often_used",
    "Warning.ThisIsSimilarToACommonlyUsedPassword": "like_often_used",
    "Warning.SequencesLikeAbcAreEasyToGuess": "sequence",
    "Warning.RecentYearsAreEasyToGuess": "recent_year",
    "Warning.AWordByItselfIsEasyToGuess": "single_word",
    "Warning.DatesAreOftenEasyToGuess": "date",
    "Warning.NamesAndSurnamesByThemselvesAreEasyToGuess": "single_name",
    "Warning.CommonNamesAndSurnamesAreEasyToGuess": "common_name",
    "Suggestion.UseAFewWordsAvoidCommonPhrases": "use_some_words",
    "Suggestion.NoNeedForSymbolsDigitsOrUppercaseLetters": "no_need_for_symbols",
    "Suggestion.AddAnotherWordOrTwo": "add_words",
    "Suggestion.CapitalizationDoesntHelpVeryMuch": "capitals_help_little",
    "Suggestion.AllUppercaseIsAlmostAsEasyToGuessAsAllLowercase": "all_capitals_help_little",
    "Suggestion.ReversedWordsArentMuchHarderToGuess": "reversal_helps_little",
    "Suggestion.PredictableSubstitutionsDontHelpVeryMuch": "substitutions_help_little",
    "Suggestion.UseALongerKeyboardPatternWithMoreTurns": "longer_key_pattern",
    "Suggestion.AvoidRepeatedWordsAndCharacters": "avoid_repetition",
    "Suggestion.AvoidSequences": "avoid_sequences",
    "Suggestion.AvoidRecentYears": "avoid_recent_years",
    "Suggestion.AvoidYearsThatAreAssociatedWithYou": "avoid_own_years",
    "Suggestion.AvoidDatesAndYearsThatAreAssociatedWithYou": "avoid_own_dates",
}
"""Each remark of the estimate, by its name there, as our code; the catalogue says it (`hint.<code>`)."""


class Estimate(Struct, frozen=True):
    """score: 0 to 4: below 10^3, 10^6, 10^8, 10^10 guesses, and more. hints: what to do, most telling first."""

    score: int
    hints: tuple[str, ...] = ()


def estimate(password: str, words: Collection[str]) -> Estimate:
    """Return what the password would stand, at least: of one longer than the window the better of its two ends counts.

    Args:
        password: in normal form.
        words: names that a stranger would try for this person; the first 32 count.
    """
    known = [word.casefold() for word in words if len(word) <= WINDOW][:_MOST_WORDS]
    found = _look_at(password[:WINDOW], known)
    if len(password) > WINDOW and found.feedback is not None:
        found = max(found, _look_at(password[-WINDOW:], known), key=_guesses)
    return Estimate(int(found.score), tuple(_hints(found))[:MOST_HINTS])


def _look_at(part: str, known: list[str]) -> Entropy:
    return zxcvbn(part.translate(_ONE_SPELLING), known)


def _guesses(found: Entropy) -> int:
    return found.guesses


def _hints(found: Entropy) -> Iterator[str]:
    if found.feedback is None:
        return
    if found.feedback.warning is not None:
        yield HINTS[repr(found.feedback.warning)]
    for suggestion in found.feedback.suggestions:
        yield HINTS[repr(suggestion)]
