"""The audit trail: its head and how long it is kept."""

from __future__ import annotations

from pathlib import Path

from sekisho.settings.groups.base import Group, setting


class Audit(Group):
    head_file: Path | None = setting(
        None,
        "File that holds the newest signed head of the audit trail; by default beside the SQLite file. Keep it where "
        "those who can change the database cannot: it shows whether the trail's end was cut off.",
        "監査記録の最新の署名付き先頭 (head) を書くファイル。既定は SQLite ファイルの隣。末尾の削除を検出するためのもの"
        "なので、データベースを変更できる人が触れない場所に置きます。",
        "/var/log/sekisho/audit-head",
    )
    personal_days: int = setting(
        180,
        "Days after which addresses, places and devices are blanked in the audit trail; 0 keeps them.",
        "監査記録の IP アドレス、地名、端末情報を消すまでの日数。0 なら消しません。",
        "90",
        ge=0,
        le=3650,
    )
    keep_days: int = setting(
        730,
        "Days after which records of the audit trail are deleted; 0 keeps them.",
        "監査記録そのものを削除するまでの日数。0 なら削除しません。",
        "365",
        ge=0,
        le=36_500,
    )
    sink: str = setting(
        "",
        "Where sealed records are shipped to, in order and at least once: a file (`file:///path`), or a syslog server "
        "(`syslog+tls://host:6514`, `syslog+tcp://host:601`).",
        "封印した監査記録の送り先。順番どおりに、少なくとも 1 回送ります。ファイル (`file:///path`) または syslog "
        "サーバー (`syslog+tls://host:6514`、`syslog+tcp://host:601`)。",
        "syslog+tls://logs.example.com:6514",
    )
    sink_demand_minutes: int = setting(
        0,
        "When the sink is this many minutes behind, changes of credentials and rights are refused with 503 until it "
        "has caught up; 0 never.",
        "送り先への送信がこの分数だけ遅れると、追いつくまで認証情報と権限の変更を 503 で拒否します。"
        "0 なら拒否しません。",
        "15",
        ge=0,
        le=10_080,
    )
