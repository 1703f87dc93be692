"""A real chromium that reaches nothing but loopback and takes every complaint of a page seriously."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's chromium, headless. It ends with its module: while it is there, Playwright's event loop stands in this
    thread, and no test could run one of its own."""
    # In that loop Django would else refuse to speak with its database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page in a fresh browser profile; at the end no page may have complained."""
    complaints: list[str] = []
    contexts = []

    def open_(width: int = 1280, height: int = 900, locale: str = "zh-CN") -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, locale=locale, accept_downloads=True
        )
        contexts.append(context)
        context.route("**/*", _loopback_only(complaints))
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda message: _note(complaints, page, message.type, message.text))
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not complaints


def _note(complaints: list[str], page: Page, kind: str, text: str) -> None:
    # The browser itself reports a refused page; tests that provoke one look at the page.
    if kind in {"error", "warning"} and "Failed to load resource" not in text:
        complaints.append(f"{page.url}: {text}")


def _loopback_only(complaints: list[str]) -> Callable[[Route], None]:
    def decide(route: Route) -> None:
        if urlsplit(route.request.url).hostname in {"127.0.0.1", "localhost", None}:
            route.continue_()
        else:
            complaints.append(f"asked the outside: {route.request.url}")
            route.abort()

    return decide
