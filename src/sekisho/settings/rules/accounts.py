"""Sessions, passwords, second factors, and the file of places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from sekisho.settings.model import Settings
from sekisho.settings.rules.fault import Fault
from sekisho.settings.rules.files import is_readable

_ROLE = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_APP = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})


def session_rule(settings: Settings) -> Iterator[Fault]:
    idle, absolute = settings.session.idle_days, settings.session.absolute_days
    if idle > absolute:
        yield Fault(
            "session.idle_days",
            f"is {idle}, longer than the {absolute} days of SEKISHO_SESSION__ABSOLUTE_DAYS.",
            f"{idle} 日は SEKISHO_SESSION__ABSOLUTE_DAYS の {absolute} 日より長くなっています。",
            str(absolute),
        )


def aal2_session_rule(settings: Settings) -> Iterator[Fault]:
    """What has no effect, or ends a session while its access token is in use, is a mistake."""
    session, access = settings.session, settings.jwt.access_minutes
    idle, absolute = session.aal2_idle_minutes, session.aal2_absolute_hours
    most = (absolute or session.absolute_days * 24) * 60
    most = min(most, session.idle_days * 24 * 60)
    if idle and not access < idle <= most:
        yield Fault(
            "session.aal2_idle_minutes",
            f"is {idle}; it must be longer than an access token lives ({access}) and not longer than {most} minutes.",
            f"{idle} 分です。アクセストークンの有効期間 ({access} 分) より長く、{most} 分以下にしてください。",
            "60",
        )
    if absolute > session.absolute_days * 24:
        yield Fault(
            "session.aal2_absolute_hours",
            f"is {absolute}, longer than the {session.absolute_days} days of SEKISHO_SESSION__ABSOLUTE_DAYS.",
            f"{absolute} 時間は SEKISHO_SESSION__ABSOLUTE_DAYS の {session.absolute_days} 日より長くなっています。",
            "24",
        )


def breached_rule(settings: Settings) -> Iterator[Fault]:
    password = settings.password
    if password.breached_file is not None and not is_readable(password.breached_file):
        path = password.breached_file
        yield Fault(
            "password.breached_file",
            f"is not a file that can be read: {path}.",
            f"読めるファイルではありません: {path}",
        )
    if password.breached_url is not None:
        parts = urlsplit(password.breached_url)
        is_secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        if not is_secure or not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
            yield Fault(
                "password.breached_url",
                "must be an https address; what is asked is put behind it, after a slash.",
                "https のアドレスにしてください。問い合わせる値は末尾に / で区切って付きます。",
            )


def places_file_rule(settings: Settings) -> Iterator[Fault]:
    path = settings.places_file
    if path is not None and not is_readable(path):
        yield Fault("places_file", f"is not a file that can be read: {path}.", f"読めるファイルではありません: {path}")


def required_factors_rule(settings: Settings) -> Iterator[Fault]:
    factors = settings.factors
    for path, names, form in (
        ("factors.required_roles", factors.required_roles, _ROLE),
        ("factors.required_clients", factors.required_clients, _APP),
    ):
        if wrong := [name for name in names if form.fullmatch(name) is None]:
            yield Fault(path, f"has a name that nothing can have: {wrong[0]}.", f"あり得ない名前があります: {wrong[0]}")
        if names and not {"totp", "sms"} & set(factors.kinds):
            yield Fault(
                "factors.kinds",
                f"lacks totp and sms, so nobody could enrol what {path} requires.",
                f"totp も sms もないため、{path} で必須にした第二要素を誰も登録できません。",
                "totp,email",
            )
