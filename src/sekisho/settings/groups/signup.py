"""Signing up."""

from __future__ import annotations

from sekisho.settings.groups.base import Group, setting


class SignUp(Group):
    reveal_existing: bool = setting(
        False,
        "Answer `email_already_exists` at sign-up. Anybody can then find out who has an account.",
        "サインアップ時に `email_already_exists` を返します。登録の有無を誰でも調べられるようになります。",
        "false",
    )
