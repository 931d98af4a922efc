"""The server that mail goes through."""

from __future__ import annotations

from typing import Literal

from pydantic import SecretStr

from sekisho.settings.groups.base import Group, setting


class MailServer(Group):
    host: str = setting(
        "",
        "SMTP server. `sekisho dev` catches mail itself and does not use it.",
        "SMTP サーバー。`sekisho dev` はメールを自分で受け取るため使いません。",
        "smtp.example.com",
    )
    port: int | None = setting(
        None,
        "SMTP port; by default 587 with starttls, 465 with tls, 25 with off.",
        "SMTP のポート。既定は starttls で 587、tls で 465、off で 25。",
        "587",
        ge=1,
        le=65535,
    )
    user: str = setting("", "SMTP user name.", "SMTP のユーザー名。", "mailer")
    password: SecretStr | None = setting(None, "SMTP password.", "SMTP のパスワード。", "<password of the SMTP user>")
    sender: str = setting(
        "",
        "Address that mail comes from.",
        "メールの差出人アドレス。",
        "Sekisho <no-reply@example.com>",
        validation_alias="from",
    )
    tls: Literal["starttls", "tls", "off"] = setting(
        "starttls", "How the connection to the SMTP server is protected.", "SMTP 接続の保護方式。", "starttls"
    )

    @property
    def actual_port(self) -> int:
        """The port to connect to: the given one, or the usual one of the TLS mode."""
        return self.port or {"starttls": 587, "tls": 465, "off": 25}[self.tls]
