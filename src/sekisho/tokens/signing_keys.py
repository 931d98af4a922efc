"""Signing keys: kept sealed in the store, parsed in memory, rotated without logging anybody out.

    next -> active -> retired            compromised (from any of them)

`next` is published before it signs, so that verifiers know it in time; `retired` verifies until the
last token that it signed has expired, or until an operator says that it is over (`retire_key`).

Spec: RFC 7517 (JWKS).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from msgspec import Struct

from sekisho.errors import NotFound
from sekisho.master_secret import MasterSecret, UnsealError
from sekisho.model import KeyState, Millis, SigningKey
from sekisho.ports.changes import AddSigningKey, AppendJournal, Change, SetKeyState
from sekisho.ports.storage import Store, StoreUnavailable
from sekisho.rfc import jwk, jwt
from sekisho.rfc.keys import (
    KeyRefused,
    PrivateKey,
    SymmetricKey,
    VerificationKey,
    new_private_key,
    private_key,
)

_PURPOSE = "signing key"
_NEVER = 0
_ALWAYS = 2**63 - 1
_TRIES = 5


class KeySigns(Exception):
    """The active key cannot be retired: something must sign. A rotation makes another one active."""


class _Keys(Struct, frozen=True):
    """All that a ring knows at one moment; replaced as a whole. `accepted_until` is by kid."""

    active: PrivateKey | SymmetricKey | None
    known: dict[str, VerificationKey]
    accepted_until: dict[str, Millis]
    jwks: bytes


class KeyRing:
    """The parsed keys of this node.

    Concurrency: `load` swaps everything at once; readers see the old keys or the new ones.
    """

    __slots__ = ("_keys", "_master", "_unsealed")

    def __init__(self, master: MasterSecret) -> None:
        self._master: MasterSecret | None = master
        self._unsealed: dict[str, PrivateKey] = {}
        self._keys = _Keys(None, {}, {}, jwk.render_jwks(()))

    @classmethod
    def symmetric(cls, secret: bytes) -> KeyRing:
        """Return a ring of one HS256 key that comes from a setting: nothing in the store, an empty JWKS.

        Raises:
            KeyRefused: shorter than 32 bytes.
        """
        key = SymmetricKey(secret)
        ring = cls.__new__(cls)
        ring._master = None
        ring._unsealed = {}
        ring._keys = _Keys(key, {key.kid: key}, {key.kid: _ALWAYS}, jwk.render_jwks(()))
        return ring

    def load(self, keys: Iterable[SigningKey], now: Millis) -> None:
        """Take over what the store has. A symmetric ring has nothing to take over and stays as it is.

        Public halves come out of the sealed private keys: a row that somebody wrote into the
        database without the master secret verifies nothing.

        Raises:
            UnsealError: a key of another master secret, or a damaged row. The ring stays as it was.
        """
        if self._master is None:
            return
        rows = list(keys)
        unsealed = {row.kid: self._unsealed.get(row.kid) or _unseal(self._master, row) for row in rows}
        accepted_until = {row.kid: _accepted_until(row) for row in rows}
        active = next((unsealed[row.kid] for row in rows if row.state is KeyState.ACTIVE), None)
        published = [unsealed[row.kid].public for row in rows if now < accepted_until[row.kid]]
        known: dict[str, VerificationKey] = {kid: key.public for kid, key in unsealed.items()}
        self._unsealed = unsealed
        self._keys = _Keys(active, known, accepted_until, jwk.render_jwks(published))

    @property
    def active(self) -> PrivateKey | SymmetricKey:
        """The key that signs now.

        Raises:
            LookupError: `load` was never given one; call `ensure_keys` first.
        """
        if self._keys.active is None:
            raise LookupError("no active signing key is loaded")
        return self._keys.active

    def find(self, kid: str) -> VerificationKey:
        """Return the key of this `kid`, also one that is no longer accepted.

        Args:
            kid: untrusted; only looked up.

        Raises:
            UnknownKey: never ours, or forgotten long ago.
        """
        key = self._keys.known.get(kid)
        if key is None:
            raise jwt.UnknownKey("unknown kid")
        return key

    def accepts(self, kid: str, now: Millis) -> bool:
        """Whether this key's signatures count. `next` too: another node may sign with it already."""
        return now < self._keys.accepted_until.get(kid, _NEVER)

    def jwks(self) -> bytes:
        """Return the JSON of `/.well-known/jwks.json`: all keys that were accepted at the last `load`."""
        return self._keys.jwks


