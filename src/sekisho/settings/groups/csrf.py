"""The names by which CSRF values travel."""

from __future__ import annotations

from sekisho.settings.groups.base import TOKEN, Group, setting


class Csrf(Group):
    cookie_name: str = setting(
        "csrftoken",
        "Name of the readable CSRF cookie.",
        "読み取り可能な CSRF クッキーの名前。",
        "csrftoken",
        pattern=TOKEN,
    )
    header_name: str = setting(
        "X-CSRFToken",
        "Header that repeats its value.",
        "その値を送り返すヘッダーの名前。",
        "X-CSRFToken",
        pattern=TOKEN,
    )
