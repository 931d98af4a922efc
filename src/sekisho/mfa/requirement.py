"""Of whom a second factor is required, and what a session may carry whose owner has not shown one.

By role, it follows the person into every app; by app, it holds for whoever signs in there. A session below what is
required lives, so that its owner can enrol or step up in it; it wears none of the roles that the requirement guards.

Spec: OWASP ASVS 5.0 row 6.3.3; NIST SP 800-63B-4 section 2.2.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from sekisho.identifiers import parse_client_id
from sekisho.model import AAL2, Account, Session


class Requirement(Struct, frozen=True, kw_only=True):
    """roles: whoever has one of these must show a second factor. apps: so must whoever signs in to one of these."""

    roles: frozenset[str] = frozenset()
    apps: frozenset[str] = frozenset()

    def is_for(self, account: Account, app: str) -> bool:
        """Whether this account must show a second factor in this app."""
        return app in self.apps or not self.roles.isdisjoint(account.roles)

    def is_unmet(self, session: Session, account: Account) -> bool:
        """Whether this session's owner must show a second factor, and has not."""
        if session.acr == AAL2 or not (self.roles or self.apps):
            return False
        return self.is_for(account, parse_client_id(session.client_id).app)

    def worn(self, session: Session, account: Account) -> Account:
        """Return the account with the roles that it has in this session: below a requirement none that it guards, which
        for one by app are all."""
        if not account.roles or not self.is_unmet(session, account):
            return account
        if parse_client_id(session.client_id).app in self.apps:
            return replace(account, roles=())
        return replace(account, roles=tuple(role for role in account.roles if role not in self.roles))
