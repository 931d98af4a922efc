"""Rules for passwords and how they are hashed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, SecretStr

from sekisho.settings.groups.base import Group, setting, split


class Password(Group):
    profile: Literal["standard", "strict", "legacy"] = setting(
        "standard", "Rules for new passwords.", "新しいパスワードに適用する規則。", "standard"
    )
    context_words: Annotated[tuple[str, ...], BeforeValidator(split)] = setting(
        (),
        "Words that may be nobody's password, comma separated, beside those of the product and the person: names of "
        "the company, its places, its teams.",
        "プロダクト名や本人の名前のほかに、パスワードとして使えない語 (カンマ区切り)。会社、拠点、チームの名前など。",
        "kadoya,nihonbashi",
    )
    min_score: int | None = setting(
        None,
        "Least score of a new password by zxcvbn's estimate, 0 (refuses none) to 4; by default 2, in strict 0.",
        "新しいパスワードに求める強度スコアの下限 (zxcvbn による推定。0 なら拒否しません)。既定は 2、strict では 0。",
        "3",
        ge=0,
        le=4,
    )
    history: int | None = setting(
        None,
        "How many passwords of an account, the present one among them, a new one must differ from; by default 0, in "
        "legacy 5. Each costs a hash when a password is set.",
        "新しいパスワードと重複してはならない直近のパスワードの数 (現在のものを含む)。既定は 0、legacy では 5。"
        "1 つにつき、パスワードの設定時にハッシュ計算が 1 回増えます。",
        "5",
        ge=0,
        le=5,
    )
    breached_file: Path | None = setting(
        None,
        "File of breached passwords that `sekisho passwords filter` has made; they are refused.",
        "流出したパスワードのファイル (`sekisho passwords filter` で作成)。載っているものは使えません。",
        "/var/lib/sekisho/breached.bin",
    )
    breached_url: str | None = setting(
        None,
        "Service that is asked for breached passwords by the first five digits of their SHA-1; by default none. If it "
        "does not answer in time, the password is taken.",
        "流出したパスワードかどうかを SHA-1 の先頭 5 桁だけで問い合わせるサービス。既定では問い合わせません。"
        "時間内に応答がなければ、そのパスワードを受け付けます。",
        "https://api.pwnedpasswords.com/range",
    )
    breached_timeout_ms: int = setting(
        1000,
        "Milliseconds to wait for that service.",
        "そのサービスの応答を待つ時間 (ミリ秒)。",
        "500",
        ge=100,
        le=1500,
    )
    hash: Literal["standard", "low_memory", "one_pass", "strong", "bcrypt"] = setting(
        "standard",
        "How new passwords are hashed: argon2id in four costs, or bcrypt, where a password has at most 72 bytes.",
        "新しいパスワードのハッシュ方式。argon2id の 4 段階、または bcrypt (パスワードは 72 バイトまで)。",
        "standard",
    )
    pepper: SecretStr | None = setting(
        None,
        "Key that goes into every new password hash, at least 43 random characters, kept apart from the database and "
        "its backups. If it is lost, everybody needs a password reset.",
        "新しいパスワードハッシュに加える鍵 (43 文字以上の乱数)。データベースやバックアップとは別に保管します。失うと、"
        "全員にパスワードの再設定が必要になります。",
        "$(openssl rand -base64 32)",
    )
    previous_pepper: SecretStr | None = setting(
        None,
        "The pepper before this one: its hashes still verify and move to the new one at the next login.",
        "一つ前の鍵。その鍵のハッシュも引き続き検証でき、次のログインで新しい鍵のものに替わります。",
        "<the pepper until now>",
    )
    threads: int | None = setting(
        None,
        "Threads of each worker that hash passwords; by default the cores are shared out among the workers.",
        "各ワーカーでパスワードをハッシュするスレッド数。既定ではコアの数をワーカーで分け合います。",
        "2",
        ge=1,
        le=256,
    )
    queue: int | None = setting(
        None,
        "Hashes that may wait for a thread of a worker, beyond which the answer is 503; by default 32 per thread.",
        "各ワーカーでスレッドの空きを待てるハッシュ計算の数。超えると 503 を返します。既定はスレッドあたり 32。",
        "64",
        ge=1,
        le=100_000,
    )
