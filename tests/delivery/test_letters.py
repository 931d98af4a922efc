"""Letters: complete in both languages, exact, and deaf to what values try to be."""

from __future__ import annotations

import html
import re
from functools import partial
from itertools import product

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from delivery.letter_values import VALUES, mail, render_for_tea
from sekisho.catalogue import LOCALES
from sekisho.catalogue import text as text_of_pages
from sekisho.delivery.letters import LETTER_LOCALES, render
from sekisho.model import Mail
from sekisho.outbox import REQUIRED_VALUES, MailKind
from sekisho.ports.mail import MailRefused

# Values that choose a sentence instead of standing in one.
CHOOSING = {"at", "factor", "reasons", "account_is", "password_was", "recovery_was", "factors_were", "address_was"}

every_letter = pytest.mark.parametrize(("kind", "locale"), [(k, locale) for k in MailKind for locale in LOCALES])


def test_letters_speak_the_languages_of_the_catalogue() -> None:
    assert LETTER_LOCALES == LOCALES


def test_every_kind_names_its_values() -> None:
    assert REQUIRED_VALUES.keys() == set(MailKind)
    assert {kind: frozenset(values) for kind, values in VALUES.items()} == REQUIRED_VALUES


@every_letter
def test_every_letter_tells_the_same_in_text_and_html(kind: MailKind, locale: str) -> None:
    letter = render_for_tea(mail(kind, locale=locale))
    shown = html.unescape(re.sub(r"<[^>]+>", "", letter.html.partition("</head>")[2]))
    for told in (
        *(value for name, value in VALUES[kind].items() if name not in CHOOSING),
        "https://auth.tea.example",
    ):
        assert told in letter.text
        assert told in shown
    assert letter.subject
    assert "Tea House" in letter.subject
    assert letter.subject in shown
    for sentence in re.findall(r"[^.。\n(]{12,}[.。]", letter.text.partition("\n--\n")[0]):
        assert sentence.strip(" -") in shown


@every_letter
def test_every_letter_is_laid_out_cleanly(kind: MailKind, locale: str) -> None:
    text = render_for_tea(mail(kind, locale=locale)).text
    assert "\n\n\n" not in text
    assert "{" not in text
    assert text.endswith("\n")
    assert text.count("\n\n") >= 3
    if "203.0.113.7" in text:
        assert "(203.0.113.7)\n\n" in text


@every_letter
def test_html_loads_nothing_and_links_nowhere(kind: MailKind, locale: str) -> None:
    page = render_for_tea(mail(kind, locale=locale)).html
    assert f'<html lang="{locale}">' in page
    assert not re.search(r"(?i)<(a|img|script|link|iframe|form)\b|url\(|@import|\bsrc=|\bon\w+=", page)


@every_letter
def test_a_letter_without_one_of_its_values_is_a_mistake(kind: MailKind, locale: str) -> None:
    for missing in VALUES[kind]:
        values = {name: value for name, value in VALUES[kind].items() if name != missing}
        with pytest.raises(UndefinedError):
            render_for_tea(Mail(kind=kind, to="hana@example.com", locale=locale, values=values))


def test_a_code_letter_says_code_lifetime_and_what_to_do_if_it_was_not_you() -> None:
    english, japanese = (render_for_tea(mail(locale=locale)).text for locale in LOCALES)
    for said in ("012345", "15 minutes", "not you", "ignore this mail", "Do not tell anybody"):
        assert said in english
    for said in ("012345", "15 分間", "お心当たりがない", "無視してください", "誰にも教えないで"):
        assert said in japanese


def test_the_subject_of_a_code_letter_does_not_show_the_code() -> None:
    assert "012345" not in render_for_tea(mail()).subject


def test_times_are_written_as_people_write_them() -> None:
    assert "21 November 2026, 09:30 UTC" in render_for_tea(mail(MailKind.SESSION_REPLAYED)).text
    assert "2026年11月21日 09:30 (UTC)" in render_for_tea(mail(MailKind.SESSION_REPLAYED, locale="ja")).text


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    letter = render_for_tea(mail(MailKind.SESSION_REPLAYED, device="", place="", ip=""))
    assert "unknown device" in letter.text
    assert "unknown place\n" in letter.text
    assert "()" not in letter.html


FATES = ("removed", "kept", "none")


