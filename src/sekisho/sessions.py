"""Sessions: the one place where a session starts, rotates and ends.

Whatever way a person signed in, `Sessions.start` is the last line: nothing else makes a session,
so no way of signing in can skip a question that stands before it.
"""

from __future__ import annotations

import structlog
from msgspec import Struct

from sekisho.audit import Event, record
from sekisho.devices import DeviceReader
from sekisho.identifiers import ClientId, parse_client_id
from sekisho.mfa.requirement import Requirement
from sekisho.model import AAL2, Account, AccountId, Discreet, EndReason, Millis, Origin, Session, SessionId, Transport
from sekisho.notices import Notices
from sekisho.outbox import MailKind
from sekisho.places import Places
from sekisho.ports.changes import (
    AppendAudit,
    Change,
    EndSession,
    EndSessions,
    RotateSession,
    StartSession,
    TouchSession,
)
from sekisho.ports.clock import Clock
from sekisho.ports.factor_changes import NEVER
from sekisho.ports.storage import Lost, Replayed, Rotated, Rotation, Store, WrongClient
from sekisho.tokens.access_token import AccessTokens
from sekisho.tokens.refresh_token import Presented, RefreshTokens
from sekisho.tokens.session_cookie import SessionCookies
from sekisho.tokens.session_values import hash_secret, new_session_id, new_session_secret

security_log = structlog.get_logger("sekisho.security")

TOUCH_EVERY_MS = 60_000


class Lifetimes(Struct, frozen=True, kw_only=True):
    """idle_ms slides with use, absolute_ms never, and both have their like for sessions at `aal2`; grace_ms is how
    long a direct predecessor may be repeated; journal_ms is how long an access token can outlive its session's end at
    most."""

    idle_ms: int
    absolute_ms: int
    grace_ms: int
    journal_ms: int
    max_sessions: int
    aal2_idle_ms: int
    aal2_absolute_ms: int

    def ends_at(self, acr: str, now: Millis) -> tuple[Millis, Millis]:
        """Return when a session of this level that is used now goes idle at the latest, and when it is over."""
        idle_ms, absolute_ms = self.idle_ms, self.absolute_ms
        if acr == AAL2:
            idle_ms, absolute_ms = self.aal2_idle_ms, self.aal2_absolute_ms
        return min(now + idle_ms, now + absolute_ms), now + absolute_ms

    def latest_ends(self, acr: str, now: Millis) -> tuple[Millis, Millis]:
        """Return the ends that only this level has. The others a session has had from its start: looked at again, a
        clock that has stepped back would bring them nearer."""
        if acr != AAL2:
            return NEVER, NEVER
        idle_by_at = now + self.aal2_idle_ms if self.aal2_idle_ms < self.idle_ms else NEVER
        return idle_by_at, now + self.aal2_absolute_ms if self.aal2_absolute_ms < self.absolute_ms else NEVER


class Proof(Struct, frozen=True, kw_only=True):
    """What was shown to sign in: the audit event, and the `amr` values of RFC 8176."""

    event: Event
    amr: tuple[str, ...]
    acr: str = "aal1"


class TokenPair(Discreet, frozen=True):
    """What a client takes away.

    credential: the refresh token, or for transport `session` the value of the session cookie.
    access_token: None for transport `session`.
    expires_in: seconds; of the access token, or for `session` of the idle time.
    device_token: what a device that is trusted from now on shows at its next sign-ins, for `trusted_for_s` seconds; ""
        for any other.
    acr_required: what the role or the app requires and the session has not shown; its roles are left out until then.
    """

    session: Session
    account: Account
    credential: str
    access_token: str | None
    expires_in: int
    device_token: str = ""
    trusted_for_s: int = 0
    acr_required: str = ""


class SessionTools(Struct, frozen=True, kw_only=True):
    """What `Sessions` stands on."""

    store: Store
    clock: Clock
    refresh_tokens: RefreshTokens
    session_cookies: SessionCookies
    access_tokens: AccessTokens
    devices: DeviceReader
    places: Places
    notices: Notices
    lifetimes: Lifetimes
    requirement: Requirement


