"""A person with an app: signs in over HTTP at a live server."""

from __future__ import annotations

from typing import Any

import httpx2
from msgspec import Struct

from live_server import LiveServer

EMAIL = "hanako@mail.test"
PASSWORD = "eleven quiet lanterns"


class SignedIn(Struct, frozen=True):
    access_token: str
    refresh_token: str


def sign_in(server: LiveServer, email: str = EMAIL) -> SignedIn:
    body = {"email": email, "password": PASSWORD, "client_id": "web"}
    answer = httpx2.post(f"{server.url}/api/v1/auth/login", json=body)
    assert answer.status_code == 200, answer.text
    return SignedIn(answer.json()["access_token"], answer.json()["refresh_token"])


def who_am_i(server: LiveServer, tokens: SignedIn) -> tuple[int, dict[str, Any]]:
    answer = httpx2.get(f"{server.url}/api/v1/auth/session", headers={"Authorization": f"Bearer {tokens.access_token}"})
    return answer.status_code, answer.json()


def refreshed(server: LiveServer, tokens: SignedIn) -> SignedIn:
    body = {"refresh_token": tokens.refresh_token, "client_id": "web"}
    answer = httpx2.post(f"{server.url}/api/v1/auth/refresh", json=body)
    assert answer.status_code == 200, answer.text
    return SignedIn(answer.json()["access_token"], answer.json()["refresh_token"])
