"""The steps of sign-up, login, refresh and withdrawal alone, empty, doubled and in the wrong order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from attacks.support import TRACES, rows, told
from http_site import EMAIL, PASSWORD, Client, Site

pytestmark = pytest.mark.anyio

SEND, RESEND, VERIFY = "auth/signup/send-code", "auth/signup/resend-code", "auth/signup/verify-code"
RESET_SEND, RESET_VERIFY, RESET_COMPLETE = (
    f"auth/password-reset/{step}" for step in ("send-code", "verify-code", "complete")
)
# Each step with a body that has the right form and, by itself, no right to anything.
STEPS: dict[str, tuple[str, dict[str, Any]]] = {
    SEND: ("POST", {"email": EMAIL, "password": PASSWORD, "client_id": "web"}),
    RESEND: ("POST", {"email": EMAIL, "client_id": "web"}),
    VERIFY: ("POST", {"email": EMAIL, "code": "123456", "client_id": "web"}),
    "auth/login": ("POST", {"email": EMAIL, "password": PASSWORD, "client_id": "web"}),
    RESET_SEND: ("POST", {"email": EMAIL}),
    RESET_VERIFY: ("POST", {"email": EMAIL, "code": "123456"}),
    RESET_COMPLETE: ("POST", {"reset_token": "skp_x", "password": PASSWORD}),
    "auth/not-me": ("POST", {"email": EMAIL, "code": "0000-0000-0000-0000"}),
    "auth/refresh": ("POST", {"refresh_token": "skr_x", "client_id": "web"}),
    "auth/logout-all": ("POST", {"except_current": True}),
    "user/profile": ("PUT", {"name": "x"}),
    "user/password": ("PUT", {"current_password": PASSWORD, "password": "another long password"}),
    "user/email/send-code": ("POST", {"email": "hana.new@example.com", "password": PASSWORD}),
    "user/email/verify-code": ("POST", {"email": "hana.new@example.com", "code": "123456"}),
    "user/account": ("DELETE", {"password": PASSWORD}),
}


NOT_WHOLE = {"validation_error", "unauthorized", "unsupported_media_type", "reset_token_invalid"}


@pytest.mark.parametrize("step", STEPS)
async def test_KA_060_V2_3_1_no_step_gives_anything_for_a_body_that_is_not_whole(
    site: Site, tmp_path: Path, step: str
) -> None:
    method, whole = STEPS[step]
    app = site.client()
    before = rows(tmp_path)
    required = {"auth/logout-all": set(), "auth/refresh": set(), "user/profile": set()}.get(step, set(whole))
    bodies: list[object] = [
        {},
        [],
        None,
        "",
        0,
        whole | {"unknown": 1},
        whole | {name: {"$ne": None} for name in whole},
    ]
    bodies += [{name: value for name, value in whole.items() if name != missing} for missing in required]
    bodies += [whole | {name: other} for name in whole for other in ("", 0, [], None) if name in required]

    for body in bodies:
        answer = await app.inner.request(method, f"/api/v1/{step}", json=body)
        # An empty password is a wrong one: it has no form of its own that could be refused.
        empty_password = {"invalid_credentials"} if body == whole | {"password": ""} else set()
        assert answer.json()["error"] in NOT_WHOLE | empty_password, body
    for other_method in ("GET", "HEAD", "PATCH"):
        answer = await app.call(other_method, step)
        assert answer.status_code in (401, 405)

    assert rows(tmp_path) == before


@pytest.mark.parametrize("step", [step for step in STEPS if step not in (SEND, RESET_SEND)])
async def test_KA_060_V8_2_1_no_step_works_before_the_ones_that_it_follows(
    site: Site, tmp_path: Path, step: str
) -> None:
    method, whole = STEPS[step]
    before = rows(tmp_path)

    answer = await site.client().call(method, step, whole)

    assert answer.status_code in (400, 401)
    assert rows(tmp_path) == before


async def test_KA_060_V6_4_1_a_sign_up_that_is_over_cannot_be_played_again(site: Site, tmp_path: Path) -> None:
    app, code, pending = await a_sent_code(site)
    body = {"email": EMAIL, "code": code, "client_id": "web", "pending": pending}
    assert (await app.post(VERIFY, body)).status_code == 201
    before = rows(tmp_path)

    replay = await app.post(VERIFY, body)
    resent = await app.post(RESEND, {"email": EMAIL, "client_id": "web", "pending": pending})

    assert told(replay) == told(resent) == (400, "session_not_found")
    assert rows(tmp_path) == before


async def test_KA_061_a_code_belongs_to_one_sign_up_one_address_and_one_app(site: Site, tmp_path: Path) -> None:
    app, code, pending = await a_sent_code(site)
    theirs = (await app.post(SEND, {"email": "ren@example.com", "password": PASSWORD, "client_id": "web"})).json()[
        "pending"
    ]
    before = rows(tmp_path, without=TRACES | {"one_time_codes"})
    good = {"email": EMAIL, "code": code, "client_id": "web", "pending": pending}

    answers = [
        await app.post(VERIFY, good | {"pending": theirs}),
        await app.post(VERIFY, good | {"email": "ren@example.com"}),
        await app.post(VERIFY, good | {"email": "ren@example.com", "pending": theirs}),
        await app.post(VERIFY, good | {"client_id": "shop"}),
        await app.post(VERIFY, good | {"client_id": "web:0123456789abcdef"}),
    ]

    assert [told(answer)[1] for answer in answers] == [
        "session_not_found",
        "session_not_found",
        "invalid_code",
        "client_id_mismatch",
        "client_id_mismatch",
    ]
    assert rows(tmp_path, without=TRACES | {"one_time_codes"}) == before
    assert (await app.post(VERIFY, good)).status_code == 201


async def test_KA_088_however_many_addresses_guess_five_codes_are_compared(site: Site, tmp_path: Path) -> None:
    app, code, pending = await a_sent_code(site)
    body = {"email": EMAIL, "client_id": "web", "pending": pending}
    guesses = [f"{guess:06d}" for guess in range(40) if f"{guess:06d}" != code]

    answers = [
        told(await site.client(ip=f"198.51.100.{number}").post(VERIFY, body | {"code": guess}))
        for number, guess in enumerate(guesses)
    ]

    assert answers == [(400, "invalid_code")] * 20 + [(429, "rate_limit_exceeded")] * (len(guesses) - 20)
    audit = sorted(rows(tmp_path, without=frozenset())["audit"])
    reasons = [line[8] for line in audit if line[1] == "sign_up"]
    assert reasons == ["wrong_code"] * 5 + ["code_dead"] * 15
    assert told(await app.post(VERIFY, body | {"code": code})) == (429, "rate_limit_exceeded")


async def test_KA_060_V2_3_1_V6_4_3_no_step_of_a_reset_stands_for_another(site: Site, tmp_path: Path) -> None:
    app = site.client()
    await app.signed_in()
    await app.post(RESET_SEND, {"email": EMAIL})
    code = await site.code_for(EMAIL)
    before = rows(tmp_path, without=TRACES | {"one_time_codes"})

    without_step = [
        await app.post(RESET_COMPLETE, {"reset_token": value, "password": "another long password"})
        for value in (code, app.auth, "skp_" + "A" * 115)
    ]
    other_flow = await app.post(VERIFY, {"email": EMAIL, "code": code, "client_id": "web"})
    token = (await app.post(RESET_VERIFY, {"email": EMAIL, "code": code})).json()["reset_token"]
    as_bearer = await site.client().get("auth/session", authorization=f"Bearer {token}")
    as_refresh = await app.post("auth/refresh", {"refresh_token": token, "client_id": "web"})
    replayed = await app.post(RESET_VERIFY, {"email": EMAIL, "code": code})

    assert {told(answer) for answer in without_step} == {(400, "reset_token_invalid")}
    assert told(other_flow) == (400, "session_not_found")
    assert told(as_bearer) == (401, "unauthorized")
    assert told(as_refresh) == (401, "refresh_token_invalid")
    assert told(replayed) == (400, "invalid_code")
    assert rows(tmp_path, without=TRACES | {"one_time_codes"}) == before


async def test_V3_5_1_V7_6_2_no_page_of_a_stranger_can_sign_anybody_in_or_out(site: Site, tmp_path: Path) -> None:
    page = await site.browser().ready()
    await page.sign_up(transport="session")
    before = rows(tmp_path)

    for origin in (
        "https://evil.example",
        "null",
        f"{site.public_origin}.evil.example",
        "http://localhost.evil.example",
    ):
        for step in ("auth/logout", "auth/logout-all", "auth/login", VERIFY):
            _, whole = STEPS.get(step, ("POST", None))
            body = whole | {"transport": "cookie"} if whole and step != "auth/logout-all" else None
            answer = await page.post(step, body, origin=origin)
            assert told(answer) == (403, "csrf_failed"), (origin, step)
            assert "access-control-allow-origin" not in answer.headers

    assert rows(tmp_path) == before


async def a_sent_code(site: Site) -> tuple[Client, str, str]:
    app = site.client()
    sent = await app.post(SEND, {"email": EMAIL, "password": PASSWORD, "client_id": "web"})
    return app, await site.code_for(EMAIL), sent.json()["pending"]
