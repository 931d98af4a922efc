"""Codes by text message and trusted browsers on the pages, without scripts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from http_site import Site, open_site
from ui.reader import Page, Reader
from ui.test_factors import codes_of, enrolled, factor_ids

pytestmark = pytest.mark.anyio

PHONE = "+819012345678"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    sms = {"SEKISHO_FACTORS__KINDS": "totp,email,sms", "SEKISHO_SMS__COUNTRIES": "JP"}
    async with open_site(tmp_path, SEKISHO_FACTORS__TRUSTED_DAYS="14", **sms) as opened:
        yield opened


async def code_on_the_phone(site: Site) -> str:
    caught = (await site.client().call("GET", "/dev/sms.json")).json()
    [code] = re.findall(r"#(\d{6})$", next(message["text"] for message in caught if message["to"] == PHONE))
    return str(code)


async def test_a_phone_is_enrolled_by_a_national_number_and_shown_masked(site: Site) -> None:
    reader = Reader(site)
    await reader.sign_up()
    page = await reader.open("/account/factors/add?kind=sms")
    assert page.focused() == "phone"
    for odd in ("", "12", "0120-123-456", "x" * 65):
        refused = await reader.send("factor-add", phone=odd, name="Mine")
        assert (refused.answer.status_code, bool(refused.said("phone-error"))) == (400, True), odd
        assert refused.form("factor-add").fields["name"] == "Mine"

    waiting = await reader.send("factor-add", phone="090-1234-5678", name="Mine")
    assert (waiting.path, "+81" in waiting.said("number"), "5678" in waiting.answer.text) == (
        "/account/factors/confirm",
        True,
        False,
    )
    done = await reader.send("factor-confirm", code=await code_on_the_phone(site))

    assert len(codes_of(done)) == 10
    listed = await reader.open("/account/factors")
    assert ("Mine" in listed.answer.text, "+81" in listed.answer.text, PHONE in listed.answer.text) == (
        True,
        True,
        False,
    )
    [factor_id] = factor_ids(listed)
    assert "+81" in (await reader.open(f"/account/factors/remove?factor={factor_id}")).answer.text


async def ask_for(reader: Reader, method: str) -> Page:
    await reader.sign_in()
    return await reader.open(f"/sign-in/code?method={method}")


async def test_a_browser_is_trusted_by_choice_and_asked_again_once_it_is_forgotten(site: Site) -> None:
    reader = Reader(site)
    await reader.sign_up()
    _, recovery = await enrolled(reader)
    await reader.open("/account")
    await reader.send("sign-out")

    page = await ask_for(reader, "recovery_code")
    assert "for 14 days" in page.answer.text
    wrong = await reader.send("second-factor", code=recovery[0][:-4] + "0000", trust_device="yes")
    assert "checked" in wrong.by_id("trust_device").attributes  # type: ignore[union-attr]
    assert (await reader.send("second-factor", code=recovery[0])).path == "/account"
    await reader.open("/account")
    await reader.send("sign-out")
    assert (await reader.sign_in()).path == "/account"
    stranger = Reader(site)
    assert (await stranger.sign_in()).path == "/sign-in/code"

    listed = await reader.open("/account/factors")
    [device] = [element.attributes["data-device"] for element in listed.elements if "data-device" in element.attributes]
    assert "This device" in listed.answer.text
    [form] = [form for form in listed.forms if form.action == "/account/devices/forget"]
    forgotten = await reader.post(form.action, form.fields)
    again = await reader.post(form.action, form.fields)
    assert (form.fields["device"], again.path, again.answer.status_code) == (device, "/account/factors", 200)
    assert (forgotten.by_id("devices"), bool(forgotten.said("notice"))) == (None, True)
    await reader.open("/account")
    await reader.send("sign-out")
    assert (await reader.sign_in()).path == "/sign-in/code"


async def test_without_the_box_no_browser_is_trusted(site: Site) -> None:
    reader = Reader(site)
    await reader.sign_up()
    _, recovery = await enrolled(reader)
    await reader.open("/account")
    await reader.send("sign-out")
    await ask_for(reader, "recovery_code")
    await reader.send("second-factor", code=recovery[0])
    assert (await reader.open("/account/factors")).by_id("devices") is None
    await reader.open("/account")
    await reader.send("sign-out")
    assert (await reader.sign_in()).path == "/sign-in/code"


async def test_where_nothing_is_trusted_nobody_is_asked_whether_to(tmp_path: Path) -> None:
    async with open_site(tmp_path, SEKISHO_FACTORS__TRUSTED_DAYS="0") as site:
        reader = Reader(site)
        await reader.sign_up()
        _, recovery = await enrolled(reader)
        other = Reader(site)
        page = await ask_for(other, "recovery_code")
        assert page.by_id("trust_device") is None
        refused = await other.send("second-factor", code=recovery[0], trust_device="yes")
        assert refused.answer.status_code == 400
        assert (await other.send("second-factor", code=recovery[0])).path == "/account"
