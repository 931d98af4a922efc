"""What makes a secret good enough, and the key of access tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import SecretStr

from sekisho.settings.model import Settings
from sekisho.settings.rules.fault import Fault

MIN_SECRET_CHARACTERS = 43
MIN_HS256_BYTES = 32
_FEWEST_DISTINCT = 10
_FROM_A_DOCUMENT = re.compile(
    r"change.?me|replace|example|secret|password|passphrase|placeholder|insecure|sekisho|openssl|12345678|abcdefgh|qwerty|xxxxxx",
    re.IGNORECASE,
)


def secret_faults(path: str, secret: str) -> Iterator[Fault]:
    """Yield what makes a secret guessable. The text of the secret never leaves here."""
    if len(secret) < MIN_SECRET_CHARACTERS:
        yield Fault(
            path,
            f"is too short: {_counted(len(secret), 'character')}, at least {MIN_SECRET_CHARACTERS} random ones are "
            "needed.",
            f"短すぎます ({len(secret)} 文字)。{MIN_SECRET_CHARACTERS} 文字以上の乱数が必要です。",
        )
    elif _looks_made_up(secret):
        yield Fault(
            path,
            "looks like an example or a pattern, not like random text.",
            "見本か繰り返しのように見えます。乱数から作った値が必要です。",
        )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _looks_made_up(secret: str) -> bool:
    periodic = secret in (secret + secret)[1:-1]
    return periodic or len(set(secret)) < _FEWEST_DISTINCT or _FROM_A_DOCUMENT.search(secret) is not None


def secret_rule(settings: Settings) -> Iterator[Fault]:
    if settings.secret is not None:
        yield from secret_faults("secret", settings.secret.get_secret_value())
    elif settings.mode == "serve":
        yield Fault(
            "secret",
            "is missing. Make one once and keep it: every start and every node needs the same value.",
            "設定されていません。一度だけ作って保管し、起動のたびに、どのノードでも同じ値を使ってください。",
        )


def pepper_rule(settings: Settings) -> Iterator[Fault]:
    if settings.password.pepper is not None:
        yield from secret_faults("password.pepper", settings.password.pepper.get_secret_value())


def jwt_rule(settings: Settings) -> Iterator[Fault]:
    key = settings.jwt.secret_key
    if key is None:
        if settings.jwt.algorithm == "HS256":
            yield Fault(
                "jwt.secret_key",
                "is missing: HS256 needs it. Make one once and keep it: every start needs the same value.",
                "設定されていません。HS256 には必要です。一度だけ作って保管し、起動のたびに同じ値を使ってください。",
            )
        return
    if settings.jwt.algorithm != "HS256":
        yield Fault(
            "jwt.algorithm",
            f"is {settings.jwt.algorithm}, but SEKISHO_JWT__SECRET_KEY is given, for HS256 only: change one of them.",
            f"{settings.jwt.algorithm} ですが、HS256 専用の SEKISHO_JWT__SECRET_KEY もあります。どちらかを変えます。",
            "HS256",
        )
    yield from _jwt_key(settings, key)


def _jwt_key(settings: Settings, key: SecretStr) -> Iterator[Fault]:
    text = key.get_secret_value()
    size = len(text.encode())
    if size < MIN_HS256_BYTES:
        yield Fault(
            "jwt.secret_key",
            f"is too short: {_counted(size, 'byte')}, HS256 needs at least {MIN_HS256_BYTES} (RFC 7518 section 3.2).",
            f"短すぎます ({size} バイト)。HS256 には {MIN_HS256_BYTES} バイト以上が必要です (RFC 7518 3.2 節)。",
        )
    elif _looks_made_up(text):
        yield Fault(
            "jwt.secret_key",
            "looks like an example or a pattern, not like random text.",
            "見本か繰り返しのように見えます。乱数から作った値が必要です。",
        )
    if key == settings.secret:
        yield Fault(
            "jwt.secret_key",
            "is the same as SEKISHO_SECRET: guards know this key, and must never know the master secret.",
            "SEKISHO_SECRET と同じ値です。この鍵は検証側にも渡るため、マスターシークレットとは別の値が必要です。",
        )
