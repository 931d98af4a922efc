"""Refusals: one class per code that a client may be told.

No HTTP status here (one table at the edge has it) and no text (the catalogue has it). Codes are
added, never renamed. A programming mistake is not a `Refusal`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class Refusal(Exception):
    """A refusal that may be shown to a client.

    code:        stable lower_snake_case; an RFC's own word where one exists.
    detail:      why, for logs and tests only. Never serialised.
    details:     what the client may read beside the message: field to reason, or values to go on with.
    values:      what the texts of the reasons say beside the reason, as the least length of a password.
    retry_after: whole seconds to wait, when waiting can help.
    """

    code: ClassVar[str]

    def __init__(
        self,
        *,
        detail: str = "",
        details: Mapping[str, object] | None = None,
        values: Mapping[str, object] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail or self.code)
        self.detail = detail
        self.details = details
        self.values = values or {}
        self.retry_after = retry_after


class ValidationError(Refusal):
    """The request does not have the form of the call. `details` names each field and its reason."""

    code = "validation_error"


class Unauthorized(Refusal):
    """No credential, or one that is malformed or unknown."""

    code = "unauthorized"


class AccessTokenExpired(Refusal):
    """A genuine access token whose time, or whose key's time, is over: refresh and repeat."""

    code = "access_token_expired"


class SessionRevoked(Refusal):
    """A genuine credential of a session that has ended: sign in again."""

    code = "session_revoked"


class Forbidden(Refusal):
    """Signed in, but not allowed."""

    code = "forbidden"


class InvalidCredentials(Refusal):
    """Unknown account, wrong password, disabled, no password: one answer for all."""

    code = "invalid_credentials"


class InvalidCode(Refusal):
    """A one-time code that is wrong, used, replaced or out of tries."""

    code = "invalid_code"


class SessionNotFound(Refusal):
    """No pending sign-up (or challenge) under this handle, or its time is over."""

    code = "session_not_found"


class StepUpRequired(Refusal):
    """The session's proof is too old or too weak for this call: step up, then repeat. `details` says `max_age` in
    seconds and `acr`; where a password alone is not enough also `methods`."""

    code = "step_up_required"


class FactorUnusable(Refusal):
    """The server cannot read what this authenticator stands on, so nobody can prove anything with it."""

    code = "factor_unusable"


class FactorLocked(Refusal):
    """So many wrong codes came in a row that this authenticator proves nothing any more, until it is enrolled anew."""

    code = "factor_locked"


class FactorRequired(Refusal):
    """The account's role or this app requires a second factor that raises the level, and this is the last one."""

    code = "factor_required"


class EmailAlreadyExists(Refusal):
    """The address has an account. Only when `SEKISHO_SIGNUP__REVEAL_EXISTING` is set."""

    code = "email_already_exists"


class ClientIdMismatch(Refusal):
    """A good value in the wrong hands: it belongs to another `client_id`."""

    code = "client_id_mismatch"


class RefreshTokenInvalid(Refusal):
    """Forged, replayed, expired or ended; the client cannot tell which."""

    code = "refresh_token_invalid"


class ResetTokenInvalid(Refusal):
    """A reset token that is forged, spent, expired, or older than a change of the account: ask for a new code."""

    code = "reset_token_invalid"


class SessionChanged(Refusal):
    """The cookie belongs to another session than the one the client believes in. Nothing ended."""

    code = "session_changed"


class CsrfFailed(Refusal):
    """A missing or stale CSRF value, or a foreign Origin. `details.csrf_token` is a fresh value."""

    code = "csrf_failed"


class RateLimitExceeded(Refusal):
    """Too many tries. `retry_after` says when the next may succeed."""

    code = "rate_limit_exceeded"


class NotFound(Refusal):
    """Nothing here for this caller; also for what belongs to somebody else."""

    code = "not_found"


class MethodNotAllowed(Refusal):
    """The path exists, the method does not. `details.allow` lists those that do."""

    code = "method_not_allowed"


class UnsupportedMediaType(Refusal):
    """The body is not `application/json`."""

    code = "unsupported_media_type"


class PayloadTooLarge(Refusal):
    """The body is larger than the server reads."""

    code = "payload_too_large"


class UnsupportedTokenType(Refusal):
    """A token of a kind that cannot be taken back by this call. Nothing has changed (RFC 7009 section 2.2.1)."""

    code = "unsupported_token_type"


class ServiceUnavailable(Refusal):
    """The server cannot decide now (store or hash pool busy). Nothing has changed; try again."""

    code = "service_unavailable"


def all_refusals() -> tuple[type[Refusal], ...]:
    """Every refusal there is, in the order of this file."""
    return tuple(Refusal.__subclasses__())
