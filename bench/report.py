"""Turn results into the table that is printed and into those of the docs, in English and Japanese.

python -m bench.report     write the tables of bench/results.json into the docs again
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from msgspec import json

from bench.rows import Aim, AimKind, Results, Row

Language = Literal["en", "ja"]

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results.json"
PAGES: dict[Language, Path] = {
    "en": ROOT / "docs" / "explanation" / "performance.md",
    "ja": ROOT / "docs" / "ja" / "explanation" / "performance.md",
}
BEGIN = "<!-- written by bench/report.py: begin -->"
END = "<!-- written by bench/report.py: end -->"

HEAD: dict[Language, tuple[str, ...]] = {
    "en": ("row", "requests/s", "p50 ms", "p99 ms", "CPU µs", "store CPU µs", "× bare", "aim", "found"),
    "ja": ("項目", "リクエスト/秒", "p50 ms", "p99 ms", "CPU µs", "ストアの CPU µs", "bare 比", "目標", "結果"),
}
CONDITION_HEAD: dict[Language, tuple[str, ...]] = {"en": ("condition", "value"), "ja": ("条件", "値")}
NAMES_JA = {
    "bare handler, before": "bare ハンドラー (実行前)",
    "bare handler, after": "bare ハンドラー (実行後)",
    "refresh": "リフレッシュ",
    "who-am-i, bearer, warm": "認証確認: ベアラー (キャッシュあり)",
    "who-am-i, bearer, cold": "認証確認: ベアラー (キャッシュなし)",
    "who-am-i, session cookie": "認証確認: セッションクッキー",
    "session list": "セッション一覧",
    "refresh, garbage token": "リフレッシュ: 偽造トークン",
    "refresh, ten times the sessions": "リフレッシュ: セッション数 10 倍",
    "login": "ログイン",
    "login with an authenticator app": "ログイン: 認証アプリ",
    "second-factor check": "第二要素の検証",
    "anomaly rules of a login": "ログイン 1 回の異常検知の規則",
    "audit trail, write": "監査記録: 書き込み",
    "audit trail, seal": "監査記録: 封印",
    "audit trail, verify": "監査記録: 検証",
    "refresh at half load, logins saturating": "リフレッシュ (負荷 50 %): ログイン集中時",
    "sign-up, send-code": "サインアップ: コード送信",
    "start-up, warm": "起動時間 (2 回目以降)",
    "memory after start-up": "起動直後のメモリ",
    "memory after the load": "負荷後のメモリ",
    "refresh, PostgreSQL": "リフレッシュ: PostgreSQL",
    "who-am-i, bearer, warm, PostgreSQL": "認証確認: ベアラー (キャッシュあり)、PostgreSQL",
    "login, PostgreSQL": "ログイン: PostgreSQL",
    "refresh, ten times the sessions, PostgreSQL": "リフレッシュ: セッション数 10 倍、PostgreSQL",
    "refresh, PostgreSQL and Redis": "リフレッシュ: PostgreSQL と Redis",
    "refresh, two nodes, PostgreSQL": "リフレッシュ: 2 ノード、PostgreSQL",
    "revocation on the other node, PostgreSQL": "別ノードでの失効: PostgreSQL",
    "revocation on the other node, half load, PostgreSQL": "別ノードでの失効: 負荷 50 %、PostgreSQL",
    "refresh, two nodes, PostgreSQL and Redis": "リフレッシュ: 2 ノード、PostgreSQL と Redis",
    "revocation on the other node, PostgreSQL and Redis": "別ノードでの失効: PostgreSQL と Redis",
    "revocation on the other node, half load, PostgreSQL and Redis": "別ノードでの失効: 負荷 50 %、PostgreSQL と Redis",
    "guard: signature alone": "guard: 署名検証だけ",
    "guard: verify, cold": "guard: 検証 (初回)",
    "guard: verify, warm": "guard: 検証 (記憶済み)",
    "guard: 100,000 revocations": "guard: 失効 10 万件",
    "revocation in a guard": "guard での失効",
    "revocation in a guard, 1,000 a second": "guard での失効: 毎秒 1,000 件",
    "FastAPI route, no guard": "FastAPI のルート: guard なし",
    "FastAPI route, guard": "FastAPI のルート: guard あり",
    "commit": "コミット",
    "other stores": "ほかのストア",
    "left out": "省いた項目",
    "processor": "プロセッサ",
    "system": "システム",
    "libraries": "ライブラリ",
    "durability": "永続性",
    "data": "データ",
    "password hash": "パスワードハッシュ",
    "access tokens": "アクセストークン",
    "limits": "回数制限",
    "load": "負荷",
    "other work": "ほかの処理",
}
AIMS: dict[Language, dict[AimKind, str]] = {
    "en": {
        "bare_cpu": "CPU ≤ {} × bare",
        "bare_throughput": "≥ {} of bare's requests/s",
        "hash_throughput": "≥ {} of the hash alone",
        "size_cpu": "CPU ≤ {} × the usual size",
        "size_store_cpu": "store CPU ≤ {} × the usual size",
        "store_operations": "{} store operations",
        "p99_ms": "p99 ≤ {} ms",
        "start_s": "≤ {} s",
        "resident_mb": "≤ {} MB",
        "record_bytes": "≤ {} bytes a record",
        "signature_cpu": "≤ {} × the signature check alone",
        "warm_us": "≤ {} µs",
        "heap_mb": "≤ {} MB",
        "rules_us": "≤ {} µs",
        "extra_reads": "≤ {} more read",
        "per_100k_s": "≤ {} s for 100,000",
    },
    "ja": {
        "bare_cpu": "CPU は bare の {} 倍以下",
        "bare_throughput": "bare のリクエスト/秒の {} 以上",
        "hash_throughput": "ハッシュ単独の {} 以上",
        "size_cpu": "CPU は通常規模の {} 倍以下",
        "size_store_cpu": "ストアの CPU は通常規模の {} 倍以下",
        "store_operations": "ストア操作 {} 回",
        "p99_ms": "p99 {} ms 以下",
        "start_s": "{} 秒以下",
        "resident_mb": "{} MB 以下",
        "record_bytes": "1 件 {} バイト以下",
        "signature_cpu": "署名検証だけの {} 倍以下",
        "warm_us": "{} µs 以下",
        "heap_mb": "{} MB 以下",
        "rules_us": "{} µs 以下",
        "extra_reads": "追加の読み取り {} 回以下",
        "per_100k_s": "10 万件 {} 秒以下",
    },
}
UNITS: dict[Language, dict[AimKind, str]] = {
    "en": {
        "resident_mb": "MB",
        "heap_mb": "MB",
        "record_bytes": "bytes a record in Redis",
        "per_100k_s": "s for 100,000",
    },
    "ja": {
        "resident_mb": "MB",
        "heap_mb": "MB",
        "record_bytes": "バイト (Redis の 1 件)",
        "per_100k_s": "秒 (10 万件)",
    },
}
MISSED: dict[Language, str] = {"en": "missed", "ja": "未達"}
MET: dict[Language, str] = {"en": "met", "ja": "達成"}
VIOLATED: dict[Language, str] = {"en": "FAILED", "ja": "失敗"}


def read(path: Path = RESULTS) -> Results:
    return json.decode(path.read_bytes(), type=Results)


def write(results: Results, path: Path) -> None:
    path.write_bytes(json.format(json.encode(results), indent=2) + b"\n")


def text(results: Results) -> str:
    """Return the table for a terminal, with the conditions under it and broken promises in full."""
    cells = [HEAD["en"], *(_cells(row, "en") for row in results.rows)]
    widths = [max(_columns(line[column]) for line in cells) for column in range(len(HEAD["en"]))]
    lines = [
        "  ".join(
            _padded(cell, width, to_right=0 < column < 7)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in cells
    ]
    lines += ["", *(f"{name}: {value}" for name, value in results.conditions.items())]
    for row in results.violated:
        lines += [f"FAILED {row.id}: {count} × {what}" for what, count in row.violations.items()]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def markdown(results: Results, language: Language) -> str:
    """Return the tables of a docs page."""
    conditions = [(_named(name, language), value) for name, value in results.conditions.items()]
    rows = [_cells(row, language) for row in results.rows]
    return f"{table(HEAD[language], rows, numbers=range(1, 7))}\n{table(CONDITION_HEAD[language], conditions)}"


def update_docs(results: Results) -> None:
    """Write the tables into the pages, between the marks."""
    for language, page in PAGES.items():
        page.write_text(with_tables(page.read_text(encoding="utf-8"), results, language), encoding="utf-8")


def with_tables(page: str, results: Results, language: Language) -> str:
    """Return a page with the tables of these results between its marks.

    Raises:
        ValueError: the page has no marks.
    """
    return between_marks(page, f"{results.taken_at}\n\n{markdown(results, language)}")


def between_marks(page: str, tables: str) -> str:
    """Return a page with this between its marks.

    Raises:
        ValueError: the page has no marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page has no place for the tables")
    return f"{before}{BEGIN}\n\n{tables}\n{END}{after}"


