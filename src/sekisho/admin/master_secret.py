"""Replacing the master secret while the data stay.

    seal anew what is kept for long -> in one commit: those values, the old secret sealed under the new one, the new
    secret's fingerprint, a line of the trail -> start the servers with the new secret

Nobody is signed out: tokens name the secret that they were made with, and one from before still opens. What is kept for
minutes and known by a tag of the old secret alone (codes, challenges, CSRF values, counted tries) is no good any more.

Every server on the database must be stopped: one that goes on with the old secret seals audit records with a key whose
time is over.

Spec: NIST SP 800-57 part 1 section 5.3 (cryptoperiods); OWASP ASVS 5.0 rows 11.2.2 and 13.3.4.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from types import MappingProxyType

from msgspec import Struct

from sekisho import outbox
from sekisho.admin.accounts import OPERATOR
from sekisho.admin.world import OperatorWorld
from sekisho.audit import SUCCESS, Event, record
from sekisho.audit.seals import Seals
from sekisho.master_secret import STORED_CHECK, STORED_FORMERS, MasterSecret, UnsealError
from sekisho.mfa import phones, totp
from sekisho.model import AuditSeal, Factor, FactorKind, Millis, Origin, QueuedMail, SigningKey
from sekisho.ports.changes import AppendAudit, SwapMeta
from sekisho.ports.secret_changes import Place, Reseal
from sekisho.ports.storage import Store
from sekisho.tokens import signing_keys

_PAGE = 1000
_SEALED_AS = MappingProxyType({FactorKind.TOTP: totp.sealed_as, FactorKind.SMS: phones.sealed_as})


class NotAnother(Exception):
    """The secret is the one in force, or one that was replaced before: whoever knew it would know this one."""


class ReplacedMeanwhile(Exception):
    """Another command replaced the secret at the same time. Nothing was changed."""


class Replaced(Struct, frozen=True, kw_only=True):
    """How many values were sealed anew, by what they are. unreadable: those that the old secret did not open and that
    stay as they are: a value was damaged before, or put there by somebody who has not this secret."""

    signing_keys: int
    factors: int
    letters: int
    audit_marks: int
    unreadable: int


async def replace_master_secret(secret: bytes, world: OperatorWorld) -> Replaced:
    """Put `secret` in the place of the master secret, all of it or nothing.

    Args:
        secret: at least 32 bytes of randomness.

    Raises:
        ValueError: shorter than that.
        NotAnother: see there.
        ReplacedMeanwhile: see there.
        StoreUnavailable: the store cannot answer; nothing was kept, or for a cut connection perhaps all.

    Concurrency: of two at once one wins.
    """
    new, old, store, now = MasterSecret(secret), world.master, world.store, world.clock.now()
    if new.fingerprint() in {old.fingerprint(), *(each.secret.fingerprint() for each in old.formers)}:
        raise NotAnother
    last = await store.last_audit_seal()
    kept = old.replaced_by(new, now, *((last.number, last.digest) if last else (0, b"")))
    reseals = [each async for each in _reseals(store, _Renewal(old, new))]
    outcome = await store.apply(
        SwapMeta(name=STORED_CHECK, was=old.fingerprint(), value=new.fingerprint()),
        SwapMeta(name=STORED_FORMERS, was=await store.find_meta(STORED_FORMERS), value=kept),
        *(each for each in reseals if each is not None),
        _audit(now),
    )
    if outcome.lost:
        raise ReplacedMeanwhile
    done = [each.place for each in reseals if each is not None]
    return Replaced(
        signing_keys=done.count("signing_key"),
        factors=done.count("factor"),
        letters=done.count("letter"),
        audit_marks=done.count("blanked_seal") + done.count("purged_seal"),
        unreadable=reseals.count(None),
    )


class _Renewal:
    """Opens with one secret and seals with the other. None for what does not open."""

    def __init__(self, old: MasterSecret, new: MasterSecret) -> None:
        self._old, self._new = old, new
        self._seals, self._new_seals = Seals(old), Seals(new)

    def key(self, key: SigningKey) -> bytes | None:
        return self._sealed(self._old.unseal_own, key.sealed_private, *signing_keys.sealed_as(key.kid))

    def letter(self, letter: QueuedMail) -> bytes | None:
        return self._sealed(self._old.unseal_own, letter.sealed, *outbox.sealed_as(letter.id))

    def factor(self, factor: Factor) -> bytes | None:
        return self._sealed(self._old.unseal, factor.sealed, *_SEALED_AS[factor.kind](factor.id))

    def _sealed(
        self, unseal: Callable[[str, bytes, str], bytes], sealed: bytes, purpose: str, context: str
    ) -> bytes | None:
        try:
            return self._new.seal(purpose, unseal(purpose, sealed, context), context)
        except UnsealError:
            return None

    def mark(self, tag: bytes, what: str, seal: AuditSeal) -> bytes | None:
        if not self._seals.is_retirement_tag(tag, what, seal):
            return None
        return self._new_seals.retirement_tag(what, seal)


async def _reseals(store: Store, renewal: _Renewal) -> AsyncIterator[Reseal | None]:
    for key in await store.list_signing_keys():
        sealed = renewal.key(key)
        yield None if sealed is None else Reseal(place="signing_key", id=key.kid, was=key.sealed_private, value=sealed)
    async for each in _factors(store, renewal):
        yield each
    async for each in _letters(store, renewal):
        yield each
    async for each in _marks(store, renewal):
        yield each


async def _factors(store: Store, renewal: _Renewal) -> AsyncIterator[Reseal | None]:
    after = ""
    while page := await store.list_all_factors(after_id=after, limit=_PAGE):
        for factor in page:
            if factor.sealed:
                sealed = renewal.factor(factor)
                yield None if sealed is None else Reseal(place="factor", id=factor.id, was=factor.sealed, value=sealed)
        after = page[-1].id


async def _letters(store: Store, renewal: _Renewal) -> AsyncIterator[Reseal | None]:
    after = ""
    while page := await store.list_waiting_mail(after_id=after, limit=_PAGE):
        for letter in page:
            sealed = renewal.letter(letter)
            yield None if sealed is None else Reseal(place="letter", id=letter.id, was=letter.sealed, value=sealed)
        after = page[-1].id


async def _marks(store: Store, renewal: _Renewal) -> AsyncIterator[Reseal | None]:
    after = 0
    while page := await store.list_audit_seals(after, _PAGE):
        for seal in page:
            if seal.blank_tag is not None:
                mark = renewal.mark(seal.blank_tag, "blank", seal)
                yield _remark("blanked_seal", seal, seal.blank_tag, mark)
            if seal.purge_tag is not None:
                mark = renewal.mark(seal.purge_tag, "purge", seal)
                yield _remark("purged_seal", seal, seal.purge_tag, mark)
        after = page[-1].number


def _remark(place: Place, seal: AuditSeal, was: bytes, mark: bytes | None) -> Reseal | None:
    return None if mark is None else Reseal(place=place, id=seal.number, was=was, value=mark)


def _audit(now: Millis) -> AppendAudit:
    return AppendAudit(record=record(Event.MASTER_SECRET_REPLACED, SUCCESS, at=now, origin=Origin(), actor=OPERATOR))
