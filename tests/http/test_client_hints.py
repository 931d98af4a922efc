"""Client hints: read where they are good, bounded, in words of closed lists, and never asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from http_site import Site
from sekisho.devices import BRANDS, PLATFORMS, DeviceReader
from sekisho.http.client_hints import client_hints
from sekisho.model import Device

READER = DeviceReader()
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
ON_ANDROID = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
BRAVE = b'"Brave";v="140", "Chromium";v="140", "Not=A?Brand";v="24"'


def hints(brands: bytes, platform: bytes = b'"Windows"', mobile: bytes = b"?0") -> str:
    return client_hints({b"sec-ch-ua": brands, b"sec-ch-ua-platform": platform, b"sec-ch-ua-mobile": mobile})


def test_a_browser_that_hides_in_its_user_agent_is_named_by_its_hints() -> None:
    assert READER.read(CHROME).name == "Chrome on Windows"
    found = READER.read(CHROME, hints(BRAVE))
    assert found == Device(name="Brave on Windows", os="Windows", browser="Brave", type="desktop")


@pytest.mark.parametrize(("mobile", "kind"), [(b"?1", "mobile"), (b"?0", "tablet"), (b"1", "tablet")])
def test_a_tablet_is_told_from_a_telephone(mobile: bytes, kind: str) -> None:
    chrome = b'"Google Chrome";v="140", "Chromium";v="140"'
    assert READER.read(ON_ANDROID, hints(chrome, b'"Android"', mobile)).type == kind


@pytest.mark.parametrize(
    "brands",
    [
        b"",
        b"Brave",
        b'"Somebody\'s own";v="1"',
        b'"Chromium";v="140", "Not=A?Brand";v="24"',
        b'"' + b"x" * 10_000 + b'";v="1"',
        b'"Brave\r\nSet-Cookie: x";v="1"',
        b"\xff\xfe",
    ],
)
def test_what_names_no_known_browser_leaves_the_user_agent_to_say_it(brands: bytes) -> None:
    assert READER.read(CHROME, hints(brands, b"nonsense", b"maybe")) == READER.read(CHROME)


def test_a_platform_and_a_brand_of_the_senders_own_are_not_taken_over() -> None:
    assert hints(b'"Evil";v="1"', b'"Evil OS"', b"?7") == ""


def test_without_brands_nothing_else_is_looked_at() -> None:
    assert client_hints({b"sec-ch-ua-platform": b'"Windows"'}) == ""


def test_an_app_that_sends_the_hints_of_its_web_view_is_still_the_app() -> None:
    assert READER.read("MyApp/3.1 (Android 14)", hints(BRAVE)) == READER.read("MyApp/3.1 (Android 14)")


@given(st.binary(max_size=600), st.binary(max_size=300), st.binary(max_size=20))
def test_whatever_is_sent_is_a_word_of_the_lists_or_nothing(brands: bytes, platform: bytes, mobile: bytes) -> None:
    found = hints(brands, platform, mobile)
    if found:
        brand, system, is_mobile = found.split("|")
        assert brand in ("", *BRANDS)
        assert system in ("", *PLATFORMS)
        assert is_mobile in ("", "?0", "?1")


@pytest.mark.anyio
async def test_the_list_of_sessions_names_the_browser_and_no_answer_asks_for_hints(site: Site) -> None:
    agent = {"user-agent": CHROME, "sec-ch-ua": BRAVE.decode(), "sec-ch-ua-platform": '"Windows"'}
    client = site.client(**agent, **{"sec-ch-ua-mobile": "?0"})
    await client.signed_in()
    answer = await client.get("auth/sessions")
    (session,) = answer.json()["sessions"]
    assert session["device"]["name"] == "Brave on Windows"
    assert "accept-ch" not in answer.headers
