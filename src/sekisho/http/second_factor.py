"""The second step of a sign-in over HTTP."""

from __future__ import annotations

from sekisho.flows.second_factor import SecondFactor, SendFactorCode, find_transport, second_factor, send_code
from sekisho.http.answer import Answer, json_answer
from sekisho.http.call import Call
from sekisho.http.factor_wire import FactorCodeSentView, SecondFactorBody, SecondFactorSendCodeBody
from sekisho.http.transport import begin_sign_in, signed_in_answer


async def send_code_endpoint(call: Call) -> Answer:
    body = await call.body(SecondFactorSendCodeBody)
    request = SendFactorCode(body.challenge, body.method, call.origin)
    expires_in = await send_code(request, call.edge.second_factor)
    return json_answer(FactorCodeSentView(call.say("message.factor_code_sent"), expires_in))


async def second_factor_endpoint(call: Call) -> Answer:
    """The transport was chosen when the sign-in was begun: the challenge knows it."""
    body = await call.body(SecondFactorBody)
    transport = await find_transport(body.challenge, call.edge.second_factor)
    begun = begin_sign_in(call, body.client_id, transport, body.device_token)
    request = SecondFactor(
        challenge=body.challenge,
        method=body.method,
        code=body.code,
        client_id=body.client_id,
        seen_from=begun.origin,
        replaces=begun.replaces,
        trust_device=body.trust_device,
        trusted=begun.trusted,
    )
    pair = await second_factor(request, call.edge.second_factor)
    return signed_in_answer(call, pair, begun, "message.signed_in", 200)
