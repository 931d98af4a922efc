"""What kind of data each column holds, and how long a row stays: the register of what is kept about people.

A column without a class here fails a test, so nobody can add one without deciding. The page of the reference is made
from this table, and a test withdraws an account and looks for what is personal in every table.

Spec: ASVS 14.1.1, 14.1.2, 14.2.4.
"""

from __future__ import annotations

from enum import StrEnum

from sekisho.model import Discreet


class DataClass(StrEnum):
    """SECRET: keyed hashes and sealed values; never shown, exported or logged.
    PERSONAL: names a person, a device or a place; erased at the withdrawal or when its time is over.
    PSEUDONYM: an id or keyed tag that leads to a person only with this database and its master secret.
    OPERATIONAL: everything else.
    """

    SECRET = "secret"  # noqa: S105 - a class, no secret
    PERSONAL = "personal"
    PSEUDONYM = "pseudonym"
    OPERATIONAL = "operational"


class Kept(Discreet, frozen=True, kw_only=True):
    """One table. en, ja: how long a row stays. What stands in none of the three lists is operational."""

    en: str
    ja: str
    secret: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()
    pseudonym: tuple[str, ...] = ()
    operational: tuple[str, ...] = ()

    @property
    def classes(self) -> dict[str, DataClass]:
        """The class of each column."""
        return {name: kind for kind in DataClass for name in getattr(self, kind.value)}


