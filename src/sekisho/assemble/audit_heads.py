"""Heads of the audit trail, kept outside the database: in the log, and in a file of one line."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import structlog

from sekisho.model import AuditSeal

log = structlog.get_logger("sekisho.audit")


async def tell_head(file: Path | None, seal: AuditSeal, head: str) -> None:
    """Log the head, and let it take the place of the one in `file`. A file that cannot be written is told, not more:
    the log has the head, too."""
    log.info("audit_sealed", number=seal.number, records=seal.records, head=head)
    if file is not None:
        try:
            await asyncio.to_thread(_replace, file, head)
        except OSError as error:
            log.warning("audit_head_not_written", file=str(file), error=error.strerror or str(error))


def read_head(file: Path | None) -> str | None:
    """Return the head in the file; None if there is no file.

    Raises:
        OSError: it is there and cannot be read.
    """
    try:
        return file.read_text().strip() if file is not None else None
    except FileNotFoundError:
        return None


def _replace(file: Path, head: str) -> None:
    """All of it or nothing of it: whoever reads meanwhile gets the older head."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    beside.write_text(head + "\n")
    beside.replace(file)
