"""One log line for refusals that an operator should see: somebody may be probing, or the server cannot keep up. A
flood becomes one line a second with a count.

Spec: OWASP ASVS 5.0 rows 16.3.2 and 16.3.3. What is audited is written by the flows; this is the operator's log.
"""

from __future__ import annotations

from time import monotonic

import structlog

from sekisho import errors
from sekisho.errors import Refusal

log = structlog.get_logger("sekisho.security")

NOTEWORTHY: frozenset[type[Refusal]] = frozenset(
    (
        errors.Forbidden,
        errors.CsrfFailed,
        errors.RateLimitExceeded,
        errors.ClientIdMismatch,
        errors.SessionChanged,
        errors.PayloadTooLarge,
        errors.ServiceUnavailable,
    )
)
QUIET_S = 1.0


class RefusalLog:
    """Remembers, by code, when the last line was written and how many were left out since."""

    def __init__(self) -> None:
        self._written_at: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def note(self, refusal: Refusal, route: str, ip: str) -> None:
        """Write a line if this refusal is a noteworthy one and none of its code was written in the last second."""
        if type(refusal) not in NOTEWORTHY:
            return
        code, now = refusal.code, monotonic()
        if now - self._written_at.get(code, -QUIET_S) < QUIET_S:
            self._left_out[code] = self._left_out.get(code, 0) + 1
            return
        self._written_at[code] = now
        left_out = self._left_out.pop(code, 0)
        log.warning("refused", code=code, detail=refusal.detail, route=route, ip=ip, left_out=left_out)
