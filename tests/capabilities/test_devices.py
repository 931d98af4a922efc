"""What a person recognises a session by."""

from __future__ import annotations

import re
from operator import attrgetter

import pytest
import ua_parser_rs
from hypothesis import given
from hypothesis import strategies as st
from ua_parser.loaders import load_lazy_builtins

from sekisho.devices import DeviceReader, lean_rules
from sekisho.model import Device

READER = DeviceReader()

BROWSERS, SYSTEMS, _ = load_lazy_builtins()
_WHOLE = attrgetter("regex", "family", "major", "minor", "patch", "patch_minor")
EXTRACTORS = (
    (ua_parser_rs.UserAgentExtractor(map(_WHOLE, BROWSERS)), ua_parser_rs.UserAgentExtractor(lean_rules(BROWSERS))),
    (ua_parser_rs.OSExtractor(map(_WHOLE, SYSTEMS)), ua_parser_rs.OSExtractor(lean_rules(SYSTEMS))),
)

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/124.0.0.0 Safari/537.36"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) {APPLE} Version/17.4 Mobile/15E148 Safari/604.1"


@pytest.mark.parametrize(
    ("user_agent", "name", "system", "browser", "kind"),
    [
        (WINDOWS, "Chrome on Windows", "Windows", "Chrome", "desktop"),
        (WINDOWS + " Edg/124.0.0.0", "Edge on Windows", "Windows", "Edge", "desktop"),
        (IPHONE, "Safari on iPhone", "iOS", "Safari", "mobile"),
        (
            f"Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) {APPLE} CriOS/120.0 Mobile/15E148 Safari/604.1",
            "Chrome on iPad",
            "iOS",
            "Chrome",
            "tablet",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Chrome/124.0.0.0 Mobile Safari/537.36",
            "Chrome on Android",
            "Android",
            "Chrome",
            "mobile",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 13; SM-X200) {WEBKIT} Chrome/124.0.0.0 Safari/537.36",
            "Chrome on Android",
            "Android",
            "Chrome",
            "tablet",
        ),
        (
            f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {APPLE} Version/17.4 Safari/605.1.15",
            "Safari on macOS",
            "macOS",
            "Safari",
            "desktop",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:124.0) Gecko/20100101 Firefox/124.0",
            "Firefox on Linux",
            "Linux",
            "Firefox",
            "desktop",
        ),
        (
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Googlebot",
            "",
            "Googlebot",
            "bot",
        ),
        ("MyApp/3.1 (iPhone; iOS 17.2; Scale/3.00)", "MyApp on iPhone", "iOS", "MyApp", "mobile"),
        ("curl/8.5.0", "curl", "", "curl", "other"),
        ("python-httpx/0.27.0", "python-httpx", "", "python-httpx", "other"),
        ("okhttp/4.12.0", "okhttp", "", "okhttp", "other"),
        ("node", "node", "", "node", "other"),
    ],
)
def test_a_user_agent_becomes_what_people_say(user_agent: str, name: str, system: str, browser: str, kind: str) -> None:
    assert READER.read(user_agent) == Device(name=name, os=system, browser=browser, type=kind)


@pytest.mark.parametrize("user_agent", ["", "   ", "Mozilla/5.0", "%00%ff", "日本語"])
def test_what_says_nothing_is_no_device(user_agent: str) -> None:
    assert READER.read(user_agent) == Device()


def family(found: object) -> object:
    return getattr(found, "family", None)


@given(st.data())
def test_rules_that_capture_no_version_name_the_same_families(data: st.DataObject) -> None:
    rule = data.draw(st.sampled_from([*BROWSERS, *SYSTEMS]))
    said = data.draw(st.from_regex(re.compile(rule.regex, re.ASCII)))
    for whole, lean in EXTRACTORS:
        assert family(whole.extract(said)) == family(lean.extract(said))


def test_only_the_first_512_characters_are_looked_at() -> None:
    assert READER.read("Mozilla/5.0 " + "x" * 500 + WINDOWS) == Device()
    assert READER.read(WINDOWS + "x" * 10_000_000).name == "Chrome on Windows"


def test_a_cubot_telephone_is_no_bot() -> None:
    cubot = f"Mozilla/5.0 (Linux; Android 9; CUBOT) {WEBKIT} Chrome/124.0.0.0 Mobile Safari/537.36"
    assert READER.read(cubot).type == "mobile"


@given(st.text(max_size=600))
def test_every_text_is_read_into_short_fields(user_agent: str) -> None:
    for text in (user_agent, "Mozilla/5.0 " + user_agent):
        found = READER.read(text)
        assert len(found.name) <= 132
        assert found.type in {"desktop", "mobile", "tablet", "bot", "other"}
