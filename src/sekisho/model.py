"""The nouns of the product: frozen values without behaviour of their own.

Every time is a whole number of milliseconds since 1970 (UTC) and ends in `_at`; every duration
carries its unit in its name. Ids are 128 random bits in base64url (22 characters).
"""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

from msgspec import Struct

AccountId = NewType("AccountId", str)
SessionId = NewType("SessionId", str)

Millis = int


AAL2 = "aal2"
"""The `acr` of a session that has shown a second factor."""


class Transport(StrEnum):
    """How tokens travel for one session; chosen at sign-in and kept for the session's life."""

    BODY = "body"
    COOKIE = "cookie"
    SESSION = "session"


class AccountStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"
    WITHDRAWN = "withdrawn"


class EndReason(StrEnum):
    """Why a session ended. A closed vocabulary: audit, journal and docs use these words."""

    LOGOUT = "logout"
    LOGOUT_ALL = "logout_all"
    ENDED_BY_OWNER = "ended_by_owner"
    ENDED_BY_OPERATOR = "ended_by_operator"
    EVICTED = "evicted"
    SIGNED_IN_AGAIN = "signed_in_again"
    REPLAY = "refresh_token_replayed"
    CLIENT_ID_MISMATCH = "client_id_mismatch"
    ACCOUNT_DISABLED = "account_disabled"
    WITHDRAWAL = "withdrawal"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a reason, not a password
    FACTORS_CHANGED = "factors_changed"
    EMAIL_CHANGED = "email_changed"
    EXPIRED = "expired"
    RESTORED = "restored"
    MOVED_UNUSUALLY = "moved_unusually"


class Unusual(StrEnum):
    """Why a sign-in or a refresh is unusual. A closed vocabulary: audit, letters and docs use these words."""

    NEW_DEVICE = "new_device"
    NEW_NETWORK = "new_network"
    NEW_COUNTRY = "new_country"
    IMPOSSIBLE_TRAVEL = "impossible_travel"
    MANY_FAILURES = "many_failures"
    SPRAYING = "spraying"
    STUFFING = "stuffing"
    REFRESH_NETWORK = "refresh_from_new_network"
    REFRESH_DEVICE = "refresh_from_other_device"


class KeyState(StrEnum):
    """Life of a signing key. `retired` still verifies until `verify_until_at`; `compromised` never."""

    NEXT = "next"
    ACTIVE = "active"
    RETIRED = "retired"
    COMPROMISED = "compromised"


