"""Serving the pages with gunicorn."""

from __future__ import annotations

import os
from typing import Any

from django.core.management import call_command
from gunicorn.app.base import BaseApplication


def serve(host: str, port: int) -> None:
    """Collect the static files and serve until a signal ends it."""
    call_command("collectstatic", interactive=False, verbosity=0)
    os.environ["WOODPECKER_HTTP_PORT"] = str(port)
    _Gunicorn({"bind": f"{host}:{port}", "workers": 2, "threads": 8, "worker_class": "gthread"}).run()


class _Gunicorn(BaseApplication):  # type: ignore[misc]
    """Gunicorn told by us instead of by its own command line."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = {
            "timeout": 60,
            "graceful_timeout": 10,
            "max_requests": 20_000,
            "max_requests_jitter": 2_000,
            "limit_request_line": 4094,
            "limit_request_fields": 64,
            "proc_name": "woodpecker-web",
            "loglevel": "warning",
            "worker_tmp_dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,  # noqa: S108
            **options,
        }
        super().__init__()

    def load_config(self) -> None:
        for key, value in self._options.items():
            self.cfg.set(key, value)

    def load(self) -> Any:
        from config.django.wsgi import application

        return application
