"""A person's whole way through the pages, with JavaScript switched off."""

from __future__ import annotations

import pytest

from http_site import EMAIL, PASSWORD, Site
from ui.reader import Reader

pytestmark = pytest.mark.anyio


async def test_a_person_without_scripts_signs_up_looks_after_the_account_and_leaves(site: Site) -> None:
    laptop, phone = Reader(site), Reader(site)

    code_page = await laptop.begin_sign_up()
    assert code_page.path == "/sign-up/code"
    assert EMAIL in code_page.answer.text
    account = await laptop.send("sign-up-code", code=await site.code_for(EMAIL))
    assert (account.path, account.answer.status_code) == ("/account", 200)

    assert (await phone.sign_in()).path == "/account"
    await laptop.open("/account")
    assert laptop.page.answer.text.count("This device") == 1
    assert laptop.page.answer.text.count("<li data-session") == 2
    await laptop.send("end-others")
    assert laptop.page.said("notice") == "All other sessions have ended."
    assert (await phone.open("/account")).path == "/sign-in"
    assert phone.page.said("notice") == "Your session has ended. Please sign in again."

    await laptop.send("profile", name="Hana", locale="ja")
    assert laptop.page.form("profile").fields["name"] == "Hana"
    assert laptop.page.form("profile").fields["locale"] == "ja"

    assert (await laptop.send("sign-out")).path == "/signed-out"
    assert (await laptop.open("/account")).path == "/sign-in"
    assert (await laptop.sign_in()).path == "/account"

    await laptop.open("/account/withdraw")
    gone = await laptop.send("withdraw", password=PASSWORD)
    assert gone.said("said") == "Your account is closed and your personal data has been erased."
    assert (await laptop.sign_in()).answer.status_code == 401


async def test_one_session_ends_and_ending_it_twice_is_no_mistake(site: Site) -> None:
    laptop, phone = Reader(site), Reader(site)
    await laptop.sign_up()
    await phone.sign_in()
    await laptop.open("/account")
    (form,) = [form for form in laptop.page.forms if form.action == "/account/sessions/end"]

    first = await laptop.post(form.action, form.fields)
    second = await laptop.post(form.action, form.fields)

    assert first.said("notice") == second.said("notice") == "The session has ended."
    assert (await phone.open("/account")).path == "/sign-in"


async def test_a_new_code_is_sent_and_the_older_one_dies(site: Site) -> None:
    reader = Reader(site)
    await reader.begin_sign_up()
    older = await site.code_for(EMAIL)

    resent = await reader.send("sign-up-resend")
    assert (resent.path, resent.said("notice")[:29]) == ("/sign-up/code", "We have sent you a new code. ")
    newer = await site.code_for(EMAIL)
    if older != newer:
        refused = await reader.send("sign-up-code", code=older)
        assert refused.said("code-error").startswith("This code is not right")
    assert (await reader.send("sign-up-code", code=f" {newer[:3]} {newer[3:]} ")).path == "/account"


async def test_a_reload_shows_the_code_page_again_and_no_address_stands_in_its_own(site: Site) -> None:
    reader = Reader(site)
    await reader.begin_sign_up()

    again = await reader.open("/sign-up/code")

    assert EMAIL in again.answer.text
    assert "@" not in str(again.answer.url)
    assert (await Reader(site).open("/sign-up/code")).path == "/sign-up"


async def test_the_front_door_leads_to_sign_in_where_no_developer_is(site: Site) -> None:
    reader = Reader(site)
    front = await reader.open("/")
    assert "running for development" in front.answer.text


async def test_whoever_is_signed_in_is_not_asked_again(site: Site) -> None:
    reader = Reader(site)
    await reader.sign_up()

    assert (await reader.open("/sign-in")).path == "/account"
    assert (await reader.open("/sign-up")).path == "/account"
    assert (await reader.open("/sign-up/code")).path == "/account"


NEW_PASSWORD = "atarashii himitsu desu"