REGISTER: dict[str, Kept] = {
    "accounts": Kept(
        en="until the withdrawal, which leaves the id, times and the status `withdrawn`",
        ja="退会まで。退会後は ID、時刻、状態 `withdrawn` だけが残ります",
        secret=("password_hash",),
        personal=("email", "email_key", "name", "locale"),
        pseudonym=("id",),
        operational=("is_verified", "roles", "status", "security_version", "created_at"),
    ),
    "sessions": Kept(
        en="30 days after its end; a withdrawal takes what is personal at once",
        ja="終了から 30 日。退会すると個人に関わる列はすぐに消えます",
        secret=("secret_hash",),
        personal=("device_name", "device_os", "device_browser", "device_type", "user_agent", "ip", "place"),
        pseudonym=("id", "account_id", "client_id"),
        operational=(
            "transport",
            "counter",
            "auth_time_at",
            "amr",
            "acr",
            "created_at",
            "last_seen_at",
            "rotated_at",
            "idle_expires_at",
            "expires_at",
            "sweep_at",
            "ended_at",
            "end_reason",
        ),
    ),
    "pending_sign_ups": Kept(
        en="15 minutes, or until the code came back",
        ja="15 分、またはコードが入力されるまで",
        secret=("password_hash",),
        personal=("email", "email_key", "locale"),
        pseudonym=("id", "client_id"),
        operational=("is_decoy", "created_at", "expires_at"),
    ),
    "one_time_codes": Kept(
        en='until it expires: minutes, of "that was not me" seven days, or until the withdrawal '
        "(of a former address seven days; whose it was is sealed)",
        ja="有効期限まで (数分。「自分ではない」のコードは 7 日、または退会まで。"
        "変更前のアドレスのものは 7 日で、誰のものかは暗号化されています)",
        secret=("code_hash",),
        pseudonym=("id",),
        operational=("purpose", "tries", "expires_at", "used_at"),
    ),
    "throttle": Kept(
        en="until its window is over, a day at most",
        ja="期間が終わるまで (最長 1 日)",
        pseudonym=("bucket",),
        operational=("tries", "last_at", "prior_at", "window_ends_at"),
    ),
    "known_devices": Kept(
        en="a year after its last use, or until the withdrawal",
        ja="最後の利用から 1 年、または退会まで",
        pseudonym=("identifier_tag", "device_tag"),
        operational=("seen_at",),
    ),
    "factors": Kept(
        en="until it is removed, or the withdrawal",
        ja="削除されるまで、または退会まで",
        secret=("sealed",),
        personal=("name",),
        pseudonym=("id", "account_id"),
        operational=(
            "kind",
            "last_step",
            "failures",
            "created_at",
            "confirmed_at",
            "last_used_at",
            "expires_at",
            "suspended_at",
        ),
    ),
    "recovery_codes": Kept(
        en="until new ones are made, or the withdrawal",
        ja="作り直されるまで、または退会まで",
        secret=("code_hash",),
        pseudonym=("account_id",),
        operational=("used_at",),
    ),
    "earlier_passwords": Kept(
        en="while a new password must differ from it, or until the withdrawal",
        ja="新しいパスワードとの重複を確認する間、または退会まで",
        secret=("password_hash",),
        pseudonym=("account_id",),
        operational=("security_version",),
    ),
    "recovery_emails": Kept(
        en="until it is replaced or removed, or the withdrawal",
        ja="変更または削除されるまで、または退会まで",
        personal=("email", "email_key"),
        pseudonym=("account_id",),
        operational=("verified_at",),
    ),
    "challenges": Kept(
        en="until it expires, minutes",
        ja="有効期限まで (数分)",
        pseudonym=("id", "account_id", "client_id"),
        operational=("transport", "security_version", "tries", "created_at", "expires_at", "used_at"),
    ),
    "trusted_devices": Kept(
        en="until its days are over, it is removed, or the withdrawal",
        ja="期限まで。削除または退会するとその時まで",
        secret=("value_hash",),
        personal=("device_name",),
        pseudonym=("id", "account_id"),
        operational=("app", "security_version", "created_at", "last_used_at", "expires_at"),
    ),
    "signing_keys": Kept(
        en="for ever",
        ja="無期限",
        secret=("sealed_private",),
        operational=("kid", "alg", "state", "public_jwk", "created_at", "activated_at", "verify_until_at"),
    ),
    "guard_keys": Kept(
        en="until it is removed",
        ja="削除されるまで",
        secret=("secret_hash",),
        operational=("id", "name", "created_at"),
    ),
    "journal": Kept(
        en="until no access token that it ends could still be alive, an hour or two",
        ja="対象のアクセストークンがすべて失効するまで (1～2 時間)",
        pseudonym=("value",),
        operational=("seq", "kind", "expires_at", "reason"),
    ),
    "journal_waiting": Kept(
        en="milliseconds, on PostgreSQL",
        ja="数ミリ秒 (PostgreSQL のみ)",
        pseudonym=("value",),
        operational=("id", "kind", "expires_at", "reason"),
    ),
    "audit": Kept(
        en="`SEKISHO_AUDIT__KEEP_DAYS`; what is personal `SEKISHO_AUDIT__PERSONAL_DAYS`, or until the withdrawal",
        ja="`SEKISHO_AUDIT__KEEP_DAYS`。個人に関わる列は `SEKISHO_AUDIT__PERSONAL_DAYS`、または退会まで",
        personal=("ip", "user_agent", "place", "device"),
        pseudonym=("account_id", "session_id", "client_id", "identifier_tag", "subject"),
        operational=("seq", "event", "outcome", "at", "method", "reason", "actor"),
    ),
    "audit_seals": Kept(
        en="for ever; its lines until the records of the batch are deleted",
        ja="無期限。行のハッシュは対象の記録が削除されるまで",
        operational=(
            "number",
            "first_seq",
            "last_seq",
            "records",
            "lines",
            "lines_digest",
            "digest",
            "sealed_at",
            "blank_tag",
            "purge_tag",
        ),
    ),
    "outbox": Kept(
        en="until it was sent; one that was given up loses its content, and stays 30 days",
        ja="送信されるまで。送信を断念したものは内容を消し、30 日残します",
        secret=("sealed",),
        operational=("id", "attempts", "created_at", "expires_at", "due_at", "error"),
    ),
    "meta": Kept(
        en="for ever: facts about the installation, and the master secrets from before, sealed",
        ja="無期限 (このインストールについての情報と、封じた以前のマスターシークレット)",
        secret=("value",),
        operational=("name",),
    ),
}
