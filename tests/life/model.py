"""What ought to happen, in plain Python: no store, no flows, nothing of the product's code.

The model knows accounts, sessions, tokens by their number, codes and the time. It predicts the outcome of each
step and writes down the audit trail that the step must leave.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
DAY_MS = 86_400 * SECOND_MS

GRACE_MS = 60 * SECOND_MS
IDLE_MS = 30 * DAY_MS
ABSOLUTE_MS = 90 * DAY_MS
KEPT_AFTER_END_MS = 30 * DAY_MS
CODE_MS = 15 * MINUTE_MS
CODE_TRIES = 5
MAX_SESSIONS = 3
CLOCK_LEEWAY_MS = 5 * SECOND_MS
FRESH_MS = 5 * MINUTE_MS

ROTATED, REPEATED, REPLAYED, WRONG_CLIENT, ENDED = "rotated", "repeated", "replayed", "wrong client", "ended"

GOOD_EVERYWHERE = "Eleven Quiet Lanterns 11"
NO_LEGACY = "eleven quiet lanterns"
TOO_SHORT = "lantern"
ACCEPTED = {
    "standard": {GOOD_EVERYWHERE, NO_LEGACY},
    "strict": {GOOD_EVERYWHERE, NO_LEGACY},
    "legacy": {GOOD_EVERYWHERE},
}

AuditLine = tuple[str, str, str, str, str]
"""event, outcome, account id, session id, reason"""


class InvariantBroken(AssertionError):
    """The server did something that the invariants of DESIGN section 3 forbid, or that the model did not predict."""


def holds(is_so: bool, sentence: str) -> None:
    if not is_so:
        raise InvariantBroken(sentence)


@dataclass
class FactorModel:
    """An authenticator app with the newest step that was used, and the recovery codes that came with it."""

    id: str
    secret: str
    last_step: int
    recovery_codes: list[str]
    used_codes: list[str] = field(default_factory=list)


@dataclass
class AccountModel:
    email: str
    id: str
    password: str
    status: str = "active"
    factor: FactorModel | None = None

    def __repr__(self) -> str:
        return f"<{self.email} {self.status}>"


@dataclass
class SessionModel:
    """`tokens` are all refresh tokens that anybody was ever given, by number; `cookie` the session cookie."""

    name: str
    sid: str
    account: AccountModel
    client_id: str
    transport: str
    created_at: int
    last_seen_at: int
    rotated_at: int
    idle_until: int
    absolute_until: int
    proved_at: int
    acr: str = "aal1"
    counter: int = 0
    tokens: dict[int, str] = field(default_factory=dict)
    cookie: str = ""
    ended_at: int | None = None
    end_reason: str | None = None
    is_purged: bool = False

    def __repr__(self) -> str:
        return f"<{self.name} {self.transport} {self.client_id} at {self.counter} {self.end_reason or ''}>"

    def is_over(self, now: int) -> bool:
        return now >= self.idle_until or now >= self.absolute_until

    def is_live(self, now: int) -> bool:
        return self.ended_at is None and not self.is_over(now)


@dataclass
class SignUpModel:
    handle: str
    email: str
    password: str
    client_id: str
    code: str
    until: int
    is_decoy: bool
    is_used: bool = False
    is_gone: bool = False
    tries: int = 0

    def __repr__(self) -> str:
        return f"<sign-up {self.email} {self.client_id}{' decoy' * self.is_decoy}{' used' * self.is_used}>"


@dataclass
class AccessTokenModel:
    text: str
    session: SessionModel
    kid: str
    not_before_at: int
    expires_at: int

    def __repr__(self) -> str:
        return f"<access token of {self.session.name}>"


class Model:
    def __init__(self) -> None:
        self.accounts: list[AccountModel] = []
        self.sessions: list[SessionModel] = []
        self.sign_ups: list[SignUpModel] = []
        self.access_tokens: list[AccessTokenModel] = []
        self.refused_keys: set[str] = set()
        self.audit: Counter[AuditLine] = Counter()

    def note(self, event: str, outcome: str, account_id: str = "", sid: str = "", reason: str = "") -> None:
        self.audit[event, outcome, account_id, sid, reason] += 1

    def owner_of(self, email: str) -> AccountModel | None:
        """Return the account that has the address now; a withdrawn one has none."""
        return next((a for a in self.accounts if a.email == email and a.status != "withdrawn"), None)

    def of(self, account: AccountModel) -> list[SessionModel]:
        return [session for session in self.sessions if session.account is account]

    def live_of(self, account: AccountModel, now: int) -> list[SessionModel]:
        return [session for session in self.of(account) if session.is_live(now)]

    def live(self, now: int) -> list[SessionModel]:
        return [session for session in self.sessions if session.is_live(now)]

    def judge(self, session: SessionModel, counter: int, client_id: str, now: int) -> str:
        if not session.is_live(now) or session.account.status != "active":
            return ENDED
        if is_wrong_client(session, client_id):
            return WRONG_CLIENT
        if counter >= session.counter:
            return ROTATED
        if counter == session.counter - 1 and now - session.rotated_at <= GRACE_MS:
            return REPEATED if session.rotated_at - now <= CLOCK_LEEWAY_MS else ENDED
        return REPLAYED

    def refreshed(self, session: SessionModel, counter: int, client_id: str, now: int) -> str:
        """Predict, and let the prediction come true."""
        verdict = self.judge(session, counter, client_id, now)
        if verdict == ROTATED:
            if counter > session.counter:
                self.note("store_behind", "success", session.account.id, session.sid)
            session.counter = counter + 1
            session.rotated_at = now
            self.used(session, now)
        elif verdict == REPLAYED:
            self.end(session, "refresh_token_replayed", now)
        elif verdict == WRONG_CLIENT:
            self.end(session, "client_id_mismatch", now)
        return verdict

    def used(self, session: SessionModel, now: int) -> None:
        session.last_seen_at = now
        session.idle_until = min(now + IDLE_MS, session.absolute_until)

    def start(self, session: SessionModel, event: str) -> None:
        """Start it; those whose time is over end, and of more than may be alive those that were used last the longest
        ago."""
        for other in self.of(session.account):
            if other.is_over(session.created_at):
                self.end(other, "expired", session.created_at)
        others = self.live_of(session.account, session.created_at)
        others.sort(key=lambda other: (other.last_seen_at, other.created_at))
        self.sessions.append(session)
        self.note(event, "success", session.account.id, session.sid)
        for other in others[: max(0, len(others) - MAX_SESSIONS + 1)]:
            self.end(other, "evicted", session.created_at)

    def end(self, session: SessionModel, reason: str, now: int) -> bool:
        """End once: what has ended stays as it is."""
        if session.ended_at is not None:
            return False
        session.ended_at, session.end_reason = now, reason
        self.note("session_ended", "success", session.account.id, session.sid, reason)
        return True

    def end_all(self, account: AccountModel, reason: str, now: int, but: SessionModel | None = None) -> int:
        return sum(self.end(session, reason, now) for session in self.of(account) if session is not but)

    def withdrawn(self, account: AccountModel, now: int) -> int:
        ended = self.end_all(account, "withdrawal", now)
        account.status = "withdrawn"
        account.factor = None
        for sign_up in self.sign_ups:
            sign_up.is_decoy |= sign_up.email == account.email
        return ended

    def swept(self, now: int) -> None:
        """Upkeep: what is over ends; what ended long ago and codes that are over are forgotten."""
        for session in self.sessions:
            if session.is_over(now):
                self.end(session, "expired", now)
            session.is_purged |= session.ended_at is not None and session.ended_at < now - KEPT_AFTER_END_MS
        for sign_up in self.sign_ups:
            sign_up.is_gone |= sign_up.until <= now

    def answer_to_bearer(self, token: AccessTokenModel, now: int) -> set[str]:
        if token.not_before_at > now + CLOCK_LEEWAY_MS:
            return {"unauthorized"}
        if now >= token.expires_at or token.kid in self.refused_keys:
            return {"access_token_expired"}
        return {"" if token.session.ended_at is None else "session_revoked"}

    def answer_to_cookie(self, session: SessionModel, now: int) -> str:
        if session.is_purged:
            return "unauthorized"
        return "" if session.is_live(now) else "session_revoked"

    def sign_up_answers(self, sign_up: SignUpModel, is_right: bool, client_id: str, tries: int, now: int) -> list[str]:
        """Predict the answers to `tries` calls at once with one code; at most one of them is "", a success."""
        if sign_up.is_gone or sign_up.until <= now:
            return self._failed(["no_sign_up"] * tries, "session_not_found")
        if client_id != sign_up.client_id:
            return self._failed(["wrong_client"] * tries, "client_id_mismatch")
        if sign_up.is_used:
            return self._failed(["code_gone"] * tries, "session_not_found")
        counted = min(tries, CODE_TRIES - sign_up.tries)
        sign_up.tries += counted
        dead = self._failed(["code_dead"] * (tries - counted), "invalid_code")
        if sign_up.is_decoy:
            return self._failed(["decoy"] * counted, "invalid_code") + dead
        if not is_right:
            return self._failed(["wrong_code"] * counted, "invalid_code") + dead
        if self.owner_of(sign_up.email):
            return self._failed(["email_taken"] * counted, "invalid_code") + dead
        if not counted:
            return dead
        sign_up.is_used = True
        for other in self.sign_ups:
            other.is_decoy |= other.email == sign_up.email and other is not sign_up
        return ["", *self._failed(["code_gone"] * (counted - 1), "session_not_found"), *dead]

    def _failed(self, reasons: list[str], answer: str) -> list[str]:
        for reason in reasons:
            self.note("sign_up", "failure", reason=reason)
        return [answer] * len(reasons)


def is_wrong_client(session: SessionModel, client_id: str) -> bool:
    if session.transport == "body":
        return client_id != session.client_id
    return client_id.split(":")[0] != session.client_id.split(":")[0]
