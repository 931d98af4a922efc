"""Asking the server about a token, while the feed is silent. Answers hold for a few seconds."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from sekisho.errors import ServiceUnavailable
from sekisho.guard.flight import Flight, fly

ANSWER_HOLDS_S = 5.0
MOST_AT_ONCE = 32
MOST_ANSWERS = 10_000


class Asking:
    """Answers by token, asked for once for all requests that carry it.

    Args:
        ask: whether the server says that a token counts; raises when it says nothing.
        longest_s: an answer takes no longer.
    """

    __slots__ = ("_answers", "_ask", "_flights", "_lock", "_longest_s", "_monotonic")

    def __init__(self, ask: Callable[[str], bool], *, monotonic: Callable[[], float], longest_s: float) -> None:
        self._ask = ask
        self._monotonic = monotonic
        self._longest_s = longest_s
        self._lock = Lock()
        self._answers: dict[str, tuple[float, bool]] = {}
        self._flights: dict[str, Flight] = {}

    def counts(self, token: str, now: float, *, may_wait: bool) -> bool | Flight:
        """Return what the server said a moment ago, or what must be waited for first.

        Raises:
            ServiceUnavailable: it does not answer, or too many tokens are being asked about.
        """
        if (known := self._known(token, now)) is not None:
            return known
        if not may_wait:
            raise ServiceUnavailable(detail="the server says nothing about the token", retry_after=1)
        with self._lock:
            # The answer may have come between the look above and the lock: it is not asked for again.
            if (known := self._known(token, now)) is not None:
                return known
            flight = self._flights.get(token)
            if flight is None:
                if len(self._flights) >= MOST_AT_ONCE:
                    raise ServiceUnavailable(detail="too many questions at once", retry_after=1)
                flight = self._flights[token] = fly(lambda: self._ask_once(token), self._longest_s, "asking")
            return flight

    def _known(self, token: str, now: float) -> bool | None:
        known = self._answers.get(token)
        return known[1] if known is not None and now - known[0] < ANSWER_HOLDS_S else None

    def _ask_once(self, token: str) -> None:
        try:
            answer = self._ask(token)
        except Exception:  # whatever it is: there is no answer, and who waits is told so
            answer = None
        with self._lock:
            self._flights.pop(token, None)
            if answer is not None:
                self._answers[token] = (self._monotonic(), answer)
                if len(self._answers) > MOST_ANSWERS:
                    del self._answers[next(iter(self._answers))]
