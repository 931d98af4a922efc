"""The outbox worker, on the real store."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from delivery.letter_values import mail, render_for_tea
from delivery.smtp_server import PostOffice, smtp_server
from sekisho.delivery.mailbox import KEPT_LETTERS, Mailbox
from sekisho.delivery.smtp import SmtpSender, SmtpSettings
from sekisho.delivery.worker import OutboxWorker, WorkerLimits
from sekisho.master_secret import MasterSecret
from sekisho.model import Mail, Millis
from sekisho.outbox import MailKind, Outbox
from sekisho.ports.changes import Change, ClaimMail, MailSent
from sekisho.ports.mail import MailRefused, MailSender
from sekisho.ports.storage import Committed, Outcome, StoreUnavailable
from sekisho.storage.sqlite import SqliteStore
from sekisho.storage.sqlite.migration import migrate

pytestmark = pytest.mark.anyio

START: Millis = 1_790_000_000_000
HOUR_MS = 3_600_000


class HandClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> Millis:
        return self.at


class Post:
    """A sender that keeps what it was given; `before` runs first and may raise or take its time."""

    def __init__(self, before: Callable[[Mail], object] = lambda _mail: None) -> None:
        self.before = before
        self.taken: list[tuple[str, str]] = []

    async def send(self, mail: Mail, message_id: str) -> None:
        waiting = self.before(mail)
        if isinstance(waiting, asyncio.Event):
            await waiting.wait()
        self.taken.append((mail.to, message_id))


class House:
    """A store with an outbox, and the verbs of this file."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.clock = HandClock()
        self.outbox = Outbox(MasterSecret(secrets.token_bytes(32)))

    async def queue(self, to: str = "hana@example.com", *, expires_at: Millis | None = None) -> str:
        letter = self.outbox.letter(
            MailKind.SIGN_UP_CODE,
            to=to,
            locale="en",
            now=self.clock.at,
            expires_at=expires_at,
            code="012345",
            minutes="15",
        )
        await self.store.apply(letter)
        return letter.id

    def worker(self, sender: MailSender, **limits: float) -> OutboxWorker:
        return OutboxWorker(self.store, self.outbox.open, sender, self.clock, WorkerLimits(**limits))  # type: ignore[arg-type]

    def smtp(self, port: int) -> SmtpSender:
        settings = SmtpSettings(host="127.0.0.1", port=port, tls="none", from_address="no-reply@tea.example")
        return SmtpSender(settings, render_for_tea, self.clock)

    async def outcome(self) -> tuple[int, int]:
        counts = await self.store.counts()
        return counts["mail_waiting"], counts["mail_given_up"]


@pytest.fixture(scope="module")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("store") / "empty.db"
    migrate(path)
    return path.read_bytes()


@pytest.fixture
async def house(tmp_path: Path, empty_file: bytes) -> AsyncIterator[House]:
    path = tmp_path / "sekisho.db"
    path.write_bytes(empty_file)
    store = await SqliteStore.open(path, durability="off")
    yield House(store)
    await store.close()


@asynccontextmanager
async def running(worker: OutboxWorker) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(worker.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.005)


# What the wiring does with the store's news.
def wake_on_mail(store: SqliteStore, worker: OutboxWorker) -> None:
    def listen(committed: Committed) -> None:
        if committed.mail_queued:
            worker.wake()

    store.subscribe(listen)


async def test_a_running_worker_sends_a_queued_letter_at_once(house: House) -> None:
    post = Post()
    worker = house.worker(post, longest_rest_s=60)
    wake_on_mail(house.store, worker)
    async with running(worker):
        await asyncio.sleep(0.02)
        sent = await house.queue()
        await until(lambda: bool(post.taken))
    assert post.taken == [("hana@example.com", sent)]
    assert await house.outcome() == (0, 0)


async def test_a_letter_that_another_process_queued_is_found_without_a_call(house: House) -> None:
    post = Post()
    async with running(house.worker(post, longest_rest_s=0.05)):
        await asyncio.sleep(0.02)
        await house.queue()
        await until(lambda: bool(post.taken))


async def test_the_development_mailbox_shows_the_newest_letter_first(house: House) -> None:
    mailbox = Mailbox(render_for_tea, house.clock)
    worker = house.worker(mailbox)
    for address in ("first@example.com", "second@example.com"):
        await house.queue(address)
        assert await worker.settle(2)
    newest, older = mailbox.letters()
    assert (newest.to, older.to) == ("second@example.com", "first@example.com")
    assert newest.sent_at == "2026-09-21T14:13:20.000Z"
    assert "012345" in newest.text
    assert "012345" in newest.html


