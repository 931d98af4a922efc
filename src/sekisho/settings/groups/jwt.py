"""Access tokens: how they are signed and how long they live."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, SecretStr

from sekisho.settings.groups.base import Group, setting, split


class Jwt(Group):
    algorithm: Literal["ES256", "Ed25519", "RS256", "HS256"] = setting(
        "ES256",
        "Signature of access tokens. HS256 needs `SEKISHO_JWT__SECRET_KEY`, which selects it.",
        "アクセストークンの署名方式。HS256 は `SEKISHO_JWT__SECRET_KEY` を設定すると選ばれます。",
        "ES256",
    )
    secret_key: SecretStr | None = setting(
        None,
        "Shared key for HS256, at least 32 bytes; guards need the same value.",
        "HS256 の共有鍵 (32 バイト以上)。トークンを検証する側にも同じ値を設定します。",
        "$(openssl rand -base64 32)",
    )
    access_minutes: int = setting(
        15, "Life of an access token in minutes.", "アクセストークンの有効期間 (分)。", "15", ge=5, le=60
    )
    claims: Annotated[tuple[Literal["email", "roles"], ...], BeforeValidator(split)] = setting(
        (),
        "Extra claims in access tokens, comma separated: `email`, `roles`.",
        "アクセストークンに加えるクレーム。`email` と `roles` をカンマ区切りで指定します。",
        "email,roles",
    )
    rotate_days: int = setting(
        90,
        "Age in days at which a signing key makes way for the next one.",
        "署名鍵を次の鍵へ切り替えるまでの日数。",
        "90",
        ge=1,
        le=3650,
    )
