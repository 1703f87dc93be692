"""A sealed address is opened with its key alone, and sealed alike each time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.sealing import NotOpened, opened, sealed


@given(st.text(), st.binary(max_size=40))
def test_what_was_sealed_is_opened_with_the_same_key(address: str, key: bytes) -> None:
    assert opened(sealed(address, key), key) == address
    assert sealed(address, key) == sealed(address, key)


def test_another_key_and_a_changed_token_open_nothing() -> None:
    token = sealed("https://forum.example/t/1", b"one")
    for key, found in ((b"two", token), (b"one", "A" + token[1:]), (b"one", "not base64!"), (b"one", "")):
        with pytest.raises(NotOpened):
            opened(found, key)