async def test_the_development_mailbox_keeps_only_the_newest_letters(house: House) -> None:
    mailbox = Mailbox(render_for_tea, house.clock)
    for number in range(KEPT_LETTERS + 5):
        await mailbox.send(mail(to=f"{number}@example.com"), "id")
    assert len(mailbox.letters()) == KEPT_LETTERS
    assert mailbox.letters()[-1].to == "5@example.com"


async def test_a_greylisted_letter_goes_at_the_next_try(house: House) -> None:
    office = PostOffice(replies=("450 4.2.0 greylisted",))
    async with smtp_server(office) as port:
        worker = house.worker(house.smtp(port))
        letter = await house.queue()
        assert await worker.settle(2)
        assert (office.envelopes, await house.outcome()) == ([], (1, 0))
        house.clock.at += 1_250
        assert await worker.settle(2)
    assert [str(taken["Message-ID"]) for taken in office.letters()] == [f"<{letter}@tea.example>"]
    assert await house.outcome() == (0, 0)


async def test_a_refused_letter_is_given_up_and_forgotten(house: House) -> None:
    office = PostOffice(replies=("550 no such user",))
    async with smtp_server(office) as port:
        worker = house.worker(house.smtp(port))
        await house.queue()
        assert await worker.settle(2)
        house.clock.at += HOUR_MS
        assert await worker.settle(2)
    assert (office.envelopes, await house.outcome()) == ([], (0, 1))


async def test_a_slow_recipient_does_not_hold_up_the_others(house: House) -> None:
    never = asyncio.Event()
    post = Post(lambda mail: never if mail.to == "slow@example.com" else None)
    async with running(house.worker(post, parallel=2, longest_rest_s=0.02, stop_grace_s=0)):
        await house.queue("slow@example.com")
        for number in range(10):
            await house.queue(f"{number}@example.com")
        await until(lambda: len(post.taken) == 10)


async def test_never_more_letters_are_on_the_way_than_allowed(house: House) -> None:
    gate = asyncio.Event()
    begun: list[str] = []

    def hold(mail: Mail) -> asyncio.Event:
        begun.append(mail.to)
        return gate

    worker = house.worker(Post(hold), parallel=3)
    for number in range(7):
        await house.queue(f"{number}@example.com")
    async with running(worker):
        await until(lambda: len(begun) == 3)
        worker.wake()
        assert not await worker.settle(0.05)
        assert len(begun) == 3
        gate.set()
        assert await worker.settle(2)
    assert len(begun) == 7


async def test_settle_says_so_when_time_runs_out_and_disturbs_nothing(house: House) -> None:
    gate = asyncio.Event()
    post = Post(lambda _mail: gate)
    worker = house.worker(post)
    await house.queue()
    assert not await worker.settle(0.02)
    gate.set()
    assert await worker.settle(2)
    assert len(post.taken) == 1


async def test_a_worker_that_dies_after_the_hand_over_sends_at_most_one_duplicate(house: House) -> None:
    class DiesAfterwards(Post):
        async def send(self, mail: Mail, message_id: str) -> None:
            await super().send(mail, message_id)
            await asyncio.Event().wait()

    dying = DiesAfterwards()
    letter = await house.queue()
    async with running(house.worker(dying, stop_grace_s=0)):
        await until(lambda: bool(dying.taken))
    second = Post()
    assert await house.worker(second).settle(2)
    assert second.taken == []
    house.clock.at += 120_000
    for _ in range(3):
        assert await house.worker(second).settle(2)
        house.clock.at += HOUR_MS
    assert dying.taken == second.taken == [("hana@example.com", letter)]
    assert await house.outcome() == (0, 0)


async def test_two_workers_send_each_letter_once(house: House) -> None:
    post = Post()
    ids = {await house.queue(f"{number}@example.com") for number in range(40)}
    await asyncio.gather(*(house.worker(post, parallel=4).settle(5) for _ in range(3)))
    assert len(post.taken) == 40
    assert {message_id for _, message_id in post.taken} == ids


async def test_a_letter_on_the_way_may_finish_when_the_worker_is_stopped(house: House) -> None:
    gate = asyncio.Event()
    begun = asyncio.Event()

    def hold(_mail: Mail) -> asyncio.Event:
        begun.set()
        asyncio.get_running_loop().call_later(0.1, gate.set)
        return gate

    post = Post(hold)
    await house.queue()
    async with running(house.worker(post)):
        await begun.wait()
    assert len(post.taken) == 1
    assert await house.outcome() == (0, 0)


