"""Each call of DESIGN section 8 as written: status, code, fields, texts in both languages."""

from __future__ import annotations

import asyncio

import pytest

from http_site import EMAIL, PASSWORD, Site

pytestmark = pytest.mark.anyio


async def test_send_code_answers_its_fields_in_the_callers_language(site: Site) -> None:
    body = {"email": EMAIL, "password": PASSWORD, "client_id": "web"}

    answer = await site.client(**{"accept-language": "ja,en;q=0.5"}).post("auth/signup/send-code", body)

    assert set(answer.json()) == {"message", "email", "expires_in", "pending"}
    assert (answer.json()["email"], answer.json()["expires_in"]) == (EMAIL, 900)
    assert "コード" in answer.json()["message"]


async def test_V6_3_8_an_address_that_has_an_account_gets_the_same_answers(site: Site) -> None:
    await site.client().sign_up()
    app = site.client()
    bodies = [{"email": email, "password": PASSWORD, "client_id": "web"} for email in (EMAIL, "new@example.com")]

    known, new = [await app.post("auth/signup/send-code", body) for body in bodies]
    wrong = [
        await app.post(
            "auth/signup/verify-code",
            {
                "email": answer.json()["email"],
                "code": "000000",
                "client_id": "web",
                "pending": answer.json()["pending"],
            },
        )
        for answer in (known, new)
    ]

    assert known.status_code == new.status_code == 200
    assert known.json().keys() == new.json().keys()
    assert known.json()["message"] == new.json()["message"]
    assert wrong[0].content == wrong[1].content
    assert wrong[0].status_code == 400


async def test_verify_code_refuses_with_the_codes_of_the_table(site: Site) -> None:
    app = site.client()
    nothing = await app.post("auth/signup/verify-code", {"email": EMAIL, "code": "123456", "client_id": "web"})
    await app.post("auth/signup/send-code", {"email": EMAIL, "password": PASSWORD, "client_id": "web"})
    code = await site.code_for(EMAIL)
    other = "111111" if code != "111111" else "222222"
    wrong = await app.post("auth/signup/verify-code", {"email": EMAIL, "code": other, "client_id": "web"})
    mismatch = await app.post("auth/signup/verify-code", {"email": EMAIL, "code": code, "client_id": "shop"})
    right = await app.post("auth/signup/verify-code", {"email": EMAIL, "code": code, "client_id": "web"})

    assert (nothing.status_code, nothing.json()["error"]) == (400, "session_not_found")
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_code")
    assert (mismatch.status_code, mismatch.json()["error"]) == (401, "client_id_mismatch")
    assert right.status_code == 201


async def test_login_is_limited_and_says_when_to_come_back(site: Site) -> None:
    app = site.client()
    await app.sign_up()

    answers = [await app.login(password="wrong password!") for _ in range(6)]

    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[0].json()["error"] == "invalid_credentials"
    assert answers[5].json()["error"] == "rate_limit_exceeded"
    assert 0 < int(answers[5].headers["retry-after"]) <= 300


async def test_KA_087_forwarding_headers_do_not_get_around_a_limit(site: Site) -> None:
    app = site.client()
    await app.sign_up()
    body = {"email": EMAIL, "password": "wrong password!", "client_id": "web"}

    answers = [
        await app.post("auth/login", body, x_forwarded_for=f"198.51.100.{number}", forwarded=f"for=198.51.100.{number}")
        for number in range(6)
    ]

    assert answers[-1].status_code == 429


