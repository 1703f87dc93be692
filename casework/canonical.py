"""Canonical JSON and digests: the same value always has the same bytes, so that a digest proves it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives import hashes


def dumps(value: Any) -> bytes:
    """Return canonical JSON: keys sorted, no white space, UTF-8, no NaN.

    Raises:
        ValueError: the value holds NaN or an infinity.
        TypeError: the value holds something JSON has no word for.
    """
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8")


def sha256(content: bytes) -> str:
    """Return the SHA-256 (FIPS 180-4) of the bytes as hex."""
    return hashlib.sha256(content).hexdigest()


def sm3(content: bytes) -> str:
    """Return the SM3 (GB/T 32905-2016) of the bytes as hex."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(content)
    return digest.finalize().hex()
