"""Sign-up, its first step (`send-code`): new addresses; policy, hash, code, one letter each."""

from __future__ import annotations

from collections.abc import Iterator
from secrets import token_hex

from msgspec import json

from bench.measure import saturate
from bench.requests import post
from bench.rows import Row, row
from bench.scenarios.login import USERS
from bench.scripts import Taking, must_contain
from bench.setting import Setting
from bench.site import CLIENT_ID, PASSWORD

PATH = "/api/v1/auth/signup/send-code"


async def run(setting: Setting) -> list[Row]:
    asked = _asked()
    most = await saturate(setting.server, [Taking(asked, must_contain) for _ in range(USERS)], setting.plan)
    return [row("sign-up, send-code", most, None)]


def _asked() -> Iterator[tuple[bytes, bytes]]:
    while True:
        email = f"new-{token_hex(8)}@example.com"
        yield post(PATH, json.encode({"email": email, "password": PASSWORD, "client_id": CLIENT_ID})), email.encode()