async def new_signing_key(master: MasterSecret, alg: str, state: KeyState, now: Millis) -> SigningKey:
    """Return a fresh key with its private half sealed.

    Raises:
        KeyRefused: no such algorithm.
    """
    # In a thread: an RSA key takes long enough to be felt by everybody on the event loop.
    key = await asyncio.to_thread(new_private_key, alg)
    der = key.material.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return SigningKey(
        kid=key.kid,
        alg=key.alg,
        state=state,
        sealed_private=master.seal(_PURPOSE, der, _context(key.kid)),
        public_jwk=jwk.render_jwk(key.public),
        created_at=now,
        activated_at=now if state is KeyState.ACTIVE else None,
    )


async def ensure_keys(store: Store, master: MasterSecret, alg: str, now: Millis) -> list[SigningKey]:
    """Return all keys, after making an active and a next one where they were missing.

    A `next` of another algorithm (the setting changed) is replaced; it takes effect at the next rotation, so
    that verifiers have seen the key before it signs.

    Raises:
        KeyRefused: no such algorithm.
        StoreUnavailable: see there; also if other nodes win every try.

    Concurrency: nodes that start at once agree: whoever loses reads what the winner made.
    """
    for _ in range(_TRIES):
        keys = await store.list_signing_keys()
        changes = await _missing(keys, master, alg, now)
        if not changes:
            return keys
        await store.apply(*changes)
    raise StoreUnavailable("the signing keys keep changing")


def _nothing(retired: SigningKey) -> tuple[Change, ...]:
    return ()


async def rotate_keys(
    store: Store,
    master: MasterSecret,
    alg: str,
    now: Millis,
    verify_for_ms: int,
    also: Callable[[SigningKey], tuple[Change, ...]] = _nothing,
) -> list[SigningKey]:
    """Let the next key sign and retire the active one; return all keys.

    Args:
        verify_for_ms: how long the retired key still verifies: at least the longest life of an access token.
        also: what commits with the rotation, if this call is the one that rotates; it is told which key retires.

    Raises:
        KeyRefused, StoreUnavailable: as `ensure_keys`.

    Concurrency: of any number of callers that saw the same active key one rotates; all get the result.
    """
    keys = await ensure_keys(store, master, alg, now)
    active, following = _only(keys, KeyState.ACTIVE), _only(keys, KeyState.NEXT)
    await store.apply(
        SetKeyState(
            kid=active.kid,
            expected=KeyState.ACTIVE,
            state=KeyState.RETIRED,
            now=now,
            verify_until_at=now + verify_for_ms,
        ),
        SetKeyState(kid=following.kid, expected=KeyState.NEXT, state=KeyState.ACTIVE, now=now),
        AddSigningKey(key=await new_signing_key(master, alg, KeyState.NEXT, now)),
        *also(active),
    )
    return await store.list_signing_keys()


async def retire_key(
    store: Store,
    master: MasterSecret,
    alg: str,
    kid: str,
    now: Millis,
    journal_until_at: Millis,
    also: tuple[Change, ...] = (),
) -> list[SigningKey]:
    """Let a key that no longer signs, or does not sign yet, verify no more; return all keys. Idempotent.

    Nobody is logged out: clients whose tokens it signed refresh. In the place of `next` comes a new one.

    Args:
        journal_until_at: when the last token that the key signed has expired.
        also: what commits with it, if this call is the one that retires.

    Raises:
        KeySigns: it is the active key.
        NotFound: no key of this kid.
        KeyRefused, StoreUnavailable: as `ensure_keys`.
    """
    for _ in range(_TRIES):
        keys = await ensure_keys(store, master, alg, now)
        key = _of(keys, kid)
        if key.state is KeyState.ACTIVE:
            raise KeySigns
        if _accepted_until(key) <= now:
            return keys
        outcome = await store.apply(
            SetKeyState(kid=kid, expected=key.state, state=KeyState.RETIRED, now=now, verify_until_at=now),
            AppendJournal(kind="key", value=kid, expires_at=journal_until_at, reason="key_retired"),
            *await _stand_in(keys, key, master, alg, now),
            *also,
        )
        if outcome.lost is None:
            return await store.list_signing_keys()
    raise StoreUnavailable("the signing keys keep changing")