def _cells(row: Row, language: Language) -> tuple[str, ...]:
    aims = [AIMS[language][aim.kind].format(_short(aim.limit)) for aim in row.aims if aim.limit is not None]
    found = [_found(aim, language) for aim in row.aims]
    if row.violations:
        found.insert(0, VIOLATED[language])
    return (
        _named(row.id, language),
        _number(row.per_second, 0),
        _number(row.p50_ms, 2),
        _number(row.p99_ms, 2),
        _number(row.cpu_us, 1),
        _number(row.store_us, 1),
        _number(row.bare_ratio, 2),
        "; ".join(aims),
        "; ".join(found),
    )


def _found(aim: Aim, language: Language) -> str:
    value = "?" if aim.value is None else _short(aim.value)
    if aim.limit is None:
        return f"{value} {UNITS[language][aim.kind]}"
    return f"{value} {MET[language] if aim.is_met else MISSED[language]}"


def _short(value: float) -> str:
    """Three digits, or all that stand before the point."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def _named(name: str, language: Language) -> str:
    return NAMES_JA[name] if language == "ja" else name


def table(head: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """Return a Markdown table; the columns in `numbers` stand to the right."""
    rule = ["---:" if column in numbers else "---" for column in range(len(head))]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in (head, rule, *rows))


def _padded(cell: str, width: int, *, to_right: bool) -> str:
    space = " " * (width - _columns(cell))
    return space + cell if to_right else cell + space


def _columns(cell: str) -> int:
    """The width on a terminal: kana and kanji take two columns."""
    return sum(2 if unicodedata.east_asian_width(mark) in "WF" else 1 for mark in cell)


if __name__ == "__main__":
    update_docs(read())
