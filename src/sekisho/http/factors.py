"""Factors over HTTP: list, rename, remove."""

from __future__ import annotations

from sekisho.flows.factors import list_factors, remove, rename
from sekisho.http.answer import Answer, json_answer
from sekisho.http.call import Call
from sekisho.http.credentials import require_principal
from sekisho.http.factor_wire import FactorListView, RemoveFactorBody, RenameFactorBody, factor_view
from sekisho.http.wire import EndedView


async def list_factors_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    found = await list_factors(principal, call.edge.factors)
    views = [factor_view(factor, number) for factor, number in zip(found.factors, found.numbers, strict=True)]
    available = sorted(kind.value for kind in call.edge.factors.allowed)
    return json_answer(FactorListView(views, found.unused_recovery_codes, available))


async def rename_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    body = await call.body(RenameFactorBody)
    factor = await rename(call.path["id"], body.name, principal, call.origin, call.edge.factors)
    return json_answer(factor_view(factor, call.edge.factors.phones.masked(factor)))


async def remove_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    body = await call.body(RemoveFactorBody, may_be_empty=True)
    ended = await remove(call.path["id"], principal, call.origin, call.edge.factors, end_others=body.end_other_sessions)
    return json_answer(EndedView(call.say("message.factor_removed"), ended))
