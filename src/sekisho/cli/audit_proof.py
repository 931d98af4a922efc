"""`sekisho audit verify` and `head`: whether the trail is whole, and what to keep elsewhere to know it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sekisho.admin import audit
from sekisho.admin.world import OperatorWorld
from sekisho.audit.verifying import Findings
from sekisho.cli.failures import FAILED, fail
from sekisho.cli.output import print_json, time_json
from sekisho.cli.surroundings import AsJson, run, settings_for_command
from sekisho.cli.texts import say
from sekisho.errors import ValidationError
from sekisho.times import iso_time

# One line of progress for so many records.
TOLD_EVERY = 100_000


def verify(
    head: Annotated[Path | None, typer.Option("--head", metavar="FILE", help=say("option.head"))] = None,
    as_json: AsJson = False,
) -> None:
    kept = _kept_head(head, as_json=as_json)
    told = 0

    def progress(records: int) -> None:
        nonlocal told
        if records - told >= TOLD_EVERY and not as_json:
            told = records
            print(say("verify.progress", count=f"{records:,}"), file=sys.stderr)

    async def work(world: OperatorWorld) -> Findings:
        try:
            return await audit.verify_audit(world, kept, progress)
        except ValidationError as error:
            fail("bad_head", say("verify.bad_head"), as_json=as_json, details=dict(error.details or {}))

    findings = run(work, as_json=as_json)
    if as_json:
        print_json(_view(findings, has_head=kept is not None))
    else:
        print("\n".join(_sentences(findings, has_head=kept is not None)))
    if not findings.is_whole:
        raise typer.Exit(FAILED)


def show_head(as_json: AsJson = False) -> None:
    async def work(world: OperatorWorld) -> str | None:
        return await audit.current_head(world)

    found = run(work, as_json=as_json)
    if found is None:
        fail("not_sealed", say("verify.no_head"), as_json=as_json)
    if as_json:
        print_json({"head": found})
    else:
        print(found)


def _kept_head(file: Path | None, *, as_json: bool) -> str | None:
    """The head that was asked for must be there; the usual one may not have been written yet."""
    from sekisho.assemble.audit_heads import read_head

    path = file or settings_for_command(as_json=as_json).audit_head_file
    try:
        kept = read_head(path)
    except OSError as error:
        fail("cannot_read_head", say("verify.cannot_read", path=path, why=error.strerror or error), as_json=as_json)
    if kept is None and file is not None:
        fail("no_such_file", say("verify.no_file", path=file), as_json=as_json)
    return kept


def _view(findings: Findings, *, has_head: bool) -> dict[str, object]:
    return {
        "whole": findings.is_whole,
        "head_checked": has_head,
        "records": findings.records,
        "seals": findings.seals,
        "purged_seals": findings.purged,
        "blanked": {
            "withdrawn": findings.blanked_withdrawn,
            "aged": findings.blanked_aged,
            "without_account": findings.blanked_without_account,
        },
        "waiting": findings.waiting,
        "sealed_until": time_json(findings.sealed_until_at),
        "found": [{"kind": each.kind, "number": each.number} for each in findings.found],
        "more": findings.more,
    }


def _sentences(findings: Findings, *, has_head: bool) -> list[str]:
    counts = {"records": f"{findings.records:,}", "seals": f"{findings.seals:,}"}
    if findings.is_whole and findings.sealed_until_at is None:
        lines = [say("verify.nothing_sealed")]
    elif findings.is_whole:
        lines = [say("verify.whole", until=iso_time(findings.sealed_until_at or 0), **counts)]
    else:
        lines = [say("verify.broken", **counts)]
        lines += [f"  {say(f'found.{each.kind}', number=each.number)}" for each in findings.found]
        if findings.more:
            lines.append(f"  {say('found.more')}")
    if findings.purged:
        lines.append(say("verify.purged", count=findings.purged))
    blanked = (findings.blanked_withdrawn, findings.blanked_aged, findings.blanked_without_account)
    if any(blanked):
        lines.append(say("verify.blanked", withdrawn=blanked[0], aged=blanked[1], unnamed=blanked[2]))
    if findings.waiting:
        lines.append(say("verify.waiting", count=findings.waiting))
    if not has_head:
        lines.append(say("verify.without_head"))
    return lines