@pytest.mark.parametrize("account_is", ["open", "blocked"])
@pytest.mark.parametrize("password_was", FATES)
def test_an_owner_who_gets_an_account_back_is_told_what_went_and_what_to_do_next(
    account_is: str, password_was: str
) -> None:
    for recovery_was, factors_were in product(FATES, FATES):
        values = {"account_is": account_is, "password_was": password_was, "recovery_was": recovery_was}
        english, japanese = (
            render_for_tea(mail(MailKind.EMAIL_RESET, locale=locale, factors_were=factors_were, **values)).text
            for locale in LOCALES
        )
        for is_so, en, ja in (
            (account_is == "blocked", "the account is still blocked", "まだ無効"),
            (password_was == "kept", "sign in with this address and your password", "このアドレスとパスワードで"),
            (password_was != "kept", "Forgot your password?", "パスワードをお忘れですか?"),
            (password_was == "removed", "Your password does not work any more.", "パスワードは使えなくなりました"),
            (password_was == "none", "Your account has no password.", "パスワードがありません"),
            (factors_were == "removed", "recovery codes were removed", "第二要素と回復コードは削除されました"),
            (factors_were == "kept", "Your second factor is asked for as before.", "第二要素は今までどおり"),
            (recovery_was == "removed", "Your recovery address was removed.", "回復用アドレスは削除されました"),
            (recovery_was == "kept", "Your recovery address stays as it was.", "回復用アドレスはそのまま"),
            ("removed" in (recovery_was, factors_were), "set up again", "登録し直せます"),
        ):
            assert (en in english, ja in japanese) == (is_so, is_so)
        assert "  " not in english


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("address_was", ["address", "recovery_address"])
def test_a_former_address_gets_a_reference_to_quote_and_nothing_to_act_with(address_was: str, locale: str) -> None:
    letter = render_for_tea(mail(MailKind.EMAIL_RESET_FORMER, locale=locale, address_was=address_was))
    assert ("recovery" in letter.subject or "回復用" in letter.subject) is (address_was == "recovery_address")
    assert "q3Zl0v8hRk2mXw9T" in letter.text
    assert "@" not in letter.text
    assert not re.search(r"/(not-me|password-reset|sign-in)|[0-9A-Z]{4}-[0-9A-Z]{4}", letter.text)


def test_an_unspoken_language_is_answered_in_english() -> None:
    assert render_for_tea(mail(locale="../../etc")) == render_for_tea(mail(locale="en"))


def test_an_unknown_kind_is_a_mistake() -> None:
    with pytest.raises(TemplateNotFound):
        render_for_tea(Mail(kind="../layout", to="hana@example.com", locale="en"))


@pytest.mark.parametrize("typed", ["{{7*7}}", "{% include 'layout.html' %}", "${7*7}", "{{ self.__class__ }}"])
def test_template_code_in_a_value_stays_as_typed(typed: str) -> None:
    letter = render_for_tea(mail(MailKind.SESSION_REPLAYED, device=typed))
    assert typed in letter.text
    assert typed in html.unescape(letter.html)
    assert "49" not in letter.text


def test_markup_in_a_value_or_in_the_product_name_is_escaped() -> None:
    shop = partial(render, product_name="<b>Tea</b> & Co", public_url="https://tea.example")
    letter = shop(mail(MailKind.SESSION_REPLAYED, device='<img src="https://evil.example/x">'))
    assert "<img" not in letter.html
    assert "<b>" not in letter.html
    assert '<img src="https://evil.example/x">' in letter.text


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\x00", "\x85", "\u2028", "\u2029", "\x0b", "\x1b"])
def test_a_value_cannot_begin_a_line_of_its_own(break_: str) -> None:
    letter = render_for_tea(mail(MailKind.SESSION_REPLAYED, device=f"Phone{break_}{break_}Call us: 555"))
    assert "Phone Call us: 555\n" in letter.text
    assert "Phone Call us: 555<" in letter.html


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\x00", "\u2028"])
def test_the_product_name_cannot_add_headers_through_the_subject(break_: str) -> None:
    letter = render(mail(), product_name=f"Tea{break_}Bcc: x@evil.example", public_url="https://tea.example")
    assert letter.subject == "Your code to sign up for Tea Bcc: x@evil.example"


def test_a_value_of_great_length_is_cut() -> None:
    assert "x" * 513 not in render_for_tea(mail(MailKind.SESSION_REPLAYED, device="x" * 5000)).text


@pytest.mark.parametrize(
    "address",
    [
        "a@example.com\r\nRCPT TO:<b@evil.example>",
        "a@example.com\n",
        "a\x00@example.com",
        "a\u2028@example.com",
        "a@example.com,b@evil.example",
        "a@example.com;b@evil.example",
        "<a@example.com>",
        "Hana <a@example.com>",
        '"a b"@example.com',
        "a@b@example.com",
        "nobody",
        "",
    ],
)
def test_an_address_that_could_say_more_than_an_address_is_refused(address: str) -> None:
    with pytest.raises(MailRefused, match="unsafe address"):
        render_for_tea(mail(to=address))


def test_an_address_in_another_script_is_an_address() -> None:
    assert render_for_tea(mail(to="花子@例え.jp")).to == "花子@例え.jp"


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", [MailKind.NOT_ME, MailKind.PASSWORD_CHANGE_FORCED])
def test_a_letter_that_names_a_link_of_a_page_names_it_as_the_page_does(kind: MailKind, locale: str) -> None:
    letter = render_for_tea(mail(kind, locale=locale))
    named = text_of_pages("page.sign_in.forgot", locale)
    assert named in letter.text
    assert named in html.unescape(letter.html)
