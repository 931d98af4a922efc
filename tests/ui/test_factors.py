"""The second step on the account's pages, without scripts: adding, naming, removing, recovery codes, fresh proofs."""

from __future__ import annotations

import re
from pathlib import Path

import apsw
import pyotp
import pytest

from attacks.support import rows
from http_site import EMAIL, PASSWORD, Site, open_site
from ui.reader import Page, Reader
from ui.test_second_factor import with_factors

pytestmark = pytest.mark.anyio

HOUR_MS = 3_600_000
KEPT_BY_WORKERS = frozenset({"sqlite_sequence", "outbox"})


@pytest.fixture
async def reader(site: Site) -> Reader:
    reader = Reader(site)
    await reader.sign_up()
    return reader


def an_hour_later(folder: Path, hours: int = 1) -> None:
    """Let every session's proof be an hour older."""
    [path] = folder.rglob("*.db")
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(5000)
    connection.execute("UPDATE sessions SET auth_time_at = auth_time_at - ?", (hours * HOUR_MS,))
    connection.close()


def codes_of(page: Page) -> list[str]:
    return re.findall(r"<code>([0-9A-Z-]{29})</code>", page.answer.text)


def factor_ids(page: Page) -> list[str]:
    return [element.attributes["data-factor"] for element in page.elements if "data-factor" in element.attributes]


async def enrolled(reader: Reader, name: str = "My phone") -> tuple[pyotp.TOTP, list[str]]:
    """Enrol an app by the pages; return what it shows, and the recovery codes."""
    await reader.open("/account/factors/add?kind=totp")
    await reader.send("factor-add", name=name)
    app = pyotp.TOTP(reader.page.said("key").replace(" ", ""))
    return app, codes_of(await reader.send("factor-confirm", code=app.now()))


async def test_a_person_enrols_an_app_and_gets_ten_codes_once(reader: Reader) -> None:
    account = await reader.open("/account")
    await reader.open(account.by_id("to-factors").attributes["href"])  # type: ignore[union-attr]
    await reader.open(reader.page.by_id("add-totp").attributes["href"])  # type: ignore[union-attr]
    shown = await reader.send("factor-add", name="My phone")
    key = shown.said("key").replace(" ", "")

    assert shown.path == "/account/factors/confirm"
    assert (len(key), key in str(shown.answer.url), key in str(shown.answer.headers)) == (32, False, False)
    assert "<svg" in shown.answer.text
    assert shown.by_id("open-app").attributes["href"].startswith("otpauth://totp/")  # type: ignore[union-attr]
    assert (await reader.open(str(shown.answer.url))).said("key").replace(" ", "") == key
    wrong = await reader.send("factor-confirm", code="000000" if pyotp.TOTP(key).now() != "000000" else "000001")
    assert (wrong.answer.status_code, wrong.said("key").replace(" ", ""), wrong.focused()) == (400, key, "code")
    assert wrong.said("code-error").startswith("This code is not right")
    waiting = wrong.form("factor-confirm")
    done = await reader.send("factor-confirm", code=pyotp.TOTP(key).now())

    assert len(set(codes_of(done))) == 10
    again = await reader.post(waiting.action, {**waiting.fields, "code": pyotp.TOTP(key).now()})
    assert (again.path, again.said("notice")[:9], codes_of(again)) == ("/account/factors", "That one ", [])
    assert (again.said("unused-codes"), "My phone" in again.answer.text) == ("Unused recovery codes: 10", True)
    assert "My phone" in (await reader.open("/account")).said("factors")


async def test_looking_at_a_page_of_factors_changes_nothing(reader: Reader, tmp_path: Path) -> None:
    await enrolled(reader)
    [factor_id] = factor_ids(await reader.open("/account/factors"))
    await reader.open("/account/factors/add?kind=totp")
    waiting = (await reader.send("factor-add")).answer.url
    kept = rows(tmp_path, without=KEPT_BY_WORKERS)

    for path in ("add?kind=totp", "add?kind=email", f"rename?factor={factor_id}", f"remove?factor={factor_id}"):
        assert (await reader.open(f"/account/factors/{path}")).answer.status_code == 200
    for path in (str(waiting), "/account/recovery-codes", "/account/history", "/step-up", "/step-up/send-code"):
        assert (await reader.open(path)).answer.status_code == 200

    assert rows(tmp_path, without=KEPT_BY_WORKERS) == kept


