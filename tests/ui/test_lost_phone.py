"""Who has lost the phone: what brings them back, what does not, and what an operator can do for them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from http_site import EMAIL, Site
from live_server import sekisho
from ui.reader import Reader
from ui.test_factors import codes_of, enrolled, factor_ids

pytestmark = pytest.mark.anyio

NEW_PASSWORD = "atarashii himitsu desu"


async def subjects(site: Site) -> list[str]:
    """Return the subjects of the mails to the owner, oldest first."""
    assert site.edge.mailbox
    return [letter.subject for letter in reversed(await site.edge.mailbox()) if letter.to == EMAIL]


async def told(site: Site, words: str) -> bool:
    """Say whether a mail about this has come; one that a command queues is sent a moment later."""
    for _ in range(600):
        if any(words in subject for subject in await subjects(site)):
            return True
        await asyncio.sleep(0.05)
    return False


async def by_operator(folder: Path, *words: str) -> str:
    done = await asyncio.to_thread(sekisho, "--dev", "user", *words, folder=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def reset(reader: Reader, site: Site) -> None:
    await reader.open("/password-reset")
    await reader.send("password-reset", email=EMAIL)
    await reader.send("password-reset-code", code=await site.code_for(EMAIL))
    done = await reader.send("password-reset-new", password=NEW_PASSWORD)
    assert done.path == "/sign-in"


async def test_V6_4_4_one_thing_alone_brings_nobody_in_and_two_of_different_kinds_do(site: Site) -> None:
    owner = Reader(site)
    await owner.sign_up()
    _, recovery = await enrolled(owner)

    stranger = Reader(site)
    assert (await stranger.sign_in()).path == "/sign-in/code"
    assert (await stranger.open("/account")).path == "/sign-in"
    without_password = Reader(site)
    await without_password.open("/sign-in")
    fields = {"csrf": without_password.page.form("sign-in").fields["csrf"]}
    guessed = await without_password.post("/sign-in/code", {**fields, "method": "recovery_code", "code": recovery[0]})
    assert (guessed.path, guessed.answer.status_code) == ("/sign-in/code", 400)
    assert (await without_password.open("/account")).path == "/sign-in"
    by_mail = Reader(site)
    await reset(by_mail, site)
    assert (await by_mail.sign_in(password=NEW_PASSWORD)).path == "/sign-in/code"
    assert (await by_mail.open("/account")).path == "/sign-in"

    await by_mail.open("/sign-in/code?method=recovery_code")
    assert (await by_mail.send("second-factor", code=recovery[0])).path == "/account"


async def test_V6_4_4_N_24_the_way_back_replaces_the_lost_app_and_the_owner_hears_of_each_step(site: Site) -> None:
    owner = Reader(site)
    await owner.sign_up()
    _, recovery = await enrolled(owner, "Lost phone")
    back = Reader(site)
    await back.sign_in()
    await back.open("/sign-in/code?method=recovery_code")
    await back.send("second-factor", code=recovery[0])
    [lost] = factor_ids(await back.open("/account/factors"))
    _, again = await enrolled(back, "New phone")
    await back.open(f"/account/factors/remove?factor={lost}")
    await back.send("factor-remove", end_others="yes")

    assert again == []
    assert (await owner.open("/account")).path == "/sign-in"
    await back.open("/account/recovery-codes")
    newer = codes_of(await back.send("recovery-codes"))
    assert (len(newer), set(newer) & set(recovery)) == (10, set())
    for words in ("recovery code was used", "added", "removed", "New recovery codes"):
        assert await told(site, words), (words, await subjects(site))
    assert "Lost phone" not in (await back.open("/account/factors")).answer.text


async def test_V6_4_3_V6_4_4_one_mailbox_is_never_worth_both_steps(site: Site) -> None:
    """The thief reads the mailbox and nothing else; the owner has the app; then all is as it was."""
    owner = Reader(site)
    await owner.sign_up()
    _, recovery = await enrolled(owner)
    await owner.open("/account/factors/add?kind=email")
    await owner.send("factor-add")
    await owner.send("factor-confirm", code=await site.code_for(EMAIL))

    thief = Reader(site, ip="198.51.100.23")
    await reset(thief, site)
    assert (await owner.open("/account")).path == "/sign-in"
    page = await thief.sign_in(password=NEW_PASSWORD)
    assert (page.path, page.by_id("use-email")) == ("/sign-in/code", None)
    assert "one mailbox is not enough for both steps" in page.said("second-factor-suspended")
    assert "ask whoever runs this service" in page.said("second-factor-suspended")
    for path, typed in (("/sign-in/send-code", {}), ("/sign-in/code", {"code": "123456"})):
        letters = len(await subjects(site))
        refused = await thief.post(path, {**page.form("second-factor").fields, "method": "email", **typed})
        assert (refused.answer.status_code, len(await subjects(site))) == (400, letters), path
    page = await thief.open("/sign-in/code?method=email")
    assert page.said("second-factor-hint").startswith("Enter the 6 digits that your authenticator app")
    for path in ("/account", "/account/factors", "/step-up", "/account/recovery-codes"):
        assert (await thief.open(path)).path == "/sign-in", path

    back = Reader(site)
    await reset(back, site)
    await back.sign_in(password=NEW_PASSWORD)
    await back.open("/sign-in/code?method=recovery_code")
    assert (await back.send("second-factor", code=recovery[0])).path == "/account"
    assert "Codes by mail can be used again" in (await back.open("/account/history")).answer.text

    by_mail = Reader(site)
    page = await by_mail.sign_in(password=NEW_PASSWORD)
    assert page.by_id("second-factor-suspended") is None
    await by_mail.open("/sign-in/code?method=email")
    await by_mail.send("second-factor-send")
    assert (await by_mail.send("second-factor", code=await site.code_for(EMAIL))).path == "/account"


async def test_V6_4_3_why_no_code_is_mailed_is_said_in_japanese(site: Site) -> None:
    owner = Reader(site, language="ja")
    await owner.sign_up()
    await enrolled(owner)
    await owner.open("/account/factors/add?kind=email")
    await owner.send("factor-add")
    await owner.send("factor-confirm", code=await site.code_for(EMAIL))
    await reset(owner, site)
    page = await owner.sign_in(password=NEW_PASSWORD)
    assert "いまはメールのコードを使えません" in page.said("second-factor-suspended")


async def test_V6_4_4_a_mailed_code_beside_a_lost_app_opens_the_account_and_not_its_second_step(site: Site) -> None:
    owner = Reader(site)
    await owner.sign_up()
    await enrolled(owner)
    await owner.open("/account/factors/add?kind=email")
    await owner.send("factor-add")
    await owner.send("factor-confirm", code=await site.code_for(EMAIL))
    lost, _ = factor_ids(await owner.open("/account/factors"))

    back = Reader(site)
    await back.sign_in()
    await back.open("/sign-in/code?method=email")
    await back.send("second-factor-send")
    assert (await back.send("second-factor", code=await site.code_for(EMAIL))).path == "/account"
    for path in (f"/account/factors/remove?factor={lost}", "/account/recovery-codes", "/account/password"):
        asked = await back.open(path)
        assert (asked.path, asked.by_id("use-email"), asked.by_id("password")) == ("/step-up", None, None), path
        refused = await back.post(asked.form("step-up").action, {**asked.form("step-up").fields, "method": "email"})
        assert refused.answer.status_code >= 400, path


async def test_V6_4_4_N_24_an_operator_takes_every_second_step_away_and_the_owner_hears_of_it(
    site: Site, tmp_path: Path
) -> None:
    owner = Reader(site)
    await owner.sign_up()
    _, recovery = await enrolled(owner)
    waiting = Reader(site)
    await waiting.sign_in()

    assert EMAIL in await by_operator(tmp_path, "reset-factors", EMAIL)

    assert (await owner.open("/account")).path == "/sign-in"
    await waiting.open("/sign-in/code?method=recovery_code")
    over = await waiting.send("second-factor", code=recovery[0])
    assert (over.answer.status_code, over.by_id("start-again") is not None) == (400, True)
    back = Reader(site)
    assert (await back.sign_in()).path == "/account"
    assert (await back.open("/account/factors")).by_id("no-factors") is not None
    assert await told(site, "second factors of your account")
    history = await back.open("/account/history")
    assert "The operator removed all second steps" in history.answer.text


async def test_V6_4_6_a_password_that_an_operator_took_away_is_set_anew_by_mail_with_the_second_step_asked(
    site: Site, tmp_path: Path
) -> None:
    owner = Reader(site)
    await owner.sign_up()
    _, recovery = await enrolled(owner)
    wrong = (await Reader(site).sign_in(password="wrong and wrong")).said("password-error")

    await by_operator(tmp_path, "force-password-change", EMAIL)

    assert (await owner.open("/account")).path == "/sign-in"
    refused = await owner.sign_in()
    assert (refused.answer.status_code, refused.said("password-error")) == (401, wrong)
    assert refused.by_id("to-password-reset") is not None
    assert await told(site, "password")
    await reset(owner, site)
    assert (await owner.sign_in(password=NEW_PASSWORD)).path == "/sign-in/code"
    await owner.open("/sign-in/code?method=recovery_code")
    assert (await owner.send("second-factor", code=recovery[0])).path == "/account"
