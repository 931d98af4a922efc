"""What the integrations have in common: from an Authorization header to a principal that may."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from time import time

from sekisho.errors import Forbidden, Refusal, Unauthorized
from sekisho.guard.answers import RefusalAnswer, read_bearer, refusal_answer
from sekisho.guard.principal import Principal
from sekisho.guard.rules import Rule, check
from sekisho.guard.same_host import CookieSessions, Seen
from sekisho.guard.verifier import Verifier

REALM = "api"
log = logging.getLogger("sekisho.guard")


class Auth:
    """Knows callers by their bearer tokens.

    Args:
        verifier: made once for the process.
        sessions: for an API on the server's own host: session cookies count too, where there is no token.
        realm: how this API is called in `WWW-Authenticate`; letters, digits and `.`, `_`, `-`.
    """

    def __init__(self, verifier: Verifier, *, sessions: CookieSessions | None = None, realm: str = REALM) -> None:
        if not realm.replace(".", "").replace("_", "").replace("-", "").isalnum() or not realm.isascii():
            raise ValueError("realm: letters, digits and . _ - only")
        self.verifier = verifier
        self.sessions = sessions
        self.realm = realm
        self._override: Principal | None = None

    def find(self, authorization: str | None, request: Seen | None = None) -> Principal | None:
        """Return who calls, or None without an Authorization header (and, with `sessions`, without a session cookie).

        Raises:
            Refusal: as `Verifier.verify` and `CookieSessions.find`. A bad token or cookie is never nobody.
        """
        token = read_bearer(authorization)
        if token is None and self._override is None and self.sessions is not None and request is not None:
            return self.sessions.find(request)
        if token is None:
            return self._override
        return self.verifier.verify(token)

    async def find_async(self, authorization: str | None, request: Seen | None = None) -> Principal | None:
        """As `find`, without holding up the event loop."""
        token = read_bearer(authorization)
        if token is None and self._override is None and self.sessions is not None and request is not None:
            return await self.sessions.find_async(request)
        if token is None:
            return self._override
        return await self.verifier.verify_async(token)

    @staticmethod
    def allowed(principal: Principal | None, wanted: Rule) -> Principal:
        """Return the principal if there is one and it may. That it may not is a line in the log: who is signed in and
        tries what is not theirs.

        Raises:
            Unauthorized: there is none.
            Forbidden, StepUpRequired: as `rules.check`.
        """
        if principal is None:
            raise Unauthorized(detail="no credential")
        try:
            check(principal, wanted, time())
        except Forbidden as refusal:
            log.warning("forbidden: %s; sub=%r session=%r", refusal.detail, principal.sub, principal.session_id)
            raise
        return principal

    def answer(self, refusal: Refusal, authorization: str | None, accept_language: str | None) -> RefusalAnswer:
        """Return what is answered when a request is refused."""
        return refusal_answer(
            refusal, presented=authorization is not None, realm=self.realm, accept_language=accept_language or ""
        )

    @contextmanager
    def override(self, principal: Principal) -> Iterator[None]:
        """For tests: within the block, whoever sends no token is this principal. Rules hold all the same."""
        before, self._override = self._override, principal
        try:
            yield
        finally:
            self._override = before
