"""Headers that a client invents: links, issuer, cookies, mail, addresses and answers stay what the settings say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from attacks.support import corpus, rows, told
from http_site import PASSWORD, Site
from sekisho.rfc import base64url

pytestmark = pytest.mark.anyio

ATTEMPTS = corpus("headers")
PEER = "203.0.113.7"


async def test_no_invented_header_changes_what_a_journey_leaves_behind(secure_site: Site, tmp_path: Path) -> None:
    for number, attempt in enumerate(ATTEMPTS):
        email = f"person{number}@example.com"
        page = await secure_site.browser().ready()
        given = {name.replace("-", "_"): value for name, value in attempt["input"].items()}

        answer = await page.sign_up(email, transport="cookie", **given)

        assert answer.status_code == 201, attempt["id"]
        claims = claims_of(answer.json()["access_token"])
        assert (claims["iss"], claims["aud"]) == ("https://auth.example.com",) * 2, attempt["id"]
        for cookie in answer.headers.get_list("set-cookie"):
            assert "Secure" in cookie, attempt["id"]
            assert "Domain" not in cookie, attempt["id"]
        assert answer.headers["strict-transport-security"], attempt["id"]
        assert await mail_of(secure_site, email) == await mail_of(secure_site, "person0@example.com")

    left = rows(tmp_path, without=frozenset())
    assert "evil" not in repr(left)
    assert {row[14] for row in left["sessions"]} == {PEER}


async def test_no_invented_header_opens_a_door_that_is_closed(secure_site: Site, tmp_path: Path) -> None:
    app = secure_site.client()
    before = rows(tmp_path)

    for number, attempt in enumerate(ATTEMPTS):
        given = {name.replace("-", "_"): value for name, value in attempt["input"].items()}
        login = {"email": f"nobody{number}@example.com", "password": PASSWORD, "client_id": "web"}
        answers = [
            await app.get("auth/session", **given),
            await app.post("auth/logout-all", **given),
            await app.call("PUT", "user/profile", {"name": "x"}, **given),
            await app.get("/metrics", **given),
            await app.post("auth/login", login, **given),
        ]

        expected = [(401, "unauthorized")] * 3 + [(404, "not_found"), (401, "invalid_credentials")]
        assert [told(answer) for answer in answers] == expected, attempt["id"]
        assert "evil" not in "".join(answer.text + str(dict(answer.headers)) for answer in answers)

    assert rows(tmp_path) == before


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(base64url.decode(token.split(".")[1], 4096))
    return claims


async def mail_of(site: Site, email: str) -> list[str]:
    """Return the letters to this address, with the code and the address taken out."""
    assert site.edge.mailbox is not None
    code = await site.code_for(email)
    letters = [letter for letter in await site.edge.mailbox() if letter.to == email]
    return [
        (letter.subject + letter.text + letter.html).replace(code, "CODE").replace(email, "ADDRESS")
        for letter in letters
    ]
