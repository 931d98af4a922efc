"""Session list (`GET /auth/sessions`): accounts with five sessions each, by bearer token."""

from __future__ import annotations

from itertools import cycle

from bench.measure import OPEN_USERS, SATURATING_USERS, at_half_load, saturate
from bench.requests import get
from bench.rows import Row, row
from bench.scripts import Taking
from bench.setting import Setting
from bench.site import SESSIONS_IN_A_LIST

PATH = "/api/v1/auth/sessions"


async def run(setting: Setting) -> list[Row]:
    site = setting.site
    callers = site.listed_sessions[::SESSIONS_IN_A_LIST]
    asked = cycle(
        (get(PATH, f"Authorization: Bearer {token}"), f'"id":"{site.session_id(session)}"'.encode())
        for session, token in zip(callers, site.access_tokens(callers), strict=True)
    )
    users = [Taking(asked, _judge) for _ in range(OPEN_USERS)]
    most = await saturate(setting.server, users[:SATURATING_USERS], setting.plan)
    half = await at_half_load(setting.server, users, setting.plan, most.per_second)
    return [row("session list", most, half)]


def _judge(own: bytes, status: int, body: bytes) -> str:
    if status != 200:
        return f"a good request was answered with {status}"
    if own not in body or body.count(b'"client_id":') != SESSIONS_IN_A_LIST:
        return "a session list that is not the caller's"
    return ""
