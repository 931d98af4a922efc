"""Login over HTTP."""

from __future__ import annotations

from sekisho.flows.login import Login, login
from sekisho.http.answer import Answer
from sekisho.http.call import Call
from sekisho.http.transport import begin_sign_in, signed_in_answer
from sekisho.http.wire import LoginBody


async def login_endpoint(call: Call) -> Answer:
    body = await call.body(LoginBody)
    begun = begin_sign_in(call, body.client_id, body.transport)
    request = Login(body.email, body.password, body.client_id, body.transport, begun.origin, begun.replaces)
    pair = await login(request, call.edge.login)
    return signed_in_answer(call, pair, begun, "message.signed_in", 200)
