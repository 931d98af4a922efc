"""The events of the audit trail, how they end, who acted and by what."""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    SIGN_UP_CODE_SENT = "sign_up_code_sent"
    SIGN_UP_CODE_RESENT = "sign_up_code_resent"
    SIGN_UP = "sign_up"
    LOGIN = "login"
    SIGN_IN_UNUSUAL = "sign_in_unusual"
    SESSION_UNUSUAL = "session_unusual"
    ATTACK_SEEN = "attack_seen"
    SECOND_FACTOR_ASKED = "second_factor_asked"
    SECOND_FACTOR = "second_factor"
    FACTOR_CODE_SENT = "factor_code_sent"
    STEP_UP = "step_up"
    FACTOR_ADDED = "factor_added"
    FACTOR_RENAMED = "factor_renamed"
    FACTOR_REMOVED = "factor_removed"
    FACTOR_SUSPENDED = "factor_suspended"
    FACTOR_REACTIVATED = "factor_reactivated"
    FACTORS_RESET = "factors_reset"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    DEVICE_TRUSTED = "device_trusted"
    TRUSTED_DEVICE_USED = "trusted_device_used"
    DEVICE_FORGOTTEN = "device_forgotten"
    SESSION_ENDED = "session_ended"
    STORE_BEHIND = "store_behind"
    PROFILE_CHANGED = "profile_changed"
    WITHDRAWAL = "withdrawal"
    PASSWORD_RESET_CODE_SENT = "password_reset_code_sent"  # noqa: S105 - a word of the trail, no secret
    PASSWORD_RESET_CODE = "password_reset_code"  # noqa: S105 - a word of the trail, no secret
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a word of the trail, no secret
    NOT_ME = "not_me"
    PASSWORD_CHANGE = "password_change"  # noqa: S105 - a word of the trail, no secret
    EMAIL_CHANGE_CODE_SENT = "email_change_code_sent"
    EMAIL_CHANGE = "email_change"
    EMAIL_RESET = "email_reset"
    RECOVERY_EMAIL_CODE_SENT = "recovery_email_code_sent"
    RECOVERY_EMAIL_SET = "recovery_email_set"
    RECOVERY_EMAIL_REMOVED = "recovery_email_removed"
    ACCOUNT_ADDED = "account_added"
    ACCOUNT_DISABLED = "account_disabled"
    ACCOUNT_ENABLED = "account_enabled"
    ROLES_CHANGED = "roles_changed"
    PASSWORD_CHANGE_FORCED = "password_change_forced"  # noqa: S105 - a word of the trail, no secret
    ACCOUNT_UNLOCKED = "account_unlocked"
    SIGNING_KEYS_ROTATED = "signing_keys_rotated"
    SIGNING_KEY_RETIRED = "signing_key_retired"
    SIGNING_KEY_COMPROMISED = "signing_key_compromised"
    MASTER_SECRET_REPLACED = "master_secret_replaced"  # noqa: S105 - a word of the trail, no secret
    DATABASE_RESTORED = "database_restored"
    GUARD_KEY_ADDED = "guard_key_added"
    GUARD_KEY_REMOVED = "guard_key_removed"
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - an event, not a token


SUCCESS = "success"
FAILURE = "failure"

ACTORS = ("account", "guard", "operator", "system")
"""Who acted: whoever uses or claims the account, a protected API, an operator, or the server by itself."""

METHODS = ("pwd", "otp", "sms", "mfa")
"""What was shown, in the words of RFC 8176 (`amr`); several with spaces between."""
