"""`woodpecker up`, `web`, `work`, `beat`: the parts of the system, together or apart."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from config.celery import CRAWL_QUEUE, Queue
from workers.cli.output import Exit, complain, leave

if TYPE_CHECKING:
    from config.settings import Settings

CRAWLS_AT_ONCE = 4


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(up)
    app.command()(web)
    app.command()(work)
    app.command()(beat)


def up(
    demo: Annotated[
        bool, typer.Option("--demo", help="Also start and crawl the fictional demonstration platform.")
    ] = False,
    port: Annotated[int | None, typer.Option(help="Port of the pages; 0 takes a free one.")] = None,
) -> None:
    """Start everything on this machine: pages, workers, schedule. One Ctrl-C ends it."""
    from workers import together
    from workers.cli.start import prepare

    settings = prepare()
    chosen = settings.http_port if port is None else port
    try:
        together.run(settings, free_port(settings.http_host, chosen), demo=demo)
    except together.CannotStart as error:
        leave(Exit.FAILED, str(error))


def web(port: Annotated[int | None, typer.Option(help="Port of the pages; 0 takes a free one.")] = None) -> None:
    """Serve the pages and the HTTP API."""
    from workers import pages, timing
    from workers.cli.start import prepare

    settings = prepare()
    timing.keep(settings, "web")
    pages.serve(settings.http_host, free_port(settings.http_host, settings.http_port if port is None else port))


def work() -> None:
    """Assess, index and crawl what the queue brings; any number may run, on any number of machines."""
    from workers import logs, timing
    from workers.cli.start import prepare
    from workers.processes import Part, Tree, die_with_parent

    settings = prepare()
    from workers import own_rules  # needs Django

    own_rules.check()  # wrong ones, where none that were right are on record, end it here
    die_with_parent(signal.SIGTERM)
    timing.keep(settings, "work")
    commands = {
        "assess": _worker("assess", ",".join(Queue), "--concurrency", str(settings.work_concurrency)),
        "crawl": _worker("crawl", CRAWL_QUEUE, "--pool", "threads", "--concurrency", str(CRAWLS_AT_ONCE)),
    }
    parts = [
        Part(name, command, {timing.FOLDER: str(timing.folder_of(settings, name))})
        for name, command in commands.items()
    ]
    tree = Tree(parts, complain)
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, tree.ask_to_stop)
    logs.configure(settings)
    _show_timings(settings)
    tree.start()
    try:
        tree.watch(_pulse(timedelta(seconds=settings.sweep_seconds)))
    finally:
        tree.stop()
        _say_goodbye()


def beat() -> None:
    """Send what runs by the clock (crawls, retention); run exactly one."""
    from workers.cli.start import prepare

    settings = prepare()
    from workers import tasks

    tasks.send(tasks.crawl_due)  # the clock first strikes after a whole period; what is due is due now
    schedule = settings.path("beat", "schedule")
    command = _celery(
        "beat", "--scheduler", "workers.scheduler:Scheduler", "--schedule", str(schedule), "--pidfile", ""
    )
    os.execv(command[0], command)  # noqa: S606 - replaces this process, so that signals reach the schedule itself


def _say_goodbye() -> None:
    from django.db import DatabaseError

    from casework import status

    with suppress(DatabaseError):
        status.rest("work")


def _show_timings(settings: Settings) -> None:
    from workers import timing

    if settings.work_metrics_port:
        try:
            timing.serve(settings)
        except OSError as error:
            where = f"{settings.http_host}:{settings.work_metrics_port}"
            leave(Exit.WRONG_INPUT, f"WOODPECKER_WORK_METRICS_PORT: cannot listen on {where}: {error.strerror}")


def free_port(host: str, port: int) -> int:
    """Return `port`, or a free one when it is 0; leave with a clear error when it is taken."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            leave(
                Exit.WRONG_INPUT,
                f"cannot listen on {host}:{port}: {error.strerror}. Choose another with --port or "
                "WOODPECKER_HTTP_PORT (0 takes a free one).",
            )
        return int(probe.getsockname()[1])


def _pulse(every: timedelta) -> Callable[[], None]:
    """Return what the parent does each second: say that it lives, sweep when it is time."""
    import structlog
    from django.db import DatabaseError, close_old_connections

    from casework import status
    from workers import own_rules, sweep

    watch = own_rules.Watch()
    log = structlog.get_logger(__name__)

    def pulse() -> None:
        close_old_connections()
        try:
            status.beat("work")
            watch.look()
            swept = sweep.run_if_due(every)
        except DatabaseError as error:
            log.warning("database_unavailable", error=type(error).__name__, reason=str(error).partition("\n")[0])
            return
        if swept and (swept.batches or swept.indexed or swept.purged or swept.search_error):
            log.info(
                "swept", batches=swept.batches, indexed=swept.indexed, purged=swept.purged, search=swept.search_error
            )

    return pulse


def _worker(name: str, queue: str, *options: str) -> list[str]:
    return _celery(
        "worker", "--hostname", f"{name}@%h-{os.getpid()}", "--queues", queue, *options,
        "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING",
    )  # fmt: skip


def _celery(command: str, *options: str) -> list[str]:
    return [sys.executable, "-m", "celery", "--app", "workers.entry", "--quiet", command, *options]
