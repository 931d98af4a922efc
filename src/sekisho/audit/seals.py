"""One batch of the audit trail, sealed: its lines, its link of the chain, and the signed head.

A *line* is what the seal knows of a record: its number, a keyed hash of what stays for ever, and a keyed hash of what
is personal. The second may be blanked later (a withdrawal, the end of its time) without touching the first. A *link*
is a keyed hash over the batch and the link before it. A *head* names the newest link in a form that can be kept
elsewhere and checked with a public key: whoever has one notices when the chain's end was cut off.

Keys are derived from the master secret, so who can only write to the database can make no link. Where it was replaced,
the batches from before keep the keys that they were sealed with, and none after them may: who has learned the old
secret can make no new link. The last old link is kept under the new secret, and holds the chain before it.

Spec: RFC 2104 (HMAC), RFC 7515 (the head's form), RFC 8032 (its signature).
"""

from __future__ import annotations

import hmac
import sys
from collections.abc import Iterator, Sequence

from msgspec import Struct, json, structs

from sekisho.master_secret import MasterSecret
from sekisho.model import AuditRecord, AuditSeal, Millis
from sekisho.rfc import base64url, jwt
from sekisho.rfc.keys import PublicKey, VerificationKey, ed25519_key

HEAD_TYPE = "audit-head+jwt"

_SEQ_BYTES = 8
_TAG_BYTES = 16
LINE_BYTES = _SEQ_BYTES + 2 * _TAG_BYTES

# In this order and for ever: a new field of records goes to the end of its list only with a new purpose of the tag.
_LASTING = ("event", "outcome", "account_id", "session_id", "client_id", "method", "reason", "actor", "subject")
PERSONAL = ("identifier_tag", "ip", "user_agent", "place", "device")


class Line(Struct, frozen=True):
    """What a seal knows of one record."""

    seq: int
    lasting: bytes
    personal: bytes


class Head(Struct, frozen=True):
    """A link of the chain, as its signed form names it. `sealed_at` counts milliseconds."""

    number: int
    last_seq: int
    digest: str
    sealed_at: Millis


class BadHead(ValueError):
    """Not a head that this installation signed. Never quotes it."""


