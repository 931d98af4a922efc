"""What a protected API answers when it refuses: status, headers and body, alike in every framework.

The body has the form of the server's own errors: `{"error": code, "message": text, "details": {...}?}`.

Spec: RFC 6750 section 3 and 3.1, RFC 9470 section 3, RFC 9110 section 11.6.1 and 10.2.3.
"""

from __future__ import annotations

from msgspec import Struct, json

from sekisho.errors import (
    AccessTokenExpired,
    CsrfFailed,
    Forbidden,
    Refusal,
    ServiceUnavailable,
    SessionRevoked,
    StepUpRequired,
    Unauthorized,
)

STATUS: dict[type[Refusal], int] = {
    Unauthorized: 401,
    AccessTokenExpired: 401,
    SessionRevoked: 401,
    StepUpRequired: 401,
    Forbidden: 403,
    CsrfFailed: 403,
    ServiceUnavailable: 503,
}

MESSAGES: dict[type[Refusal], tuple[str, str]] = {
    Unauthorized: ("Sign in first.", "サインインしてください。"),
    AccessTokenExpired: (
        "The access token has expired. Refresh it.",
        "アクセストークンの期限が切れました。更新してください。",
    ),
    SessionRevoked: (
        "The session has ended. Sign in again.",
        "セッションは終了しました。もう一度サインインしてください。",
    ),
    StepUpRequired: ("Prove once more who you are.", "本人確認をもう一度行ってください。"),
    Forbidden: ("You are not allowed to do this.", "この操作は許可されていません。"),
    CsrfFailed: ("The CSRF value is missing or stale.", "CSRF の値がないか、古くなっています。"),
    ServiceUnavailable: (
        "This cannot be decided now. Try again.",
        "いまは判断できません。あとでもう一度試してください。",
    ),
}


class RefusalAnswer(Struct, frozen=True):
    """headers: names in their usual spelling, each once."""

    status: int
    headers: dict[str, str]
    content: dict[str, object]

    @property
    def body(self) -> bytes:
        return json.encode(self.content)


def refusal_answer(refusal: Refusal, *, presented: bool, realm: str, accept_language: str = "") -> RefusalAnswer:
    """Return the answer of a refusal.

    Args:
        presented: whether the request carried a credential. Without one there is no error to name in the challenge.
        accept_language: of the request; untrusted. Japanese where it comes before English, else English.
    """
    kind = type(refusal)
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    if challenge := _challenge(refusal, presented, realm):
        headers["WWW-Authenticate"] = challenge
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(refusal.retry_after)
    content: dict[str, object] = {"error": refusal.code, "message": MESSAGES[kind][_prefers_japanese(accept_language)]}
    if refusal.details:
        content["details"] = dict(refusal.details)
    return RefusalAnswer(STATUS[kind], headers, content)


def read_bearer(authorization: str | None) -> str | None:
    """Return the token of an Authorization header, or None without one.

    Raises:
        Unauthorized: another scheme or form.
    """
    if authorization is None:
        return None
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token or " " in token:
        raise Unauthorized(detail="authorization header is no bearer token")
    return token


def _challenge(refusal: Refusal, presented: bool, realm: str) -> str:
    plain = f'Bearer realm="{realm}"'
    match refusal:
        case Unauthorized():
            return f'{plain}, error="invalid_token"' if presented else plain
        case AccessTokenExpired():
            return f'{plain}, error="invalid_token", error_description="expired"'
        case SessionRevoked():
            return f'{plain}, error="invalid_token", error_description="session ended"'
        case StepUpRequired():
            wanted = refusal.details or {}
            age = f', max_age="{wanted["max_age"]}"' if "max_age" in wanted else ""
            acr = f', acr_values="{wanted["acr"]}"' if "acr" in wanted else ""
            return f'{plain}, error="insufficient_user_authentication"{acr}{age}'
        case Forbidden() if scope := refusal.values.get("scope"):
            return f'{plain}, error="insufficient_scope", scope="{scope}"'
    return ""


def _prefers_japanese(accept_language: str) -> bool:
    names = [part.split(";")[0].strip()[:2].lower() for part in accept_language[:256].split(",")]
    return next((name for name in names if name in ("ja", "en")), "en") == "ja"
