"""The language of the pages: Chinese, until a person chooses another."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation


class ChosenLanguage(LocaleMiddleware):
    """Speak the language that was chosen with the button.

    What a browser asks for is not taken for a choice: many a laptop was set up in English for somebody who reads
    Chinese.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Switch to the chosen language."""
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        known = chosen in dict(settings.LANGUAGES)
        translation.activate(chosen if known else settings.LANGUAGE_CODE)
        request.LANGUAGE_CODE = translation.get_language() or settings.LANGUAGE_CODE
