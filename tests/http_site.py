"""The ASGI application in process, and the clients that talk to it as their kind does."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pyotp

from sekisho.assemble import running
from sekisho.http.app import Application
from sekisho.http.edge import Edge
from sekisho.settings import load
from storage.fast import template

API = "/api/v1"
EMAIL = "hana@example.com"
PASSWORD = "korewa nagai himitsu"


class Site:
    """One server with its own database. `client()` is an app without cookies, `browser()` a page with them."""

    def __init__(self, edge: Edge, public_origin: str) -> None:
        self.edge = edge
        self.app = Application(edge)
        self.public_origin = public_origin
        self._clients: list[httpx2.AsyncClient] = []

    def client(self, *, ip: str = "203.0.113.7", **headers: str) -> Client:
        transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=True, client=(ip, 40000))
        inner = httpx2.AsyncClient(transport=transport, base_url=self.public_origin, headers=headers)
        self._clients.append(inner)
        return Client(inner, self)

    def browser(self, *, origin: str | None = None, ip: str = "203.0.113.7") -> Browser:
        client = self.client(ip=ip, origin=origin or self.public_origin)
        return Browser(client.inner, self)

    async def code_for(self, email: str) -> str:
        """Return the code of the newest letter to `email`."""
        assert self.edge.mailbox is not None
        for letter in await self.edge.mailbox():
            if letter.to == email:
                found = re.search(r"\b\d{6}\b", letter.text)
                assert found, letter.text
                return found.group()
        raise AssertionError(f"no letter to {email}")

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


class Client:
    """An app that sends JSON; `auth` is its bearer token."""

    def __init__(self, inner: httpx2.AsyncClient, site: Site) -> None:
        self.inner = inner
        self.site = site
        self.auth: str | None = None

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> httpx2.Response:
        if self.auth and "authorization" not in headers:
            headers["authorization"] = f"Bearer {self.auth}"
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        url = path if path.startswith("/") else f"{API}/{path}"
        if body is None:
            return await self.inner.request(method, url, headers=given)
        return await self.inner.request(method, url, json=body, headers=given)

    async def post(self, path: str, body: object = None, **headers: str) -> httpx2.Response:
        return await self.call("POST", path, body, **headers)

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return await self.call("GET", path, None, **headers)

    async def sign_up(
        self, email: str = EMAIL, *, transport: str = "body", client_id: str = "web", **headers: str
    ) -> httpx2.Response:
        sent = await self.post(
            "auth/signup/send-code", {"email": email, "password": PASSWORD, "client_id": client_id}, **headers
        )
        assert sent.status_code == 200, sent.text
        body = {
            "email": email,
            "code": await self.site.code_for(email),
            "client_id": client_id,
            "pending": sent.json()["pending"],
            "transport": transport,
        }
        return await self.post("auth/signup/verify-code", body, **headers)

    async def login(
        self, email: str = EMAIL, *, password: str = PASSWORD, client_id: str = "web", transport: str = "body"
    ) -> httpx2.Response:
        body = {"email": email, "password": password, "client_id": client_id, "transport": transport}
        return await self.post("auth/login", body)

    async def signed_in(self, email: str = EMAIL, *, client_id: str = "web") -> dict[str, Any]:
        """Sign up a new account over `body` and use its access token from now on; return the pair."""
        answer = await self.sign_up(email, client_id=client_id)
        assert answer.status_code == 201, answer.text
        pair: dict[str, Any] = answer.json()
        self.auth = pair["access_token"]
        return pair


class Browser(Client):
    """A page: sends its Origin, keeps cookies, and repeats the CSRF cookie in the header."""

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> httpx2.Response:
        token = self.inner.cookies.get("csrftoken")
        if token and method != "GET" and "x_csrftoken" not in headers:
            headers["x_csrftoken"] = token
        return await super().call(method, path, body, **headers)

    async def ready(self) -> Browser:
        """Fetch the CSRF value, as a page does before its first write."""
        await self.get("auth/csrf")
        return self

    def plant(self, name: str, value: str) -> None:
        """Overwrite a cookie, as a sibling host could."""
        for cookie in self.inner.cookies.jar:
            if cookie.name == name:
                cookie.value = value

    def cookie_names(self) -> set[str]:
        return set(self.inner.cookies)


class App:
    """An authenticator app that takes a later step for each code, so that tests need not wait."""

    def __init__(self, secret: str, site: Site) -> None:
        self._codes = pyotp.HOTP(secret)
        self._clock = site.edge.login.clock
        self._last = self._clock.now() // 30_000 - 2

    def code(self) -> str:
        self._last += 1
        return self._codes.at(self._last)


async def enrolled(client: Client) -> tuple[App, dict[str, Any]]:
    begun = await client.post("auth/factors", {"kind": "totp", "name": "Phone"})
    assert begun.status_code == 201, begun.text
    app = App(begun.json()["secret"], client.site)
    done = await client.post(f"auth/factors/{begun.json()['id']}/confirm", {"code": app.code()})
    assert done.status_code == 200, done.text
    return app, done.json()


def answer_to(asked: dict[str, Any], code: str, method: str = "totp", **given: Any) -> dict[str, Any]:
    return {"challenge": asked["challenge"], "method": method, "code": code, "client_id": "web", **given}


@asynccontextmanager
async def open_site(folder: Path, **environ: str) -> AsyncIterator[Site]:
    settings = load("dev", {"SEKISHO_LOG__LEVEL": "error", **environ}, folder)
    shutil.copy(template(), settings.database_path)
    async with running(settings) as edge:
        site = Site(edge, edge.settings.public_origin)
        try:
            yield site
        finally:
            await site.close()
