"""New recovery codes over HTTP."""

from __future__ import annotations

from sekisho.flows.recovery_codes import new_recovery_codes
from sekisho.http.answer import Answer, json_answer
from sekisho.http.call import Call
from sekisho.http.credentials import require_principal
from sekisho.http.factor_wire import RecoveryCodesView


async def new_recovery_codes_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    codes = await new_recovery_codes(principal, call.origin, call.edge.factors)
    return json_answer(RecoveryCodesView(call.say("message.recovery_codes_made"), codes))
