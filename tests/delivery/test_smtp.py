"""Sending by SMTP, against a real server."""

from __future__ import annotations

import time
from email.message import EmailMessage, Message
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiosmtplib
import pytest

from delivery.letter_values import mail, render_for_tea
from delivery.smtp_server import PASSWORD, USER, Certificate, PostOffice, smtp_server
from sekisho.delivery.smtp import SmtpSender, SmtpSettings
from sekisho.model import Millis
from sekisho.ports.mail import MailRefused

pytestmark = pytest.mark.anyio

NOW: Millis = 1_790_000_000_000


class StillClock:
    def now(self) -> Millis:
        return NOW


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate(tmp_path_factory.mktemp("tls"))


def sender(port: int, **settings: object) -> SmtpSender:
    chosen = {"host": "127.0.0.1", "tls": "none", "from_address": "Tea House <no-reply@tea.example>", "timeout_s": 5}
    return SmtpSender(SmtpSettings(port=port, **{**chosen, **settings}), render_for_tea, StillClock())  # type: ignore[arg-type]


def unix(part: Message) -> str:
    assert isinstance(part, EmailMessage)
    return str(part.get_content()).replace("\r\n", "\n")


async def test_a_letter_arrives_with_text_html_date_and_a_stable_message_id() -> None:
    office = PostOffice()
    async with smtp_server(office) as port:
        await sender(port).send(mail(locale="ja"), "abc-DEF_123")
        await sender(port).send(mail(locale="ja"), "abc-DEF_123")
    first, second = office.letters()
    assert first["Message-ID"] == second["Message-ID"] == "<abc-DEF_123@tea.example>"
    assert first["From"] == "Tea House <no-reply@tea.example>"
    assert first["To"] == "hana@example.com"
    assert first["Subject"] == "Tea House 登録の確認コード"
    assert first["Auto-Submitted"] == "auto-generated"
    assert parsedate_to_datetime(first["Date"]).timestamp() == NOW / 1000
    assert first.get_content_type() == "multipart/alternative"
    plain, rich = first.iter_parts()
    written = render_for_tea(mail(locale="ja"))
    assert (plain.get_content_type(), unix(plain)) == ("text/plain", written.text)
    assert (rich.get_content_type(), unix(rich)) == ("text/html", written.html + "\n")
    assert [office.envelopes[0].mail_from, *office.envelopes[0].rcpt_tos] == [
        "no-reply@tea.example",
        "hana@example.com",
    ]


async def test_starttls_and_a_password_carry_the_letter(certificate: Certificate) -> None:
    office = PostOffice()
    async with smtp_server(office, starttls=certificate.server_side(), auth=True) as port:
        secured = sender(port, tls="starttls", user=USER, password=PASSWORD, ca_file=str(certificate.ca_file))
        await secured.send(mail(), "id")
    assert (office.logins, office.over_tls) == ([True], [True])


async def test_tls_from_the_first_byte_carries_the_letter(certificate: Certificate) -> None:
    office = PostOffice()
    async with smtp_server(office, tls=certificate.server_side()) as port:
        await sender(port, tls="tls", host="localhost", ca_file=str(certificate.ca_file)).send(mail(), "id")
    assert len(office.envelopes) == 1


async def test_V12_3_1_a_server_without_starttls_gets_neither_password_nor_letter() -> None:
    office = PostOffice()
    async with smtp_server(office, auth=True) as port:
        with pytest.raises(aiosmtplib.SMTPException, match="STARTTLS"):
            await sender(port, tls="starttls", user=USER, password=PASSWORD).send(mail(), "id")
    assert (office.logins, office.envelopes) == ([], [])


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_V12_3_2_a_server_that_nobody_vouches_for_gets_nothing(certificate: Certificate, tls: str) -> None:
    office = PostOffice()
    offered = certificate.server_side()
    started, wrapped = (offered, None) if tls == "starttls" else (None, offered)
    async with smtp_server(office, starttls=started, tls=wrapped) as port:
        with pytest.raises(OSError, match="certificate verify failed"):
            await sender(port, tls=tls).send(mail(), "id")
    assert office.envelopes == []


