"""Profile over HTTP."""

from __future__ import annotations

from sekisho.flows.profile import ProfileChange, change_profile, read_profile
from sekisho.http.answer import Answer, json_answer
from sekisho.http.call import Call
from sekisho.http.credentials import require_principal
from sekisho.http.wire import ProfileBody, user_view


async def read_profile_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    return json_answer(user_view(await read_profile(principal, call.edge.profile)))


async def change_profile_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    body = await call.body(ProfileBody)
    change = ProfileChange(name=body.name, locale=body.locale)
    return json_answer(user_view(await change_profile(change, principal, call.origin, call.edge.profile)))
