"""Structured logs on stderr: ids, counts and names of errors; never a text, never personal data."""

from __future__ import annotations

import logging
import sys

import structlog

from config.settings import Settings


def configure(settings: Settings) -> None:
    """Send structured logs to stderr: readable on a terminal, one JSON object a line elsewhere."""
    level = logging.getLevelNamesMapping()[settings.log_level]
    on_terminal, as_json = structlog.dev.ConsoleRenderer(), structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=False),
            on_terminal if sys.stderr.isatty() else as_json,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
