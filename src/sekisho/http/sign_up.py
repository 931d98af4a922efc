"""Sign-up over HTTP: send-code, resend-code, verify-code."""

from __future__ import annotations

from sekisho.flows.sign_up import CodeSent, ResendCode, SendCode, VerifyCode, resend_code, send_code, verify_code
from sekisho.http.answer import Answer, json_answer
from sekisho.http.call import Call
from sekisho.http.transport import begin_sign_in, signed_in_answer
from sekisho.http.wire import CodeSentView, SignUpResendCodeBody, SignUpSendCodeBody, SignUpVerifyCodeBody


async def send_code_endpoint(call: Call) -> Answer:
    body = await call.body(SignUpSendCodeBody)
    request = SendCode(body.email, body.password, body.client_id, call.locale, call.origin)
    return _sent(call, await send_code(request, call.edge.sign_up), "message.signup_code_sent")


async def resend_code_endpoint(call: Call) -> Answer:
    body = await call.body(SignUpResendCodeBody)
    request = ResendCode(body.email, body.client_id, body.pending, call.origin)
    return _sent(call, await resend_code(request, call.edge.sign_up), "message.signup_code_resent")


async def verify_code_endpoint(call: Call) -> Answer:
    body = await call.body(SignUpVerifyCodeBody)
    begun = begin_sign_in(call, body.client_id, body.transport)
    request = VerifyCode(
        email=body.email,
        code=body.code,
        client_id=body.client_id,
        pending=body.pending,
        transport=body.transport,
        seen_from=begun.origin,
        replaces=begun.replaces,
    )
    pair = await verify_code(request, call.edge.sign_up)
    return signed_in_answer(call, pair, begun, "message.signed_up", 201)


def _sent(call: Call, sent: CodeSent, message: str) -> Answer:
    view = CodeSentView(message=call.say(message), email=sent.email, expires_in=sent.expires_in, pending=sent.pending)
    return json_answer(view)
