"""How often something may be tried."""

from __future__ import annotations

from sekisho.settings.groups.base import Group, setting


class Limits(Group):
    login_failures: int = setting(
        5,
        "Failed logins per identifier and network within `SEKISHO_LIMITS__LOGIN_MINUTES`.",
        "識別子とネットワークの組ごとに `SEKISHO_LIMITS__LOGIN_MINUTES` の間に許すログイン失敗の回数。",
        "5",
        ge=1,
        le=1000,
    )
    login_network_failures: int = setting(
        50,
        "Failed logins per network within `SEKISHO_LIMITS__LOGIN_MINUTES`.",
        "ネットワークごとに `SEKISHO_LIMITS__LOGIN_MINUTES` の間に許すログイン失敗の回数。",
        "50",
        ge=1,
        le=100_000,
    )
    login_minutes: int = setting(
        5, "Window of the login limits in minutes.", "ログイン制限の期間 (分)。", "5", ge=1, le=1440
    )
    login_failures_per_day: int = setting(
        20,
        "Failed logins per identifier and day over all networks, from which a growing delay begins.",
        "全ネットワーク合計で、識別子ごとに 1 日のログイン失敗がこの回数に達すると待ち時間が延びていきます。",
        "20",
        ge=1,
        le=10_000,
    )
    code_sends: int = setting(
        3,
        "Codes sent to one address within `SEKISHO_LIMITS__CODE_MINUTES`.",
        "一つの宛先に `SEKISHO_LIMITS__CODE_MINUTES` の間に送るコードの数。",
        "3",
        ge=1,
        le=100,
    )
    code_network_sends: int = setting(
        20,
        "Codes sent for one network within `SEKISHO_LIMITS__CODE_MINUTES`.",
        "一つのネットワークに対して `SEKISHO_LIMITS__CODE_MINUTES` の間に送るコードの数。",
        "20",
        ge=1,
        le=100_000,
    )
    code_minutes: int = setting(
        5, "Window of the code limits in minutes.", "コード送信制限の期間 (分)。", "5", ge=1, le=1440
    )
    code_sends_per_day: int = setting(
        10, "Codes sent to one address per day.", "一つの宛先に 1 日に送るコードの数。", "10", ge=1, le=1000
    )
    code_tries: int = setting(
        5, "Wrong tries that kill a code.", "コードが無効になるまでの入力間違いの回数。", "5", ge=1, le=10
    )
    code_failures_per_day: int = setting(
        20,
        "Wrong tries per address and day over all its codes.",
        "宛先ごとに、すべてのコードを通じて 1 日に許す入力間違いの回数。",
        "20",
        ge=1,
        le=1000,
    )
    factor_failures: int = setting(
        10,
        "Wrong second factors per account and network within `SEKISHO_LIMITS__LOGIN_MINUTES`.",
        "アカウントとネットワークの組ごとに `SEKISHO_LIMITS__LOGIN_MINUTES` の間に許す第二要素の間違いの回数。",
        "10",
        ge=1,
        le=1000,
    )
    factor_failures_per_day: int = setting(
        20,
        "Wrong second factors per account and day over all networks, from which a growing delay begins.",
        "全ネットワーク合計で、アカウントごとに 1 日の第二要素の間違いがこの回数に達すると待ち時間が延びていきます。",
        "20",
        ge=1,
        le=10_000,
    )
