"""The second step, step-up and factors over HTTP: what travels, and what does not."""

from __future__ import annotations

import pytest

from http_site import EMAIL, PASSWORD, Browser, Site, answer_to, enrolled
from sekisho.http.routes import ROUTES, SESSION

pytestmark = pytest.mark.anyio


async def test_the_whole_way_over_body(site: Site) -> None:
    client = site.client()
    await client.signed_in()
    app, done = await enrolled(client)
    assert set(done) == {"message", "factor", "recovery_codes", "ended"}
    assert len(done["recovery_codes"]) == 10

    asked = (await client.login()).json()
    assert set(asked) == {"status", "challenge", "methods", "expires_in"}
    assert (asked["status"], asked["expires_in"]) == ("second_factor_required", 300)
    assert asked["methods"] == ["totp", "recovery_code"]

    answer = await client.post("auth/second-factor", answer_to(asked, app.code()))
    assert answer.status_code == 200
    assert set(answer.json()) == {"message", "access_token", "refresh_token", "token_type", "expires_in", "user"}
    used = await client.post("auth/second-factor", answer_to(asked, app.code()))
    assert (used.status_code, used.json()["error"]) == (400, "session_not_found")


async def test_a_recovery_code_may_be_typed_with_spaces_around_its_hyphens(site: Site) -> None:
    client = site.client()
    await client.signed_in()
    _, done = await enrolled(client)
    asked = (await client.login()).json()
    typed = done["recovery_codes"][0].replace("-", " \uff0d ").lower()
    answer = await client.post("auth/second-factor", answer_to(asked, typed, method="recovery_code"))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("transport", ["cookie", "session"])
async def test_no_cookie_is_set_before_the_second_step_and_the_transport_is_kept(site: Site, transport: str) -> None:
    client = site.client()
    await client.signed_in()
    app, _ = await enrolled(client)
    browser: Browser = site.browser()
    await browser.get("auth/csrf")
    begun = await browser.login(transport=transport)
    assert begun.json()["status"] == "second_factor_required"
    assert "set-cookie" not in begun.headers
    assert "token" not in begun.text.replace("csrf_token", "")

    strange = site.client(origin="https://evil.example")
    refused = await strange.post("auth/second-factor", answer_to(begun.json(), app.code()))
    assert (refused.status_code, refused.json()["error"]) == (403, "csrf_failed")
    answer = await browser.post("auth/second-factor", answer_to(begun.json(), app.code()))
    assert answer.status_code == 200, answer.text
    assert "refresh_token" not in answer.json()
    assert "sekisho-" in answer.headers["set-cookie"]
    if transport == "session":
        own = (await browser.get("auth/session")).json()["session"]
        assert (own["amr"], own["acr"]) == (["pwd", "otp", "mfa"], "aal2")


async def test_KA_076_a_challenge_opens_nothing_but_the_second_step(site: Site) -> None:
    client = site.client()
    await client.signed_in()
    await enrolled(client)
    challenge = (await client.login()).json()["challenge"]
    half = site.client()
    half.auth = challenge
    for route in ROUTES:
        if route.callers == SESSION:
            answer = await half.call(route.method, route.path.replace("{id}", "x"), {} if route.body else None)
            assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized"), route.path
    half.inner.cookies.set("sekisho-s-web", challenge)
    half.auth = None
    assert (await half.get("auth/session")).status_code == 401
    refreshed = await half.post("auth/refresh", {"refresh_token": challenge, "client_id": "web"})
    assert refreshed.json()["error"] == "refresh_token_invalid"


async def test_V6_5_8_no_time_of_the_client_counts(site: Site) -> None:
    client = site.client()
    await client.signed_in()
    app, _ = await enrolled(client)
    asked = (await client.login()).json()
    told = await client.post("auth/second-factor", answer_to(asked, app.code(), now=0))
    assert (told.status_code, told.json()["details"]) == (400, {"now": "unknown_field"})
    later = app._codes.at(app._last + 100)
    dated = await client.post("auth/second-factor", answer_to(asked, later), date="Fri, 01 Jan 2100 00:00:00 GMT")
    assert dated.json()["error"] == "invalid_code"


