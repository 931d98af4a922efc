"""The page between password and session, without scripts."""

from __future__ import annotations

import pyotp
import pytest

from http_site import EMAIL, PASSWORD, Site
from ui.reader import Reader

pytestmark = pytest.mark.anyio


async def with_factors(site: Site, *kinds: str) -> tuple[pyotp.HOTP, int, list[str]]:
    """Sign somebody up and enrol; return the app's codes, the step that they begin with, and the recovery codes."""
    client = site.client()
    await client.signed_in()
    step, recovery = site.edge.login.clock.now() // 30_000, []
    codes = pyotp.HOTP(pyotp.random_base32())
    for kind in kinds:
        begun = (await client.post("auth/factors", {"kind": kind})).json()
        if kind == "totp":
            codes = pyotp.HOTP(begun["secret"])
        code = codes.at(step - 1) if kind == "totp" else await site.code_for(EMAIL)
        done = (await client.post(f"auth/factors/{begun['id']}/confirm", {"code": code})).json()
        recovery += done.get("recovery_codes", [])
    return codes, step, recovery


async def test_V6_3_4_a_person_without_scripts_signs_in_with_an_app(site: Site) -> None:
    codes, step, _ = await with_factors(site, "totp")
    reader = Reader(site)
    page = await reader.sign_in()
    assert (page.path, page.answer.status_code, page.focused()) == ("/sign-in/code", 200, "code")
    assert (await reader.open("/account")).path == "/sign-in"
    await reader.open("/sign-in/code")
    wrong = await reader.send("second-factor", code="000000" if codes.at(step) != "000000" else "000001")
    assert wrong.answer.status_code == 400
    assert "what the app shows now" in wrong.said("code-error")
    assert (await reader.send("second-factor", code=codes.at(step))).path == "/account"
    assert "sekisho-page-second-factor" not in reader.inner.cookies
    assert (await reader.open("/sign-in/code")).path == "/account"


async def test_a_lost_phone_is_no_lost_account(site: Site) -> None:
    _, _, recovery = await with_factors(site, "totp")
    reader = Reader(site)
    page = await reader.sign_in()
    link = page.by_id("use-recovery_code")
    assert link is not None
    page = await reader.open(link.attributes["href"])
    assert page.by_id("use-totp") is not None
    assert (await reader.send("second-factor", code=recovery[0].lower())).path == "/account"


async def test_a_code_by_mail_is_sent_when_it_is_asked_for(site: Site) -> None:
    await with_factors(site, "totp", "email")
    reader = Reader(site)
    page = await reader.sign_in()
    page = await reader.open(page.by_id("use-email").attributes["href"])  # type: ignore[union-attr]
    page = await reader.send("second-factor-send")
    assert page.said("notice").startswith("We have sent you a code.")
    assert (await reader.send("second-factor", code=await site.code_for(EMAIL))).path == "/account"


async def test_a_sign_in_that_is_over_says_so_and_leads_back(site: Site) -> None:
    await with_factors(site, "totp")
    reader = Reader(site)
    await reader.sign_in()
    for number in range(6):
        page = await reader.send("second-factor", code=f"{number:06}")
        if page.by_id("second-factor") is None:
            break
    assert page.said("alert").startswith("This sign-in is over")
    assert page.by_id("start-again") is not None
    fresh = Reader(site)
    assert (await fresh.open("/sign-in/code")).path == "/sign-in"
    again = await fresh.post("/sign-in/code", {"method": "totp", "code": "123456", "csrf": "x"})
    assert again.answer.status_code == 403


async def test_the_page_speaks_japanese_and_keeps_the_way_back(site: Site) -> None:
    codes, step, _ = await with_factors(site, "totp")
    reader = Reader(site, language="ja")
    page = await reader.sign_in(EMAIL, PASSWORD, query="?return_to=/account/withdraw")
    assert page.said("second-factor-hint").startswith("認証アプリ")
    assert (await reader.send("second-factor", code=codes.at(step))).path == "/account/withdraw"
