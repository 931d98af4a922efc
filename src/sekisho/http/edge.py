"""What the edge stands on: the flows' bundles and the settings that concern HTTP alone."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from sekisho.errors import Refusal
from sekisho.factor_owner import FactorsWorld
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
from sekisho.flows.second_factor import SecondFactorWorld
from sekisho.flows.session_list import SessionListWorld
from sekisho.flows.sign_up import SignUpWorld
from sekisho.flows.step_up import StepUpWorld
from sekisho.flows.trusted_devices import TrustedDevicesWorld
from sekisho.flows.withdrawal import WithdrawalWorld
from sekisho.guard_keys import GuardKeys
from sekisho.http.csrf_values import Csrf
from sekisho.http.metrics import Metrics
from sekisho.model import Discreet
from sekisho.revocation_feed import RevocationFeed

if TYPE_CHECKING:
    from sekisho.http.answer import Answer
    from sekisho.http.call import Call
    from sekisho.http.routes import Route


class EdgeSettings(Struct, frozen=True, kw_only=True):
    """public_origin: scheme, host and port of `SEKISHO_PUBLIC_URL`; cookies are `Secure` and carry
    `__Host-` when it is https. allowed_origins: further exact origins. any_localhost: in `dev`, pages on
    localhost at any port. metrics_on_main_port: `/metrics` answers there, to loopback only."""

    public_origin: str
    allowed_origins: frozenset[str] = frozenset()
    any_localhost: bool = False
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    metrics_on_main_port: bool = True

    @property
    def secure(self) -> bool:
        return self.public_origin.startswith("https://")


class CaughtMail(Discreet, frozen=True):
    """One letter as the development mailbox shows it; `sent_at` is RFC 3339."""

    to: str
    subject: str
    text: str
    html: str
    sent_at: str


class CaughtSms(Discreet, frozen=True):
    """One text message as the development mailbox shows it; `sent_at` is RFC 3339."""

    to: str
    text: str
    sent_at: str


class Caught(Struct, frozen=True):
    """What development shows of what goes out: each waits for what is due and answers newest first. None: not there."""

    mail: Callable[[], Coroutine[Any, Any, list[CaughtMail]]] | None = None
    texts: Callable[[], Coroutine[Any, Any, list[CaughtSms]]] | None = None


class Pages(Protocol):
    """What the server shows to people; see `sekisho.ui`."""

    @property
    def routes(self) -> tuple[Route, ...]:
        """The pages, beside the routes of the API."""

    def speaks(self, path: str, call: Call) -> bool:
        """Whether a mistake at `path`, a path of the table or none of them, is told as a page."""

    def refused(self, refusal: Refusal, call: Call) -> Answer:
        """Return the page that says why, and what to do now."""

    def broken(self, incident: str, call: Call) -> Answer:
        """Return the page of a programming mistake: an incident id, and nothing else."""


class Guards(Struct, kw_only=True):
    """What is there for the guards of protected APIs. streams: how many are open now."""

    keys: GuardKeys
    feed: RevocationFeed
    streams: int = 0


class Edge(Struct, frozen=True, kw_only=True):
    """mailbox, texts: only in `dev`, see `Caught`. pages: None where the server speaks to programs alone."""

    settings: EdgeSettings
    csrf: Csrf
    metrics: Metrics
    authenticate: AuthenticateWorld
    sign_up: SignUpWorld
    login: LoginWorld
    second_factor: SecondFactorWorld
    step_up: StepUpWorld
    factors: FactorsWorld
    refresh: RefreshWorld
    logout: LogoutWorld
    session_list: SessionListWorld
    password_reset: PasswordResetWorld
    not_me: NotMeWorld
    history: HistoryWorld
    password_change: PasswordChangeWorld
    email_change: EmailChangeWorld
    recovery_email: RecoveryEmailWorld
    profile: ProfileWorld
    withdrawal: WithdrawalWorld
    trusted_devices: TrustedDevicesWorld
    introspection: IntrospectionWorld
    revocation: RevocationWorld
    guards: Guards
    jwks: Callable[[], bytes]
    is_ready: Callable[[], Coroutine[Any, Any, bool]]
    counts: Callable[[], Coroutine[Any, Any, dict[str, int]]]
    mailbox: Callable[[], Coroutine[Any, Any, list[CaughtMail]]] | None = None
    texts: Callable[[], Coroutine[Any, Any, list[CaughtSms]]] | None = None
    pages: Pages | None = None
