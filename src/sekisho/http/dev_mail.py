"""The mailbox of `sekisho dev`, for programs: letters and text messages. It exists in `dev` only."""

from __future__ import annotations

from sekisho.errors import NotFound
from sekisho.http.answer import Answer, json_answer
from sekisho.http.call import Call
from sekisho.http.edge import CaughtMail, CaughtSms


async def dev_mail_endpoint(call: Call) -> Answer:
    return json_answer(await caught_letters(call))


async def caught_letters(call: Call) -> list[CaughtMail]:
    """Return the letters that were caught instead of sent, newest first.

    Raises:
        NotFound: not in development, or asked for by a name that is not this machine's.
    """
    if call.edge.mailbox is None:
        raise NotFound(detail="mailbox exists in dev only")
    _check_machine(call)
    return await call.edge.mailbox()


async def dev_sms_endpoint(call: Call) -> Answer:
    return json_answer(await caught_texts(call))


async def caught_texts(call: Call) -> list[CaughtSms]:
    """Return the text messages that were caught instead of sent, newest first; none where a gateway sends them.

    Raises:
        NotFound: as `caught_letters`.
    """
    if call.edge.mailbox is None:
        raise NotFound(detail="mailbox exists in dev only")
    _check_machine(call)
    return [] if call.edge.texts is None else await call.edge.texts()


def _check_machine(call: Call) -> None:
    if not call.is_for_this_machine:
        raise NotFound(detail="the mailbox holds codes: it answers to a name of this machine only")
