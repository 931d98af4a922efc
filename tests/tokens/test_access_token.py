"""Access tokens: what they say, when they count, and that remembering one never means trusting it longer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from joserfc import jwt as theirs
from joserfc.jwk import KeySet
from msgspec import structs

from sekisho.errors import AccessTokenExpired, Refusal, SessionRevoked, Unauthorized
from sekisho.master_secret import MasterSecret
from sekisho.model import KeyState, Session, SigningKey
from sekisho.revocations import Revocations
from sekisho.rfc import base64url, jwt
from sekisho.rfc.keys import KeyRefused, new_private_key
from sekisho.tokens.access_token import AccessTokens
from sekisho.tokens.signing_keys import KeyRing, new_signing_key
from tokens.given import ACCOUNT, AUDIENCE, ISSUER, MINUTE, NOW, a_session, revoked

pytestmark = pytest.mark.anyio

MASTER = MasterSecret(b"0123456789abcdef0123456789abcdef")
LIFETIME_S = 15 * 60


class Issuer:
    """A ring of one key, and the tokens that it signs."""

    def __init__(self, row: SigningKey, *extra_claims: str, cache_size: int = 100) -> None:
        self.row = row
        self.keys = KeyRing(MASTER)
        self.keys.load([row], NOW)
        self.revocations = Revocations()
        self.tokens = AccessTokens(
            self.keys,
            self.revocations,
            issuer=ISSUER,
            audience=AUDIENCE,
            lifetime_s=LIFETIME_S,
            extra_claims=frozenset(extra_claims),
            cache_size=cache_size,
        )

    def mint(self, session: Session | None = None) -> str:
        return self.tokens.mint(session or a_session(), ACCOUNT, NOW).token

    def mint_with(self, changed: Mapping[str, object], typ: str = "at+jwt") -> str:
        """A token of the right key whose claims are changed (None: left out)."""
        claims = read(self.mint()) | dict(changed)
        return jwt.Signer(self.keys.active, typ).sign({k: v for k, v in claims.items() if v is not None})

    def set_state(self, state: KeyState, verify_until_at: int | None = None) -> None:
        self.keys.load([structs.replace(self.row, state=state, verify_until_at=verify_until_at)], NOW)


def read(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(base64url.decode(token.split(".")[1], 8000))
    return claims


@pytest.fixture(scope="module")
def row() -> SigningKey:
    return asyncio.run(new_signing_key(MASTER, "ES256", KeyState.ACTIVE, NOW))


@pytest.fixture
def issuer(row: SigningKey) -> Issuer:
    return Issuer(row)


def test_a_token_says_exactly_what_the_design_lists(issuer: Issuer) -> None:
    session = a_session()
    made = issuer.tokens.mint(session, ACCOUNT, NOW)
    claims = read(made.token)
    assert claims == {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": ACCOUNT.id,
        "client_id": "web:6f1c",
        "sid": session.id,
        "iat": NOW // 1000,
        "nbf": NOW // 1000,
        "exp": NOW // 1000 + made.expires_in,
        "jti": made.jti,
        "auth_time": (NOW - MINUTE) // 1000,
        "amr": ["pwd"],
        "acr": "aal1",
    }
    assert json.loads(base64url.decode(made.token.split(".")[0], 500)) == {
        "alg": "ES256",
        "kid": issuer.row.kid,
        "typ": "at+jwt",
    }
    assert made.token not in repr(made)


def test_email_and_roles_only_by_setting(row: SigningKey) -> None:
    claims = read(Issuer(row, "email", "roles").mint())
    assert (claims["email"], claims["roles"]) == ("a@example.com", ["editor"])
    with pytest.raises(ValueError, match="extra claims"):
        Issuer(row, "password_hash")


def test_FS_28_a_shortened_lifetime_holds_for_tokens_that_were_made_before_it(issuer: Issuer) -> None:
    token = issuer.mint()
    shortened = AccessTokens(
        issuer.keys, issuer.revocations, issuer=ISSUER, audience=AUDIENCE, lifetime_s=5 * 60, cache_size=100
    )
    at = NOW // 1000 * 1000
    assert shortened.verify(token, at + 5 * MINUTE - 1).sub == ACCOUNT.id
    with pytest.raises(AccessTokenExpired):
        shortened.verify(token, at + 5 * MINUTE)
    assert issuer.tokens.verify(token, at + 5 * MINUTE).sub == ACCOUNT.id


def test_lifetimes_are_spread_over_five_per_cent(issuer: Issuer) -> None:
    lifetimes = {issuer.tokens.mint(a_session(), ACCOUNT, NOW).expires_in for _ in range(300)}
    assert min(lifetimes) >= LIFETIME_S * 0.95
    assert max(lifetimes) <= LIFETIME_S
    assert len(lifetimes) > 20


def test_a_token_never_outlives_its_session(issuer: Issuer) -> None:
    made = issuer.tokens.mint(a_session(expires_at=NOW + MINUTE), ACCOUNT, NOW)
    assert read(made.token)["exp"] * 1000 <= NOW + MINUTE
    assert issuer.tokens.mint(a_session(expires_at=NOW - MINUTE), ACCOUNT, NOW).expires_in == 0


def test_a_good_token_verifies_to_its_claims(issuer: Issuer) -> None:
    session = a_session()
    claims = issuer.tokens.verify(issuer.mint(session), NOW)
    assert (claims.sid, claims.sub, claims.amr) == (session.id, ACCOUNT.id, ("pwd",))


@pytest.mark.parametrize("alg", ["ES256", "Ed25519", "RS256"])
async def test_anybody_with_the_jwks_can_verify(alg: str) -> None:
    issuer = Issuer(await new_signing_key(MASTER, alg, KeyState.ACTIVE, NOW))
    decoded = theirs.decode(issuer.mint(), KeySet.import_key_set(json.loads(issuer.keys.jwks())), algorithms=[alg])
    assert decoded.claims["iss"] == ISSUER
    assert issuer.tokens.verify(issuer.mint(), NOW).iss == ISSUER


def test_hs256_by_setting_verifies_and_publishes_nothing() -> None:
    keys = KeyRing.symmetric(b"k" * 32)
    keys.load([], NOW)
    tokens = AccessTokens(keys, Revocations(), issuer=ISSUER, audience=AUDIENCE, lifetime_s=LIFETIME_S)
    token = tokens.mint(a_session(), ACCOUNT, NOW).token
    assert tokens.verify(token, NOW).iss == ISSUER
    assert json.loads(keys.jwks()) == {"keys": []}
    other = AccessTokens(
        KeyRing.symmetric(b"l" * 32), Revocations(), issuer=ISSUER, audience=AUDIENCE, lifetime_s=LIFETIME_S
    )
    with pytest.raises(Unauthorized, match="unknown kid"):
        other.verify(token, NOW)


@pytest.mark.parametrize("secret", [b"", b"x" * 31])
def test_KA_009_a_symmetric_ring_of_a_short_secret_is_refused(secret: bytes) -> None:
    with pytest.raises(KeyRefused):
        KeyRing.symmetric(secret)


def test_a_change_of_any_character_is_refused(issuer: Issuer) -> None:
    token = issuer.mint()
    issuer.tokens.verify(token, NOW)
    for place, character in enumerate(token):
        with pytest.raises(Unauthorized):
            issuer.tokens.verify(token[:place] + ("A" if character != "A" else "B") + token[place + 1 :], NOW)


@pytest.mark.parametrize(
    ("changed", "detail"),
    [
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"iss": ISSUER + "/"}, "another issuer"),
        ({"iss": None}, "JSON"),
        ({"iss": [ISSUER]}, "JSON"),
        ({"sub": 1}, "JSON"),
        ({"jti": None}, "JSON"),
        ({"amr": "pwd"}, "JSON"),
    ],
)
def test_another_issuer_or_another_shape_is_refused(issuer: Issuer, changed: dict[str, object], detail: str) -> None:
    with pytest.raises(Unauthorized, match=detail):
        issuer.tokens.verify(issuer.mint_with(changed), NOW)


@pytest.mark.parametrize("aud", ["https://other.example.com", AUDIENCE[:-1], AUDIENCE + "/x", AUDIENCE.upper(), "", []])
def test_V9_2_3_another_audience_is_refused(issuer: Issuer, aud: object) -> None:
    with pytest.raises(Unauthorized, match="another audience"):
        issuer.tokens.verify(issuer.mint_with({"aud": aud}), NOW)


def test_V9_2_3_a_missing_audience_is_refused_and_a_list_with_ours_accepted(issuer: Issuer) -> None:
    for aud in (None, 1, {AUDIENCE: True}):
        with pytest.raises(Unauthorized, match="JSON"):
            issuer.tokens.verify(issuer.mint_with({"aud": aud}), NOW)
    assert issuer.tokens.verify(issuer.mint_with({"aud": ["https://other.example.com", AUDIENCE]}), NOW).iss == ISSUER


@pytest.mark.parametrize("typ", ["JWT", "at+JWT", "application/at+jwt", "logout+jwt", "dpop+jwt", ""])
def test_V9_2_2_another_type_of_token_is_refused(issuer: Issuer, typ: str) -> None:
    with pytest.raises(Unauthorized, match="typ"):
        issuer.tokens.verify(issuer.mint_with({}, typ), NOW)


@pytest.mark.parametrize("exp", [None, "1790000900", True, [1]])
def test_V9_2_1_exp_must_be_there_and_a_number(issuer: Issuer, exp: object) -> None:
    with pytest.raises(Unauthorized, match="JSON"):
        issuer.tokens.verify(issuer.mint_with({"exp": exp}), NOW)


@pytest.mark.parametrize("name", ["exp", "nbf", "iat", "auth_time"])
def test_V9_2_1_times_out_of_range_are_refused(issuer: Issuer, name: str) -> None:
    for value in (2**53, 10**60, 1e300, -(2**60)):
        with pytest.raises(Unauthorized, match=r"range|JSON"):
            issuer.tokens.verify(issuer.mint_with({name: value}), NOW)


def test_V9_2_1_expiry_is_exact_to_the_millisecond_and_may_have_a_fraction(issuer: Issuer) -> None:
    token = issuer.mint()
    end = read(token)["exp"] * 1000
    issuer.tokens.verify(token, end - 1)
    with pytest.raises(AccessTokenExpired, match="exp"):
        issuer.tokens.verify(token, end)
    half = issuer.mint_with({"exp": NOW // 1000 + 0.5})
    issuer.tokens.verify(half, NOW // 1000 * 1000 + 499)
    with pytest.raises(AccessTokenExpired):
        issuer.tokens.verify(half, NOW // 1000 * 1000 + 500)


@pytest.mark.parametrize("name", ["nbf", "iat"])
def test_V9_2_1_five_seconds_of_skew_and_no_more(issuer: Issuer, name: str) -> None:
    issuer.tokens.verify(issuer.mint_with({name: NOW // 1000 + 5}), NOW)
    with pytest.raises(Unauthorized, match="not yet"):
        issuer.tokens.verify(issuer.mint_with({name: NOW // 1000 + 6}), NOW)


@pytest.mark.parametrize("is_warm", [False, True])
@pytest.mark.parametrize("kind", ["sid", "jti", "client"])
def test_a_revoked_session_token_or_client_is_refused(issuer: Issuer, kind: str, is_warm: bool) -> None:
    token = issuer.mint()
    if is_warm:
        issuer.tokens.verify(token, NOW)
    value = {"sid": "sid", "jti": "jti", "client": "client_id"}[kind]
    issuer.revocations.add([revoked(kind, read(token)[value])])
    with pytest.raises(SessionRevoked):
        issuer.tokens.verify(token, NOW)
    issuer.tokens.verify(issuer.mint(a_session(client_id="other")), NOW)


def test_expiry_is_told_before_revocation_and_forgery_before_both(issuer: Issuer) -> None:
    token = issuer.mint()
    issuer.revocations.add([revoked("sid", read(token)["sid"])])
    late = NOW + LIFETIME_S * 1000
    with pytest.raises(AccessTokenExpired):
        issuer.tokens.verify(token, late)
    forged = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
    with pytest.raises(Unauthorized):
        issuer.tokens.verify(forged, late)


@pytest.mark.parametrize("is_warm", [False, True])
def test_tokens_of_a_retired_key_count_until_its_time_then_clients_refresh(issuer: Issuer, is_warm: bool) -> None:
    token = issuer.mint()
    if is_warm:
        issuer.tokens.verify(token, NOW)
    issuer.set_state(KeyState.RETIRED, verify_until_at=NOW + MINUTE)
    issuer.tokens.verify(token, NOW + MINUTE - 1)
    with pytest.raises(AccessTokenExpired, match="key"):
        issuer.tokens.verify(token, NOW + MINUTE)


@pytest.mark.parametrize("is_warm", [False, True])
def test_tokens_of_a_compromised_key_make_clients_refresh(issuer: Issuer, is_warm: bool) -> None:
    token = issuer.mint()
    if is_warm:
        issuer.tokens.verify(token, NOW)
    issuer.set_state(KeyState.COMPROMISED)
    with pytest.raises(AccessTokenExpired, match="key"):
        issuer.tokens.verify(token, NOW)


@pytest.mark.parametrize("is_warm", [False, True])
def test_the_journal_alone_stops_a_compromised_key_before_the_ring_is_loaded_again(
    issuer: Issuer, is_warm: bool
) -> None:
    token = issuer.mint()
    if is_warm:
        issuer.tokens.verify(token, NOW)
    issuer.revocations.add([revoked("key", issuer.row.kid)])
    with pytest.raises(AccessTokenExpired, match="key"):
        issuer.tokens.verify(token, NOW)


def test_a_forged_token_that_names_a_retired_key_is_not_called_expired(issuer: Issuer) -> None:
    issuer.set_state(KeyState.RETIRED, verify_until_at=NOW)
    signer = jwt.Signer(new_private_key("ES256"), "at+jwt")
    head = base64url.encode(json.dumps({"alg": "ES256", "kid": issuer.row.kid, "typ": "at+jwt"}).encode())
    forged = ".".join([head, *signer.sign({"iss": ISSUER}).split(".")[1:]])
    with pytest.raises(Unauthorized, match="signature"):
        issuer.tokens.verify(forged, NOW)


def test_KA_013_a_remembered_token_never_answers_for_another(issuer: Issuer) -> None:
    minted = {issuer.mint(session): session for session in (a_session() for _ in range(60))}
    for _ in range(2):
        for token, session in minted.items():
            assert issuer.tokens.verify(token, NOW).sid == session.id
    first = next(iter(minted))
    head, body, signature = first.split(".")
    for near in (f"{head}.{body}.{signature[:-4]}AAAA", f"{head}.{body[:-4]}AAAA.{signature}", first + "A", first[:-1]):
        with pytest.raises(Unauthorized):
            issuer.tokens.verify(near, NOW)


def test_KA_014_a_remembered_token_expires_like_any_other(issuer: Issuer) -> None:
    token = issuer.mint()
    for now in (NOW, NOW + MINUTE):
        issuer.tokens.verify(token, now)
    with pytest.raises(AccessTokenExpired):
        issuer.tokens.verify(token, read(token)["exp"] * 1000)


def test_a_remembered_token_is_not_verified_again_but_its_key_is_asked_for(issuer: Issuer) -> None:
    warm, cold = issuer.mint(), issuer.mint()
    issuer.tokens.verify(warm, NOW)
    issuer.keys.load([], NOW)
    with pytest.raises(AccessTokenExpired, match="key"):
        issuer.tokens.verify(warm, NOW)
    with pytest.raises(Unauthorized, match="unknown kid"):
        issuer.tokens.verify(cold, NOW)


def test_the_memory_of_verified_tokens_is_bounded_and_holds_no_refused_ones(row: SigningKey) -> None:
    issuer = Issuer(row, cache_size=3)
    tokens = [issuer.mint() for _ in range(10)]
    for token in [*tokens, *tokens]:
        issuer.tokens.verify(token, NOW)
    assert len(issuer.tokens) == 3
    for bad in ("", "a.b.c", tokens[0] + "A"):
        with pytest.raises(Refusal):
            issuer.tokens.verify(bad, NOW)
    assert len(issuer.tokens) == 3


def test_no_refusal_quotes_the_token(issuer: Issuer) -> None:
    token = issuer.mint()
    for now, bad in ((NOW, token[:-4] + "AAAA"), (NOW + 2 * LIFETIME_S * 1000, token), (NOW, token + ".x")):
        with pytest.raises(Refusal) as refusal:
            issuer.tokens.verify(bad, now)
        assert token[:40] not in repr(refusal.value) + refusal.value.detail
