"""What a person recognises a session by: "Chrome on Windows", "Safari on iPhone".

From the user agent and the hints that browsers send beside it, so a claim and no proof. Modern user agents are frozen
(Windows 11 says 10, an iPad may say Mac), so versions and models are left out: they would be wrong more often than
they help.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import count
from typing import Any

import ua_parser_rs
from ua_parser.loaders import load_lazy_builtins

from sekisho.model import Device, Origin

_MAX_CHARACTERS = 512
_MAX_NAME = 64
_CACHED = 256
_WARM_UP = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"

# Of a rule's pattern, what may hold or be a bracket: an escaped mark, a class, a group that captures.
_BRACKETS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\\\]])*\]|\((?!\?)", re.DOTALL)
# Cubot makes telephones.
_BOT = re.compile(r"(?<!cu)bot\b|crawl|spider|slurp|headless|preview|monitor", re.IGNORECASE)
_PROGRAM = re.compile(r"[A-Za-z][A-Za-z0-9 ._-]*")
_TABLET = re.compile(r"iPad|Tablet", re.IGNORECASE)

_BROWSER_NOISE = re.compile(r" (?:Mobile|iOS|WebView|UI/WKWebView)\b")
_BROWSERS = {"Mobile Safari": "Safari", "IE": "Internet Explorer"}
_SYSTEMS = {"Mac OS X": "macOS", "Chrome OS": "ChromeOS"}
# What client hints may say, and what people call it. Chromium alone names no browser.
BRANDS = {
    "Google Chrome": "Chrome",
    "Microsoft Edge": "Edge",
    "Opera": "Opera",
    "Brave": "Brave",
    "Vivaldi": "Vivaldi",
    "Samsung Internet": "Samsung Internet",
    "YaBrowser": "Yandex Browser",
    "DuckDuckGo": "DuckDuckGo",
}
PLATFORMS = {
    "Windows": "Windows",
    "macOS": "macOS",
    "Linux": "Linux",
    "Android": "Android",
    "Chrome OS": "ChromeOS",
    "Chromium OS": "ChromeOS",
}
_DESKTOPS = {"Windows", "macOS", "ChromeOS", "Linux", "Ubuntu", "Fedora", "Debian", "FreeBSD", "OpenBSD"}
_MOBILES = {"iOS", "Android", "Windows Phone", "KaiOS", "HarmonyOS"}


@cache
def _extractors() -> tuple[ua_parser_rs.UserAgentExtractor, ua_parser_rs.OSExtractor]:
    """Return the compiled rules, once a process: they take tens of milliseconds and do not change."""
    browsers, systems, _ = load_lazy_builtins()
    return ua_parser_rs.UserAgentExtractor(lean_rules(browsers)), ua_parser_rs.OSExtractor(lean_rules(systems))


class DeviceReader:
    """Reads user agents with ua-parser's rules for browsers and systems.

    Loads at construction, so that no request waits for it. Its third set of rules, for device models,
    is not loaded: it takes more memory than the other two together and tells us nothing we show.
    """

    def __init__(self) -> None:
        self._browsers, self._systems = _extractors()
        self._cached = lru_cache(maxsize=_CACHED)(self._read)
        self._read_agent(_WARM_UP)

    def read(self, user_agent: str, hints: str = "") -> Device:
        """Return what the user agent (untrusted, at most 512 characters are looked at) says of itself.

        Args:
            hints: `brand|platform|mobile` in words of `BRANDS` and `PLATFORMS`, as `http.client_hints` gives them. Of
                a browser that sends hints they say more: user agents are frozen, and Brave calls itself Chrome there.
        """
        return self._cached(user_agent[:_MAX_CHARACTERS].strip(), hints)

    def read_origin(self, origin: Origin) -> Device:
        """Return what a request says of the device it comes from."""
        return self.read(origin.user_agent, origin.hints)

    def _read(self, user_agent: str, hints: str) -> Device:
        said = self._read_agent(user_agent)
        # An app or a tool that sends the hints of the browser inside it is still the app.
        if not hints or not user_agent.startswith("Mozilla/") or said.type == "bot":
            return said
        brand, platform, mobile = hints.split("|")
        system = PLATFORMS.get(platform, said.os)
        browser = BRANDS.get(brand, said.browser)
        place = _place_of(user_agent, system)
        kind = _type_of(user_agent, system)
        if system == "Android" and mobile:
            kind = "mobile" if mobile == "?1" else "tablet"
        name = f"{browser} on {place}" if browser and place else browser or place
        return Device(name=name, os=system, browser=browser, type=kind)

    def _read_agent(self, user_agent: str) -> Device:
        if not user_agent:
            return Device()
        system = self._system(user_agent)
        browser = self._browser(user_agent)
        place = _place_of(user_agent, system)
        name = f"{browser} on {place}" if browser and place else browser or place
        return Device(name=name, os=system, browser=browser, type=_type_of(user_agent, system))

    def _system(self, user_agent: str) -> str:
        found = self._systems.extract(user_agent)
        family = found.family if found else ""
        return _SYSTEMS.get(family, "" if family == "Other" else family)[:_MAX_NAME]

    def _browser(self, user_agent: str) -> str:
        if not user_agent.startswith("Mozilla/"):
            # An app or a tool names itself first, as RFC 9110 says: `okhttp/4.12.0`, `MyApp/3.1 (iPhone; …)`.
            program = _PROGRAM.match(user_agent.partition("/")[0].partition("(")[0])
            return program[0].strip()[:_MAX_NAME] if program else ""
        found = self._browsers.extract(user_agent)
        family = found.family if found else ""
        if family in ("", "Other"):
            return ""
        plain = _BROWSER_NOISE.sub("", family)
        return _BROWSERS.get(plain, plain)[:_MAX_NAME]


def lean_rules(matchers: Sequence[Any]) -> Iterator[tuple[str, str | None, None, None, None, None]]:
    """Return rules of ua-parser that name the same families and no versions."""
    for each in matchers:
        yield _capturing(each.regex, each.family or "$1"), each.family, None, None, None, None


def _capturing(pattern: str, family: str) -> str:
    """Return a rule's pattern that captures what its family says and no version, which nobody is shown: the same agents
    match, and each group that captures costs memory in every rule."""
    numbers = count(1)

    def group(found: re.Match[str]) -> str:
        return found[0] if found[0] != "(" or f"${next(numbers)}" in family else "(?:"

    return _BRACKETS.sub(group, pattern)


def _place_of(user_agent: str, system: str) -> str:
    """What people call it: the thing in the hand rather than its system."""
    if system == "iOS":
        return next((thing for thing in ("iPad", "iPhone", "iPod") if thing in user_agent), system)
    return system


def _type_of(user_agent: str, system: str) -> str:
    if _BOT.search(user_agent):
        return "bot"
    if system in _DESKTOPS and user_agent.startswith("Mozilla/"):
        return "desktop"
    if system in _MOBILES:
        # Android on a tablet leaves out "Mobile"; apps say neither and are nearly always on a phone.
        is_big = "Android" in user_agent and "Mobile" not in user_agent and user_agent.startswith("Mozilla/")
        return "tablet" if is_big or _TABLET.search(user_agent) else "mobile"
    return "other"
