"""Pages for people."""

from __future__ import annotations

from typing import Literal

from sekisho.settings.groups.base import Group, setting


class Pages(Group):
    enabled: bool = setting(
        True,
        "Pages for people: sign-in, sign-up and the account. Off, the server speaks to programs alone.",
        "利用者向けの画面 (サインイン、アカウントの作成、アカウント)。オフにすると API だけになります。",
        "false",
    )
    docs: Literal["on", "off", "auto"] = setting(
        "auto",
        "The reference of the API as a page, under /docs. `auto` is on in dev and off in serve.",
        "API リファレンスのページ (/docs)。`auto` は dev でオン、serve でオフ。",
        "on",
    )
