"""Withdrawal over HTTP."""

from __future__ import annotations

from sekisho.flows.withdrawal import withdraw
from sekisho.http.answer import Answer, json_answer
from sekisho.http.browser import signed_out_cookies
from sekisho.http.call import Call
from sekisho.http.credentials import require_principal
from sekisho.http.wire import MessageView, WithdrawalBody
from sekisho.identifiers import parse_client_id


async def withdrawal_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    body = await call.body(WithdrawalBody, may_be_empty=True)
    await withdraw(body.password, principal, call.origin, call.edge.withdrawal)
    gone = signed_out_cookies(call, parse_client_id(principal.client_id).app)
    return json_answer(MessageView(call.say("message.account_withdrawn")), 200, gone)
