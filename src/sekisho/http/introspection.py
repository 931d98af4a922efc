"""Introspection over HTTP. Spec: RFC 7662."""

from __future__ import annotations

from msgspec import to_builtins

from sekisho.flows.introspection import Inactive, LiveRefreshToken, introspect
from sekisho.http.answer import Answer, json_answer
from sekisho.http.call import Call
from sekisho.http.form import read_form, required
from sekisho.http.guards import require_client
from sekisho.http.token_wire import IntrospectionView


async def introspection_endpoint(call: Call) -> Answer:
    await require_client(call)
    token = required(await read_form(call), "token")
    found = await introspect(token, call.edge.introspection)
    if isinstance(found, Inactive):
        return json_answer(IntrospectionView(active=False))
    if isinstance(found, LiveRefreshToken):
        return json_answer(
            IntrospectionView(
                active=True,
                iss=call.edge.introspection.issuer,
                sub=found.sub,
                client_id=found.client_id,
                sid=found.session_id,
                exp=found.expires_at // 1000,
            )
        )
    return json_answer(IntrospectionView(active=True, token_type="Bearer", **to_builtins(found)))  # noqa: S106 - a kind