async def compromise_key(
    store: Store,
    master: MasterSecret,
    alg: str,
    kid: str,
    now: Millis,
    journal_until_at: Millis,
    also: tuple[Change, ...] = (),
) -> list[SigningKey]:
    """Stop trusting a key at once, everywhere; return all keys. Idempotent.

    If it was the active one, the next one signs from now on. Nobody is logged out: clients whose
    tokens are refused refresh.

    Args:
        journal_until_at: when the last token that the key signed has expired.
        also: what commits with it, if this call is the one that ends the trust.

    Raises:
        NotFound: no key of this kid.
        KeyRefused, StoreUnavailable: as `ensure_keys`.
    """
    for _ in range(_TRIES):
        keys = await ensure_keys(store, master, alg, now)
        key = _of(keys, kid)
        if key.state is KeyState.COMPROMISED:
            return keys
        outcome = await store.apply(
            SetKeyState(kid=kid, expected=key.state, state=KeyState.COMPROMISED, now=now),
            AppendJournal(kind="key", value=kid, expires_at=journal_until_at, reason="key_compromised"),
            *await _stand_in(keys, key, master, alg, now),
            *also,
        )
        if outcome.lost is None:
            return await store.list_signing_keys()
    raise StoreUnavailable("the signing keys keep changing")


async def _missing(keys: list[SigningKey], master: MasterSecret, alg: str, now: Millis) -> list[Change]:
    changes: list[Change] = []
    if all(key.state is not KeyState.ACTIVE for key in keys):
        changes.append(AddSigningKey(key=await new_signing_key(master, alg, KeyState.ACTIVE, now)))
    following = next((key for key in keys if key.state is KeyState.NEXT), None)
    if following is not None and following.alg != alg:
        # It never signed anything, so nothing needs it to verify.
        changes.append(
            SetKeyState(kid=following.kid, expected=KeyState.NEXT, state=KeyState.RETIRED, now=now, verify_until_at=now)
        )
    if following is None or following.alg != alg:
        changes.append(AddSigningKey(key=await new_signing_key(master, alg, KeyState.NEXT, now)))
    return changes


async def _stand_in(
    keys: list[SigningKey], lost: SigningKey, master: MasterSecret, alg: str, now: Millis
) -> list[Change]:
    """Return what fills the place that a key leaves."""
    if lost.state is KeyState.RETIRED:
        return []
    changes: list[Change] = []
    if lost.state is KeyState.ACTIVE:
        following = _only(keys, KeyState.NEXT)
        changes.append(SetKeyState(kid=following.kid, expected=KeyState.NEXT, state=KeyState.ACTIVE, now=now))
    return [*changes, AddSigningKey(key=await new_signing_key(master, alg, KeyState.NEXT, now))]


def _unseal(master: MasterSecret, row: SigningKey) -> PrivateKey:
    der = master.unseal_own(_PURPOSE, row.sealed_private, _context(row.kid))
    try:
        key = private_key(load_der_private_key(der, password=None))
    except (KeyRefused, ValueError):
        raise UnsealError("not a private key") from None
    if (key.kid, key.alg) != (row.kid, row.alg):
        raise UnsealError("the row names another key or algorithm")
    return key


def _accepted_until(row: SigningKey) -> Millis:
    match row.state:
        case KeyState.ACTIVE | KeyState.NEXT:
            return _ALWAYS
        case KeyState.RETIRED:
            return row.verify_until_at or _NEVER
        case KeyState.COMPROMISED:
            return _NEVER


def _of(keys: list[SigningKey], kid: str) -> SigningKey:
    key = next((key for key in keys if key.kid == kid), None)
    if key is None:
        raise NotFound(detail="no signing key of this kid")
    return key


def _only(keys: list[SigningKey], state: KeyState) -> SigningKey:
    return next(key for key in keys if key.state is state)


def sealed_as(kid: str) -> tuple[str, str]:
    """Return purpose and context of a key's sealed private half, for whoever seals it anew."""
    return _PURPOSE, _context(kid)


def _context(kid: str) -> str:
    return f"signing_keys:{kid}"
