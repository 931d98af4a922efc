"""Session list over HTTP: the current session, all sessions, ending one."""

from __future__ import annotations

from sekisho.flows.session_list import current_session, end_session, list_sessions
from sekisho.http.answer import Answer, json_answer
from sekisho.http.browser import signed_out_cookies
from sekisho.http.call import Call
from sekisho.http.credentials import require_principal
from sekisho.http.session_wire import CurrentSessionView, SessionListView, proven_session_view, session_view
from sekisho.http.wire import MessageView, user_view
from sekisho.identifiers import parse_client_id


async def current_session_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    current = await current_session(principal, call.edge.session_list)
    session = proven_session_view(current.session, current.acr_required)
    return json_answer(CurrentSessionView(user=user_view(current.account), session=session))


async def list_sessions_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    sessions = await list_sessions(principal, call.edge.session_list)
    views = [session_view(session, principal.session_id) for session in sessions]
    return json_answer(SessionListView(sessions=views))


async def end_session_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    session_id = call.path["id"]
    await end_session(session_id, principal, call.origin, call.edge.session_list)
    is_current = session_id == principal.session_id
    gone = signed_out_cookies(call, parse_client_id(principal.client_id).app) if is_current else ()
    return json_answer(MessageView(call.say("message.session_ended")), 200, gone)
