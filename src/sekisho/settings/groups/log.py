"""The log."""

from __future__ import annotations

from typing import Literal

from sekisho.settings.groups.base import Group, setting


class Log(Group):
    level: Literal["debug", "info", "warning", "error"] = setting(
        "info", "Least severity that is logged.", "出力するログの最低レベル。", "info"
    )
    format: Literal["console", "json", "auto"] = setting(
        "auto",
        "Form of the log; `auto` is console in dev and json in serve.",
        "ログの形式。`auto` は dev で console、serve で json。",
        "json",
    )
