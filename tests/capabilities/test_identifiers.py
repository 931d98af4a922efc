"""Mail addresses and client ids: untrusted text to values. Names carry the rows of the security checklist."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.errors import ValidationError
from sekisho.identifiers import EmailAddress, parse_client_id, parse_email


def refused_email(text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        parse_email(text)
    assert refused.value.details == {"email": "invalid_email"}


@pytest.mark.parametrize(
    ("typed", "address", "key"),
    [
        ("Hanako@Example.COM", "Hanako@example.com", "hanako@example.com"),
        ("ｈａｎａｋｏ＠example.com", "hanako@example.com", "hanako@example.com"),
        ("hanako@例え.jp", "hanako@例え.jp", "hanako@xn--r8jz45g.jp"),
        ("hanako@xn--r8jz45g.jp", "hanako@例え.jp", "hanako@xn--r8jz45g.jp"),
        ("花子@example.jp", "花子@example.jp", "花子@example.jp"),
        ("hanako+tea@example.jp", "hanako+tea@example.jp", "hanako+tea@example.jp"),
        ("a@localhost", "a@localhost", "a@localhost"),
        ("A@Mail.LOCAL", "A@mail.local", "a@mail.local"),
        ("a@shop.test", "a@shop.test", "a@shop.test"),
    ],
)
def test_an_address_is_normalised_and_its_key_folded(typed: str, address: str, key: str) -> None:
    assert parse_email(typed) == EmailAddress(address, key)


@pytest.mark.parametrize(
    "mark", ["\r", "\n", "\r\n", "\0", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\t", "\u202e", "\u200b", "\x1b"]
)
@pytest.mark.parametrize("place", ["{}a@example.com", "a{}@example.com", "a@exam{}ple.com", "a@example.com{}"])
def test_KA_065_line_ends_and_invisible_characters_never_pass(mark: str, place: str) -> None:
    refused_email(place.format(mark))
    refused_email(place.format(mark) + "RCPT TO:<b@example.com>")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "a",
        "a@",
        "@example.com",
        "@localhost",
        "a@b@example.com",
        "a b@example.com",
        " a@example.com",
        "a@example.com ",
        '"a b"@example.com',
        "Hanako <a@example.com>",
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        "a@example",
        "a@exa_mple.com",
        "a@-example.com",
        "a@.test",
        "a@host.invalid",
        "a@example.com,b@example.com",
        "a@example.com>",
        "\ud800@example.com",
        "a" * 65 + "@example.com",
        "a@" + "b" * 250 + ".com",
    ],
)
def test_what_is_no_plain_address_is_refused(text: str) -> None:
    refused_email(text)


def test_a_megabyte_is_refused_before_any_work() -> None:
    refused_email("a" * 1_000_000 + "@example.com")


def test_a_refusal_does_not_quote_the_address() -> None:
    with pytest.raises(ValidationError) as refused:
        parse_email("secret.person@@example.com")
    assert "secret" not in f"{refused.value!r}{refused.value.detail}{refused.value.details}"


@given(st.emails())
def test_parsing_a_parsed_address_changes_nothing(text: str) -> None:
    try:
        first = parse_email(text)
    except ValidationError:
        return
    assert parse_email(first.address) == first
    assert parse_email(first.key).key == first.key


@given(st.text(max_size=60))
def test_every_text_is_an_address_or_a_refusal(text: str) -> None:
    try:
        found = parse_email(text + "@example.com")
    except ValidationError:
        return
    assert found.key.isprintable()
    assert found.key.count("@") == 1


@pytest.mark.parametrize(
    ("text", "app", "device"),
    [
        ("web", "web", ""),
        ("web:6f1c", "web", "6f1c"),
        ("com.example-shop_2", "com.example-shop_2", ""),
        ("a" * 64 + ":" + "b" * 128, "a" * 64, "b" * 128),
    ],
)
def test_a_client_id_is_an_app_and_perhaps_a_device(text: str, app: str, device: str) -> None:
    found = parse_client_id(text)
    assert (found.whole, found.app, found.device) == (text, app, device)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "web:",
        ":6f1c",
        "web:a:b",
        "we b",
        "web\n",
        "wéb",
        "web:ａ",
        "a" * 65,
        "web:" + "b" * 129,
        "web/1",
        "web;x",
    ],
)
def test_other_client_ids_are_refused(text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        parse_client_id(text)
    assert refused.value.details == {"client_id": "invalid_client_id"}
