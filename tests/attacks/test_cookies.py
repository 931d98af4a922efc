"""Cookies as attackers meet them: what they carry, how large they get, and what a planted one is worth."""

from __future__ import annotations

import pytest

from attacks.support import told
from http_site import EMAIL, PASSWORD, Site

pytestmark = pytest.mark.anyio


async def test_V3_3_4_V3_3_5_V14_2_1_N_20_credentials_stay_in_set_cookie_and_hold_nothing_personal(
    secure_site: Site,
) -> None:
    for transport, kind in (("cookie", "rt"), ("session", "s")):
        page = await secure_site.browser().ready()
        email = f"{transport}@example.com"
        answers = [await page.sign_up(email, transport=transport)]
        value = page.inner.cookies[f"__Host-sekisho-{kind}-web"]
        answers += [await page.get(path) for path in ("auth/session", "auth/sessions", "user/profile", "auth/csrf")]

        for answer in answers:
            assert value not in answer.text
            for cookie in answer.headers.get_list("set-cookie"):
                assert len(cookie) < 4096
                assert "example.com" not in cookie
                assert answers[0].json()["user"]["id"] not in cookie


async def test_V3_3_2_V3_3_3_every_cookie_is_lax_host_only_and_secure(secure_site: Site) -> None:
    page = await secure_site.browser().ready()
    answers = [await page.sign_up(transport="cookie"), await page.post("auth/refresh"), await page.post("auth/logout")]

    for answer in (await secure_site.client().get("auth/csrf"), *answers):
        written = answer.headers.get_list("set-cookie")
        assert written
        for cookie in written:
            parts = {part.strip().lower() for part in cookie.split(";")[1:]}
            assert {"samesite=lax", "secure", "path=/"} <= parts
            assert not any(part.startswith("domain") for part in parts)
            assert cookie.startswith("__Host-") or cookie.startswith("csrftoken=")
            assert ("httponly" in parts) is not cookie.startswith("csrftoken=")


async def test_KA_043_V7_2_4_a_cookie_planted_before_sign_in_is_worth_nothing_afterwards(site: Site) -> None:
    attacker = await site.browser().ready()
    planted = {name: attacker.inner.cookies[name] for name in ("csrftoken", "sekisho-pre")}
    await site.client().sign_up()
    victim = await site.browser().ready()
    for name, value in planted.items():
        victim.plant(name, value)

    assert (await victim.login(transport="session")).status_code == 200

    assert planted["csrftoken"] != victim.inner.cookies["csrftoken"]
    for name, value in planted.items():
        victim.plant(name, value)
    answer = await victim.call("PUT", "user/profile", {"name": "Mallory"}, x_csrftoken=planted["csrftoken"])
    assert told(answer) == (403, "csrf_failed")


async def test_V7_2_3_V7_2_2_credentials_of_two_sign_ins_share_nothing_but_their_form(site: Site) -> None:
    await site.client().sign_up()
    tokens = [(await site.client().login()).json()["refresh_token"] for _ in range(4)]

    # Prefix, version and key id are the same; from the session id on nothing is.
    assert len({token[:10] for token in tokens}) == 1
    assert len({token[12:34] for token in tokens}) == len(tokens)
    assert len({token[34:56] for token in tokens}) == len(tokens)


async def test_V3_2_1_V4_1_1_an_answer_is_json_that_no_browser_renders(site: Site) -> None:
    page = site.client()
    for path in ("auth/csrf", "auth/session", "nothing", "/openapi.json", "/.well-known/jwks.json", "/healthz"):
        answer = await page.get(path, accept="text/html", sec_fetch_dest="document")
        assert answer.headers["content-type"] == "application/json; charset=utf-8" or path.startswith("/.well-known")
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "https://auth.example.com.evil.example",
        "https://evil-auth.example.com",
        "https://auth.example.com:444",
        "http://auth.example.com",
        "https://auth.example.com/",
        "https://AUTH.example.com",
        "https://auth.example.com@evil.example",
        "",
    ],
)
async def test_V3_4_2_V3_5_8_an_origin_that_only_looks_like_ours_reads_and_writes_nothing(
    secure_site: Site, origin: str
) -> None:
    await secure_site.client().sign_up()
    page = await secure_site.browser().ready()
    body = {"email": EMAIL, "password": PASSWORD, "client_id": "web", "transport": "cookie"}

    answer = await page.post("auth/login", body, origin=origin)

    assert told(answer) == (403, "csrf_failed")
    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-credentials" not in answer.headers
