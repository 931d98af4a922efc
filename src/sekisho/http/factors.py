"""Factors over HTTP: list, enrol, confirm, rename, remove, recovery codes."""

from __future__ import annotations

from msgspec import UNSET

from sekisho.flows.factors import Enrol, confirm, enrol, list_factors, new_recovery_codes, remove, rename
from sekisho.http.answer import Answer, json_answer
from sekisho.http.call import Call
from sekisho.http.credentials import require_principal
from sekisho.http.factor_wire import (
    ConfirmFactorBody,
    EnrolFactorBody,
    EnrolmentView,
    FactorConfirmedView,
    FactorListView,
    RecoveryCodesView,
    RemoveFactorBody,
    RenameFactorBody,
    factor_view,
)
from sekisho.http.wire import EndedView


async def list_factors_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    found = await list_factors(principal, call.edge.factors)
    views = [factor_view(factor, number) for factor, number in zip(found.factors, found.numbers, strict=True)]
    available = sorted(kind.value for kind in call.edge.factors.allowed)
    return json_answer(FactorListView(views, found.unused_recovery_codes, available))


async def enrol_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    body = await call.body(EnrolFactorBody)
    begun = await enrol(Enrol(body.kind, body.name, body.phone), principal, call.origin, call.edge.factors)
    view = EnrolmentView(
        id=begun.id,
        kind=begun.kind.value,
        expires_in=begun.expires_in,
        secret=begun.secret or UNSET,
        uri=begun.uri or UNSET,
        qr=begun.qr or UNSET,
        number=begun.number or UNSET,
        message=UNSET if begun.secret else call.say("message.factor_code_sent"),
    )
    return json_answer(view, 201)


async def confirm_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    body = await call.body(ConfirmFactorBody)
    done = await confirm(
        call.path["id"],
        body.code,
        principal,
        call.origin,
        call.edge.factors,
        end_others=body.end_other_sessions,
    )
    view = FactorConfirmedView(
        message=call.say("message.factor_added"),
        factor=factor_view(done.factor, call.edge.factors.phones.masked(done.factor)),
        recovery_codes=done.recovery_codes or UNSET,
        ended=done.ended,
    )
    return json_answer(view)


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


async def new_recovery_codes_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    codes = await new_recovery_codes(principal, call.origin, call.edge.factors)
    return json_answer(RecoveryCodesView(call.say("message.recovery_codes_made"), codes))
