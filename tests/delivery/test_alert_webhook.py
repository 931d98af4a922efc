"""The webhook of alerts: signed, in bounded batches, and honest about whether they were taken."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest

from delivery.sms_gateway import Gateway
from sekisho.assemble.audit_sink import make_alerts
from sekisho.audit.sealing import BATCH, seal_waiting
from sekisho.audit.seals import Seals
from sekisho.audit.shipping import HAND_OVER_S, Line, Source, ship_waiting
from sekisho.delivery.webhooks.alerts import MOST_IN_ONE, AlertWebhook
from sekisho.delivery.webhooks.https_post import WHOLE_EXCHANGE_S, HttpsPost
from sekisho.delivery.webhooks.signed_post import SignedPost
from sekisho.errors import RefreshTokenInvalid
from sekisho.model import Millis
from sekisho.ports.audit_sink import SinkUnavailable
from world import new_world

pytestmark = pytest.mark.anyio

SECRET = "uT4mXw9ZkQ2rB7sVe1LdYc6HnPj3GfAa8KiO5oRqWzE"
AT: Millis = 1_800_000_000_000


class Clock:
    def now(self) -> Millis:
        return AT


def webhook(port: int, timeout_s: float = 5) -> AlertWebhook:
    post = HttpsPost(f"http://127.0.0.1:{port}/in", timeout_s=timeout_s)
    return AlertWebhook(SignedPost(post, SECRET, Clock()))


def lines(count: int) -> list[Line]:
    return [Line(AT, False, b'{"seq":%d}' % number) for number in range(count)]


async def test_a_batch_is_one_post_that_the_secret_signs() -> None:
    gateway = Gateway(204)
    async with gateway.listening() as port:
        await webhook(port).take(lines(2))
    (post,) = gateway.posts
    assert post.line == "POST /in HTTP/1.1"
    assert post.json == {"alerts": [{"seq": 0}, {"seq": 1}]}
    given = dict(part.split("=") for part in post.headers["sekisho-signature"].split(","))
    tag = hmac.new(SECRET.encode(), f"{given['t']}.".encode() + post.body, hashlib.sha256)
    assert (given["t"], given["v1"]) == ("1800000000", tag.hexdigest())


async def test_a_flood_of_alerts_goes_in_bounded_posts() -> None:
    gateway = Gateway()
    async with gateway.listening() as port:
        await webhook(port).take(lines(MOST_IN_ONE + 1))
    assert [len(post.json["alerts"]) for post in gateway.posts] == [MOST_IN_ONE, 1]


@pytest.mark.parametrize("status", [301, 307, 400, 404, 429, 500, 503])
async def test_whatever_is_not_a_yes_is_tried_again_and_a_redirect_is_not_followed(status: int) -> None:
    gateway, elsewhere = Gateway(status), Gateway()
    async with elsewhere.listening() as other:
        gateway.headers = f"Location: http://127.0.0.1:{other}/\r\n"
        async with gateway.listening() as port:
            with pytest.raises(SinkUnavailable, match=str(status)):
                await webhook(port).take(lines(1))
    assert elsewhere.posts == []


async def test_nobody_there_and_somebody_slow_are_told_without_the_address() -> None:
    gateway = Gateway(slow_s=5)
    async with gateway.listening() as port:
        with pytest.raises(SinkUnavailable) as slow:
            await webhook(port, timeout_s=0.2).take(lines(1))
    with pytest.raises(SinkUnavailable) as nobody:
        await webhook(port).take(lines(1))
    assert "127.0.0.1" not in f"{slow.value}{nobody.value}"


async def test_a_replay_in_a_running_server_reaches_the_receiver(tmp_path: Path) -> None:
    gateway = Gateway()
    async with gateway.listening() as port:
        settings = {"alerts.url": f"http://127.0.0.1:{port}/in", "alerts.secret": SECRET}
        async with new_world(tmp_path, settings) as world:
            made = make_alerts(world.settings, world.clock)
            assert made is not None
            sink, channel = made
            source = Source("https://auth.example.com", "a generation")
            await ship_waiting(world.store, world.clock, sink, source, channel)
            pair = await world.signed_in()
            await world.refresh(pair.credential)
            world.clock.advance(minutes=5)
            with pytest.raises(RefreshTokenInvalid):
                await world.refresh(pair.credential)
            await seal_waiting(world.store, Seals(world.master), world.now)
            # The server's own worker may have been faster.
            await ship_waiting(world.store, world.clock, sink, source, channel)
    (alert,) = [each for post in gateway.posts for each in post.json["alerts"]]
    assert (alert["reason"], alert["account_id"]) == ("refresh_token_replayed", pair.account.id)


def test_a_receiver_that_uses_all_its_time_still_gets_on() -> None:
    posts = -(-BATCH // MOST_IN_ONE)
    assert posts * WHOLE_EXCHANGE_S < HAND_OVER_S, "else a batch full of alerts would begin anew for ever"