class Discreet(Struct, frozen=True):
    """A value that holds a secret or somebody's data: in a log or a traceback it shows its kind and id only."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({getattr(self, 'id', '…')})"


class Origin(Discreet, frozen=True):
    """Where a request came from, already canonical and bounded by the edge.

    ip: the client's address in its shortest form (IPv4-mapped IPv6 as IPv4); "" if unknown.
    user_agent: at most 512 characters, control characters removed.
    device_token: the value of the long-lived device cookie, or "" if there is none. Untrusted.
    hints: `brand|platform|mobile` of the browser's client hints in words of closed lists; "" if it sends none.
    """

    ip: str = ""
    user_agent: str = ""
    device_token: str = ""
    hints: str = ""


class Device(Struct, frozen=True):
    """What a person recognises a session by. All fields may be ""; `type` is one of
    `desktop`, `mobile`, `tablet`, `bot`, `other`."""

    name: str = ""
    os: str = ""
    browser: str = ""
    type: str = "other"


class Principal(Struct, frozen=True):
    """Whose session a protected call belongs to, and the client_id that the session is bound to."""

    account_id: AccountId
    session_id: SessionId
    client_id: str


class Account(Discreet, frozen=True, kw_only=True):
    """A person's record.

    email: as its owner wrote it, normalised; "" after withdrawal.
    email_key: the form that is compared and unique (case folded); None after withdrawal.
    password_hash: in the hash's own encoded form; None if the account has no password.
    security_version: rises with each change of credentials or standing; guards what a flow
        decided on earlier reads.
    """

    id: AccountId
    email: str
    email_key: str | None
    is_verified: bool = True
    name: str = ""
    locale: str = "en"
    roles: tuple[str, ...] = ()
    status: AccountStatus = AccountStatus.ACTIVE
    password_hash: str | None = None
    security_version: int = 1
    created_at: Millis


class Session(Struct, frozen=True, kw_only=True):
    """One signed-in browser or device.

    client_id: the whole string that the session is bound to (`app` or `app:device`).
    secret_hash: SHA-256 of the session secret; the secret itself is only with the client.
    counter: the number of the one live refresh token; also the count of refreshes so far.
    rotated_at: when `counter` last rose; the grace window counts from here.
    idle_expires_at slides with use and never passes expires_at, the absolute end.
    """

    id: SessionId
    account_id: AccountId
    client_id: str
    transport: Transport
    secret_hash: bytes
    counter: int = 0
    auth_time_at: Millis
    amr: tuple[str, ...]
    acr: str = "aal1"
    device: Device = Device()
    user_agent: str = ""
    ip: str = ""
    place: str = ""
    created_at: Millis
    last_seen_at: Millis
    rotated_at: Millis
    idle_expires_at: Millis
    expires_at: Millis
    ended_at: Millis | None = None
    end_reason: str | None = None


class PendingSignUp(Discreet, frozen=True, kw_only=True):
    """A sign-up whose code has not come back yet. `id` is the wire's `pending` and the id of its
    one-time code. A decoy (`is_decoy`) behaves alike but its code can never be right; one whose address has
    withdrawn has no `email`, and the keyed hash of the address as `email_key`."""

    id: str
    email: str
    email_key: str
    client_id: str
    locale: str
    password_hash: str
    is_decoy: bool = False
    created_at: Millis
    expires_at: Millis


class RecoveryEmail(Discreet, frozen=True, kw_only=True):
    """An account's second address, whose mailbox has answered: the code of a password reset goes there too. Nobody is
    found by it, and several accounts may share one.

    email, email_key: as those of the `Account`.
    """

    account_id: AccountId
    email: str
    email_key: str
    verified_at: Millis


class FactorKind(StrEnum):
    """What can be enrolled beside the password; the wire's `method` has these words and `recovery_code`."""

    TOTP = "totp"
    EMAIL = "email"
    SMS = "sms"


class Factor(Discreet, frozen=True, kw_only=True):
    """An authenticator beside the password.

    sealed: what it stands on, encrypted under the master secret: the key of an authenticator app, or a phone number.
    last_step: the newest time step that was used, so that none is used twice; 0 if none was.
    failures: how many codes in a row were tried at it and not right.
    suspended_at: since when it proves nothing beside another factor, until another was shown; None: it is in force.
    confirmed_at: None while it is being enrolled; then it proves nothing, and is forgotten at `expires_at`.
    """

    id: str
    account_id: AccountId
    kind: FactorKind
    name: str
    sealed: bytes
    last_step: int = 0
    created_at: Millis
    confirmed_at: Millis | None = None
    last_used_at: Millis | None = None
    expires_at: Millis | None = None
    failures: int = 0
    suspended_at: Millis | None = None


class TrustedDevice(Discreet, frozen=True, kw_only=True):
    """A device on which an account is not asked for its second step again, until `expires_at`.

    app: the app part of the client_id with which it was trusted; it counts for no other.
    value_hash: keyed hash of the value that the device holds.
    security_version: the account's, when the device was trusted; a change of credentials since then ends the trust.
    device_name: by which its owner knows it again, as in the list of sessions.
    """

    id: str
    account_id: AccountId
    app: str
    value_hash: bytes
    security_version: int
    device_name: str
    created_at: Millis
    last_used_at: Millis
    expires_at: Millis


class Challenge(Discreet, frozen=True, kw_only=True):
    """A sign-in that waits for its second step. `id` is the keyed hash of what the client holds.

    client_id, transport: what the sign-in was begun with; it ends in nothing else.
    security_version: the account's, when the password was right; a change of credentials since then ends it.
    """

    id: str
    account_id: AccountId
    client_id: str
    transport: Transport
    security_version: int
    created_at: Millis
    expires_at: Millis
    used_at: Millis | None = None


