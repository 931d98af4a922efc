"""The edge: every flow with what it needs, for the HTTP application to serve."""

from __future__ import annotations

from ipaddress import ip_network

from sekisho.anomalies import Anomalies, Floods, Looker, Policy
from sekisho.anomalies.moves import Moves, MoveTools
from sekisho.assemble.pages import make_pages
from sekisho.assemble.parts import Parts
from sekisho.assemble.second_steps import requirement_of, second_steps, trust_of
from sekisho.devices import DeviceReader
from sekisho.flows.authenticate import AuthenticateWorld
from sekisho.flows.email_change import EmailChangeWorld
from sekisho.flows.history import HistoryWorld
from sekisho.flows.introspection import IntrospectionWorld
from sekisho.flows.login import LoginWorld
from sekisho.flows.logout import LogoutWorld
from sekisho.flows.not_me import NotMeWorld
from sekisho.flows.password_change import PasswordChangeWorld
from sekisho.flows.password_reset import PasswordResetWorld
from sekisho.flows.profile import ProfileWorld
from sekisho.flows.recovery_email import RecoveryEmailWorld
from sekisho.flows.refresh import RefreshWorld
from sekisho.flows.revocation import RevocationWorld
from sekisho.flows.session_list import SessionListWorld
from sekisho.flows.sign_up import SignUpWorld
from sekisho.flows.withdrawal import WithdrawalWorld
from sekisho.guard_keys import GuardKeys
from sekisho.http.csrf_values import Csrf
from sekisho.http.edge import Caught, Edge, EdgeSettings, Guards
from sekisho.http.metrics import Metrics
from sekisho.mfa.challenges import Challenges
from sekisho.mfa.second_step import SecondSteps
from sekisho.not_me_codes import NotMeCodes
from sekisho.notices import Notices
from sekisho.one_time_codes import OneTimeCodes
from sekisho.places import Places
from sekisho.ports.storage import Store
from sekisho.revocation_feed import RevocationFeed
from sekisho.revocations import Revocations
from sekisho.sessions import Lifetimes, Sessions, SessionTools
from sekisho.settings import Settings
from sekisho.tokens.access_token import AccessTokens
from sekisho.tokens.guard_key import GuardKeyForm
from sekisho.tokens.refresh_token import RefreshTokens
from sekisho.tokens.reset_token import ResetTokens
from sekisho.tokens.session_cookie import SessionCookies
from sekisho.tokens.signing_keys import KeyRing
from sekisho.upkeep import DAY_MS


