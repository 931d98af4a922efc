"""What happens at an unusual sign-in."""

from __future__ import annotations

from sekisho.settings.groups.base import Group, setting


class Anomalies(Group):
    note_from: int = setting(
        20,
        "Score of an unusual sign-in from which it is noted in the audit trail; 0 never.",
        "普段と異なるサインインを監査記録に残すスコア。0 なら残しません。",
        "20",
        ge=0,
        le=100,
    )
    mail_from: int = setting(
        40,
        "Score from which its owner is told by mail; 0 never.",
        "本人にメールで知らせるスコア。0 なら知らせません。",
        "30",
        ge=0,
        le=100,
    )
    ask_from: int = setting(
        0,
        "Score from which a second step is asked for, of who has no second factor a code by mail; 0 never. A session "
        "that moves so must prove anew before anything sensitive.",
        "第二段階を求めるスコア (第二要素がなければメールのコード)。0 なら求めません。このスコアの移動をした"
        "セッションは、重要な操作の前に再認証が必要になります。",
        "60",
        ge=0,
        le=100,
    )
    refuse_from: int = setting(
        0,
        "Score from which it is refused like a wrong password, or the session ends, and its owner is told; 0 never.",
        "間違ったパスワードと同じように拒否する、またはセッションを終了し、本人に知らせるスコア。0 なら拒否しません。",
        "80",
        ge=0,
        le=100,
    )
