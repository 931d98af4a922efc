"""HKDF: the published vectors of RFC 5869, appendix A (SHA-256)."""

from __future__ import annotations

import pytest

from sekisho.rfc.hkdf import hkdf_sha256

VECTORS = [
    (
        "0b" * 22,
        "000102030405060708090a0b0c",
        "f0f1f2f3f4f5f6f7f8f9",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    ("0b" * 22, "", "", "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"),
]


@pytest.mark.parametrize(("secret", "salt", "info", "expected"), VECTORS)
def test_published_vectors(secret: str, salt: str, info: str, expected: str) -> None:
    derived = hkdf_sha256(bytes.fromhex(secret), salt=bytes.fromhex(salt), info=bytes.fromhex(info), length=42)
    assert derived.hex() == expected
