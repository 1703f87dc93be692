"""Addresses that must not be read but must be found again: sealed with the key of an installation, opened with it.

AES-SIV (RFC 5297) is deterministic, so that the same address is sealed alike each time, and tells when it was changed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV


class NotOpened(Exception):
    """What is sealed was sealed with another key, or changed."""


def sealed(address: str, key: bytes) -> str:
    """Return an address as letters that say nothing without the key."""
    return base64.urlsafe_b64encode(_cipher(key).encrypt(address.encode("utf-8", "surrogatepass"), None)).decode()


def opened(token: str, key: bytes) -> str:
    """Return the address that was sealed.

    Raises:
        NotOpened: the key is another, or the token was changed.
    """
    try:
        return _cipher(key).decrypt(base64.urlsafe_b64decode(token), None).decode("utf-8", "surrogatepass")
    except (ValueError, InvalidTag) as error:
        raise NotOpened("the address was sealed with another key, or changed") from error


def _cipher(key: bytes) -> AESSIV:
    return AESSIV(hmac.new(key, b"addresses", hashlib.sha512).digest())
