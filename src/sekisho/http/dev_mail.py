"""The mailbox of `sekisho dev`, for programs. It exists in `dev` only."""

from __future__ import annotations

from sekisho.errors import NotFound
from sekisho.http.answer import Answer, json_answer
from sekisho.http.call import Call
from sekisho.http.edge import CaughtMail


async def dev_mail_endpoint(call: Call) -> Answer:
    return json_answer(await caught_letters(call))


async def caught_letters(call: Call) -> list[CaughtMail]:
    """Return the letters that were caught instead of sent, newest first.

    Raises:
        NotFound: not in development, or asked for by a name that is not this machine's.
    """
    if call.edge.mailbox is None:
        raise NotFound(detail="mailbox exists in dev only")
    if not call.is_for_this_machine:
        raise NotFound(detail="the mailbox holds codes: it answers to a name of this machine only")
    return await call.edge.mailbox()
