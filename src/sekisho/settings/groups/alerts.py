"""Whom an attack is told."""

from __future__ import annotations

from typing import Literal

from pydantic import SecretStr

from sekisho.settings.groups.base import Group, setting


class Alerts(Group):
    url: str = setting(
        "",
        "Where alerts are posted to, signed: an https address. Without it nobody is told.",
        "アラートを署名付きで POST する https の URL。指定しなければ送りません。",
        "https://alerts.example.com/sekisho",
    )
    secret: SecretStr | None = setting(
        None,
        "Signs what is posted (HMAC-SHA256): at least 43 random characters.",
        "アラートの POST に署名する鍵 (HMAC-SHA256、43 文字以上の乱数)。",
        "$(openssl rand -base64 32)",
    )
    least: Literal["notice", "warning", "critical"] = setting(
        "warning",
        "The least severity that is told: `notice`, `warning` or `critical`.",
        "送るアラートの最低の重大度。`notice`、`warning`、`critical` のどれか。",
        "critical",
    )
    private_network: bool = setting(
        False,
        "The receiver is in a private network. Otherwise a name that stands for a private address is refused.",
        "受信側は内部ネットワークにあります。false ならプライベートアドレスを指す名前は拒否されます。",
        "false",
    )