async def test_V7_5_3_step_up_is_asked_for_in_the_words_of_rfc_9470_and_keeps_the_session(site: Site) -> None:
    client = site.client()
    pair = await client.signed_in()
    app, done = await enrolled(client)
    weak = site.client()
    asked = (await weak.login()).json()
    entered = await weak.post("auth/second-factor", answer_to(asked, app.code()))
    weak.auth = entered.json()["access_token"]

    told = await weak.post("auth/step-up", {"password": PASSWORD})
    assert (told.status_code, told.json()["error"]) == (401, "step_up_required")
    assert told.json()["details"] == {"max_age": 300, "acr": "aal2", "methods": ["totp", "recovery_code"]}
    header = told.headers["www-authenticate"]
    assert 'error="insufficient_user_authentication"' in header
    assert 'max_age="300", acr_values="aal2"' in header

    renewed = await weak.post("auth/step-up", {"method": "recovery_code", "code": done["recovery_codes"][0]})
    assert renewed.status_code == 200, renewed.text
    assert set(renewed.json()) == {"access_token", "token_type", "expires_in", "user"}
    assert "set-cookie" not in renewed.headers
    refreshed = await weak.post("auth/refresh", {"refresh_token": entered.json()["refresh_token"], "client_id": "web"})
    assert refreshed.status_code == 200
    assert (await client.get("auth/session")).json()["user"] == pair["user"]


async def test_factors_are_listed_named_and_removed(site: Site) -> None:
    client = site.client()
    await client.signed_in()
    _, done = await enrolled(client)
    factor = done["factor"]
    listed = (await client.get("auth/factors")).json()
    assert listed == {"factors": [factor], "recovery_codes": 10, "available": ["email", "totp"]}
    assert set(factor) == {"id", "kind", "name", "created_at", "last_used_at"}

    renamed = await client.call("PUT", f"auth/factors/{factor['id']}", {"name": "新しい電話"})
    assert renamed.json() == {**factor, "name": "新しい電話"}
    made = (await client.post("auth/factors/recovery-codes")).json()
    assert len(set(made["recovery_codes"]) | set(done["recovery_codes"])) == 20
    removed = await client.call("DELETE", f"auth/factors/{factor['id']}", {"end_other_sessions": True})
    assert removed.json()["ended"] == 0
    assert (await client.get("auth/factors")).json()["factors"] == []
    assert "access_token" in (await client.login()).json()


async def test_a_mailed_code_goes_to_the_owner_and_never_into_an_answer(site: Site) -> None:
    client = site.client()
    await client.signed_in()
    begun = await client.post("auth/factors", {"kind": "email"})
    assert set(begun.json()) == {"id", "kind", "expires_in", "message"}
    await client.post(f"auth/factors/{begun.json()['id']}/confirm", {"code": await site.code_for(EMAIL)})
    asked = (await client.login()).json()
    sent = await client.post("auth/second-factor/send-code", {"challenge": asked["challenge"], "method": "email"})
    code = await site.code_for(EMAIL)
    assert (sent.status_code, sent.json()["expires_in"]) == (200, 600)
    assert code not in sent.text
    entered = await client.post("auth/second-factor", answer_to(asked, code, "email"))
    assert entered.status_code == 200


async def test_V6_4_3_after_a_reset_by_mail_the_answer_names_what_waits_for_another_method(site: Site) -> None:
    client = site.client()
    await client.signed_in()
    app, _ = await enrolled(client)
    begun = await client.post("auth/factors", {"kind": "email"})
    await client.post(f"auth/factors/{begun.json()['id']}/confirm", {"code": await site.code_for(EMAIL)})
    stranger = site.client()
    await stranger.post("auth/password-reset/send-code", {"email": EMAIL})
    typed = {"email": EMAIL, "code": await site.code_for(EMAIL)}
    allowed = (await stranger.post("auth/password-reset/verify-code", typed)).json()
    new = {"reset_token": allowed["reset_token"], "password": "atarashii himitsu desu"}
    assert (await stranger.post("auth/password-reset/complete", new)).status_code == 200

    asked = (await stranger.login(password=new["password"])).json()
    assert (asked["methods"], asked["suspended"]) == (["totp", "recovery_code"], ["email"])
    wanted = {"challenge": asked["challenge"], "method": "email"}
    for answer in (
        await stranger.post("auth/second-factor/send-code", wanted),
        await stranger.post("auth/second-factor", answer_to(asked, "123456", "email")),
    ):
        assert (answer.status_code, answer.json()["error"]) == (400, "validation_error")
        assert answer.json()["details"] == {"method": "not_available"}
    entered = await client.post("auth/second-factor", answer_to(asked, app.code()))
    assert entered.status_code == 200, entered.text
    again = (await client.login(password=new["password"])).json()
    assert (again["methods"], "suspended" in again) == (["totp", "recovery_code", "email"], False)
