"""The CSRF value over HTTP: for pages that cannot read the cookie, and before the first write."""

from __future__ import annotations

from sekisho.http.answer import Answer, json_answer
from sekisho.http.browser import csrf_value
from sekisho.http.call import Call
from sekisho.http.wire import CsrfView


async def csrf_endpoint(call: Call) -> Answer:
    value, headers = csrf_value(call)
    return json_answer(CsrfView(csrf_token=value), 200, headers)