class Seals:
    """Makes and checks lines, links, tags and heads of one installation."""

    def __init__(self, master: MasterSecret) -> None:
        self._master = master
        self._key = ed25519_key(master.derive("audit head"))
        self._signer = jwt.Signer(self._key, HEAD_TYPE)
        # By key id: the public key, and the last seal whose head it may have signed.
        self._head_keys: dict[str, tuple[VerificationKey, int]] = {self._key.kid: (self._key.public, sys.maxsize)}
        for former in master.formers:
            key = ed25519_key(former.secret.derive("audit head"))
            self._head_keys[key.kid] = (key.public, former.last_seal)
        self._ends = {former.last_seal: former.last_digest for former in master.formers if former.last_seal}

    @property
    def public_key(self) -> PublicKey:
        """The key that heads are verified with; may be given to anybody."""
        return self._key.public

    def make(self, previous: AuditSeal | None, records: Sequence[AuditRecord], now: Millis) -> AuditSeal:
        """Return the seal of a batch that follows `previous` (None: the first).

        Args:
            records: in the order of their numbers, at least one.
        """
        number = previous.number + 1 if previous else 1
        master = self._master_of(number)
        lines = b"".join(_line(master, each) for each in records)
        seal = AuditSeal(
            number=number,
            first_seq=records[0].seq,
            last_seq=records[-1].seq,
            records=len(records),
            lines=lines,
            lines_digest=b"",
            digest=b"",
            sealed_at=now,
        )
        seal = structs.replace(seal, lines_digest=self.digest_of_lines(seal))
        return structs.replace(seal, digest=self.link(previous.digest if previous else b"", seal))

    def digest_of_lines(self, seal: AuditSeal) -> bytes:
        """Return what stands for the lines in the link, so that the link can be checked when they are gone."""
        return self._master_of(seal.number).tag("audit lines", seal.lines)

    def link(self, previous_digest: bytes, seal: AuditSeal) -> bytes:
        """Return the link that this seal must carry behind that one."""
        numbers = (seal.number, seal.first_seq, seal.last_seq, seal.records, seal.sealed_at)
        packed = b"".join(each.to_bytes(8, "big") for each in numbers)
        return self._master_of(seal.number).tag("audit seal", previous_digest, packed, seal.lines_digest)

    def is_line_of(self, line: Line, record: AuditRecord, seal: AuditSeal) -> bool:
        """Whether what stays for ever is as it was sealed, in this batch."""
        return hmac.compare_digest(line.lasting, _lasting(self._master_of(seal.number), record))

    def is_personal_of(self, line: Line, record: AuditRecord, seal: AuditSeal) -> bool:
        """Whether what is personal is as it was sealed, in this batch."""
        return hmac.compare_digest(line.personal, _personal(self._master_of(seal.number), record))

    @property
    def reaches(self) -> int:
        """The number that the chain had come to when the secret was last replaced; 0 if there was none."""
        return max(self._ends, default=0)

    def is_end_of_secret(self, seal: AuditSeal) -> bool:
        """Whether the chain passes where it stood when a secret was replaced. Without this, who has learned that one
        could write the whole chain before it anew. True for seals in between."""
        return hmac.compare_digest(self._ends.get(seal.number, seal.digest), seal.digest)

    def retirement_tag(self, what: str, seal: AuditSeal) -> bytes:
        """Return the proof that this server blanked (`blank`) or purged (`purge`) the batch: always by the secret of
        today, so that one from before retires nothing."""
        return self._master.tag(f"audit {what}", seal.number.to_bytes(8, "big"), seal.digest)

    def is_retirement_tag(self, tag: bytes, what: str, seal: AuditSeal) -> bool:
        """Whether this server blanked or purged the batch."""
        return hmac.compare_digest(tag, self.retirement_tag(what, seal))

    def sign_head(self, seal: AuditSeal) -> str:
        """Return the head of this link as a compact JWS."""
        digest = base64url.encode(seal.digest)
        return self._signer.sign(
            Head(number=seal.number, last_seq=seal.last_seq, digest=digest, sealed_at=seal.sealed_at)
        )

    def open_head(self, text: str) -> Head:
        """Return what a head says.

        Raises:
            BadHead: damaged, or signed by another installation.
        """
        try:
            verified = jwt.verify(text.strip(), typ=HEAD_TYPE, find_key=self._find_key, claims=json.Decoder(Head))
        except jwt.JwtError as error:
            raise BadHead(error.detail) from None
        if verified.claims.number > self._head_keys[verified.kid][1]:
            raise BadHead("signed with a secret that had been replaced")
        return verified.claims

    def _find_key(self, kid: str) -> VerificationKey:
        if kid not in self._head_keys:
            raise jwt.UnknownKey("another installation's key")
        return self._head_keys[kid][0]

    def _master_of(self, number: int) -> MasterSecret:
        """Return the secret that the seal of this number is made with."""
        return next((each.secret for each in self._master.formers if number <= each.last_seal), self._master)


def _line(master: MasterSecret, record: AuditRecord) -> bytes:
    return record.seq.to_bytes(_SEQ_BYTES, "big") + _lasting(master, record) + _personal(master, record)


def _lasting(master: MasterSecret, record: AuditRecord) -> bytes:
    parts = (record.seq.to_bytes(8, "big"), record.at.to_bytes(8, "big"))
    return master.tag("audit line", *parts, *(getattr(record, name) for name in _LASTING))[:_TAG_BYTES]


def _personal(master: MasterSecret, record: AuditRecord) -> bytes:
    seq = record.seq.to_bytes(8, "big")
    # With the number: two records from one address do not look alike.
    return master.tag("audit personal", seq, *(getattr(record, name) for name in PERSONAL))[:_TAG_BYTES]


def lines_of(seal: AuditSeal) -> Iterator[Line]:
    """Yield the lines of a seal, in their order."""
    for start in range(0, len(seal.lines) - LINE_BYTES + 1, LINE_BYTES):
        line = seal.lines[start : start + LINE_BYTES]
        seq = int.from_bytes(line[:_SEQ_BYTES], "big")
        yield Line(seq, line[_SEQ_BYTES : _SEQ_BYTES + _TAG_BYTES], line[_SEQ_BYTES + _TAG_BYTES :])


def is_blank(record: AuditRecord) -> bool:
    """Whether nothing personal is left in the record."""
    return not any(getattr(record, name) for name in PERSONAL)
