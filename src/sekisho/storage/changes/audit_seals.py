"""The chain over the audit trail: a batch is sealed, later blanked, at last purged."""

from __future__ import annotations

from sekisho.ports import changes
from sekisho.storage.changes.erasure import BLANK
from sekisho.storage.steps import Losing, Step, Steps

ADD_SEAL = """
INSERT INTO audit_seals (number, first_seq, last_seq, records, lines, lines_digest, digest, sealed_at)
SELECT :number, :first_seq, :last_seq, :records, :lines, :lines_digest, :digest, :sealed_at
WHERE (SELECT coalesce(max(number), 0) FROM audit_seals) = :previous
ON CONFLICT (number) DO NOTHING
RETURNING number
"""

MARK_BLANKED = """
UPDATE audit_seals SET blank_tag = :tag WHERE number = :number AND blank_tag IS NULL RETURNING first_seq, last_seq
"""

BLANK_BATCH = f"UPDATE audit SET {BLANK} WHERE seq >= :first_seq AND seq <= :last_seq"  # noqa: S608 - constants

MARK_PURGED = """
UPDATE audit_seals SET purge_tag = :tag, lines = :nothing WHERE number = :number AND purge_tag IS NULL
RETURNING first_seq, last_seq
"""

PURGE_BATCH = "DELETE FROM audit WHERE seq >= :first_seq AND seq <= :last_seq"


def add_audit_seal(change: changes.AddAuditSeal) -> Steps:
    seal = change.seal
    added = yield Step(
        ADD_SEAL,
        {
            "number": seal.number,
            "previous": seal.number - 1,
            "first_seq": seal.first_seq,
            "last_seq": seal.last_seq,
            "records": seal.records,
            "lines": seal.lines,
            "lines_digest": seal.lines_digest,
            "digest": seal.digest,
            "sealed_at": seal.sealed_at,
        },
    )
    return None if added else Losing("seal_taken")


def blank_sealed_audit(change: changes.BlankSealedAudit) -> Steps:
    batch = yield Step(MARK_BLANKED, {"number": change.number, "tag": change.tag})
    if not batch:
        return Losing("no_seal")
    yield Step(BLANK_BATCH, {"first_seq": batch[0][0], "last_seq": batch[0][1]})
    return None


def purge_sealed_audit(change: changes.PurgeSealedAudit) -> Steps:
    batch = yield Step(MARK_PURGED, {"number": change.number, "tag": change.tag, "nothing": b""})
    if not batch:
        return Losing("no_seal")
    yield Step(PURGE_BATCH, {"first_seq": batch[0][0], "last_seq": batch[0][1]})
    return None
