"""Rules about alerts: that nobody reads or forges them on the way."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from sekisho.settings.model import Settings
from sekisho.settings.rules.fault import Fault

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def alert_faults(settings: Settings) -> Iterator[Fault]:
    """Yield what is wrong with the group `alerts`, its secret's own weakness apart."""
    alerts = settings.alerts
    if not alerts.url:
        return
    if not _is_target(alerts.url):
        yield Fault(
            "alerts.url",
            "must be https://host/path (http to this machine only), without user, password and fragment.",
            "https://ホスト/パス の形にしてください (http はこのマシン宛てだけ)。"
            "ユーザー名、パスワード、フラグメントは書けません。",
        )
    if alerts.secret is None:
        yield Fault(
            "alerts.secret",
            "is missing: SEKISHO_ALERTS__URL needs it to sign what is posted there.",
            "設定されていません。SEKISHO_ALERTS__URL への POST の署名に必要です。",
        )


def _is_target(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_port = parts.port != 0
    except ValueError:
        return False
    if not parts.hostname or "@" in parts.netloc or parts.fragment or not is_port:
        return False
    if not url.isascii() or not url.isprintable() or " " in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
