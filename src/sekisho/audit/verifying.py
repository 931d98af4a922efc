"""Walking the chain: is the audit trail whole?

    head kept elsewhere -> is its link in the chain?
    each seal -> does its link follow the one before? -> does each record still fit its line?
    behind the last seal -> has anything waited too long?

What may differ from what was sealed, and why: what is personal, in a batch that the server itself blanked, in the
records of an account that has withdrawn, and in those that name no account (a withdrawal blanks what was written about
its address before there was an account; these are counted apart). And a batch that the server purged has no records.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from sekisho.audit.seals import Head, Line, Seals, is_blank, lines_of
from sekisho.model import AuditRecord, AuditSeal, Millis
from sekisho.ports.storage import AuditFilter, Store
from sekisho.rfc import base64url

# A record that is not sealed after this time was kept from it.
SEALED_WITHIN_MS = 10 * 60_000
MOST_FINDINGS = 1000
_PAGE = 100

Kind = Literal[
    "record_changed",
    "record_blanked",
    "record_missing",
    "record_added",
    "seal_changed",
    "seal_missing",
    "head_unknown",
    "not_sealed",
]


class Finding(Struct, frozen=True):
    """One thing that is not as it was sealed. `number`: a record's, or a seal's where `kind` is about seals."""

    kind: Kind
    number: int


class Findings(Struct, frozen=True, kw_only=True):
    """What the walk saw. The trail is whole if `found` is empty.

    records, seals: how many were checked. purged: how many seals stand for records that are deleted by now.
    blanked_withdrawn, blanked_aged, blanked_without_account: records whose personal fields were blanked since, by why.
    waiting: records that no seal covers yet. sealed_until_at: time of the newest seal, None without one.
    found: at most 1,000, `more` says whether there were more.
    """

    records: int
    seals: int
    purged: int
    blanked_withdrawn: int
    blanked_aged: int
    blanked_without_account: int
    waiting: int
    sealed_until_at: Millis | None
    found: tuple[Finding, ...]
    more: bool = False

    @property
    def is_whole(self) -> bool:
        return not self.found


async def verify_trail(
    store: Store, seals: Seals, now: Millis, head: Head | None = None, progress: Callable[[int], None] | None = None
) -> Findings:
    """Return what does not fit.

    Args:
        head: the newest one that was kept elsewhere. Without it a cut end cannot be noticed.
        progress: is told how many records were checked so far.
    """
    walk = _Walk(seals, await _withdrawn_accounts(store))
    previous: AuditSeal | None = None
    is_head_seen = head is None
    while page := await store.list_audit_seals(previous.number if previous else 0, _PAGE):
        for seal in page:
            walk.check_link(previous, seal)
            behind = previous.last_seq if previous else 0
            # One more than there may be shows that something was added; all of it need not be read.
            batch = await store.read_audit(behind, seal.last_seq, seal.records + 1)
            walk.check_batch(seal, batch)
            if head is not None and seal.number == head.number:
                is_head_seen = hmac.compare_digest(base64url.encode(seal.digest), head.digest)
            previous = seal
            if progress is not None:
                progress(walk.records)
    walk.check_end(previous)
    if not is_head_seen and head is not None:
        walk.add("head_unknown", head.number)
    waiting = await _check_waiting(store, previous, now, walk)
    return walk.findings(previous, waiting)


class _Walk:
    def __init__(self, seals: Seals, withdrawn: frozenset[str]) -> None:
        self._seals = seals
        self._withdrawn = withdrawn
        self._found: list[Finding] = []
        self._has_more = False
        self._blanked = {"withdrawn": 0, "aged": 0, "without_account": 0}
        self._seals_seen = 0
        self._purged = 0
        self.records = 0

    def add(self, kind: Kind, number: int) -> None:
        if len(self._found) < MOST_FINDINGS:
            self._found.append(Finding(kind, number))
        else:
            self._has_more = True

    def check_link(self, previous: AuditSeal | None, seal: AuditSeal) -> None:
        self._seals_seen += 1
        expected = previous.number + 1 if previous else 1
        if seal.number != expected:
            for missing in range(expected, min(seal.number, expected + MOST_FINDINGS)):
                self.add("seal_missing", missing)
            return
        is_linked = hmac.compare_digest(seal.digest, self._seals.link(previous.digest if previous else b"", seal))
        if not is_linked or not self._seals.is_end_of_secret(seal):
            self.add("seal_changed", seal.number)

    def check_end(self, last: AuditSeal | None) -> None:
        """Report what the chain had when the secret was replaced, and has no more."""
        missing = last.number + 1 if last else 1
        for number in range(missing, min(self._seals.reaches, missing + MOST_FINDINGS) + 1):
            self.add("seal_missing", number)

    def check_batch(self, seal: AuditSeal, batch: list[AuditRecord]) -> None:
        if self._is_retired(seal, "purge", seal.purge_tag):
            self._purged += 1
            for record in batch:
                self.add("record_added", record.seq)
            return
        if not hmac.compare_digest(self._seals.digest_of_lines(seal), seal.lines_digest):
            self.add("seal_changed", seal.number)
            return
        is_blanked = self._is_retired(seal, "blank", seal.blank_tag)
        lines = {line.seq: line for line in lines_of(seal)}
        for record in batch:
            line = lines.pop(record.seq, None)
            if line is None:
                self.add("record_added", record.seq)
                continue
            self.records += 1
            self._check_record(line, record, seal, is_blanked)
        # A batch that holds too much was not read to its end: what is left may be there.
        if len(batch) <= seal.records:
            for missing in lines:
                self.add("record_missing", missing)

    def findings(self, last: AuditSeal | None, waiting: int) -> Findings:
        return Findings(
            records=self.records,
            seals=self._seals_seen,
            purged=self._purged,
            blanked_withdrawn=self._blanked["withdrawn"],
            blanked_aged=self._blanked["aged"],
            blanked_without_account=self._blanked["without_account"],
            waiting=waiting,
            sealed_until_at=last.sealed_at if last else None,
            found=tuple(self._found),
            more=self._has_more,
        )

    def _is_retired(self, seal: AuditSeal, what: str, tag: bytes | None) -> bool:
        """Whether the server retired the batch; a tag that it did not make is a change of its own."""
        if tag is None:
            return False
        if self._seals.is_retirement_tag(tag, what, seal):
            return True
        self.add("seal_changed", seal.number)
        return False

    def _check_record(self, line: Line, record: AuditRecord, seal: AuditSeal, is_batch_blanked: bool) -> None:
        if not self._seals.is_line_of(line, record, seal):
            self.add("record_changed", record.seq)
        elif not self._seals.is_personal_of(line, record, seal):
            why = self._why_blank(record, is_batch_blanked) if is_blank(record) else None
            if why is None:
                self.add("record_blanked" if is_blank(record) else "record_changed", record.seq)
            else:
                self._blanked[why] += 1

    def _why_blank(self, record: AuditRecord, is_batch_blanked: bool) -> str | None:
        if is_batch_blanked:
            return "aged"
        if not record.account_id:
            return "without_account"
        return "withdrawn" if record.account_id in self._withdrawn else None


async def _withdrawn_accounts(store: Store) -> frozenset[str]:
    found: set[str] = set()
    before: int | None = None
    while True:
        wanted = AuditFilter(event="withdrawal", outcome="success", before_seq=before, limit=1000)
        page = await store.list_audit(wanted)
        found.update(record.account_id for record in page)
        if len(page) < wanted.limit:
            return frozenset(found)
        before = page[-1].seq


async def _check_waiting(store: Store, last: AuditSeal | None, now: Millis, walk: _Walk) -> int:
    """Count what is not sealed yet; report what should have been."""
    behind, waiting = last.last_seq if last else 0, 0
    while page := await store.read_audit_to_seal(behind, 1000):
        waiting += len(page)
        for record in page:
            if record.at < now - SEALED_WITHIN_MS:
                walk.add("not_sealed", record.seq)
        behind = page[-1].seq
    return waiting
