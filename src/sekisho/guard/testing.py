"""For the tests of a protected API: an issuer in the test's own process. Nothing is fetched and no server runs.

    issuer = FakeIssuer()
    auth = FastAPIAuth(issuer.verifier())
    client.get("/articles", headers=issuer.headers(sub="alice", roles=["editor"]))
    issuer.end_session("s1")

Or without any token: `with auth.override(Principal(sub="alice")):`.
"""

from __future__ import annotations

from collections.abc import Iterable
from secrets import token_urlsafe
from time import time
from typing import Any

from sekisho.guard.flight import Flight
from sekisho.guard.tokens import TYP
from sekisho.guard.verifier import Verifier
from sekisho.rfc import jwt
from sekisho.rfc.keys import PrivateKey, VerificationKey, new_private_key


class FakeIssuer:
    """Signs tokens like a server's, with a key of its own.

    Args:
        issuer, audience: as your settings have them, if your API looks at them.

    keys: for a verifier that is made elsewhere, as `SEKISHO_GUARD["KEYS"]`.
    """

    def __init__(self, issuer: str = "https://auth.test", audience: str = "https://api.test") -> None:
        self.issuer = issuer
        self.audience = audience
        self._key = new_private_key("ES256")
        self._stranger = new_private_key("ES256")
        self.keys = _OneKey(self._key)
        self._verifiers: list[Verifier] = []

    def verifier(self, **more: Any) -> Verifier:
        """Return a verifier that trusts this issuer; `more` as for `Verifier`."""
        made = Verifier(self.issuer, self.audience, keys=self.keys, **more)
        self._verifiers.append(made)
        return made

    def token(
        self,
        sub: str = "test-user",
        *,
        session_id: str = "test-session",
        client_id: str = "test",
        scopes: Iterable[str] = (),
        roles: Iterable[str] = (),
        amr: Iterable[str] = ("pwd",),
        acr: str = "aal1",
        signed_in_s_ago: float = 0,
        expires_in_s: float = 600,
        **claims: Any,
    ) -> str:
        """Return an access token. `claims` are added, or replace those that stand there; None leaves one out."""
        now = int(time())
        values: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": sub,
            "client_id": client_id,
            "sid": session_id,
            "iat": now,
            "nbf": now,
            "exp": int(now + expires_in_s),
            "jti": token_urlsafe(16),
            "auth_time": int(now - signed_in_s_ago),
            "amr": list(amr),
            "acr": acr,
            "roles": list(roles),
            "scope": " ".join(scopes),
            **claims,
        }
        return jwt.Signer(self._key, TYP).sign({name: value for name, value in values.items() if value is not None})

    def expired_token(self, sub: str = "test-user", **more: Any) -> str:
        """Return a genuine token whose time is over: 401 `access_token_expired`."""
        return self.token(sub, expires_in_s=-1, **more)

    def forged_token(self, sub: str = "test-user") -> str:
        """Return a token that a stranger signed: 401 `unauthorized`."""
        genuine = self.token(sub)
        signed = genuine.rpartition(".")[0]
        return signed + "." + jwt.Signer(self._stranger, TYP).sign({}).rpartition(".")[2]

    def headers(self, sub: str = "test-user", **more: Any) -> dict[str, str]:
        """Return the headers of a request with a token; the parameters are those of `token`."""
        return {"Authorization": f"Bearer {self.token(sub, **more)}"}

    def end_session(self, session_id: str = "test-session") -> None:
        """End a session: all verifiers of this issuer refuse its tokens from now on, 401 `session_revoked`."""
        for verifier in self._verifiers:
            verifier.revoke_locally(session_id)


class _OneKey:
    def __init__(self, key: PrivateKey) -> None:
        self._key = key

    def accepts(self, kid: str) -> bool:
        return kid == self._key.kid

    def find(self, kid: str) -> VerificationKey:
        if kid != self._key.kid:
            raise jwt.UnknownKey("unknown kid")
        return self._key.public

    def due(self, now: float) -> Flight | None:
        return None

    def missing(self, now: float) -> Flight | None:
        return None

    def are_usable(self, now: float) -> bool:
        return True

    def age_s(self, now: float) -> float | None:
        return 0.0