async def test_V12_3_2_a_certificate_for_another_name_is_not_accepted(certificate: Certificate) -> None:
    office = PostOffice()
    async with smtp_server(office, starttls=certificate.server_side()) as port:
        other = sender(port, tls="starttls", host="127.0.0.2", ca_file=str(certificate.ca_file))
        with pytest.raises(OSError, match=r"."):
            await other.send(mail(), "id")
    assert office.envelopes == []


async def test_a_wrong_password_is_temporary_and_not_shown(certificate: Certificate) -> None:
    office = PostOffice()
    async with smtp_server(office, starttls=certificate.server_side(), auth=True) as port:
        secured = sender(port, tls="starttls", user=USER, password="tr0ub4dor", ca_file=str(certificate.ca_file))
        with pytest.raises(aiosmtplib.SMTPAuthenticationError) as refused:
            await secured.send(mail(), "id")
    assert "tr0ub4dor" not in repr(refused.value)
    assert office.envelopes == []


async def test_a_greylisted_recipient_is_temporary() -> None:
    office = PostOffice(replies=("450 4.2.0 come back later",))
    async with smtp_server(office) as port:
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
            await sender(port).send(mail(), "id")
        await sender(port).send(mail(), "id")
    assert len(office.envelopes) == 1


async def test_an_unknown_recipient_is_refused_for_good_without_quoting_the_address() -> None:
    async with smtp_server(PostOffice(replies=("550 5.1.1 no such user hana@example.com",))) as port:
        with pytest.raises(MailRefused) as refused:
            await sender(port).send(mail(), "id")
    assert str(refused.value) == "SMTP 550"
    assert refused.value.__cause__ is None


async def test_an_unsafe_address_never_reaches_the_server() -> None:
    office = PostOffice()
    async with smtp_server(office) as port:
        with pytest.raises(MailRefused):
            await sender(port).send(mail(to="a@example.com\r\nRCPT TO:<b@evil.example>"), "id")
    assert office.envelopes == []


async def test_an_address_in_another_script_goes_where_the_server_can_and_is_refused_where_not() -> None:
    office = PostOffice()
    async with smtp_server(office) as port:
        await sender(port).send(mail(to="花子@例え.jp"), "id")
    assert office.envelopes[0].rcpt_tos == ["花子@例え.jp"]
    async with smtp_server(PostOffice(), utf8=False) as port:
        with pytest.raises(MailRefused, match="SMTPUTF8"):
            await sender(port).send(mail(to="花子@例え.jp"), "id")


async def test_a_slow_server_is_left_when_the_time_is_over() -> None:
    async with smtp_server(PostOffice(slow_s=10)) as port:
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            await sender(port, timeout_s=0.3).send(mail(), "id")
        assert time.monotonic() - started < 5


async def test_the_time_is_for_the_whole_letter_not_for_each_answer() -> None:
    async with smtp_server(PostOffice(slow_s=0.2)) as port:
        with pytest.raises(TimeoutError):
            await sender(port, timeout_s=0.3).send(mail(), "id")


async def test_no_server_at_all_is_temporary() -> None:
    async with smtp_server(PostOffice()) as port:
        pass
    with pytest.raises(OSError, match=r"."):
        await sender(port).send(mail(), "id")


def test_a_password_is_not_shown_and_not_sent_in_the_clear(tmp_path: Path) -> None:
    secured = SmtpSettings(host="mx.example", port=587, from_address="a@b.example", user=USER, password=PASSWORD)
    assert PASSWORD not in f"{secured!r} {secured}"
    with pytest.raises(ValueError, match="needs TLS"):
        SmtpSettings(host="mx.example", port=25, from_address="a@b.example", user=USER, password=PASSWORD, tls="none")
    with pytest.raises(OSError, match=r"."):
        sender(1, tls="tls", ca_file=str(tmp_path / "missing.pem"))
