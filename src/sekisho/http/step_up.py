"""Step-up over HTTP."""

from __future__ import annotations

from sekisho.flows.step_up import StepUp, send_code, step_up
from sekisho.http.answer import Answer, json_answer
from sekisho.http.call import Call
from sekisho.http.credentials import require_principal
from sekisho.http.factor_wire import FactorCodeSentView, StepUpBody, StepUpSendCodeBody
from sekisho.http.transport import renewed_answer


async def send_code_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    body = await call.body(StepUpSendCodeBody)
    expires_in = await send_code(body.method, principal, call.origin, call.edge.step_up)
    return json_answer(FactorCodeSentView(call.say("message.factor_code_sent"), expires_in))


async def step_up_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    body = await call.body(StepUpBody)
    request = StepUp(body.password, body.method, body.code)
    return renewed_answer(await step_up(request, principal, call.origin, call.edge.step_up))
