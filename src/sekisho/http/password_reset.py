"""Password reset over HTTP: send-code, verify-code, complete."""

from __future__ import annotations

from sekisho.flows.password_reset import (
    CompleteReset,
    SendResetCode,
    VerifyResetCode,
    complete_reset,
    send_reset_code,
    verify_reset_code,
)
from sekisho.http.answer import Answer, json_answer
from sekisho.http.call import Call
from sekisho.http.wire import (
    MailedCodeView,
    MessageView,
    ResetCompleteBody,
    ResetSendCodeBody,
    ResetTokenView,
    ResetVerifyCodeBody,
)


async def send_reset_code_endpoint(call: Call) -> Answer:
    body = await call.body(ResetSendCodeBody)
    sent = await send_reset_code(SendResetCode(body.email, call.locale, call.origin), call.edge.password_reset)
    return json_answer(MailedCodeView(call.say("message.reset_code_sent"), sent.email, sent.expires_in))


async def verify_reset_code_endpoint(call: Call) -> Answer:
    body = await call.body(ResetVerifyCodeBody)
    request = VerifyResetCode(body.email, body.code, call.origin)
    allowed = await verify_reset_code(request, call.edge.password_reset)
    return json_answer(ResetTokenView(allowed.reset_token, allowed.expires_in))


async def complete_reset_endpoint(call: Call) -> Answer:
    body = await call.body(ResetCompleteBody)
    await complete_reset(CompleteReset(body.reset_token, body.password, call.origin), call.edge.password_reset)
    return json_answer(MessageView(call.say("message.password_reset")))
