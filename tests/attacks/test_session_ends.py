"""Whatever ends a session ends everything that came from it, at once: event by kind of credential."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from attacks.support import rows, told
from http_site import EMAIL, PASSWORD, Browser, Client, Site
from sekisho.admin.accounts import disable_account
from sekisho.admin.sessions import end_all_sessions
from sekisho.admin.sessions import end_session as operator_ends_session
from sekisho.admin.world import OperatorWorld
from sekisho.assemble import operator
from sekisho.settings import load

pytestmark = pytest.mark.anyio


# What another process did to the same file is noticed within a tenth of a second; a second is the promise, and a busy
# machine gets ten.
NOTICED_WITHIN_S = 30.0


class Victim:
    """One account, signed in as an app, as a page with a refresh cookie and as a page with a session cookie."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.folder = folder
        self.app: Client = site.client()
        self.pages: dict[str, Browser] = {}
        self.pair: dict[str, Any] = {}
        self.ids: dict[str, str] = {}
        self.access: dict[str, str] = {}

    async def sign_in(self) -> Victim:
        self.pair = await self.app.signed_in()
        self.access["body"] = self.pair["access_token"]
        for transport in ("cookie", "session"):
            page = await self.site.browser().ready()
            answer = (await page.login(transport=transport)).json()
            self.pages[transport] = page
            if transport == "cookie":
                self.access["cookie"] = answer["access_token"]
                page.auth = answer["access_token"]
            self.ids[transport] = (await page.get("auth/session")).json()["session"]["id"]
            page.auth = None
        self.ids["body"] = (await self.app.get("auth/session")).json()["session"]["id"]
        return self

    async def uses(self, transport: str) -> dict[str, tuple[int, str]]:
        """Return what each credential of this sign-in is answered, refreshing last."""
        found = {}
        if transport in self.access:
            token = f"Bearer {self.access[transport]}"
            found["access_token"] = told(await self.site.client().get("auth/session", authorization=token))
            found["access_token_writes"] = told(
                await self.site.client().call("PUT", "user/profile", {"name": "x"}, authorization=token)
            )
        if transport == "session":
            # Here the session is looked up for the cookie's sake alone, not for the answer's.
            found["session_cookie"] = told(await self.pages[transport].get("user/profile"))
        elif transport == "cookie":
            found["refresh_cookie"] = told(await self.pages[transport].post("auth/refresh"))
        else:
            found["refresh_token"] = told(await self.refresh(self.pair["refresh_token"]))
        return found

    async def refresh(self, token: str, client_id: str = "web") -> Any:
        return await self.site.client().post("auth/refresh", {"refresh_token": token, "client_id": client_id})

    async def operate(self, work: Callable[[OperatorWorld], Awaitable[object]]) -> None:
        """Act as an operator's command does: from outside of the server, on the same file."""
        settings = load("dev", {}, self.folder)
        async with operator(settings) as world:
            await work(world)
        deadline = monotonic() + NOTICED_WITHIN_S
        while await self.access_token_works() and monotonic() < deadline:  # noqa: ASYNC110 - another process
            await sleep(0.01)

    async def access_token_works(self) -> bool:
        """Ask where nothing is looked up but the journal in memory."""
        return (await self.app.get("user/profile")).status_code == 200


async def log_out(victim: Victim) -> set[str]:
    await victim.site.client().post("auth/logout", {"refresh_token": victim.pair["refresh_token"], "client_id": "web"})
    for transport in ("cookie", "session"):
        await victim.pages[transport].post("auth/logout")
    return {"body", "cookie", "session"}


async def log_out_everywhere(victim: Victim) -> set[str]:
    await victim.app.post("auth/logout-all")
    return {"body", "cookie", "session"}


async def log_out_elsewhere(victim: Victim) -> set[str]:
    await victim.app.post("auth/sessions/logout-all", {"except_current": True})
    return {"cookie", "session"}


async def end_each(victim: Victim) -> set[str]:
    for transport in ("cookie", "session", "body"):
        await victim.app.call("DELETE", f"auth/sessions/{victim.ids[transport]}")
    return {"body", "cookie", "session"}


async def evict(victim: Victim) -> set[str]:
    for number in range(5):
        await victim.site.client().login(client_id=f"phone{number}")
    return {"body", "cookie", "session"}


