"""Login over HTTP."""

from __future__ import annotations

from sekisho.flows.login import Login, login
from sekisho.http.answer import Answer
from sekisho.http.call import Call
from sekisho.http.transport import asked_answer, begin_sign_in, signed_in_answer
from sekisho.http.wire import LoginBody
from sekisho.mfa.challenges import SecondFactorRequired


async def login_endpoint(call: Call) -> Answer:
    body = await call.body(LoginBody)
    begun = begin_sign_in(call, body.client_id, body.transport, body.device_token)
    request = Login(
        body.email, body.password, body.client_id, body.transport, begun.origin, begun.replaces, begun.trusted
    )
    entered = await login(request, call.edge.login)
    if isinstance(entered, SecondFactorRequired):
        return asked_answer(call, entered)
    return signed_in_answer(call, entered, begun, "message.signed_in", 200)