async def test_codes_by_mail_are_enrolled_with_the_mailed_code_and_can_be_sent_again(site: Site) -> None:
    reader = Reader(site)
    await reader.sign_up()
    await reader.open("/account/factors/add?kind=email")
    await reader.send("factor-add")
    older = await site.code_for(EMAIL)
    await reader.send("factor-resend")
    newer = await site.code_for(EMAIL)
    if older != newer:
        assert (await reader.send("factor-confirm", code=older)).answer.status_code == 400
    done = await reader.send("factor-confirm", code=newer)

    assert len(codes_of(done)) == 10
    listed = await reader.open("/account/factors")
    assert (listed.by_id("add-email"), listed.by_id("add-totp") is not None) == (None, True)
    refused = await reader.post("/account/factors/add", {"csrf": await reader.csrf(), "kind": "email"})
    assert (refused.answer.status_code, refused.said("kind-error")[:16]) == (400, "This account has")


async def test_a_factor_gets_another_name_and_no_odd_one(reader: Reader) -> None:
    await enrolled(reader)
    [factor_id] = factor_ids(await reader.open("/account/factors"))
    page = await reader.open(f"/account/factors/rename?factor={factor_id}")
    assert page.form("factor-rename").fields["name"] == "My phone"
    odd = await reader.send("factor-rename", name="new\u202ename")
    assert (odd.answer.status_code, odd.said("name-error")[:11]) == (400, "Line breaks")
    done = await reader.send("factor-rename", name="<b>Old</b> phone")
    assert (done.path, done.said("notice")) == ("/account/factors", "The new name is saved.")
    assert (done.said(f"factor-{factor_id}"), "<b>Old" in done.answer.text) == ("<b>Old</b> phone", False)


async def test_removing_the_last_one_says_what_goes_with_it(reader: Reader) -> None:
    await enrolled(reader)
    [factor_id] = factor_ids(await reader.open("/account/factors"))
    page = await reader.open(f"/account/factors/remove?factor={factor_id}")
    assert "your recovery codes no longer work" in page.said("what-then")
    form = page.form("factor-remove")
    first = await reader.send("factor-remove")
    second = await reader.post(form.action, form.fields)
    assert (first.path, first.by_id("no-factors") is not None) == ("/account/factors", True)
    assert (second.path, second.answer.status_code) == ("/account/factors", 200)
    assert (await reader.open("/account/recovery-codes")).path == "/account/factors"
    await reader.open("/account")
    await reader.send("sign-out")
    assert (await reader.sign_in()).path == "/account"


async def test_a_factor_of_somebody_else_is_not_there(site: Site, reader: Reader) -> None:
    await enrolled(reader)
    [factor_id] = factor_ids(await reader.open("/account/factors"))
    await reader.open("/account/factors/add?kind=totp")
    waiting = str((await reader.send("factor-add")).answer.url)
    other = Reader(site)
    await other.sign_up("ren@example.com")
    for path in (f"/account/factors/rename?factor={factor_id}", f"/account/factors/remove?factor={factor_id}", waiting):
        page = await other.open(path)
        assert (page.path, page.said("notice")[:9]) == ("/account/factors", "That one "), path
    for name in ("rename", "remove", "confirm"):
        fields = {"csrf": await other.csrf(), "factor": factor_id, "name": "mine", "code": "123456"}
        fields = {key: value for key, value in fields.items() if key in FIELDS[name]}
        assert (await other.post(f"/account/factors/{name}", fields)).path == "/account/factors", name
    assert "My phone" in (await reader.open("/account/factors")).answer.text


FIELDS = {
    "rename": {"csrf", "factor", "name"},
    "remove": {"csrf", "factor"},
    "confirm": {"csrf", "factor", "code"},
}


async def test_new_recovery_codes_take_the_place_of_the_old(site: Site, reader: Reader) -> None:
    _, older = await enrolled(reader)
    await reader.open("/account/recovery-codes")
    newer = codes_of(await reader.send("recovery-codes"))
    assert (len(set(newer)), set(older) & set(newer)) == (10, set())
    signing_in = Reader(site)
    await signing_in.sign_in()
    await signing_in.open("/sign-in/code?method=recovery_code")
    assert (await signing_in.send("second-factor", code=older[0])).answer.status_code == 400
    assert (await signing_in.send("second-factor", code=newer[0])).path == "/account"