async def replay(victim: Victim) -> set[str]:
    token = victim.pair["refresh_token"]
    second = (await victim.refresh(token)).json()["refresh_token"]
    await victim.refresh(second)
    await victim.refresh(token)
    return {"body"}


async def wrong_client(victim: Victim) -> set[str]:
    await victim.refresh(victim.pair["refresh_token"], "shop")
    return {"body"}


async def withdraw(victim: Victim) -> set[str]:
    await victim.app.call("DELETE", "user/account", {"password": PASSWORD})
    return {"body", "cookie", "session"}


async def sign_in_again(victim: Victim) -> set[str]:
    for transport in ("cookie", "session"):
        page = victim.pages[transport]
        old = {name: page.inner.cookies.get(name) for name in ("sekisho-rt-web", "sekisho-s-web")}
        await page.login(transport=transport)
        name = "sekisho-rt-web" if transport == "cookie" else "sekisho-s-web"
        page.plant(name, str(old[name]))
        page.plant("csrftoken", "")
    return {"cookie", "session"}


async def disable(victim: Victim) -> set[str]:
    await victim.operate(lambda world: disable_account(EMAIL, world))
    return {"body", "cookie", "session"}


async def operator_ends_one(victim: Victim) -> set[str]:
    await victim.operate(lambda world: operator_ends_session(victim.ids["body"], world))
    return {"body"}


async def operator_ends_all(victim: Victim) -> set[str]:
    await victim.operate(lambda world: end_all_sessions(EMAIL, world))
    return {"body", "cookie", "session"}


EVENTS = [
    log_out,
    log_out_everywhere,
    log_out_elsewhere,
    end_each,
    evict,
    replay,
    wrong_client,
    withdraw,
    sign_in_again,
    disable,
    operator_ends_one,
    operator_ends_all,
]
LEFT_ALIVE = {
    "log_out_elsewhere": 1,
    "evict": 5,
    "replay": 2,
    "wrong_client": 2,
    "sign_in_again": 3,
    "operator_ends_one": 2,
}
DEAD = {
    "access_token": {(401, "session_revoked")},
    "access_token_writes": {(401, "session_revoked")},
    "session_cookie": {(401, "session_revoked")},
    "refresh_token": {(401, "refresh_token_invalid")},
    # A page that signed out has no cookie any more, or no CSRF value for the session that is gone.
    "refresh_cookie": {(401, "refresh_token_invalid"), (400, "validation_error"), (403, "csrf_failed")},
}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
async def test_KA_090_V7_4_1_V7_4_2_V16_3_3_an_event_ends_every_credential_of_its_sessions_and_is_audited_once(
    site: Site, tmp_path: Path, event: Callable[[Victim], Awaitable[set[str]]]
) -> None:
    victim = await Victim(site, tmp_path).sign_in()

    ended = await event(victim)

    for transport in ended:
        for kind, answer in (await victim.uses(transport)).items():
            gone = {(401, "unauthorized")} if event is log_out and kind == "session_cookie" else set()
            assert answer in DEAD[kind] | gone, (transport, kind)
    everything = rows(tmp_path, without=frozenset())
    live = [session for session in everything["sessions"] if session[-2] is None]
    assert len(live) == LEFT_ALIVE.get(event.__name__, 0)
    audited = [line[5] for line in everything["audit"] if line[1] == "session_ended"]
    assert len(audited) == len(set(audited))
    assert {victim.ids[transport] for transport in ended} <= set(audited)


async def test_KA_090_before_the_event_every_credential_works(site: Site, tmp_path: Path) -> None:
    victim = await Victim(site, tmp_path).sign_in()

    for transport in ("body", "cookie", "session"):
        assert {status for status, _ in (await victim.uses(transport)).values()} == {200}


async def test_KA_091_an_access_token_of_a_disabled_account_dies_on_every_protected_call(
    site: Site, tmp_path: Path
) -> None:
    victim = await Victim(site, tmp_path).sign_in()
    await disable(victim)

    for method, path in (("GET", "auth/session"), ("GET", "auth/sessions"), ("GET", "user/profile")):
        assert told(await victim.app.call(method, path)) == (401, "session_revoked")
    assert told(await victim.app.login()) == (401, "invalid_credentials")
    assert victim.pair["expires_in"] <= 15 * 60
