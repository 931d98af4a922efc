"""What the server sends out: mail, text messages, alerts, and the audit trail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import parseaddr
from pathlib import Path

from sekisho.settings.model import Settings
from sekisho.settings.rules.alerts import alert_faults
from sekisho.settings.rules.fault import Fault
from sekisho.settings.rules.files import missing_file
from sekisho.settings.rules.secrets import secret_faults
from sekisho.settings.rules.sms import sms_faults
from sekisho.settings.sink_address import NotASinkUrl, parse_sink_url

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})


def audit_rule(settings: Settings) -> Iterator[Fault]:
    audit = settings.audit
    if not audit.sink:
        if audit.sink_demand_minutes:
            yield Fault(
                "audit.sink",
                "is missing: SEKISHO_AUDIT__SINK_DEMAND_MINUTES needs it.",
                "設定されていません。SEKISHO_AUDIT__SINK_DEMAND_MINUTES に必要です。",
            )
        return
    try:
        address = parse_sink_url(audit.sink)
    except NotASinkUrl:
        yield Fault(
            "audit.sink",
            "must be file:///path, syslog+tls://host:port or syslog+tcp://host:port.",
            "file:///path、syslog+tls://host:port、syslog+tcp://host:port のどれかの形で書いてください。",
        )
        return
    if address.authority_file:
        yield from missing_file("audit.sink", "ca", address.authority_file)
    if address.kind == "file" and not Path(address.path).parent.is_dir():
        folder = Path(address.path).parent
        yield Fault(
            "audit.sink",
            f"names a file in a folder that is not there: {folder}. Make the folder, writable for the server.",
            f"指定されたファイルのフォルダーがありません: {folder}。サーバーが書き込めるように作成してください。",
        )


def mail_rule(settings: Settings) -> Iterator[Fault]:
    mail = settings.mail
    if settings.mode == "serve":
        for path, value in (("mail.host", mail.host), ("mail.from", mail.sender)):
            if not value:
                yield Fault(
                    path,
                    "is missing: sign-up sends codes by mail.",
                    "設定されていません。サインアップのコードはメールで送ります。",
                )
    if mail.sender and not _is_sender(mail.sender):
        yield Fault(
            "mail.from", f"is not a mail address: {mail.sender!r}.", f"メールアドレスではありません: {mail.sender!r}"
        )
    if bool(mail.user) != (mail.password is not None):
        missing = "mail.password" if mail.user else "mail.user"
        yield Fault(
            missing,
            "is missing: user and password go together.",
            "設定されていません。ユーザー名とパスワードは組で必要です。",
        )
    if mail.user and mail.tls == "off" and mail.host not in _LOOPBACK:
        yield Fault(
            "mail.tls",
            "is off, so that the SMTP password would travel in the clear.",
            "off のままでは SMTP のパスワードが平文で流れます。",
            "starttls",
        )


def _is_sender(text: str) -> bool:
    address = parseaddr(text)[1]
    return re.fullmatch(r"[^@\s]+@[^@\s]+", address) is not None and text.isprintable()


def alerts_rule(settings: Settings) -> Iterator[Fault]:
    yield from alert_faults(settings)
    if settings.alerts.secret is not None:
        yield from secret_faults("alerts.secret", settings.alerts.secret.get_secret_value())


def sms_rule(settings: Settings) -> Iterator[Fault]:
    yield from sms_faults(settings)
    if settings.sms.secret is not None:
        yield from secret_faults("sms.secret", settings.sms.secret.get_secret_value())
