"""What a protected API imports: it verifies access tokens by itself and hears of revocations.

    from sekisho.guard import Verifier

    verifier = Verifier("https://auth.example.com", "https://api.example.com")
    principal = verifier.verify(token)                # or: await verifier.verify_async(token)

Light: needs nothing of the server. For FastAPI, Starlette, Django, Django REST framework and Flask there are modules of
those names in here; for tests there is `sekisho.guard.testing`.
"""

from sekisho.errors import AccessTokenExpired, Forbidden, Refusal, ServiceUnavailable, SessionRevoked, Unauthorized
from sekisho.guard.principal import Claims, Principal
from sekisho.guard.verifier import Health, Verifier

__all__ = [
    "AccessTokenExpired",
    "Claims",
    "Forbidden",
    "Health",
    "Principal",
    "Refusal",
    "ServiceUnavailable",
    "SessionRevoked",
    "Unauthorized",
    "Verifier",
]
