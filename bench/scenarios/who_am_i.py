"""Who am I (`GET /auth/session`): by bearer token, verified before and never seen before, and by session cookie."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from random import Random

from bench.measure import OPEN_USERS, SATURATING_USERS, Plan, at_half_load, saturate
from bench.processes import Started
from bench.requests import get
from bench.rows import Aim, Row, row
from bench.scripts import Taking, must_contain
from bench.setting import Setting
from bench.site import CLIENT_ID, Site
from sekisho.tokens.access_token import CACHE_SIZE
from sekisho.tokens.session_cookie import SessionCookies

PATH = "/api/v1/auth/session"
WARM_TOKENS = 1000
# More than the server remembers, asked in turn: each has been forgotten when its turn comes again.
COLD_TOKENS = 2 * CACHE_SIZE

Asked = tuple[bytes, bytes]


async def run(setting: Setting) -> list[Row]:
    site, server, plan = setting.site, setting.server, setting.plan
    some = _some(site.body_sessions, COLD_TOKENS)
    return [
        await _row("who-am-i, bearer, warm", server, plan, _bearer(site, some[:WARM_TOKENS]), Aim("bare_cpu", 2.5)),
        await _row("who-am-i, bearer, cold", server, plan, _bearer(site, some), Aim("bare_cpu", 5.0)),
        await _row("who-am-i, session cookie", server, plan, _cookies(site), None),
    ]


async def on_postgres(setting: Setting) -> list[Row]:
    engines = setting.engines
    site = await engines.site()
    asked = warm_bearers(site)
    with setting.serving(site, (engines.postgres,)) as server:
        return [await _row("who-am-i, bearer, warm, PostgreSQL", server, setting.plan, asked, None)]


async def _row(name: str, server: Started, plan: Plan, asked: Sequence[Asked], aim: Aim | None) -> Row:
    in_turn = cycle(asked)
    users = [Taking(in_turn, must_contain) for _ in range(OPEN_USERS)]
    most = await saturate(server, users[:SATURATING_USERS], plan)
    half = await at_half_load(server, users, plan, most.per_second)
    return row(name, most, half, (aim,) if aim else ())


def _bearer(site: Site, sessions: Sequence[int]) -> list[Asked]:
    tokens = site.access_tokens(sessions)
    return [
        (get(PATH, f"Authorization: Bearer {token}"), _own(site, session))
        for session, token in zip(sessions, tokens, strict=True)
    ]


def warm_bearers(site: Site) -> list[Asked]:
    """Return as many as a server remembers at once, each with what its answer must hold."""
    return _bearer(site, _some(site.body_sessions, WARM_TOKENS))


def _cookies(site: Site) -> list[Asked]:
    minter = SessionCookies(site.master())
    return [
        (get(PATH, f"Cookie: __Host-sekisho-s-{CLIENT_ID}={site.session_cookie(session, minter)}"), _own(site, session))
        for session in _some(site.cookie_sessions, len(site.cookie_sessions))
    ]


def _own(site: Site, session: int) -> bytes:
    return f'"session":{{"id":"{site.session_id(session)}"'.encode()


def _some(sessions: range, count: int) -> list[int]:
    return Random(1).sample(sessions, min(count, len(sessions)))  # noqa: S311 - the same order in every run
