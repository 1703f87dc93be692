"""The address of a case as it is: pages show it with personal data masked, lists need it whole."""

from __future__ import annotations

from casework.errors import InvalidInput
from casework.models import Case
from config.sealing import NotOpened, opened
from config.settings import get_settings


def of(case: Case) -> str:
    """Return the address as it was answered.

    Raises:
        InvalidInput: it was sealed with another WOODPECKER_REDACTION_KEY.
    """
    if not case.sealed_url:
        return case.url
    try:
        return opened(case.sealed_url, get_settings().effective_redaction_key())
    except NotOpened as error:
        raise InvalidInput("url", case.number, "信息URL以另一密钥封存，无法还原") from error


def opens(case: Case) -> bool:
    """Say whether the address can be had."""
    try:
        return bool(of(case))
    except InvalidInput:
        return False
