"""Revocation over HTTP: of a token (RFC 7009), and of one access token by its `jti`."""

from __future__ import annotations

from sekisho.flows.revocation import revoke_jti, revoke_token
from sekisho.http.answer import Answer, json_answer
from sekisho.http.call import Call
from sekisho.http.form import read_form, required
from sekisho.http.guards import require_client, require_guard
from sekisho.http.token_wire import RevokeJtiBody
from sekisho.http.wire import MessageView


async def revocation_endpoint(call: Call) -> Answer:
    guard = await require_client(call)
    token = required(await read_form(call), "token")
    await revoke_token(token, guard, call.origin, call.edge.revocation)
    return json_answer(MessageView(call.say("message.token_revoked")))


async def revoke_jti_endpoint(call: Call) -> Answer:
    guard = await require_guard(call)
    body = await call.body(RevokeJtiBody)
    await revoke_jti(body.jti, guard, call.origin, call.edge.revocation)
    return json_answer(MessageView(call.say("message.token_revoked")))
