"""Trusted devices over HTTP: the list, and forgetting one."""

from __future__ import annotations

from sekisho.flows.trusted_devices import forget_device, list_devices
from sekisho.http.answer import Answer, json_answer
from sekisho.http.browser import shown_trust
from sekisho.http.call import Call
from sekisho.http.credentials import require_principal
from sekisho.http.factor_wire import TrustedDeviceListView, TrustedDeviceView
from sekisho.http.wire import MessageView
from sekisho.identifiers import parse_client_id
from sekisho.times import iso_time


async def list_devices_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    shown = shown_trust(call, parse_client_id(principal.client_id).app)
    listed = await list_devices(principal, shown, call.edge.trusted_devices)
    views = [
        TrustedDeviceView(
            id=each.device.id,
            app=each.device.app,
            device=each.device.device_name,
            created_at=iso_time(each.device.created_at),
            last_used_at=iso_time(each.device.last_used_at),
            expires_at=iso_time(each.device.expires_at),
            current=each.is_current,
        )
        for each in listed
    ]
    return json_answer(TrustedDeviceListView(views))


async def forget_device_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    await forget_device(call.path["id"], principal, call.origin, call.edge.trusted_devices)
    return json_answer(MessageView(call.say("message.device_forgotten")))
