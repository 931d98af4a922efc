"""What 1, 10 and 100 million accounts need: worked out from measured costs, each line with its arithmetic.

    python -m bench.scale      write the tables of docs/explanation/scale.md again, in both languages

Costs of calls come from bench/results.json (`make bench`), weights from bench/sizes.json (`python -m bench.sizes`).
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import json

from bench import report
from bench.rows import Row

SIZES = report.ROOT / "bench" / "sizes.json"
PAGES: dict[report.Language, Path] = {
    "en": report.ROOT / "docs" / "explanation" / "scale.md",
    "ja": report.ROOT / "docs" / "ja" / "explanation" / "scale.md",
}
ACCOUNTS = (1_000_000, 10_000_000, 100_000_000)
HEAD: dict[report.Language, tuple[str, ...]] = {
    "en": ("what", "arithmetic", "1 million", "10 million", "100 million"),
    "ja": ("項目", "計算", "100 万", "1,000 万", "1 億"),
}

# The assumptions. The pages name each of them.
LIVE_SESSIONS = 1.2
ACTIVE_IN_PEAK_HOUR = 0.10
REFRESHES_AN_HOUR = 4
WHO_AM_I_A_REFRESH = 1
LOGINS_A_DAY = 0.03
PEAK_HOUR_OF_LOGINS = 0.15
ENDED_KEPT_DAYS = 30
AUDIT_OF_A_LOGIN = 2
AUDIT_KEPT_DAYS = 730
BUSY_AT_MOST = 0.5
CORES_A_NODE = 4


class Costs(NamedTuple):
    """Microseconds of processor time a call, of the server and of PostgreSQL; bytes of a row, and of the write-ahead
    log for a call; flushes of it for a login."""

    refresh_us: float
    refresh_store_us: float
    who_us: float
    who_store_us: float
    login_us: float
    login_store_us: float
    account: float
    session: float
    audit: float
    record: float
    refresh_log: float
    login_log: float
    login_flushes: float


class Line(NamedTuple):
    """One line: its words, the arithmetic with the numbers filled in, the value for so many accounts, its unit."""

    en: str
    ja: str
    how: str
    value: Callable[[int], float]
    unit: str = ""


def costs() -> Costs:
    """Read what was measured.

    Raises:
        KeyError: the last run of `make bench` had no PostgreSQL.
    """
    rows = {row.id: row for row in report.read().rows}
    refresh, who = rows["refresh, PostgreSQL"], rows["who-am-i, bearer, warm, PostgreSQL"]
    login = rows["login, PostgreSQL"]
    sizes: dict[str, Any] = json.decode(SIZES.read_bytes())
    return Costs(
        *_cpu(refresh),
        *_cpu(who),
        *_cpu(login),
        account=sizes["account"],
        session=sizes["session"],
        audit=sizes["audit"],
        record=sizes["redis_record"],
        refresh_log=sizes["refresh"]["log_bytes"],
        login_log=sizes["login"]["log_bytes"],
        login_flushes=sizes["login"]["flushes"],
    )


def lines(cost: Costs) -> list[Line]:
    """Return the calculation; each line uses those before it."""

    def refreshes(n: int) -> float:
        return n * ACTIVE_IN_PEAK_HOUR * REFRESHES_AN_HOUR / 3600

    def logins(n: int) -> float:
        return n * LOGINS_A_DAY * PEAK_HOUR_OF_LOGINS / 3600

    def cores(n: int) -> float:
        return (refreshes(n) * (cost.refresh_us + WHO_AM_I_A_REFRESH * cost.who_us) + logins(n) * cost.login_us) / 1e6

    def nodes(n: int) -> float:
        return max(2, ceil(cores(n) / BUSY_AT_MOST / CORES_A_NODE) + 1)

    def store_cores(n: int) -> float:
        a_refresh = cost.refresh_store_us + WHO_AM_I_A_REFRESH * cost.who_store_us
        return (refreshes(n) * a_refresh + logins(n) * cost.login_store_us) / 1e6

    def sessions(n: int) -> float:
        return n * (LIVE_SESSIONS + LOGINS_A_DAY * ENDED_KEPT_DAYS)

    def audit(n: int) -> float:
        return n * LOGINS_A_DAY * AUDIT_OF_A_LOGIN * AUDIT_KEPT_DAYS

    def log(n: int) -> float:
        return (refreshes(n) * cost.refresh_log + logins(n) * cost.login_log) / 1e6

    def flushes(n: int) -> float:
        return refreshes(n) + logins(n) * cost.login_flushes

    def live(n: int) -> float:
        return n * (cost.account + (LIVE_SESSIONS + LOGINS_A_DAY * ENDED_KEPT_DAYS) * cost.session) / 1e9

    def trail(n: int) -> float:
        return audit(n) * cost.audit / 1e9

    return [
        Line(
            "refreshes a second, peak hour",
            "リフレッシュ/秒 (ピーク時)",
            f"N × {ACTIVE_IN_PEAK_HOUR:.0%} × {REFRESHES_AN_HOUR} ÷ 3,600",
            refreshes,
        ),
        Line(
            "logins a second, peak hour",
            "ログイン/秒 (ピーク時)",
            f"N × {LOGINS_A_DAY:.0%} × {PEAK_HOUR_OF_LOGINS:.0%} ÷ 3,600",
            logins,
        ),
        Line(
            "busy cores, servers",
            "使用コア (サーバー)",
            f"(R × ({cost.refresh_us:,.0f} + {cost.who_us:,.0f}) + L × {cost.login_us:,.0f}) ÷ 10⁶",
            cores,
        ),
        Line(
            f"nodes of {CORES_A_NODE} cores",
            f"ノード数 ({CORES_A_NODE} コア)",
            f"⌈cores ÷ {BUSY_AT_MOST} ÷ {CORES_A_NODE}⌉ + 1, ≥ 2",
            nodes,
        ),
        Line(
            "busy cores, PostgreSQL",
            "使用コア (PostgreSQL)",
            f"(R × ({cost.refresh_store_us:,.0f} + {cost.who_store_us:,.0f}) + L × {cost.login_store_us:,.0f}) ÷ 10⁶",
            store_cores,
        ),
        Line(
            "rows of sessions, millions",
            "セッションの行 (百万)",
            f"N × ({LIVE_SESSIONS} + {LOGINS_A_DAY:.0%} × {ENDED_KEPT_DAYS}) ÷ 10⁶",
            lambda n: sessions(n) / 1e6,
        ),
        Line(
            "accounts and sessions",
            "アカウントとセッション",
            f"(N × {cost.account:,.0f} + sessions × {cost.session:,.0f}) ÷ 10⁹",
            live,
            "GB",
        ),
        Line(
            "rows of the audit trail, millions",
            "監査記録の行 (百万)",
            f"N × {LOGINS_A_DAY:.0%} × {AUDIT_OF_A_LOGIN} × {AUDIT_KEPT_DAYS} ÷ 10⁶",
            lambda n: audit(n) / 1e6,
        ),
        Line("audit trail", "監査記録", f"audit × {cost.audit:,.0f} ÷ 10⁹", trail, "GB"),
        Line("database", "データベース全体", "accounts and sessions + audit", lambda n: live(n) + trail(n), "GB"),
        Line(
            "write-ahead log, peak",
            "WAL (ピーク時)",
            f"(R × {cost.refresh_log:,.0f} + L × {cost.login_log:,.0f}) ÷ 10⁶",
            log,
            "MB/s",
        ),
        Line(
            "flushes of the log a second, at most",
            "WAL のフラッシュ/秒 (上限)",
            f"R × 1 + L × {cost.login_flushes:.1f}",
            flushes,
        ),
        Line(
            "page writes a second, at most",
            "ページ書き込み/秒 (上限)",
            "R × 1 + L × 12",
            lambda n: refreshes(n) + 12 * logins(n),
        ),
        Line(
            "page reads a second, nothing in memory",
            "ページ読み取り/秒 (メモリに何もない場合)",
            f"R × (4 + {WHO_AM_I_A_REFRESH} × 4) + L × 8",
            lambda n: refreshes(n) * (4 + WHO_AM_I_A_REFRESH * 4) + 8 * logins(n),
        ),
        Line(
            "Redis, memory of the session engine",
            "Redis のメモリ (セッションエンジン)",
            f"N × {LIVE_SESSIONS} × {cost.record:,.0f} ÷ 10⁹",
            lambda n: n * LIVE_SESSIONS * cost.record / 1e9,
            "GB",
        ),
    ]


def table(language: report.Language, cost: Costs) -> str:
    """Return the calculation as a table of a page."""
    rows = []
    for line in lines(cost):
        values = tuple(_shown(line.value(n), line.unit) for n in ACCOUNTS)
        rows.append((line.ja if language == "ja" else line.en, line.how, *values))
    return report.table(HEAD[language], rows, numbers=range(2, 5))


def update_docs() -> None:
    """Write the tables into the pages, between the marks."""
    cost = costs()
    for language, page in PAGES.items():
        page.write_text(with_table(page.read_text(encoding="utf-8"), language, cost), encoding="utf-8")


def with_table(page: str, language: report.Language, cost: Costs) -> str:
    """Return a page with the calculation between its marks.

    Raises:
        ValueError: the page has no marks.
    """
    results, sizes = report.read(), json.decode(SIZES.read_bytes())
    source = (
        f"bench/results.json {results.taken_at} ({results.conditions['commit']}), bench/sizes.json {sizes['taken_at']}"
    )
    return report.between_marks(page, f"{source}\n\n{table(language, cost)}")


def _cpu(row: Row) -> tuple[float, float]:
    assert row.cpu_us is not None
    assert row.store_us is not None
    return row.cpu_us, row.store_us


def _shown(value: float, unit: str) -> str:
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 2
    text = f"{value:,.{digits}f}"
    return f"{text} {unit}".strip()


if __name__ == "__main__":
    update_docs()