async def test_V6_4_3_a_person_who_forgot_the_password_gets_a_new_one_and_signs_in_with_it(site: Site) -> None:
    laptop, phone = Reader(site), Reader(site)
    await phone.sign_up()

    code_page = await laptop.begin_reset()
    assert (code_page.path, EMAIL in code_page.answer.text) == ("/password-reset/code", True)
    assert (await laptop.open("/password-reset/code")).path == "/password-reset/code"
    await laptop.send("password-reset-resend")
    assert laptop.page.said("notice").startswith("We have sent a mail to this address.")
    code = await site.code_for(EMAIL)
    wrong = await laptop.send("password-reset-code", code=f"{(int(code) + 1) % 1_000_000:06d}")
    assert wrong.said("code-error").startswith("This code is not right")

    new = await laptop.send("password-reset-code", code=code)
    assert (new.path, "skp_" in str(new.answer.url), "skp_" in new.answer.text) == ("/password-reset/new", False, False)
    weak = await laptop.send("password-reset-new", password="abc")
    assert weak.said("password-error").startswith("Use at least 8 characters. ")
    done = await laptop.send("password-reset-new", password=NEW_PASSWORD)

    assert (done.path, done.said("notice")) == ("/sign-in", "Your new password is set. Sign in with it.")
    assert (await laptop.open("/password-reset/new")).path == "/password-reset"
    assert (await phone.open("/account")).path == "/sign-in"
    assert (await phone.sign_in()).path == "/sign-in"
    assert (await laptop.sign_in(password=NEW_PASSWORD)).path == "/account"


async def test_a_reset_whose_time_is_over_leads_to_a_new_one(site: Site) -> None:
    first, second = Reader(site), Reader(site)
    await first.sign_up()
    await first.begin_reset()
    await first.send("password-reset-code", code=await site.code_for(EMAIL))
    await second.begin_reset()
    await second.send("password-reset-code", code=await site.code_for(EMAIL))
    await second.send("password-reset-new", password=NEW_PASSWORD)

    over = await first.send("password-reset-new", password="another long password")

    assert (over.answer.status_code, over.by_id("password")) == (400, None)
    assert over.said("alert").startswith("This reset is finished already")
    assert (await first.open("/password-reset")).path == "/password-reset"
    assert (await Reader(site).open("/password-reset/code")).path == "/password-reset"


async def test_V6_2_2_a_person_changes_the_password_and_then_the_address(site: Site) -> None:
    laptop, phone = Reader(site), Reader(site)
    await laptop.sign_up()
    await phone.sign_in()

    link = (await laptop.open("/account")).by_id("to-password-change")
    assert link is not None
    await laptop.open(link.attributes["href"])
    wrong = await laptop.send("password-change", current_password="wrong and wrong", password=NEW_PASSWORD)
    assert (wrong.answer.status_code, wrong.said("current_password-error")) == (
        401,
        "The current password is not right.",
    )
    assert "wrong and wrong" not in wrong.answer.text
    changed = await laptop.send("password-change", current_password=PASSWORD, password=NEW_PASSWORD)
    assert (changed.path, changed.said("notice")) == ("/account", "Your password is changed.")
    assert (await phone.open("/account")).path == "/sign-in"

    await laptop.open("/account/email")
    code_page = await laptop.send("email-change", email="hana.new@example.com", password=NEW_PASSWORD)
    assert code_page.said("notice").startswith("We have sent a mail to the new address.")
    code = await site.code_for("hana.new@example.com")
    refused = await laptop.send("email-change-code", code=f"{(int(code) + 1) % 1_000_000:06d}")
    assert refused.said("code-error").startswith("This code is not right")
    done = await laptop.send("email-change-code", code=code)
    assert (done.path, "hana.new@example.com" in done.answer.text) == ("/account", True)
    assert (await phone.sign_in("hana.new@example.com", NEW_PASSWORD)).path == "/account"
    assert (await Reader(site).open("/account/email")).path == "/sign-in"
    assert (await laptop.open("/account/email/code")).path == "/account/email"
