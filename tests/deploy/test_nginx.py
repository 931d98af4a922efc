"""deploy/nginx.conf as it stands, only with other ports and files: a real nginx before two real nodes."""

from __future__ import annotations

import datetime
import os
import re
import secrets
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct

from free_ports import free_port
from live_server import LiveServer, live_server, sekisho

CONFIG = Path(__file__).parents[2] / "deploy" / "nginx.conf"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
NAME, OUTSIDE = "auth.example.com", "127.0.0.2"
PASSWORD = "correct horse battery"
PERSON = {"email": "hanako@example.com", "password": PASSWORD, "client_id": "web"}

MAIN = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/sekisho.conf;
}}
"""


class Town(Struct, frozen=True):
    """Two nodes on one file, and the proxy before them."""

    client: httpx2.Client
    nodes: tuple[LiveServer, LiveServer]
    plain_port: int


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for the name and its key; return their files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, key_file = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return pem, key_file


def our_config(folder: Path, secure_port: int, plain_port: int, nodes: tuple[LiveServer, LiveServer]) -> str:
    """Return the file's text with the places of this test; every replacement must find what it replaces."""
    pem, key = certificate(folder)
    first, second = (node.url.removeprefix("http://") for node in nodes)
    text = CONFIG.read_text()
    line = "    server 127.0.0.1:8080 max_fails=2 fail_timeout=5s;\n"
    for old, new in (
        (line, line.replace("127.0.0.1:8080", first) + line.replace("127.0.0.1:8080", second)),
        ("listen 443 ssl http2;", f"listen 127.0.0.1:{secure_port} ssl http2;"),
        ("    listen [::]:443 ssl http2;\n", ""),
        ("listen 80;", f"listen 127.0.0.1:{plain_port};"),
        ("    listen [::]:80;\n", ""),
        ("/etc/ssl/auth.example.com.pem", str(pem)),
        ("/etc/ssl/auth.example.com.key", str(key)),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


@contextmanager
def nginx(folder: Path, secure_port: int, plain_port: int, nodes: tuple[LiveServer, LiveServer]) -> Iterator[None]:
    assert NGINX
    (folder / "sekisho.conf").write_text(our_config(folder, secure_port, plain_port, nodes))
    main = folder / "main.conf"
    main.write_text(MAIN.format(folder=folder))
    process = subprocess.Popen([NGINX, "-e", str(folder / "error.log"), "-c", str(main)])
    try:
        deadline = time.monotonic() + 20
        while not (folder / "nginx.pid").exists():
            assert process.poll() is None, (folder / "error.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    if NGINX is None:
        missing = "nginx is missing. See scripts/servers.sh"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    folder = tmp_path / "proxy"
    folder.mkdir(mode=0o755)
    settings = {
        "SEKISHO_SECRET": secrets.token_urlsafe(48),
        "SEKISHO_PUBLIC_URL": f"https://{NAME}",
        "SEKISHO_DATABASE_URL": f"sqlite:///{tmp_path / 'sekisho.db'}",
        "SEKISHO_TRUSTED_PROXIES": "127.0.0.1/32",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(free_port()),
        "SMTP_FROM": "no-reply@example.com",
        "SEKISHO_MAIL__TLS": "off",
    }
    assert sekisho("migrate", folder=tmp_path, **settings).returncode == 0
    added = sekisho("user", "add", PERSON["email"], "--password-stdin", folder=tmp_path, said=PASSWORD, **settings)
    assert added.returncode == 0, added.stderr
    secure_port, plain_port = free_port(), free_port()
    with ExitStack() as stack:
        nodes = tuple(stack.enter_context(live_server(tmp_path, "serve", **settings)) for _ in range(2))
        stack.enter_context(nginx(folder, secure_port, plain_port, (nodes[0], nodes[1])))
        trust = ssl.create_default_context(cafile=str(folder / "cert.pem"))
        trust.check_hostname = False
        # Another address than the proxy's, which the nodes believe.
        outside = httpx2.HTTPTransport(verify=trust, local_address=OUTSIDE)
        client = stack.enter_context(
            httpx2.Client(base_url=f"https://127.0.0.1:{secure_port}", transport=outside, headers={"host": NAME})
        )
        yield Town(client, (nodes[0], nodes[1]), plain_port)


def login(town: Town, **headers: str) -> httpx2.Response:
    return town.client.post("/api/v1/auth/login", json=PERSON, headers=headers)


def who_am_i(town: Town, access_token: str) -> httpx2.Response:
    return town.client.get("/api/v1/auth/session", headers={"authorization": f"Bearer {access_token}"})


def test_a_session_that_starts_at_one_node_is_known_at_all_and_an_address_cannot_be_made_up(town: Town) -> None:
    pair = login(town, **{"x-forwarded-for": "203.0.113.99"}).json()
    seen = [who_am_i(town, pair["access_token"]) for _ in range(4)]
    assert [answer.status_code for answer in seen] == [200] * 4
    listed = town.client.get("/api/v1/auth/sessions", headers={"authorization": f"Bearer {pair['access_token']}"})
    assert listed.json()["sessions"][0]["ip"] == OUTSIDE


def test_cookies_work_behind_the_proxy_and_are_secure(town: Town) -> None:
    answer = town.client.post(
        "/api/v1/auth/login", json={**PERSON, "transport": "cookie"}, headers={"sec-fetch-site": "same-origin"}
    )
    token = answer.json()["details"]["csrf_token"]
    answer = town.client.post(
        "/api/v1/auth/login",
        json={**PERSON, "transport": "cookie"},
        headers={"origin": f"https://{NAME}", "x-csrftoken": token},
    )
    assert answer.status_code == 200, answer.text
    cookie = next(line for line in answer.headers.get_list("set-cookie") if line.startswith("__Host-sekisho-rt-web="))
    assert "Secure" in cookie
    assert "HttpOnly" in cookie


def test_a_node_that_dies_is_passed_over_and_nobody_is_logged_out(town: Town) -> None:
    pair = login(town).json()
    town.nodes[0].kill()
    for _ in range(4):
        body = {"refresh_token": pair["refresh_token"], "client_id": "web"}
        answer = town.client.post("/api/v1/auth/refresh", json=body)
        assert answer.status_code == 200, answer.text
        pair = answer.json()
        assert who_am_i(town, pair["access_token"]).status_code == 200


def test_V4_1_2_plain_http_leads_people_to_https_and_fails_programs(town: Town) -> None:
    with httpx2.Client(base_url=f"http://127.0.0.1:{town.plain_port}", headers={"host": NAME}) as plain:
        for path in ("/api/v1/auth/login", "/.well-known/jwks.json"):
            for answer in (plain.get(path), plain.post(path, json=PERSON)):
                assert (answer.status_code, answer.headers.get("location")) == (403, None), path
        page = plain.get("/login?x=1")
    assert (page.status_code, page.headers["location"]) == (301, f"https://{NAME}/login?x=1")


SMUGGLED = {
    "two lengths": "Content-Length: 0\r\nContent-Length: {size}\r\n\r\n",
    "length and chunks": "Content-Length: {size}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks written strangely": "Transfer-Encoding: xchunked\r\nContent-Length: {size}\r\n\r\n",
    "chunks twice": "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "a tab before chunked": "Transfer-Encoding:\tchunked\r\nContent-Length: {size}\r\n\r\n0\r\n\r\n",
    "a space before the colon": "Transfer-Encoding : chunked\r\nContent-Length: {size}\r\n\r\n",
    "a folded header": "X-One: 1\r\n Transfer-Encoding: chunked\r\nContent-Length: {size}\r\n\r\n",
    "a bare line feed": "X-One: 1\nTransfer-Encoding: chunked\r\nContent-Length: {size}\r\n\r\n0\r\n\r\n",
    "a length with a sign": "Content-Length: +{size}\r\n\r\n",
    "a length in hexadecimal": "Content-Length: 0x{size:x}\r\n\r\n",
    "a chunk of a strange size": "Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
}


def test_V4_2_1_KA_108_no_request_is_read_in_two_ways_behind_nginx(town: Town) -> None:
    """Whatever the proxy makes of it: the request inside is never answered as one of its own."""
    inner = f"GET /api/v1/smuggled HTTP/1.1\r\nHost: {NAME}\r\n\r\n"
    for name, headers in SMUGGLED.items():
        outer = f"POST /api/v1/auth/login HTTP/1.1\r\nHost: {NAME}\r\nContent-Type: application/json\r\n"
        got = _said(town, (outer + headers.format(size=len(inner)) + inner).encode())
        statuses = re.findall(rb"HTTP/1\.1 (\d{3})", got)
        # Either the whole connection ends with one refusal, or the rest is a request to the proxy too, and no surprise.
        assert statuses[0] in (b"400", b"501"), (name, got)
        assert len(statuses) == 1, (name, got)
        # The next one on the proxy's connections to the nodes is answered with what is its own.
        assert town.client.get("/healthz").json() == {"status": "ok"}, name


def _said(town: Town, data: bytes) -> bytes:
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    port = int(town.client.base_url.port or 0)
    with socket.create_connection(("127.0.0.1", port), 10) as raw, trust.wrap_socket(raw) as connection:
        connection.settimeout(20)
        connection.sendall(data)
        got = b""
        with suppress(OSError):
            while piece := connection.recv(65536):
                got += piece
        return got


def test_metrics_stay_inside_large_bodies_outside_and_plain_http_is_sent_to_https(town: Town) -> None:
    assert town.client.get("/metrics").status_code == 404
    assert town.client.post("/api/v1/auth/login", content=b"x" * 70_000).status_code == 413
    plain = httpx2.get(f"http://127.0.0.1:{town.plain_port}/healthz", headers={"host": NAME})
    assert (plain.status_code, plain.headers["location"]) == (301, f"https://{NAME}/healthz")
