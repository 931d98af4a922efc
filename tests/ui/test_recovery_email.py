"""The recovery address, as a person sets it in the pages, comes back by it, and removes it; without scripts."""

from __future__ import annotations

from pathlib import Path

import pytest

from http_site import EMAIL, PASSWORD, Site
from ui.reader import Reader
from ui.test_factors import an_hour_later

pytestmark = pytest.mark.anyio

SECOND = "hana.home@example.org"
NEW_PASSWORD = "atarashii himitsu desu"


async def with_recovery(site: Site) -> Reader:
    reader = Reader(site)
    await reader.sign_up()
    link = (await reader.open("/account")).by_id("to-recovery-email")
    assert link is not None
    await reader.open(link.attributes["href"])
    await reader.send("recovery-email", email=f" {SECOND} ", password=PASSWORD)
    done = await reader.send("recovery-email-code", code=await site.code_for(SECOND))
    assert (done.path, done.said("recovery-now")) == ("/account/recovery-email", SECOND)
    return reader


async def test_N_23_a_person_sets_a_recovery_address_and_is_told_what_is_wrong(site: Site) -> None:
    reader = Reader(site)
    await reader.sign_up()
    assert (await reader.open("/account/recovery-email")).said("recovery-none") == "You have no recovery address."
    own = await reader.send("recovery-email", email=EMAIL, password=PASSWORD)
    assert own.said("email-error").startswith("You sign in with this address.")
    wrong = await reader.send("recovery-email", email=SECOND, password="wrong and wrong")
    assert (wrong.answer.status_code, "wrong and wrong" in wrong.answer.text) == (401, False)

    code_page = await reader.send("recovery-email", email=SECOND, password=PASSWORD)
    assert code_page.said("notice").startswith("We have sent a mail to the recovery address.")
    assert SECOND not in str(code_page.answer.url)
    code = await site.code_for(SECOND)
    refused = await reader.send("recovery-email-code", code=f"{(int(code) + 1) % 1_000_000:06d}")
    assert refused.said("code-error").startswith("This code is not right")
    done = await reader.send("recovery-email-code", code=code)
    assert (done.path, done.said("recovery-now")) == ("/account/recovery-email", SECOND)
    assert done.said("notice").startswith("Your recovery address is set.")


async def test_N_23_who_has_lost_the_mailbox_comes_back_by_the_recovery_address(site: Site) -> None:
    await with_recovery(site)
    reader = Reader(site)
    page = await reader.begin_reset()
    assert "its recovery address if it has one" in page.answer.text
    await reader.send("password-reset-code", code=await site.code_for(SECOND))
    done = await reader.send("password-reset-new", password=NEW_PASSWORD)
    assert done.path == "/sign-in"
    assert (await reader.sign_in(password=NEW_PASSWORD)).path == "/account"


async def test_N_23_a_recovery_address_is_removed_after_a_question(site: Site) -> None:
    reader = await with_recovery(site)
    asked = await reader.open("/account/recovery-email/remove")
    assert SECOND in asked.answer.text
    done = await reader.send("recovery-email-remove")
    assert (done.path, done.said("recovery-none")) == ("/account/recovery-email", "You have no recovery address.")
    assert (await reader.open("/account/recovery-email/remove")).path == "/account/recovery-email"


async def test_V7_5_1_the_removal_asks_for_a_proof_and_then_goes_on_there(site: Site, tmp_path: Path) -> None:
    reader = await with_recovery(site)
    an_hour_later(tmp_path)
    asked = await reader.open("/account/recovery-email/remove")
    assert (asked.path, asked.focused()) == ("/step-up", "password")
    back = await reader.send("step-up", password=PASSWORD)
    assert (back.path, SECOND in back.answer.text) == ("/account/recovery-email/remove", True)
    an_hour_later(tmp_path)
    asked = await reader.send("recovery-email-remove")
    assert (asked.path, SECOND in (await reader.open("/account/recovery-email")).answer.text) == ("/step-up", True)


async def test_its_pages_are_for_the_owner(site: Site) -> None:
    for path in ("/account/recovery-email", "/account/recovery-email/remove"):
        assert (await Reader(site).open(path)).path == "/sign-in"
    reader = await with_recovery(site)
    assert (await reader.open("/account/recovery-email/code")).path == "/account/recovery-email"
