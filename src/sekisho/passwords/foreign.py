"""Password hashes of other systems: recognised, verified once at a bounded cost, and replaced at that login.

    $pbkdf2-sha256$i=27500$salt$hash       PBKDF2 in the PHC form (sha1, sha256, sha512), or passlib's (without `i=`)
    pbkdf2_sha256$600000$salt$hash         Django's PBKDF2 (sha1 too)
    $scrypt$ln=14,r=8,p=1$salt$hash        scrypt in the PHC form
    scrypt$16384$salt$8$1$hash             Django's scrypt
    $firebase-scrypt$ln=14,r=8$salt$separator$signer key$hash
                                           Firebase's: the signer key, encrypted under the key that scrypt gives
    bcrypt_sha256$$2b$12$…                 Django's bcrypt of a SHA-256
    {SSHA}…  {SSHA256}…  {SSHA512}…        salted SHA of LDAP directories
    sha1$salt$hash  sha256$salt$hash       salted SHA as Django once had it, in hex
    $5$salt$hash  $6$rounds=…$salt$hash    SHA-crypt of Linux (`sekisho.passwords.sha_crypt`)

Whoever imports a hash does not choose what a login costs: what is beyond the bounds below is no usable hash. The
password is hashed exactly as typed, as the other system did.

Spec: RFC 8018 (PBKDF2), RFC 7914 (scrypt), RFC 2307 (LDAP forms); ASVS 11.4.2.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64decode
from binascii import Error as Base64Error

import bcrypt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from msgspec import Struct

from sekisho.passwords.sha_crypt import ShaCrypt, parse_sha_crypt

MAX_PBKDF2_ITERATIONS = 3_000_000
# Each block of the digest's length costs all iterations anew. Keycloak takes up to four blocks.
MAX_PBKDF2_ITERATIONS_OF_ALL_BLOCKS = 2 * MAX_PBKDF2_ITERATIONS
MAX_SCRYPT_MEMORY_BYTES = 256 * 1024 * 1024
MAX_SCRYPT_PARALLEL = 4
MAX_BCRYPT_ROUNDS = 16
MAX_PART_BYTES = 256
_MAX_ENCODED_LENGTH = 1024
_SHORTEST_DIGEST_BYTES = 16
_FIREBASE_KEY_BYTES = 32

_B64 = r"[A-Za-z0-9+/.]+={0,2}"
_PBKDF2 = re.compile(rf"\$pbkdf2(-sha256|-sha512|-sha1)?\$(?:i=)?(\d{{1,9}})(?:,l=\d+)?\$({_B64})\$({_B64})")
_PBKDF2_DJANGO = re.compile(rf"pbkdf2_(sha256|sha1)\$(\d{{1,9}})\$([^$\s]{{1,256}})\$({_B64})")
_SCRYPT = re.compile(rf"\$scrypt\$ln=(\d{{1,2}}),r=(\d{{1,3}}),p=(\d{{1,2}})\$({_B64})\$({_B64})")
_SCRYPT_DJANGO = re.compile(rf"scrypt\$(\d{{1,9}})\$([^$\s]{{1,256}})\$(\d{{1,3}})\$(\d{{1,2}})\$({_B64})")
_FIREBASE = re.compile(rf"\$firebase-scrypt\$ln=(\d{{1,2}}),r=(\d{{1,3}})\$({_B64})\$({_B64})\$({_B64})\$({_B64})")
_BCRYPT_SHA256 = re.compile(r"bcrypt_sha256\$(\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53})")
_LDAP = re.compile(rf"\{{(SSHA|SSHA256|SSHA512)\}}({_B64})", re.IGNORECASE)
_SHA_HEX = re.compile(r"(sha1|sha256|sha512)\$([^$\s]{1,256})\$([0-9a-f]{40,128})")

_LDAP_DIGESTS = {"SSHA": "sha1", "SSHA256": "sha256", "SSHA512": "sha512"}
_DJANGO_WRAPPERS = ("argon2$argon2", "bcrypt$$2")


class Pbkdf2(Struct, frozen=True):
    digest: str
    iterations: int
    salt: bytes
    expected: bytes

    @property
    def is_bounded(self) -> bool:
        blocks = -(-len(self.expected) // hashlib.new(self.digest, usedforsecurity=False).digest_size)
        return (
            1 <= self.iterations <= MAX_PBKDF2_ITERATIONS
            and self.iterations * blocks <= MAX_PBKDF2_ITERATIONS_OF_ALL_BLOCKS
        )

    def matches(self, password: bytes) -> bool:
        found = hashlib.pbkdf2_hmac(self.digest, password, self.salt, self.iterations, len(self.expected))
        return hmac.compare_digest(found, self.expected)


class Scrypt(Struct, frozen=True):
    """firebase_key: what Firebase encrypts under the derived key; None for plain scrypt."""

    n: int
    r: int
    p: int
    salt: bytes
    expected: bytes
    firebase_key: bytes | None = None

    @property
    def is_bounded(self) -> bool:
        return (
            self.n >= 2
            and self.n & (self.n - 1) == 0
            and self.r >= 1
            and 1 <= self.p <= MAX_SCRYPT_PARALLEL
            and 128 * self.n * self.r <= MAX_SCRYPT_MEMORY_BYTES
        )

    def matches(self, password: bytes) -> bool:
        length = len(self.expected) if self.firebase_key is None else _FIREBASE_KEY_BYTES
        memory = 128 * self.r * (self.n + self.p + 2) + 1024 * 1024
        found = hashlib.scrypt(password, salt=self.salt, n=self.n, r=self.r, p=self.p, maxmem=memory, dklen=length)
        if self.firebase_key is not None:
            encryptor = Cipher(algorithms.AES(found), modes.CTR(bytes(16))).encryptor()
            found = encryptor.update(self.firebase_key) + encryptor.finalize()
        return hmac.compare_digest(found, self.expected)


class BcryptSha256(Struct, frozen=True):
    rounds: int
    encoded: str

    @property
    def is_bounded(self) -> bool:
        return 4 <= self.rounds <= MAX_BCRYPT_ROUNDS

    def matches(self, password: bytes) -> bool:
        try:
            return bcrypt.checkpw(hashlib.sha256(password).hexdigest().encode("ascii"), self.encoded.encode("ascii"))
        except ValueError:
            return False


class SaltedSha(Struct, frozen=True):
    """salt_first: Django's order; LDAP's has the salt after the password."""

    digest: str
    salt: bytes
    expected: bytes
    salt_first: bool

    @property
    def is_bounded(self) -> bool:
        return len(self.expected) == hashlib.new(self.digest, usedforsecurity=False).digest_size

    def matches(self, password: bytes) -> bool:
        text = self.salt + password if self.salt_first else password + self.salt
        # Weak, and here only to be replaced: the login that it lets in stores a hash of today.
        return hmac.compare_digest(hashlib.new(self.digest, text, usedforsecurity=False).digest(), self.expected)


ForeignHash = Pbkdf2 | Scrypt | BcryptSha256 | SaltedSha | ShaCrypt


def parse_foreign(encoded: str) -> ForeignHash | None:
    """Return a hash of another system that can be verified at a cost that one request may have, else None."""
    if len(encoded) > _MAX_ENCODED_LENGTH or not encoded.isascii():
        return None
    try:
        found = _read(encoded)
    except (ValueError, Base64Error):
        return None
    if found is None or not found.is_bounded:
        return None
    if isinstance(found, BcryptSha256 | ShaCrypt):
        return found
    fits = _SHORTEST_DIGEST_BYTES <= len(found.expected) <= MAX_PART_BYTES and len(found.salt) <= MAX_PART_BYTES
    return found if fits else None


def unwrapped(encoded: str) -> str:
    """Return what stands inside the wrapper that Django puts around `$argon2id$…` and `$2b$…`."""
    for wrapper in _DJANGO_WRAPPERS:
        if encoded.startswith(wrapper):
            head, _, rest = encoded.partition("$")
            return f"${rest}" if head == "argon2" else rest
    return encoded


def _read(encoded: str) -> ForeignHash | None:
    if found := _PBKDF2.fullmatch(encoded):
        digest = (found[1] or "-sha1").removeprefix("-")
        return Pbkdf2(digest, int(found[2]), _bytes(found[3]), _bytes(found[4]))
    if found := _PBKDF2_DJANGO.fullmatch(encoded):
        return Pbkdf2(found[1], int(found[2]), found[3].encode(), _bytes(found[4]))
    if found := _SCRYPT.fullmatch(encoded):
        return Scrypt(1 << int(found[1]), int(found[2]), int(found[3]), _bytes(found[4]), _bytes(found[5]))
    if found := _SCRYPT_DJANGO.fullmatch(encoded):
        return Scrypt(int(found[1]), int(found[3]), int(found[4]), found[2].encode(), _bytes(found[5]))
    if found := _FIREBASE.fullmatch(encoded):
        salt = _bytes(found[3]) + _bytes(found[4])
        return Scrypt(1 << int(found[1]), int(found[2]), 1, salt, _bytes(found[6]), _bytes(found[5]))
    if found := _BCRYPT_SHA256.fullmatch(encoded):
        return BcryptSha256(int(found[2]), found[1])
    if found := _LDAP.fullmatch(encoded):
        digest, data = _LDAP_DIGESTS[found[1].upper()], _bytes(found[2])
        size = hashlib.new(digest, usedforsecurity=False).digest_size
        return SaltedSha(digest, data[size:], data[:size], False)
    if found := _SHA_HEX.fullmatch(encoded):
        return SaltedSha(found[1], found[2].encode(), bytes.fromhex(found[3]), True)
    return parse_sha_crypt(encoded)


def _bytes(text: str) -> bytes:
    """Read base64, also without padding and with passlib's `.` for `+`."""
    text = text.rstrip("=").replace(".", "+")
    return b64decode(text + "=" * (-len(text) % 4), validate=True)