class SigningKey(Struct, frozen=True, kw_only=True):
    """A key that signs access tokens. `sealed_private` is encrypted under the master secret;
    `public_jwk` is JSON text as the JWKS shows it ("" for symmetric keys, which are never stored)."""

    kid: str
    alg: str
    state: KeyState
    sealed_private: bytes
    public_jwk: str
    created_at: Millis
    activated_at: Millis | None = None
    verify_until_at: Millis | None = None


class GuardKey(Struct, frozen=True, kw_only=True):
    """What a protected API shows to read the feed of revocations. Only the secret's SHA-256 is kept."""

    id: str
    name: str
    secret_hash: bytes
    created_at: Millis


class JournalEntry(Struct, frozen=True, kw_only=True):
    """One revocation. kind: `sid`, `jti`, `client` or `key`. It may be forgotten after
    `expires_at`, when no access token that it concerns can still be alive."""

    seq: int
    kind: str
    value: str
    expires_at: Millis
    reason: str


class JournalPage(Struct, frozen=True):
    """Entries in commit order. `generation` changes when a restore rewrites history: readers
    that meet a new one start over from 0."""

    generation: str
    entries: tuple[JournalEntry, ...]
    last_seq: int


class AuditRecord(Struct, frozen=True, kw_only=True):
    """One line of the audit trail. `event`, `outcome`, `method` and `reason` come from the closed
    vocabulary in `sekisho.audit`; never a secret, never an address of mail in the clear.

    identifier_tag: keyed hash of what was typed, so that failures on unknown identifiers can be
        grouped without storing them.
    subject: what it was done to, if that is no account, session or client: the kid of a signing key.
    ip, user_agent, place, device are personal: withdrawal blanks them.
    """

    event: str
    outcome: str
    at: Millis
    account_id: str = ""
    session_id: str = ""
    client_id: str = ""
    method: str = ""
    reason: str = ""
    actor: str = "account"
    identifier_tag: str = ""
    subject: str = ""
    ip: str = ""
    user_agent: str = ""
    place: str = ""
    device: str = ""
    seq: int = 0


class Trace(Struct, frozen=True, gc=False):
    """What a comparison with the past needs of a line of the audit trail: fifty are read at a login, so no more than
    these columns."""

    event: str
    outcome: str
    at: Millis
    session_id: str
    reason: str
    ip: str
    device: str
    user_agent: str
    seq: int


class AuditSeal(Struct, frozen=True, kw_only=True):
    """A batch of the audit trail, closed by a link of the keyed chain (see `sekisho.audit.seals`).

    number: 1, 2, 3 …; first_seq and last_seq: its first and last record, `records` how many there are.
    lines: what is known of each record, 40 bytes each, in their order; b"" once the batch is purged.
    digest: the link; it covers all of the above (`lines` by `lines_digest`) and the link before it.
    blank_tag, purge_tag: proofs that the server itself blanked what is personal in the batch, or deleted it.
    """

    number: int
    first_seq: int
    last_seq: int
    records: int
    lines: bytes
    lines_digest: bytes
    digest: bytes
    sealed_at: Millis
    blank_tag: bytes | None = None
    purge_tag: bytes | None = None


class Channel(StrEnum):
    """Which way a letter goes out."""

    MAIL = "mail"
    SMS = "sms"


class Mail(Discreet, frozen=True, kw_only=True):
    """A letter to be rendered by its kind and locale. `values` may hold a code: it is stored sealed.

    to: a mail address, or by SMS a phone number in the form of E.164 (`+819012345678`).
    """

    kind: str
    to: str
    locale: str
    values: dict[str, str] = {}
    channel: Channel = Channel.MAIL


class QueuedMail(Struct, frozen=True, kw_only=True):
    """An outbox row as the worker claims it. `sealed` is the encrypted `Mail`; `attempts` counts
    this try too. After `expires_at` (None: never) it is not sent any more."""

    id: str
    sealed: bytes
    attempts: int
    created_at: Millis
    expires_at: Millis | None = None
