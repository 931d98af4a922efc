"""Codes by SMS over HTTP, on each transport."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from http_site import PASSWORD, Client, Site, open_site

pytestmark = pytest.mark.anyio

PHONE = "+819012345678"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(tmp_path, SEKISHO_FACTORS__KINDS="totp,email,sms", SEKISHO_SMS__COUNTRIES="JP") as running:
        yield running


async def code_on_the_phone(site: Site) -> str:
    caught = (await site.client().call("GET", "/dev/sms.json")).json()
    assert {frozenset(message) for message in caught} == {frozenset({"to", "text", "sent_at"})}
    found = re.search(r"#(\d{6})$", next(message["text"] for message in caught if message["to"] == PHONE))
    assert found is not None
    return found[1]


async def enrolled(client: Client, phone: str = "090-1234-5678") -> dict[str, Any]:
    begun = await client.post("auth/factors", {"kind": "sms", "name": "Phone", "phone": phone})
    assert begun.status_code == 201, begun.text
    assert set(begun.json()) == {"id", "kind", "expires_in", "number", "message"}
    code = await code_on_the_phone(client.site)
    done = await client.post(f"auth/factors/{begun.json()['id']}/confirm", {"code": code})
    assert done.status_code == 200, done.text
    answer: dict[str, Any] = done.json()
    return answer


async def test_a_phone_is_enrolled_listed_named_and_removed(site: Site) -> None:
    client = site.client()
    await client.signed_in()
    factor = (await enrolled(client))["factor"]
    assert (factor["kind"], factor["number"]) == ("sms", "+81 •••• 78")
    listed = (await client.get("auth/factors")).json()
    assert (listed["factors"], listed["available"]) == ([factor], ["email", "sms", "totp"])
    renamed = await client.call("PUT", f"auth/factors/{factor['id']}", {"name": "仕事"})
    assert renamed.json() == {**factor, "name": "仕事"}
    assert (await client.call("DELETE", f"auth/factors/{factor['id']}")).status_code == 200
    assert (await client.get("auth/factors")).json()["factors"] == []


@pytest.mark.parametrize("transport", ["body", "cookie", "session"])
async def test_the_second_step_by_sms_on_every_transport(site: Site, transport: str) -> None:
    client = site.client()
    await client.signed_in()
    await enrolled(client)
    caller = client if transport == "body" else site.browser()
    if transport != "body":
        await caller.get("auth/csrf")
    asked = (await caller.login(transport=transport)).json()
    assert asked["methods"] == ["recovery_code", "sms"]
    sent = await caller.post("auth/second-factor/send-code", {"challenge": asked["challenge"], "method": "sms"})
    assert (sent.status_code, set(sent.json())) == (200, {"message", "expires_in"})
    body = {"challenge": asked["challenge"], "method": "sms", "client_id": "web"}
    answer = await caller.post("auth/second-factor", {**body, "code": await code_on_the_phone(site)})
    assert answer.status_code == 200, answer.text
    assert ("refresh_token" in answer.json()) == (transport == "body")
    if transport == "session":
        own = (await caller.get("auth/session")).json()["session"]
        assert (own["amr"], own["acr"]) == (["pwd", "sms", "mfa"], "aal2")


async def test_step_up_by_sms(site: Site) -> None:
    client = site.client()
    await client.signed_in()
    await enrolled(client)
    told = await client.post("auth/step-up", {"password": PASSWORD})
    assert told.json()["details"]["methods"] == ["recovery_code", "sms"]
    assert (await client.post("auth/step-up/send-code", {"method": "sms"})).status_code == 200
    renewed = await client.post("auth/step-up", {"method": "sms", "code": await code_on_the_phone(site)})
    assert renewed.status_code == 200, renewed.text


@pytest.mark.parametrize(
    ("phone", "english", "japanese"),
    [
        ("0120-123-456", "Use the number of a mobile phone.", "携帯電話の番号を入力してください。"),
        ("+44 7400 123456", "not sent to numbers of this country", "この国の番号には SMS を送れません。"),
        ("12", "not a phone number that exists", "実在しない電話番号です。"),
    ],
)
async def test_a_number_that_does_not_do_is_refused_in_the_callers_language(
    site: Site, phone: str, english: str, japanese: str
) -> None:
    client = site.client()
    await client.signed_in()
    for locale, said in (("en", english), ("ja", japanese)):
        answer = await client.post("auth/factors", {"kind": "sms", "phone": phone}, accept_language=locale)
        assert (answer.status_code, answer.json()["error"]) == (400, "validation_error")
        assert said in answer.json()["message"]


async def test_V2_4_1_a_budget_answers_429_and_says_when_to_come_again(site: Site) -> None:
    client = site.client()
    await client.signed_in()
    for _ in range(3):
        assert (await client.post("auth/factors", {"kind": "sms", "phone": PHONE})).status_code == 201
    refused = await client.post("auth/factors", {"kind": "sms", "phone": PHONE})
    assert (refused.status_code, refused.json()["error"]) == (429, "rate_limit_exceeded")
    assert int(refused.headers["retry-after"]) > 0


async def test_the_mailbox_of_development_shows_text_messages_and_keeps_them_out_of_the_mail(site: Site) -> None:
    client = site.client()
    await client.signed_in()
    await client.post("auth/factors", {"kind": "sms", "phone": PHONE})
    code = await code_on_the_phone(site)
    assert PHONE not in (await client.call("GET", "/dev/mail.json")).text
    assert code in (await client.call("GET", "/dev/mail")).text
    stranger = await client.call("GET", "/dev/sms.json", host="evil.example")
    assert stranger.status_code == 404