class Sessions:
    def __init__(self, tools: SessionTools) -> None:
        self._store = tools.store
        self._clock = tools.clock
        self._tools = tools
        self._lifetimes = tools.lifetimes

    async def start(
        self,
        account: Account,
        proof: Proof,
        client: ClientId,
        transport: Transport,
        origin: Origin,
        *,
        also: tuple[Change, ...] = (),
        replaces: SessionId | None = None,
    ) -> TokenPair | Lost:
        """Start a session and return its first pair, or `Lost` with the guarded change that lost.

        `also` commits in the same call, before the session; `replaces` is the session that this
        browser held until now, which ends with it (ASVS 7.2.4). The audit record of the sign-in is
        written here, so that it has the session's id.

        Concurrency: if the account's credentials or standing changed since `account` was read,
            nothing starts. Racing sign-ins leave at most `max_sessions` alive.
        """
        now = self._clock.now()
        secret = new_session_secret()
        session = self._new_session(account, proof, client, transport, origin, secret, now)
        outcome = await self._store.apply(
            *also,
            *([] if replaces is None else [self.ending(replaces, EndReason.SIGNED_IN_AGAIN, origin, now)]),
            StartSession(
                session=session,
                security_version=account.security_version,
                max_sessions=self._lifetimes.max_sessions,
                journal_until_at=now + self._lifetimes.journal_ms,
                origin=origin,
                now=now,
            ),
            AppendAudit(
                record=record(
                    proof.event,
                    "success",
                    at=now,
                    origin=origin,
                    account_id=account.id,
                    session_id=session.id,
                    client_id=client.whole,
                    method=" ".join(proof.amr),
                    place=session.place,
                    device=session.device.name,
                )
            ),
        )
        if outcome.lost:
            return outcome.lost
        return self.pair(session, account, self._first_credential(session, secret), now)

    async def rotate(self, presented: Presented, client_id: str, origin: Origin) -> Rotation:
        """Spend a refresh token. Where the verdict is that the session must end, that end is
        committed when this returns: refusing afterwards undoes nothing.

        Concurrency: see `RotateSession`; of two callers that detect the same replay one ends the session.
        """
        now = self._clock.now()
        outcome = await self._store.apply(
            RotateSession(
                session_id=presented.session_id,
                secret_hash=presented.secret_hash,
                counter=presented.counter,
                client_id=client_id,
                now=now,
                grace_ms=self._lifetimes.grace_ms,
                idle_ms=self._lifetimes.idle_ms,
                aal2_idle_ms=self._lifetimes.aal2_idle_ms,
                ip=origin.ip,
                user_agent=origin.user_agent,
            )
        )
        rotation: Rotation = outcome.results[0]
        match rotation:
            case Rotated(was_behind=True):
                session = rotation.session
                security_log.warning("store_behind", session_id=session.id, counter=session.counter)
            case Replayed():
                await self._end_for_security(rotation, EndReason.REPLAY, MailKind.SESSION_REPLAYED, origin, now)
            case WrongClient():
                mismatch = EndReason.CLIENT_ID_MISMATCH
                await self._end_for_security(rotation, mismatch, MailKind.CLIENT_ID_MISMATCH, origin, now)
        return rotation

    def pair(self, session: Session, account: Account, credential: str, now: Millis) -> TokenPair:
        """Return the pair for a live session; mints, stores nothing. The account stands in it with the roles that the
        session may wear."""
        account, acr_required = self.standing(session, account)
        token, expires_in = None, max(0, session.idle_expires_at - now) // 1000
        if session.transport is not Transport.SESSION:
            access = self._tools.access_tokens.mint(session, account, now)
            token, expires_in = access.token, access.expires_in
        return TokenPair(session, account, credential, token, expires_in, acr_required=acr_required)

    def standing(self, session: Session, account: Account) -> tuple[Account, str]:
        """Return the account with the roles that it may wear in this session, and the `acr` that its role or the app
        requires of it in vain; "" if nothing is wanting."""
        requirement = self._tools.requirement
        if not requirement.is_unmet(session, account):
            return account, ""
        return requirement.worn(session, account), AAL2

    def latest_ends(self, acr: str, now: Millis) -> tuple[Millis, Millis]:
        """Return what a proof of this level, shown now, leaves of a session: when it goes idle and when it is over, at
        the latest; `NEVER` where the level has no end of its own. What ended sooner still does."""
        return self._lifetimes.latest_ends(acr, now)

    def must_keep_factor(self, account: Account, client_id: str) -> bool:
        """Whether the role of this account, or this app, requires a second factor of it."""
        return self._tools.requirement.is_for(account, parse_client_id(client_id).app)

    async def touch(self, session: Session, ip: str) -> None:
        """Slide the idle end of a session that is looked up, at most once a minute."""
        now = self._clock.now()
        if now - session.last_seen_at >= TOUCH_EVERY_MS:
            ends = self._lifetimes
            touch = TouchSession(
                session_id=session.id, now=now, idle_ms=ends.idle_ms, aal2_idle_ms=ends.aal2_idle_ms, ip=ip
            )
            await self._store.apply(touch)

    def ending(
        self,
        session_id: SessionId,
        reason: EndReason,
        origin: Origin,
        now: Millis,
        *,
        account_id: AccountId | None = None,
        must_be_live: bool = False,
    ) -> EndSession:
        """Return the change that ends one session; it is journaled for as long as a token could live."""
        return EndSession(
            session_id=session_id,
            reason=reason,
            now=now,
            journal_until_at=now + self._lifetimes.journal_ms,
            account_id=account_id,
            must_be_live=must_be_live,
            origin=origin,
        )

    def ending_all(
        self,
        account_id: AccountId,
        reason: EndReason,
        origin: Origin,
        now: Millis,
        *,
        except_id: SessionId | None = None,
        actor: str = "account",
    ) -> EndSessions:
        """Return the change that ends all sessions of an account, but `except_id`."""
        return EndSessions(
            account_id=account_id,
            reason=reason,
            now=now,
            journal_until_at=now + self._lifetimes.journal_ms,
            except_id=except_id,
            origin=origin,
            actor=actor,
        )

    def _new_session(
        self,
        account: Account,
        proof: Proof,
        client: ClientId,
        transport: Transport,
        origin: Origin,
        secret: bytes,
        now: Millis,
    ) -> Session:
        idle_expires_at, expires_at = self._lifetimes.ends_at(proof.acr, now)
        return Session(
            id=new_session_id(),
            account_id=account.id,
            client_id=client.whole,
            transport=transport,
            secret_hash=hash_secret(secret),
            auth_time_at=now,
            amr=proof.amr,
            acr=proof.acr,
            device=self._tools.devices.read_origin(origin),
            user_agent=origin.user_agent,
            ip=origin.ip,
            place=self._tools.places.find(origin.ip, account.locale),
            created_at=now,
            last_seen_at=now,
            rotated_at=now,
            idle_expires_at=idle_expires_at,
            expires_at=expires_at,
        )

    def _first_credential(self, session: Session, secret: bytes) -> str:
        if session.transport is Transport.SESSION:
            return self._tools.session_cookies.mint(session.id, secret)
        return self._tools.refresh_tokens.mint(session.id, secret, session.counter)

    async def _end_for_security(
        self, verdict: Replayed | WrongClient, reason: EndReason, mail: MailKind, origin: Origin, now: Millis
    ) -> None:
        session, account = verdict.session, verdict.account
        letter = self._tools.notices.notice(mail, account, origin, now, device=session.device.name)
        # The end is guarded: of two callers that see the same replay, one ends and writes the mail.
        await self._store.apply(self.ending(session.id, reason, origin, now, must_be_live=True), *letter)
        security_log.warning(
            str(reason), session_id=session.id, account_id=account.id, ip=origin.ip, detail=verdict.detail
        )
