"""`sekisho audit export` and `report`: the trail for other programs, and a period for people."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, Literal, TextIO

import msgspec
import typer

from sekisho.admin import audit
from sekisho.admin.audit import Report
from sekisho.admin.world import OperatorWorld
from sekisho.cli.audit import record_view
from sekisho.cli.audit_filter import (
    EventName,
    Outcome,
    Session,
    Since,
    Until,
    User,
    conditions,
    known_words,
    moment,
    of_user,
)
from sekisho.cli.failures import fail
from sekisho.cli.output import print_json
from sekisho.cli.surroundings import OUTPUT, AsJson, run
from sekisho.cli.texts import LANGUAGE, say
from sekisho.model import AuditRecord
from sekisho.times import iso_time

ExportForm = Literal["jsonl", "csv"]
ReportForm = Literal["text", "html", "json"]

TOLD_EVERY = 100_000
REPORT_DAYS = "30d"
COLUMNS = tuple(name for name in AuditRecord.__struct_fields__ if name != "seq")
# A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BAR_CHARS = 24
# One account is counted in several of its lines.
_NO_SUM = ("adoption",)


def export(
    user: User = None,
    session: Session = None,
    event: EventName = None,
    outcome: Outcome = None,
    since: Since = None,
    until: Until = None,
    form: Annotated[ExportForm, typer.Option("--format", help=say("option.export_format"))] = "jsonl",
    output: Annotated[Path | None, typer.Option(*OUTPUT, metavar="FILE", help=say("option.output"))] = None,
    as_json: AsJson = False,
) -> None:
    if as_json and output is None:
        raise typer.BadParameter(say("usage.json_of_file"))
    wanted = conditions(session, event, outcome, since, until, as_json=as_json)
    with ExitStack() as stack:
        target = sys.stdout if output is None else stack.enter_context(_created(output, as_json=as_json))
        write = _csv_writer(target) if form == "csv" else _json_writer(target)

        async def work(world: OperatorWorld) -> int:
            records = 0
            with known_words(as_json=as_json):
                async for record in audit.export_audit(await of_user(wanted, user, world, as_json=as_json), world):
                    write(record)
                    records += 1
                    if records % TOLD_EVERY == 0 and not as_json:
                        print(say("export.progress", count=f"{records:,}"), file=sys.stderr)
            return records

        records = run(work, as_json=as_json)
    if as_json:
        print_json({"records": records, "path": str(output)})
    elif output is not None:
        print(say("export.done", count=f"{records:,}", path=output))


def report(
    since: Since = REPORT_DAYS,
    until: Until = None,
    form: Annotated[
        ReportForm | None, typer.Option("--format", show_default="text", help=say("option.report_format"))
    ] = None,
    as_json: AsJson = False,
) -> None:
    if as_json and form not in (None, "json"):
        raise typer.BadParameter(say("usage.choose_one", one="--json", other=f"--format {form}"))
    as_json = as_json or form == "json"
    now = time.time_ns() // 1_000_000
    since_at, until_at = moment("since", since, now, as_json) or 0, moment("until", until, now, as_json) or now

    async def work(world: OperatorWorld) -> Report:
        return await audit.report_audit(since_at, until_at, world)

    found = run(work, as_json=as_json)
    match "json" if as_json else form:
        case "json":
            print_json(_view(found))
        case "html":
            print(_html(found))
        case _:
            print(_text(found))


def _created(path: Path, *, as_json: bool) -> TextIO:
    """Open a new file that only its owner reads; an older one is not written over."""
    try:
        path.touch(mode=0o600, exist_ok=False)
        return path.open("w", encoding="utf-8", newline="")
    except FileExistsError:
        fail("file_exists", say("backup.exists", path=path), as_json=as_json)
    except OSError as error:
        fail("cannot_write", say("export.cannot_write", path=path, why=error.strerror or error), as_json=as_json)


def _json_writer(target: TextIO) -> Callable[[AuditRecord], None]:
    def write(record: AuditRecord) -> None:
        target.write(msgspec.json.encode(record_view(record)).decode() + "\n")

    return write


def _csv_writer(target: TextIO) -> Callable[[AuditRecord], None]:
    rows = csv.writer(target)
    rows.writerow(("seq", *COLUMNS))

    def write(record: AuditRecord) -> None:
        view = record_view(record)
        rows.writerow((record.seq, *(_harmless(view[name]) for name in COLUMNS)))

    return write


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _sections(found: Report) -> list[tuple[str, str, list[tuple[str, int]]]]:
    return [
        ("sign_ins", say("report.sign_ins"), found.sign_ins),
        ("failures", say("report.failures"), found.failures),
        ("unusual", say("report.unusual"), found.unusual),
        ("ended", say("report.ended"), found.ended),
        ("factors", say("report.factors"), found.factors),
        ("adoption", say("report.adoption"), found.adoption),
        ("other", say("report.other"), found.other),
    ]


def _view(found: Report) -> dict[str, Any]:
    parts = {name: dict(counts) for name, _, counts in _sections(found)}
    return {"since": iso_time(found.since_at), "until": iso_time(found.until_at), **parts}


def _text(found: Report) -> str:
    lines = [say("report.title", since=iso_time(found.since_at), until=iso_time(found.until_at))]
    for name, title, counts in _sections(found):
        lines += ["", title if name in _NO_SUM else f"{title}: {sum(count for _, count in counts):,}"]
        widest = max((len(word) for word, _ in counts), default=0)
        most = max((count for _, count in counts), default=0) or 1
        for word, count in counts:
            bar = "#" * max(min(count, 1), round(_BAR_CHARS * count / most))
            lines.append(f"  {(word or '-').ljust(widest)}  {count:>9,}  {bar}")
    return "\n".join(lines)


def _html(found: Report) -> str:
    # Loaded for this form only: every other command starts without it.
    from jinja2 import Environment, PackageLoader

    environment = Environment(loader=PackageLoader("sekisho.cli"), autoescape=True, trim_blocks=True)
    sections = [
        {"title": title, "total": None if name in _NO_SUM else sum(count for _, count in counts), "counts": counts}
        for name, title, counts in _sections(found)
    ]
    title = say("report.title", since=iso_time(found.since_at), until=iso_time(found.until_at))
    return environment.get_template("audit_report.html").render(title=title, language=LANGUAGE, sections=sections)
