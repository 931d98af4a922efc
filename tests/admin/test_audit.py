"""Reading the trail: filters hold together, and a misspelt one is refused."""

from __future__ import annotations

import pytest

from admin.operator import operator_of
from sekisho.admin.accounts import change_roles
from sekisho.admin.audit import list_audit, report_audit
from sekisho.audit import Event, record
from sekisho.errors import ValidationError
from sekisho.model import Origin, Unusual
from sekisho.ports.changes import AppendAudit
from sekisho.ports.storage import AuditFilter
from world import HANAKO, World

pytestmark = pytest.mark.anyio


async def test_the_filters_hold_together_and_the_newest_comes_first(world: World) -> None:
    mine = await world.signed_in()
    await world.signed_in("taro@mail.test")
    await change_roles(HANAKO, operator_of(world), add=("admin",))
    found = await list_audit(AuditFilter(account_id=mine.account.id), operator_of(world))
    assert [line.event for line in found] == ["roles_changed", "login"]
    (login,) = await list_audit(AuditFilter(account_id=mine.account.id, event="login"), operator_of(world))
    assert login.session_id == mine.session.id


async def test_a_word_outside_the_vocabulary_is_refused_by_its_field(world: World) -> None:
    with pytest.raises(ValidationError) as refused:
        await list_audit(AuditFilter(event="logins", outcome="fine"), operator_of(world))
    assert refused.value.details == {"event": "invalid_choice", "outcome": "invalid_choice"}


async def test_a_report_tells_new_devices_and_what_became_of_second_factors(world: World) -> None:
    operator = operator_of(world)
    records = [
        (Event.SIGN_IN_UNUSUAL, {"reason": Unusual.NEW_DEVICE}),
        (Event.SIGN_IN_UNUSUAL, {"reason": Unusual.NEW_DEVICE}),
        (Event.SIGN_IN_UNUSUAL, {"reason": Unusual.NEW_COUNTRY}),
        (Event.FACTOR_ADDED, {}),
        (Event.RECOVERY_CODE_USED, {}),
    ]
    now = world.clock.now()
    await world.store.apply(
        *(AppendAudit(record=record(event, "success", at=now, origin=Origin(), **more)) for event, more in records)
    )
    found = await report_audit(now, now + 1, operator)
    assert found.unusual == [("new_device", 2), ("new_country", 1)]
    assert found.factors == [("factor_added", 1), ("recovery_code_used", 1)]
    assert found.other == []
