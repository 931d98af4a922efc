"""Rules about text messages: where they may go, and that nobody reads or sends them on the way to the gateway."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from sekisho.settings.model import Settings
from sekisho.settings.rules.fault import Fault
from sekisho.settings.rules.regions import REGIONS

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*", re.IGNORECASE)


def sms_faults(settings: Settings) -> Iterator[Fault]:
    """Yield what is wrong with the group `sms`, its secret's own weakness apart."""
    sms = settings.sms
    yield from _countries(settings)
    if sms.url:
        yield from _gateway(settings)
    elif "sms" in settings.factors.kinds and settings.mode == "serve":
        yield Fault(
            "sms.url",
            "is missing: SEKISHO_FACTORS__KINDS offers sms.",
            "設定されていません。SEKISHO_FACTORS__KINDS に sms があります。",
        )
    for path, value in (("sms.sender", sms.sender), ("sms.token", sms.token.get_secret_value() if sms.token else "")):
        if not value.isprintable() or not value.isascii():
            yield Fault(
                path,
                "must be one line of printable ASCII.",
                "制御文字のない 1 行の ASCII 文字にしてください。",
            )
    if sms.domain and not _HOST.fullmatch(sms.domain):
        yield Fault(
            "sms.domain",
            f"must be a host without scheme, port and path: {sms.domain!r}.",
            f"スキーム、ポート、パスを除いたホスト名だけを書いてください: {sms.domain!r}",
        )
    if sms.console and settings.mode == "serve":
        yield Fault(
            "sms.console",
            "is for sekisho dev only: it would write codes to the log.",
            "sekisho dev 専用です。コードがログに書き出されてしまいます。",
            "false",
        )


def _countries(settings: Settings) -> Iterator[Fault]:
    countries = settings.sms.countries
    if not countries and "sms" in settings.factors.kinds:
        yield Fault(
            "sms.countries",
            "is missing: name the countries that text messages may go to. Each further one is a further way to make "
            "this server pay.",
            "設定されていません。SMS を送ってよい国を指定してください。国を増やすほど、不正な大量送信で課金される"
            "おそれも増えます。",
        )
    for country in countries:
        if country not in REGIONS:
            yield Fault(
                "sms.countries",
                f"holds {country!r}, which is no country code of ISO 3166-1 in capitals (such as JP, US or GB).",
                f"ISO 3166-1 の国コード (大文字。JP、US、GB など) ではないものがあります: {country!r}",
            )


def _gateway(settings: Settings) -> Iterator[Fault]:
    sms = settings.sms
    parts = _parts(sms.url)
    if parts is None or (parts.scheme == "http" and parts.hostname not in _LOOPBACK):
        yield Fault(
            "sms.url",
            "must be https://host/path (http to this machine only), without user, password and fragment.",
            "https://ホスト/パス の形にしてください (http はこのマシン宛てだけ)。"
            "ユーザー名、パスワード、フラグメントは書けません。",
        )
    if sms.secret is None:
        yield Fault(
            "sms.secret",
            "is missing: SEKISHO_SMS__URL needs it to sign what is posted there.",
            "設定されていません。SEKISHO_SMS__URL への POST の署名に必要です。",
        )


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        is_plain = url.isascii() and url.isprintable() and " " not in url and parts.port != 0
    except ValueError:
        return None
    is_target = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc and not parts.fragment
    return parts if is_plain and is_target else None
