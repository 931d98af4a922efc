"""Address change over HTTP: send-code, verify-code."""

from __future__ import annotations

from sekisho.flows.email_change import SendEmailCode, VerifyEmailCode, send_email_code, verify_email_code
from sekisho.http.answer import Answer, json_answer
from sekisho.http.call import Call
from sekisho.http.credentials import require_principal
from sekisho.http.wire import EmailSendCodeBody, EmailVerifyCodeBody, MailedCodeView, user_view


async def send_email_code_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    body = await call.body(EmailSendCodeBody)
    sent = await send_email_code(
        SendEmailCode(body.email, body.password, call.origin), principal, call.edge.email_change
    )
    return json_answer(MailedCodeView(call.say("message.email_code_sent"), sent.email, sent.expires_in))


async def verify_email_code_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    body = await call.body(EmailVerifyCodeBody)
    account = await verify_email_code(
        VerifyEmailCode(body.email, body.code, call.origin), principal, call.edge.email_change
    )
    return json_answer(user_view(account))
