"""Text messages: the gateway that sends them, where they may go, and how many."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, SecretStr

from sekisho.settings.groups.base import TOKEN, Group, setting, split


class Sms(Group):
    url: str = setting(
        "",
        "Gateway for text messages: an https address that each is posted to, signed. Without it `sekisho dev` catches "
        "them.",
        "SMS のゲートウェイ。1 通ごとに署名付きで POST する https の URL。指定がなければ `sekisho dev` は自分で"
        "受け取ります。",
        "https://sms.example.com/send",
    )
    secret: SecretStr | None = setting(
        None,
        "Signs what is posted to the gateway (HMAC-SHA256): at least 43 random characters.",
        "ゲートウェイへの POST に署名する鍵 (HMAC-SHA256、43 文字以上の乱数)。",
        "$(openssl rand -base64 32)",
    )
    header: str = setting(
        "Authorization",
        "Header that carries `SEKISHO_SMS__TOKEN` to the gateway.",
        "`SEKISHO_SMS__TOKEN` をゲートウェイへ送るヘッダーの名前。",
        "Authorization",
        pattern=TOKEN,
    )
    token: SecretStr | None = setting(
        None,
        "Whole value of that header, where the gateway wants one beside the signature.",
        "署名のほかに認証が要るゲートウェイで、そのヘッダーに入れる値の全体。",
        "Bearer <token of the gateway>",
    )
    sender: str = setting(
        "",
        "Number or name that the gateway shall send from; without it the gateway chooses.",
        "ゲートウェイに求める送信元の番号または名前。指定しなければゲートウェイが決めます。",
        "Example",
        max_length=32,
    )
    private_network: bool = setting(
        False,
        "The gateway is in a private network. Otherwise a name that stands for a private address is refused.",
        "ゲートウェイは内部ネットワークにあります。false ならプライベートアドレスを指す名前は拒否されます。",
        "false",
    )
    domain: str = setting(
        "",
        "Host whose pages phones fill the code into; by default that of `SEKISHO_PUBLIC_URL`.",
        "電話がコードを自動入力してよい画面のホスト。既定は `SEKISHO_PUBLIC_URL` のホスト。",
        "app.example.com",
    )
    countries: Annotated[tuple[str, ...], BeforeValidator(split)] = setting(
        (),
        "Countries that text messages go to (ISO 3166-1 codes, comma separated). The first is the one whose national "
        "numbers are understood.",
        "SMS を送る国 (ISO 3166-1 の国コード、カンマ区切り)。先頭の国では国内形式の番号も受け付けます。",
        "JP",
    )
    number_sends: int = setting(
        3,
        "Text messages to one number within `SEKISHO_LIMITS__CODE_MINUTES`.",
        "一つの番号に `SEKISHO_LIMITS__CODE_MINUTES` の間に送る SMS の数。",
        "3",
        ge=1,
        le=100,
    )
    number_sends_per_day: int = setting(
        6, "Text messages to one number per day.", "一つの番号に 1 日に送る SMS の数。", "6", ge=1, le=1000
    )
    account_sends_per_day: int = setting(
        10,
        "Text messages for one account per day, to all its numbers.",
        "一つのアカウントのために 1 日に送る SMS の数 (番号を問わず)。",
        "10",
        ge=1,
        le=1000,
    )
    network_sends_per_day: int = setting(
        30,
        "Text messages asked for from one network per day.",
        "一つのネットワークからの求めで 1 日に送る SMS の数。",
        "30",
        ge=1,
        le=100_000,
    )
    sends_per_day: int = setting(
        500,
        "Text messages per day of the whole server: what a flood may cost. When it is reached, none goes out until the "
        "day is over, and the log says `sms_ceiling_reached`.",
        "サーバー全体で 1 日に送る SMS の数 (大量送信を仕掛けられたときの費用の上限)。達するとその日はもう送らず、"
        "ログに `sms_ceiling_reached` が出ます。",
        "500",
        ge=1,
        le=10_000_000,
    )
    console: bool = setting(
        False,
        "`sekisho dev` also writes each caught text message to the terminal.",
        "`sekisho dev` で受け取った SMS を端末にも書き出します。",
        "false",
    )
