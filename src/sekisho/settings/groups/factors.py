"""Second factors."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator

from sekisho.settings.groups.base import Group, setting, split


class Factors(Group):
    kinds: Annotated[tuple[Literal["totp", "email", "sms"], ...], BeforeValidator(split)] = setting(
        ("totp", "email"),
        "Second factors that people may enrol, comma separated: `totp` (an authenticator app), `email` (codes by mail, "
        "which never raise the level of assurance), `sms` (codes by text message, which phone networks can lose to "
        "others; needs `SEKISHO_SMS__COUNTRIES`). Those enrolled already go on.",
        "利用者が登録できる第二要素をカンマ区切りで指定します。`totp` (認証アプリ)、"
        "`email` (メールのコード。保証レベルは上がりません)、`sms` (SMS のコード。電話網では他人に読まれることが"
        "あります。`SEKISHO_SMS__COUNTRIES` が必要です)。"
        "登録済みのものはそのまま使えます。",
        "totp",
    )
    trusted_days: int = setting(
        0,
        "For how many days a person may set a device to be trusted: there the password is enough meanwhile, and the "
        "session says no more than that. 0: never.",
        "利用者が端末を「信頼する端末」に設定できる日数。その間、その端末ではパスワードだけでサインインでき、"
        "保証の強さもパスワードだけの場合と同じです。0 なら設定できません。",
        "30",
        ge=0,
        le=90,
    )
    required_roles: Annotated[tuple[str, ...], BeforeValidator(split)] = setting(
        (),
        "Roles that require a second factor, comma separated. Whoever has one is always asked for a second step, and a "
        "session carries the role only once an app, a code by SMS or a recovery code was shown.",
        "第二要素を必須にするロール (カンマ区切り)。該当する人には必ず第二段階を求め、"
        "認証アプリ、SMS のコード、回復コードのいずれかを示すまで、セッションはそのロールを持ちません。",
        "admin",
    )
    required_clients: Annotated[tuple[str, ...], BeforeValidator(split)] = setting(
        (),
        "Apps (the part of `client_id` before the colon) that require a second factor, comma separated. Whoever signs "
        "in there is always asked for a second step, and a session carries no role until one was shown.",
        "第二要素を必須にするアプリ (`client_id` のコロンより前の部分、カンマ区切り)。"
        "そこでのサインインには必ず第二段階を求め、第二要素を示すまで、セッションはロールを持ちません。",
        "console",
    )
    fresh_minutes: int = setting(
        5,
        "How long ago a person may have signed in or stepped up for calls that change how one comes in.",
        "サインインの方法を変える操作で、最後のサインインまたは再認証から経過していてよい時間 (分)。",
        "5",
        ge=1,
        le=1440,
    )