async def test_a_code_that_nobody_can_use_any_more_is_not_sent(house: House) -> None:
    post = Post()
    await house.queue(expires_at=START + 900_000)
    house.clock.at += 900_000
    assert await house.worker(post).settle(2)
    assert (post.taken, await house.outcome()) == ([], (0, 1))


async def test_a_letter_is_given_up_when_the_next_try_would_come_too_late(house: House) -> None:
    worker = house.worker(Post(failing))
    await house.queue(expires_at=START + 900)
    assert await worker.settle(2)
    assert await house.outcome() == (0, 1)


async def test_tries_come_ever_more_seldom_and_end_after_a_day(house: House) -> None:
    worker = house.worker(Post(failing))
    await house.queue()
    waits: list[int] = []
    while await house.outcome() == (1, 0):
        assert await worker.settle(2)
        due_at = await house.store.next_mail_at()
        if due_at is not None:
            waits.append(due_at - house.clock.at)
            house.clock.at = due_at
    assert all(low <= wait <= low * 1.25 for low, wait in zip((1000 * 2**n for n in range(9)), waits, strict=False))
    assert max(waits) == 900_000
    assert len(set(waits[:9])) == 9
    assert sum(waits) > 23 * HOUR_MS
    assert house.clock.at - START < 24 * HOUR_MS
    assert await house.outcome() == (0, 1)


async def test_jitter_parts_letters_that_failed_together(house: House) -> None:
    worker = house.worker(Post(failing), parallel=20)
    for _ in range(20):
        await house.queue()
    assert await worker.settle(2)
    outcome = await house.store.apply(ClaimMail(now=START + 1_060, lease_until_at=START + 9_000, limit=20))
    assert 0 < len(outcome.results[0]) < 20


async def test_a_letter_that_does_not_open_waits_and_stops_no_other(house: House) -> None:
    theirs = await house.queue("theirs@example.com")
    house.outbox = Outbox(MasterSecret(secrets.token_bytes(32)))
    ours = await house.queue("ours@example.com")
    post = Post()
    assert await house.worker(post).settle(2)
    assert post.taken == [("ours@example.com", ours)]
    assert theirs != ours
    assert await house.outcome() == (1, 0)


class FailingStore:
    """The real store, except that it is away for the first `failures` calls with a change of `kind`."""

    def __init__(self, store: SqliteStore, kind: type[Change], failures: int) -> None:
        self._store = store
        self._kind = kind
        self.failures = failures

    async def apply(self, *changes: Change) -> Outcome:
        if self.failures and isinstance(changes[0], self._kind):
            self.failures -= 1
            raise StoreUnavailable("away")
        return await self._store.apply(*changes)

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


async def test_a_worker_outlives_a_store_that_is_away_for_a_while(house: House) -> None:
    post = Post()
    away = FailingStore(house.store, ClaimMail, failures=1)
    await house.queue()
    async with running(OutboxWorker(away, house.outbox.open, post, house.clock)):  # type: ignore[arg-type]
        await until(lambda: bool(post.taken))
    assert away.failures == 0


async def test_a_note_that_the_store_missed_is_made_again(house: House) -> None:
    post = Post()
    away = FailingStore(house.store, MailSent, failures=1)
    await house.queue()
    assert await OutboxWorker(away, house.outbox.open, post, house.clock).settle(2)  # type: ignore[arg-type]
    assert len(post.taken) == 1
    assert await house.outcome() == (0, 0)


async def test_logs_and_the_outbox_name_neither_address_nor_content(house: House) -> None:
    def speak(mail: Mail) -> None:
        raise OSError(f"cannot send {mail.values} to {mail.to}")

    def refuse(mail: Mail) -> None:
        raise MailRefused("SMTP 550")

    with capture_logs() as lines:
        for behaviour in (lambda _mail: None, speak, refuse):
            await house.queue()
            assert await house.worker(Post(behaviour)).settle(2)
    assert [(line["event"], line["kind"], line["attempt"]) for line in lines] == [
        ("mail_sent", "sign_up_code", 1),
        ("mail_failed", "sign_up_code", 1),
        ("mail_failed", "sign_up_code", 1),
    ]
    assert [line.get("error") for line in lines] == [None, "OSError", "refused: SMTP 550"]
    assert "hana" not in repr(lines)
    assert "012345" not in repr(lines)


def failing(_mail: Mail) -> None:
    raise OSError("no route")
