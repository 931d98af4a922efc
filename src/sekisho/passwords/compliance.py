"""Compliance: which rules of two standards the settings for passwords meet, and which they depart from.

The page docs/explanation/password-policies.md is made from this table, and `doctor` reads it.

Spec: OWASP ASVS 5.0 chapters V6 and V11; NIST SP 800-63B-4 section 3.1.1.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from sekisho.passwords.parameters import PROFILES, Bcrypt
from sekisho.passwords.policy import PasswordPolicy

FULL_LENGTH = 15
ASVS_LENGTH = 8


class Facts(Struct, frozen=True, kw_only=True):
    """What is in force. hash: a name of `parameters.PROFILES`."""

    policy: PasswordPolicy
    hash: str = "standard"
    knows_breached: bool = False
    has_pepper: bool = False

    @property
    def is_bcrypt(self) -> bool:
        return isinstance(PROFILES[self.hash], Bcrypt)


class Rule(Struct, frozen=True):
    """One rule. is_met: decides by the settings; None where they have no say and it is always met."""

    source: str
    en: str
    ja: str
    is_met: Callable[[Facts], bool] | None = None

    def holds(self, facts: Facts) -> bool:
        return self.is_met is None or self.is_met(facts)


RULES = (
    Rule(
        "NIST 3.1.1.2 (length)",
        "15 characters at least where the password is all that is asked",
        "パスワードだけで認証する場合は 15 文字以上",
        lambda facts: facts.policy.min_length >= FULL_LENGTH,
    ),
    Rule(
        "ASVS 6.2.1",
        "8 characters at least",
        "8 文字以上",
        lambda facts: facts.policy.min_length >= ASVS_LENGTH,
    ),
    Rule(
        "ASVS 6.2.9, NIST 3.1.1.2 (64 characters)",
        "64 characters of any script are taken",
        "どの文字体系でも 64 文字まで使える",
        lambda facts: not facts.is_bcrypt,
    ),
    Rule(
        "ASVS 6.2.5, NIST 3.1.1.2 (composition)",
        "No kinds of characters are demanded",
        "文字の種類を要求しない",
        lambda facts: not facts.policy.needs_classes,
    ),
    Rule(
        "NIST 3.1.1.2 (no other rules)",
        "Nothing is refused on an estimate of strength",
        "強度の推定だけを理由に拒否しない",
        lambda facts: facts.policy.min_score == 0,
    ),
    Rule("ASVS 6.2.4, NIST 3.1.1.2 (blocklist)", "Common passwords are refused", "よく使われるパスワードを拒否する"),
    Rule(
        "ASVS 6.2.12, NIST 3.1.1.2 (compromised)",
        "Breached passwords are refused",
        "流出したパスワードを拒否する",
        lambda facts: facts.knows_breached,
    ),
    Rule(
        "ASVS 6.1.2, ASVS 6.2.11",
        "Words of the service and of the person are refused, and listed here",
        "サービスや本人に関わる語を拒否し、その一覧を公開する",
    ),
    Rule(
        "NIST 3.1.1.2 (guidance)",
        "A refusal says why and what would be better",
        "拒否の際に理由と改善の助言を示す",
    ),
    Rule(
        "ASVS 6.2.8, NIST 3.1.1.2 (whole)",
        "Compared whole, as typed but for NFKC",
        "NFKC 以外は入力のまま全体を照合する",
    ),
    Rule("ASVS 6.2.10, NIST 3.1.1.2 (change)", "No change by age", "期限による変更を求めない"),
    Rule(
        "NIST 3.1.1.2 (compromise)",
        "A change is forced where there is reason, and the old password does not come back",
        "漏えいの疑いがあれば変更を強制し、元のパスワードには戻せない",
    ),
    Rule("ASVS 6.2.3", "A change asks for the current password", "変更時に現在のパスワードを求める"),
    Rule(
        "ASVS 6.2.6, ASVS 6.2.7, NIST 3.1.1.2 (managers)",
        "Fields are masked with a way to look, and take pasting and managers",
        "入力欄は伏せ字で表示の切り替えができ、貼り付けやパスワードマネージャーを使える",
    ),
    Rule(
        "ASVS 6.4.2, NIST 3.1.1.2 (hints)",
        "No hints to remember by, no questions",
        "思い出すためのヒントや秘密の質問を設けない",
    ),
    Rule(
        "ASVS 11.4.2",
        "Hashed with argon2id",
        "argon2id でハッシュする",
        lambda facts: not facts.is_bcrypt,
    ),
    Rule(
        "NIST 3.1.1.2 (keyed hash, should)",
        "A key apart from the database goes into each hash",
        "データベースと別に保管する鍵をハッシュに加える",
        lambda facts: facts.has_pepper,
    ),
)


def departures(facts: Facts) -> tuple[str, ...]:
    """Return the rules that these settings depart from, by their source."""
    return tuple(rule.source for rule in RULES if not rule.holds(facts))
