"""The review pages as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class ReviewUiConfig(AppConfig):
    """The review pages as a Django app."""

    name = "review_ui"
