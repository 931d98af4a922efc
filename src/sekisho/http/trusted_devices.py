"""Trusted devices over HTTP: the list, and forgetting one."""

from __future__ import annotations

from sekisho.flows.trusted_devices import forget_device, list_devices
from sekisho.http.answer import Answer, json_answer
from sekisho.http.browser import shown_trust
from sekisho.http.call import Call
from sekisho.http.credentials import require_principal
from sekisho.http.factor_wire import TrustedDeviceListView, trusted_device_view
from sekisho.http.wire import MessageView
from sekisho.identifiers import parse_client_id


async def list_devices_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    shown = shown_trust(call, parse_client_id(principal.client_id).app)
    listed = await list_devices(principal, shown, call.edge.trusted_devices)
    views = [trusted_device_view(each.device, is_current=each.is_current) for each in listed]
    return json_answer(TrustedDeviceListView(views))


async def forget_device_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    await forget_device(call.path["id"], principal, call.origin, call.edge.trusted_devices)
    return json_answer(MessageView(call.say("message.device_forgotten")))