def make_edge(
    have: Parts,
    store: Store,
    keys: KeyRing,
    revocations: Revocations,
    metrics: Metrics,
    feed: RevocationFeed,
    caught: Caught,
) -> Edge:
    settings, clock = have.settings, have.clock
    access_tokens = AccessTokens(
        keys,
        revocations,
        issuer=settings.public_url,
        audience=settings.audience or settings.public_url,
        lifetime_s=have.access_ms // 1000,
        extra_claims=frozenset(settings.jwt.claims),
    )
    refresh_tokens, session_cookies = RefreshTokens(have.master), SessionCookies(have.master)
    devices, places, codes = DeviceReader(), Places(settings.places_file), OneTimeCodes(have.master)
    trust = trust_of(have, devices)
    not_me = NotMeCodes(codes, have.throttle, have.master)
    notices = Notices(have.outbox, devices, places, not_me)
    sessions = Sessions(
        SessionTools(
            store=store,
            clock=clock,
            refresh_tokens=refresh_tokens,
            session_cookies=session_cookies,
            access_tokens=access_tokens,
            devices=devices,
            places=places,
            notices=notices,
            lifetimes=_lifetimes(settings, have.journal_ms),
            requirement=requirement_of(have),
        )
    )

    anomalies = Anomalies(Looker(devices, places), Floods(), _anomaly_policy(settings), metrics.unusual)
    moves = Moves(MoveTools(store=store, anomalies=anomalies, notices=notices, sessions=sessions, devices=devices))
    have.screening.tell = metrics.breach_asked

    async def is_ready() -> bool:
        return await store.find_meta("master_secret_check") is not None and bool(keys.active)

    return Edge(
        settings=_edge_settings(settings),
        csrf=Csrf(have.master, cookie_name=settings.csrf.cookie_name, header_name=settings.csrf.header_name),
        metrics=metrics,
        authenticate=AuthenticateWorld(
            store=store,
            clock=clock,
            access_tokens=access_tokens,
            session_cookies=session_cookies,
            sessions=sessions,
            moves=moves,
        ),
        sign_up=SignUpWorld(
            store=store,
            clock=clock,
            passwords=have.passwords,
            policy=have.policy,
            screening=have.screening,
            codes=codes,
            throttle=have.throttle,
            outbox=have.outbox,
            sessions=sessions,
            reveal_existing=settings.signup.reveal_existing,
        ),
        login=LoginWorld(
            store=store,
            clock=clock,
            passwords=have.passwords,
            throttle=have.throttle,
            sessions=sessions,
            second_steps=SecondSteps(store, trust, requirement_of(have)),
            challenges=Challenges(have.master),
            anomalies=anomalies,
            notices=notices,
        ),
        **second_steps(have, store, sessions, notices, trust),
        refresh=RefreshWorld(clock=clock, refresh_tokens=refresh_tokens, sessions=sessions, moves=moves),
        logout=LogoutWorld(
            store=store,
            clock=clock,
            sessions=sessions,
            refresh_tokens=refresh_tokens,
            session_cookies=session_cookies,
        ),
        session_list=SessionListWorld(store=store, clock=clock, sessions=sessions),
        password_reset=PasswordResetWorld(
            store=store,
            clock=clock,
            passwords=have.passwords,
            policy=have.policy,
            screening=have.screening,
            codes=codes,
            reset_tokens=ResetTokens(have.master),
            throttle=have.throttle,
            outbox=have.outbox,
            notices=notices,
            sessions=sessions,
        ),
        not_me=NotMeWorld(
            store=store,
            clock=clock,
            codes=not_me,
            policy=have.policy,
            throttle=have.throttle,
            outbox=have.outbox,
            notices=notices,
            sessions=sessions,
        ),
        history=HistoryWorld(store=store, master=have.master),
        password_change=PasswordChangeWorld(
            store=store,
            clock=clock,
            passwords=have.passwords,
            policy=have.policy,
            screening=have.screening,
            throttle=have.throttle,
            notices=notices,
            sessions=sessions,
            fresh_ms=settings.factors.fresh_minutes * 60_000,
        ),
        email_change=EmailChangeWorld(
            store=store,
            clock=clock,
            passwords=have.passwords,
            codes=codes,
            throttle=have.throttle,
            outbox=have.outbox,
            notices=notices,
            sessions=sessions,
            fresh_ms=settings.factors.fresh_minutes * 60_000,
        ),
        recovery_email=RecoveryEmailWorld(
            store=store,
            clock=clock,
            passwords=have.passwords,
            codes=codes,
            throttle=have.throttle,
            outbox=have.outbox,
            notices=notices,
            fresh_ms=settings.factors.fresh_minutes * 60_000,
        ),
        profile=ProfileWorld(store=store, clock=clock),
        withdrawal=WithdrawalWorld(
            store=store,
            clock=clock,
            passwords=have.passwords,
            throttle=have.throttle,
            outbox=have.outbox,
            sessions=sessions,
            fresh_ms=settings.factors.fresh_minutes * 60_000,
        ),
        introspection=IntrospectionWorld(
            store=store,
            clock=clock,
            access_tokens=access_tokens,
            refresh_tokens=refresh_tokens,
            issuer=settings.public_url,
        ),
        revocation=RevocationWorld(
            store=store,
            clock=clock,
            sessions=sessions,
            access_tokens=access_tokens,
            refresh_tokens=refresh_tokens,
            journal_ms=have.journal_ms,
        ),
        guards=Guards(keys=GuardKeys(GuardKeyForm(have.master), store), feed=feed),
        jwks=keys.jwks,
        is_ready=is_ready,
        counts=store.counts,
        mailbox=caught.mail,
        texts=caught.texts,
        pages=make_pages(have),
    )


def _anomaly_policy(settings: Settings) -> Policy:
    scores = settings.anomalies
    return Policy(
        note_from=scores.note_from,
        mail_from=scores.mail_from,
        ask_from=scores.ask_from,
        refuse_from=scores.refuse_from,
    )


def _lifetimes(settings: Settings, journal_ms: int) -> Lifetimes:
    session = settings.session
    idle_ms, absolute_ms = session.idle_days * DAY_MS, session.absolute_days * DAY_MS
    return Lifetimes(
        idle_ms=idle_ms,
        absolute_ms=absolute_ms,
        aal2_idle_ms=session.aal2_idle_minutes * 60_000 or idle_ms,
        aal2_absolute_ms=session.aal2_absolute_hours * 3_600_000 or absolute_ms,
        grace_ms=settings.session.grace_seconds * 1000,
        journal_ms=journal_ms,
        max_sessions=settings.session.max_per_account,
    )


def _edge_settings(settings: Settings) -> EdgeSettings:
    return EdgeSettings(
        public_origin="/".join(settings.public_url.split("/")[:3]),
        allowed_origins=frozenset(settings.allowed_origins),
        any_localhost=settings.mode == "dev",
        trusted_proxies=tuple(ip_network(network) for network in settings.trusted_proxies),
        metrics_on_main_port=settings.metrics == "loopback",
    )
