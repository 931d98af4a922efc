"""Redis or Valkey beside the database."""

from __future__ import annotations

from pydantic import SecretStr

from sekisho.settings.groups.base import Group, setting


class Redis(Group):
    sessions: bool = setting(
        False,
        "Let Redis decide refreshes (the session engine). It must keep an append-only file and evict nothing.",
        "リフレッシュの判定を Redis に任せます (セッションエンジン)。追記専用ファイルと noeviction が必要です。",
        "true",
    )
    host: str = setting(
        "",
        "Redis or Valkey server, instead of `SEKISHO_REDIS_URL`.",
        "`SEKISHO_REDIS_URL` の代わりに指定する Redis または Valkey のサーバー。",
        "redis.example.com",
    )
    port: int | None = setting(None, "Its port; by default 6379.", "そのポート。既定は 6379。", "6379", ge=1, le=65535)
    password: SecretStr | None = setting(None, "Its password.", "そのパスワード。", "<password of Redis>")
