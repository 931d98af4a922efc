"""A signed-in person with second factors: the verbs that the tests about them share."""

from __future__ import annotations

from typing import Any

from sekisho.flows.enrolment import Confirmed, Enrol, confirm, enrol
from sekisho.flows.factors import list_factors, remove
from sekisho.model import FactorKind
from sekisho.sessions import TokenPair
from world import HOME, App, World, principal_of


class Owner:
    """What a signed-in person does with factors."""

    def __init__(self, world: World, pair: TokenPair) -> None:
        self.world, self.pair, self.who = world, pair, principal_of(pair)

    @property
    def flows(self) -> Any:
        return self.world.edge.factors

    async def enrol(self, kind: str = "totp", name: str = "") -> Any:
        return await enrol(Enrol(kind, name), self.who, HOME, self.flows)

    async def confirm(self, factor_id: str, code: str, *, end_others: bool = False) -> Confirmed:
        return await confirm(factor_id, code, self.who, HOME, self.flows, end_others=end_others)

    async def remove(self, factor_id: str, *, end_others: bool = False) -> int:
        return await remove(factor_id, self.who, HOME, self.flows, end_others=end_others)

    async def kinds(self) -> list[FactorKind]:
        return [factor.kind for factor in (await list_factors(self.who, self.flows)).factors]

    def app(self, enrolment: Any) -> App:
        return App(enrolment.secret, self.world.clock)
