"""The outbox: sealed, bound to its row, and strict about what a letter needs."""

from __future__ import annotations

import secrets

import msgspec
import pytest

from delivery.letter_values import VALUES
from sekisho.master_secret import MasterSecret, UnsealError
from sekisho.model import QueuedMail
from sekisho.outbox import MailKind, Outbox
from sekisho.ports.changes import QueueMail

NOW = 1_790_000_000_000


@pytest.fixture
def outbox() -> Outbox:
    return Outbox(MasterSecret(secrets.token_bytes(32)))


def as_claimed(letter: QueueMail) -> QueuedMail:
    return QueuedMail(id=letter.id, sealed=letter.sealed, attempts=1, created_at=NOW)


@pytest.mark.parametrize("kind", MailKind)
def test_a_letter_opens_as_it_was_written(outbox: Outbox, kind: MailKind) -> None:
    letter = outbox.letter(kind, to="hana@example.com", locale="ja", now=NOW, **VALUES[kind])  # type: ignore[arg-type]
    mail = outbox.open(as_claimed(letter))
    assert (mail.kind, mail.to, mail.locale, mail.values) == (kind, "hana@example.com", "ja", VALUES[kind])


def test_a_row_shows_neither_the_code_nor_the_address(outbox: Outbox) -> None:
    letter = outbox.letter(
        MailKind.SIGN_UP_CODE,
        to="hana@example.com",
        locale="en",
        now=NOW,
        expires_at=NOW + 1,
        code="012345",
        minutes="15",
    )
    assert (letter.now, letter.expires_at) == (NOW, NOW + 1)
    for hidden in (b"012345", b"hana", b"example.com", b"sign_up"):
        assert hidden not in letter.sealed


def test_a_letter_moved_to_another_row_does_not_open(outbox: Outbox) -> None:
    first, second = (
        outbox.letter(MailKind.SIGN_UP_EXISTING, to="hana@example.com", locale="en", now=NOW) for _ in range(2)
    )
    assert first.id != second.id
    with pytest.raises(UnsealError):
        outbox.open(msgspec.structs.replace(as_claimed(first), id=second.id))


@pytest.mark.parametrize("values", [{}, {"code": "1"}, {"code": "1", "minutes": "15", "url": "https://evil.example"}])
def test_a_letter_without_exactly_its_values_is_a_mistake_that_does_not_quote_them(
    outbox: Outbox, values: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match=r"sign_up_code needs \['code', 'minutes'\]") as mistake:
        outbox.letter(MailKind.SIGN_UP_CODE, to="hana@example.com", locale="en", now=NOW, **values)  # type: ignore[arg-type]
    assert "evil" not in str(mistake.value)
