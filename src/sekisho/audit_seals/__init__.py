"""The keyed chain over the audit trail: what was written can be proved whole, or shown where it is not.

seals        one batch's lines, link and signed head (pure)
keeping      the background work: seal what is new, blank and purge what is old
verifying    the walk along the chain
"""

from sekisho.audit_seals.keeping import Retention, keep_sealed, retire, seal_waiting
from sekisho.audit_seals.seals import BadHead, Head, Seals
from sekisho.audit_seals.verifying import Finding, Findings, verify_trail

__all__ = [
    "BadHead",
    "Finding",
    "Findings",
    "Head",
    "Retention",
    "Seals",
    "keep_sealed",
    "retire",
    "seal_waiting",
    "verify_trail",
]
