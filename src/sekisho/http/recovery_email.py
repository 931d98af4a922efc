"""The recovery address over HTTP: read, send-code, verify-code, remove."""

from __future__ import annotations

from sekisho.flows.recovery_email import (
    SendRecoveryEmailCode,
    VerifyRecoveryEmailCode,
    read_recovery_email,
    remove_recovery_email,
    send_recovery_email_code,
    verify_recovery_email_code,
)
from sekisho.http.answer import Answer, json_answer
from sekisho.http.call import Call
from sekisho.http.credentials import require_principal
from sekisho.http.wire import (
    EmailSendCodeBody,
    EmailVerifyCodeBody,
    MailedCodeView,
    MessageView,
    recovery_email_view,
)


async def read_recovery_email_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    return json_answer(recovery_email_view(await read_recovery_email(principal, call.edge.recovery_email)))


async def send_recovery_email_code_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    body = await call.body(EmailSendCodeBody)
    request = SendRecoveryEmailCode(body.email, body.password, call.origin)
    sent = await send_recovery_email_code(request, principal, call.edge.recovery_email)
    return json_answer(MailedCodeView(call.say("message.recovery_email_code_sent"), sent.email, sent.expires_in))


async def verify_recovery_email_code_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    body = await call.body(EmailVerifyCodeBody)
    request = VerifyRecoveryEmailCode(body.email, body.code, call.origin)
    taken = await verify_recovery_email_code(request, principal, call.edge.recovery_email)
    return json_answer(recovery_email_view(taken))


async def remove_recovery_email_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    await remove_recovery_email(principal, call.origin, call.edge.recovery_email)
    return json_answer(MessageView(call.say("message.recovery_email_removed")))
