"""A real SMTP server on a free port, with a certificate of its own and a will of its own."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "postman", "correct horse"


class PostOffice:
    """Takes letters; answers recipients with `replies` first (then 250), and waits `slow_s` before each answer."""

    def __init__(self, replies: tuple[str, ...] = (), slow_s: float = 0) -> None:
        self.replies = list(replies)
        self.slow_s = slow_s
        self.envelopes: list[Envelope] = []
        self.logins: list[bool] = []
        self.over_tls: list[bool] = []

    def letters(self) -> list[EmailMessage]:
        raw = [e.content for e in self.envelopes if isinstance(e.content, bytes)]
        return [message_from_bytes(content, EmailMessage, policy=policy.default) for content in raw]

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: object
    ) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        self.logins.append(good)
        return AuthResult(success=good, handled=False)

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        await asyncio.sleep(self.slow_s)
        reply = self.replies.pop(0) if self.replies else "250 OK"
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(self.slow_s)
        self.envelopes.append(envelope)
        self.over_tls.append(session.ssl is not None)
        return "250 taken"


class Certificate:
    """Self-signed for `localhost` and 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(
                x509.SubjectAlternativeName(
                    [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
                ),
                critical=False,
            )
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self._key_file = folder / "key.pem"
        self._key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    def server_side(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca_file, self._key_file)
        return context


@asynccontextmanager
async def smtp_server(
    office: PostOffice,
    *,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    auth: bool = False,
    utf8: bool = True,
) -> AsyncIterator[int]:
    """Serve until the block ends; yields the port."""
    loop = asyncio.get_running_loop()

    conversations: list[SMTP] = []

    def factory() -> SMTP:
        conversation = SMTP(
            office,
            hostname="mx.example",
            enable_SMTPUTF8=utf8,
            tls_context=starttls,
            require_starttls=starttls is not None,
            auth_required=auth and starttls is not None,
            auth_require_tls=starttls is not None,
            authenticator=office.authenticate if auth else None,
            loop=loop,
        )
        conversations.append(conversation)
        return conversation

    server = await loop.create_server(factory, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
        for conversation in conversations:
            if conversation.transport is not None:
                conversation.transport.close()
        await asyncio.sleep(0.01)  # the transports let go of their sockets on the next turns of the loop
