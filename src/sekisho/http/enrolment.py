"""Enrolment over HTTP: begin, confirm."""

from __future__ import annotations

from msgspec import UNSET

from sekisho.flows.enrolment import Enrol, confirm, enrol
from sekisho.http.answer import Answer, json_answer
from sekisho.http.call import Call
from sekisho.http.credentials import require_principal
from sekisho.http.factor_wire import (
    ConfirmFactorBody,
    EnrolFactorBody,
    EnrolmentView,
    FactorConfirmedView,
    factor_view,
)


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