async def test_a_hundred_parallel_refreshes_answer_200_with_one_successor(site: Site) -> None:
    app = site.client()
    pair = await app.signed_in()
    body = {"refresh_token": pair["refresh_token"], "client_id": "web"}

    answers = await asyncio.gather(*(app.post("auth/refresh", body) for _ in range(100)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    assert set(answers[0].json()) == {"access_token", "refresh_token", "token_type", "expires_in"}


async def test_a_replayed_refresh_token_ends_the_session_at_once(site: Site) -> None:
    app = site.client()
    first = await app.signed_in()
    second = (await app.post("auth/refresh", {"refresh_token": first["refresh_token"], "client_id": "web"})).json()
    await app.post("auth/refresh", {"refresh_token": second["refresh_token"], "client_id": "web"})

    replay = await app.post("auth/refresh", {"refresh_token": first["refresh_token"], "client_id": "web"})

    assert (replay.status_code, replay.json()["error"]) == (401, "refresh_token_invalid")
    assert (await app.get("auth/session")).json()["error"] == "session_revoked"


async def test_a_refresh_token_of_another_client_ends_the_session(site: Site) -> None:
    app = site.client()
    pair = await app.signed_in(client_id="phone:0123456789abcdef")

    other = await app.post("auth/refresh", {"refresh_token": pair["refresh_token"], "client_id": "phone"})

    assert (other.status_code, other.json()["error"]) == (401, "client_id_mismatch")
    assert (await app.get("auth/session")).json()["error"] == "session_revoked"


async def test_logout_is_idempotent_for_every_credential(site: Site) -> None:
    app = site.client()
    pair = await app.signed_in()
    body = {"refresh_token": pair["refresh_token"], "client_id": "web"}
    page = await site.browser().ready()
    await page.login(transport="cookie")
    app.auth = None

    by_token = [await app.post("auth/logout", body) for _ in range(2)]
    by_bearer = await app.post("auth/logout", authorization=f"Bearer {pair['access_token']}")
    by_cookie = [await page.post("auth/logout") for _ in range(2)]
    forged = await app.post("auth/logout", {"refresh_token": "skr_forged", "client_id": "web"})

    for answer in (*by_token, by_bearer, *by_cookie, forged):
        assert answer.status_code == 200
        assert set(answer.json()) == {"message"}
    assert "sekisho-rt-web" not in page.cookie_names()


@pytest.mark.parametrize("path", ["auth/logout-all", "auth/sessions/logout-all"])
async def test_logout_all_ends_and_counts(site: Site, path: str) -> None:
    app = site.client()
    await app.signed_in()
    for _ in range(2):
        await app.login()

    others = await app.post(path, {"except_current": True})
    everything = await app.post(path)

    assert (others.json()["ended"], everything.json()["ended"]) == (2, 1)
    assert (await app.get("auth/session")).json()["error"] == "session_revoked"


async def test_the_session_list_has_exactly_its_fields_and_marks_this_one(site: Site) -> None:
    app = site.client(
        **{"user-agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"}
    )
    await app.signed_in()
    await app.login()

    sessions = (await app.get("auth/sessions")).json()["sessions"]
    own = (await app.get("auth/session")).json()

    fields = {"id", "client_id", "transport", "device", "ip", "place", "created_at", "last_seen_at", "expires_at"}
    assert all(set(session) == fields | {"amr", "current"} for session in sessions)
    assert [session["current"] for session in sessions].count(True) == 1
    assert set(own) == {"user", "session"}
    proof = {name: own["session"].pop(name) for name in ("auth_time", "acr")}
    assert proof == {"auth_time": own["session"]["created_at"], "acr": "aal1"}
    assert own["session"] in sessions
    assert set(own["session"]["device"]) == {"name", "os", "browser", "type"}
    assert own["session"]["device"]["type"] == "desktop"


async def test_V8_2_2_ending_a_session_of_somebody_else_looks_like_ending_nothing(site: Site) -> None:
    app, other = site.client(), site.client()
    await app.signed_in()
    await other.signed_in("ren@example.com")
    foreign = (await other.get("auth/session")).json()["session"]["id"]

    refused = await app.call("DELETE", f"auth/sessions/{foreign}")
    unknown = await app.call("DELETE", "auth/sessions/AAAAAAAAAAAAAAAAAAAAAA")

    assert (refused.status_code, refused.content) == (404, unknown.content)
    assert (await other.get("auth/session")).status_code == 200


async def test_ending_a_session_by_its_id_is_heard_at_once(site: Site) -> None:
    app, phone = site.client(), site.client()
    await app.signed_in()
    phone.auth = (await phone.login()).json()["access_token"]
    phone_id = (await phone.get("auth/session")).json()["session"]["id"]

    ended = await app.call("DELETE", f"auth/sessions/{phone_id}")

    assert ended.status_code == 200
    assert (await phone.get("auth/session")).json()["error"] == "session_revoked"


async def test_the_profile_is_read_and_changed(site: Site) -> None:
    app = site.client()
    await app.signed_in()

    changed = await app.call("PUT", "user/profile", {"name": "花", "locale": "ja"})
    long = await app.call("PUT", "user/profile", {"name": "x" * 101})
    locale = await app.call("PUT", "user/profile", {"locale": "xx"})

    assert (changed.json()["name"], changed.json()["locale"]) == ("花", "ja")
    assert (await app.get("user/profile")).json() == changed.json()
    assert long.json()["details"] == {"name": "too_long"}
    assert locale.json()["details"] == {"locale": "invalid_choice"}


async def test_withdrawal_asks_the_password_and_frees_the_address(site: Site) -> None:
    app = site.client()
    pair = await app.signed_in()

    wrong = await app.call("DELETE", "user/account", {"password": "not the password"})
    done = await app.call("DELETE", "user/account", {"password": PASSWORD})
    again = await site.client().sign_up()

    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_credentials")
    assert done.status_code == 200
    assert (await app.get("auth/session")).json()["error"] == "session_revoked"
    refreshed = await app.post("auth/refresh", {"refresh_token": pair["refresh_token"], "client_id": "web"})
    assert refreshed.json()["error"] == "refresh_token_invalid"
    assert again.status_code == 201
    assert again.json()["user"]["id"] != pair["user"]["id"]


async def test_KA_066_the_code_never_leaves_by_http(site: Site) -> None:
    app = site.client()
    body = {"email": EMAIL, "password": PASSWORD, "client_id": "web"}
    sent = await app.post("auth/signup/send-code", body)
    first = await site.code_for(EMAIL)
    resent = await app.post("auth/signup/resend-code", {"email": EMAIL, "client_id": "web"})
    second = await site.code_for(EMAIL)

    assert resent.json()["pending"] == sent.json()["pending"]
    for answer in (sent, resent):
        told = answer.text + str(dict(answer.headers))
        assert first not in told
        assert second not in told


async def test_V6_4_1_a_reset_goes_from_the_address_to_the_new_password_and_signs_nobody_in(site: Site) -> None:
    app = site.client()
    await app.signed_in()

    sent = await app.post("auth/password-reset/send-code", {"email": EMAIL})
    allowed = await app.post("auth/password-reset/verify-code", {"email": EMAIL, "code": await site.code_for(EMAIL)})
    completed = await app.post(
        "auth/password-reset/complete",
        {"reset_token": allowed.json()["reset_token"], "password": "atarashii himitsu desu"},
    )

    assert (sent.status_code, sorted(sent.json())) == (200, ["email", "expires_in", "message"])
    assert (allowed.status_code, allowed.json()["expires_in"], len(allowed.json())) == (200, 600, 2)
    assert (completed.status_code, sorted(completed.json())) == (200, ["message"])
    assert all("set-cookie" not in answer.headers for answer in (sent, allowed, completed))
    assert (await app.get("auth/session")).json()["error"] == "session_revoked"
    assert (await app.login()).json()["error"] == "invalid_credentials"
    assert (await app.login(password="atarashii himitsu desu")).status_code == 200


async def test_V6_5_1_KA_070_of_fifty_calls_with_one_right_reset_code_one_gets_a_token(site: Site) -> None:
    app = site.client()
    await app.signed_in()
    await app.post("auth/password-reset/send-code", {"email": EMAIL})
    body = {"email": EMAIL, "code": await site.code_for(EMAIL)}

    answers = await asyncio.gather(
        *(site.client(ip=f"198.51.100.{number}").post("auth/password-reset/verify-code", body) for number in range(50))
    )
    tokens = [answer.json()["reset_token"] for answer in answers if answer.status_code == 200]
    passwords = [f"{number} atarashii himitsu" for number in range(10)]
    completed = await asyncio.gather(
        *(
            app.post("auth/password-reset/complete", {"reset_token": tokens[0], "password": password})
            for password in passwords
        )
    )

    assert len(tokens) == 1
    assert sorted(answer.status_code for answer in completed) == [200, *[400] * 9]


async def test_the_history_is_read_by_its_owner_page_by_page(site: Site) -> None:
    app = site.client()
    bearer = {"authorization": f"Bearer {(await app.signed_in())['access_token']}"}
    await app.post("auth/login", {"email": EMAIL, "password": "not the password", "client_id": "web"})

    answer = await app.get("auth/history", **bearer)
    wrong = await app.get("auth/history?after=12", **bearer)
    nobody = await site.client().get("auth/history")

    newest, *older = answer.json()["events"]
    assert set(newest) == {"event", "outcome", "method", "at", "ip", "place", "device"}
    assert (newest["event"], newest["outcome"]) == ("login", "failure")
    assert older[-1]["event"] == "sign_up"
    assert answer.json()["next"] is None
    assert (wrong.status_code, wrong.json()["details"]) == (400, {"after": "invalid_format"})
    assert nobody.status_code == 401


NEW_PASSWORD = "atarashii himitsu desu"


async def test_V6_2_2_V6_2_3_a_password_is_changed_with_the_current_one_and_this_session_goes_on(site: Site) -> None:
    app, other = site.client(), site.client()
    await app.signed_in()
    other.auth = (await other.login()).json()["access_token"]

    without = await app.call("PUT", "user/password", {"password": NEW_PASSWORD})
    wrong = await app.call("PUT", "user/password", {"current_password": "wrong one", "password": NEW_PASSWORD})
    done = await app.call("PUT", "user/password", {"current_password": PASSWORD, "password": NEW_PASSWORD})

    assert (without.status_code, without.json()["details"]) == (400, {"current_password": "required"})
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_credentials")
    assert (done.status_code, done.json()["ended"], sorted(done.json())) == (200, 1, ["ended", "message"])
    assert (await app.get("auth/session")).status_code == 200
    assert (await other.get("auth/session")).json()["error"] == "session_revoked"
    assert (await site.client().login(password=NEW_PASSWORD)).status_code == 200


async def test_V6_3_7_an_address_is_changed_by_a_code_and_both_addresses_are_told(site: Site) -> None:
    app, new = site.client(), "hana.new@example.com"
    await app.signed_in()

    sent = await app.post("user/email/send-code", {"email": new, "password": PASSWORD})
    before = (await app.get("user/profile")).json()
    changed = await app.post("user/email/verify-code", {"email": new, "code": await site.code_for(new)})

    assert (sent.status_code, sorted(sent.json())) == (200, ["email", "expires_in", "message"])
    assert (changed.status_code, changed.json()) == (200, before | {"email": new})
    assert site.edge.mailbox is not None
    told = [letter.to for letter in await site.edge.mailbox() if letter.subject.endswith("was changed")]
    assert sorted(told) == sorted([EMAIL, new])


async def test_changes_by_cookie_need_the_csrf_value(site: Site) -> None:
    page = await site.browser().ready()
    await page.sign_up(transport="session")
    calls = [
        ("PUT", "user/password", {"current_password": PASSWORD, "password": NEW_PASSWORD}),
        ("POST", "user/email/send-code", {"email": "hana.new@example.com", "password": PASSWORD}),
        ("POST", "user/email/verify-code", {"email": "hana.new@example.com", "code": "123456"}),
    ]
    refused = [await page.call(*call, x_csrftoken="stale") for call in calls]
    assert {(answer.status_code, answer.json()["error"]) for answer in refused} == {(403, "csrf_failed")}
