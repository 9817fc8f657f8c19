"""JSON Web Tokens signed with a key that is made when it is needed (RFC 7515, RS256), without another package."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any, Final

_BITS: Final = 1024
"""The least that Go's verifier takes: it is quick to make, and protects nothing."""
_EXPONENT: Final = 65537
_SHA256: Final = bytes.fromhex("3031300d060960864801650304020105000420")
"""What stands before a SHA-256 digest in a signature (RFC 8017, 9.2)."""
_ROUNDS: Final = 20


class SigningKey:
    """An RSA key."""

    def __init__(self) -> None:
        p, q = _prime(_BITS // 2), _prime(_BITS // 2)
        self._modulus = p * q
        self._private = pow(_EXPONENT, -1, (p - 1) * (q - 1))
        self._id = hashlib.sha256(_number(self._modulus)).hexdigest()[:16]

    @property
    def public_keys(self) -> dict[str, Any]:
        """What verifies its signatures, as a JWK set (RFC 7517)."""
        numbers = {"n": _text(_number(self._modulus)), "e": _text(_number(_EXPONENT))}
        return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self._id, **numbers}]}

    def token(self, claims: Mapping[str, Any]) -> str:
        """A signed token of these claims."""
        header = {"typ": "JWT", "alg": "RS256", "kid": self._id}
        signed = ".".join(_text(json.dumps(part).encode()) for part in (header, claims))
        return f"{signed}.{_text(self._signature(signed.encode()))}"

    def _signature(self, content: bytes) -> bytes:
        """The signature by RSASSA-PKCS1-v1_5 (RFC 8017, 8.2)."""
        length = _BITS // 8
        encoded = _SHA256 + hashlib.sha256(content).digest()
        padded = b"\0\1" + b"\xff" * (length - len(encoded) - 3) + b"\0" + encoded
        return pow(int.from_bytes(padded, "big"), self._private, self._modulus).to_bytes(length, "big")


def _prime(bits: int) -> int:
    """A random prime with its two highest bits set, that fits the exponent."""
    while True:
        candidate = secrets.randbits(bits) | 3 << (bits - 2) | 1
        if candidate % _EXPONENT != 1 and _is_prime(candidate):
            return candidate


def _is_prime(number: int) -> bool:
    """The test of Miller and Rabin."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_passes(number, odd, twos, 2 + secrets.randbelow(number - 3)) for _ in range(_ROUNDS))


def _passes(number: int, odd: int, twos: int, base: int) -> bool:
    power = pow(base, odd, number)
    if power in (1, number - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % number
        if power == number - 1:
            return True
    return False


def _number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
