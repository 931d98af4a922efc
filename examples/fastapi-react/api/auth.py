"""Who is asking: the access token of a request, checked here with the server's public keys.

SignedIn        checked in place, without a call to the server. A session that has ended is noticed when its
                token expires, after 15 minutes at most
StillSignedIn   and the server is asked whether the session lives. For what must not happen after a sign-out
"""

import json
import os
import threading
import time
from typing import Annotated
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

SERVER = os.environ.get("SEKISHO_URL", "http://localhost:8080")
ISSUER = AUDIENCE = SERVER  # SEKISHO_PUBLIC_URL of the server, and SEKISHO_AUDIENCE if it is set
LONGEST_TOKEN = 8192
TIMEOUT_S = 5
RULES = jwt.JWTClaimsRegistry(
    leeway=5,
    iss={"essential": True, "value": ISSUER},
    aud={"essential": True, "value": AUDIENCE},
    exp={"essential": True},
    sub={"essential": True},
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


class Keys:
    """The server's public keys: kept for five minutes, and fetched again for an unknown `kid` at most once a minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys = KeySet([])
        self._fetched_at = float("-inf")

    def of(self, signature) -> KeySet:
        """Return the keys, among them the one that `signature` names if the server has it."""
        kid = signature.headers().get("kid")
        with self._lock:
            age_s = time.monotonic() - self._fetched_at
            is_known = any(key.kid == kid for key in self._keys.keys)
            if age_s > 300 or (not is_known and age_s > 60):
                with urlopen(f"{SERVER}/.well-known/jwks.json", timeout=TIMEOUT_S) as answer:
                    self._keys = KeySet.import_key_set(json.load(answer))
                self._fetched_at = time.monotonic()
            return self._keys


keys = Keys()


def refused(challenge: str) -> HTTPException:
    return HTTPException(401, "Please sign in.", {"WWW-Authenticate": challenge})


def away(cause: OSError) -> HTTPException:
    return HTTPException(503, f"The sign-in server cannot be reached ({cause}).", {"Retry-After": "5"})


def signed_in(credentials: Credentials) -> str:
    """Return the id of the account, which is never given to another one. 401 without a token, and for a bad one."""
    if credentials is None:
        raise refused("Bearer")
    token = credentials.credentials
    try:
        if len(token) > LONGEST_TOKEN:
            raise ValueError("too long")
        decoded = jwt.decode(token, keys.of, algorithms=["ES256"])
        if decoded.header.get("typ") != "at+jwt":
            raise ValueError("not an access token")
        RULES.validate(decoded.claims)
    except OSError as cause:
        raise away(cause) from cause
    except (JoseError, ValueError) as wrong:
        raise refused('Bearer error="invalid_token"') from wrong
    return decoded.claims["sub"]


SignedIn = Annotated[str, Depends(signed_in)]


def still_signed_in(account: SignedIn, credentials: Credentials) -> str:
    """Return the same id if the session has not ended meanwhile, else 401."""
    question = Request(f"{SERVER}/api/v1/auth/session", headers={"Authorization": f"Bearer {credentials.credentials}"})
    try:
        with urlopen(question, timeout=TIMEOUT_S):
            return account
    except HTTPError as answer:
        if answer.code == 401:
            raise refused('Bearer error="invalid_token"') from answer
        raise away(answer) from answer
    except OSError as cause:
        raise away(cause) from cause


StillSignedIn = Annotated[str, Depends(still_signed_in)]