async def test_V7_5_1_what_changes_how_one_comes_in_asks_for_a_proof_and_then_goes_on_there(
    reader: Reader, tmp_path: Path
) -> None:
    an_hour_later(tmp_path)
    asked = await reader.open("/account/factors/add?kind=totp")
    assert (asked.path, asked.focused()) == ("/step-up", "password")
    wrong = await reader.send("step-up", password="wrong and wrong")
    assert (wrong.answer.status_code, wrong.path) == (401, "/step-up")
    assert wrong.said("password-error").startswith("The current password is not right")
    back = await reader.send("step-up", password=PASSWORD)
    assert (back.path, back.form("factor-add").fields["kind"]) == ("/account/factors/add", "totp")
    _, recovery = await enrolled(reader)

    [factor_id] = factor_ids(await reader.open("/account/factors"))
    for path in (
        "/account/password",
        "/account/email",
        "/account/recovery-email",
        "/account/withdraw",
        "/account/recovery-codes",
        "/account/factors/add?kind=email",
        f"/account/factors/remove?factor={factor_id}",
    ):
        an_hour_later(tmp_path)
        asked = await reader.open(path)
        assert (asked.path, asked.by_id("password")) == ("/step-up", None), path
        await reader.open(asked.by_id("use-recovery_code").attributes["href"])  # type: ignore[union-attr]
        back = await reader.send("step-up", code=recovery.pop())
        assert (back.answer.url.raw_path.decode(), back.answer.status_code) == (path, 200)


async def test_a_proof_that_grew_old_before_the_form_was_sent_is_asked_for_again_and_nothing_was_done(
    reader: Reader, tmp_path: Path
) -> None:
    await enrolled(reader)
    [factor_id] = factor_ids(await reader.open("/account/factors"))
    for path, form, typed in (
        ("/account/factors/add?kind=totp", "factor-add", {"name": "second"}),
        (f"/account/factors/remove?factor={factor_id}", "factor-remove", {}),
        ("/account/recovery-codes", "recovery-codes", {}),
        ("/account/password", "password-change", {"current_password": PASSWORD, "password": "another long password"}),
        ("/account/email", "email-change", {"email": "new@example.com", "password": PASSWORD}),
        ("/account/withdraw", "withdraw", {"password": PASSWORD}),
    ):
        await reader.open(path)
        an_hour_later(tmp_path)
        kept = rows(tmp_path)
        assert (await reader.send(form, **typed)).path == "/step-up", path
        assert rows(tmp_path) == kept, path
        an_hour_later(tmp_path, -1)


async def test_a_step_up_goes_back_to_the_app_that_asked_for_it_and_nowhere_else(tmp_path: Path) -> None:
    async with open_site(tmp_path, ALLOWED_ORIGINS="https://app.example.com") as site:
        reader = Reader(site)
        await reader.sign_up()
        page = await reader.open("/step-up?return_to=https://app.example.com/pay")
        assert page.by_id("back").attributes["href"] == "https://app.example.com/pay"  # type: ignore[union-attr]
        sent = await reader.send("step-up", follow=False, password=PASSWORD)
        assert (sent.answer.status_code, sent.answer.headers["location"]) == (303, "https://app.example.com/pay")
        for query in ("return_to=https://evil.example/", "then=//evil.example", "then=https://evil.example"):
            await reader.open(f"/step-up?{query}")
            assert (await reader.send("step-up", password=PASSWORD)).path == "/account", query


async def test_a_code_by_mail_steps_up_where_nothing_stronger_is_there(tmp_path: Path) -> None:
    async with open_site(tmp_path, SEKISHO_LIMITS__CODE_SENDS="9") as site:
        await with_factors(site, "email")
        await steps_up_by_mail(Reader(site), site, tmp_path)


async def steps_up_by_mail(reader: Reader, site: Site, tmp_path: Path) -> None:
    page = await reader.sign_in()
    await reader.open(page.answer.url.path + "?method=email")
    await reader.send("second-factor-send")
    assert (await reader.send("second-factor", code=await site.code_for(EMAIL))).path == "/account"
    an_hour_later(tmp_path)
    asked = await reader.open("/account/factors/add?kind=totp")
    await reader.open(asked.by_id("use-email").attributes["href"])  # type: ignore[union-attr]
    sent = await reader.send("step-up-send")
    assert (sent.said("notice")[:23], sent.said("step-up-send-submit")) == (
        "We have sent you a code",
        "Send me a new code",
    )
    assert (await reader.send("step-up", code=await site.code_for(EMAIL))).path == "/account/factors/add"


async def test_whoever_is_signed_out_meets_sign_in_on_every_one_of_these_pages(site: Site) -> None:
    for path in (
        "/step-up",
        "/account/factors",
        "/account/factors/add?kind=totp",
        "/account/factors/confirm?factor=x",
        "/account/factors/rename?factor=x",
        "/account/factors/remove?factor=x",
        "/account/recovery-codes",
        "/account/history",
    ):
        assert (await Reader(site).open(path)).path == "/sign-in", path
