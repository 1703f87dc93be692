"""A RabbitMQ with a password, on loopback, with an Erlang port mapper of its own."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

from deploy.services import system

NAME = "woodpecker"
PROGRAMS = Path("/usr/lib/rabbitmq/bin")
"""Where Debian keeps the programs themselves; those of the search path want to be root."""


def make(folder: Path, password: str) -> None:
    """Write its settings."""
    system.need(_server, "rabbitmq-server")
    for name, none in (("enabled_plugins", "[].\n"), ("environment", "")):  # whatever the machine's own server has
        system.write(folder, name, none)


def serve(folder: Path, port: int, password: str) -> int:
    """Start it, after a kill too; return the process id of the shell that holds it and its port mapper."""
    settings = system.write(
        folder,
        "rabbitmq.conf",
        f"listeners.tcp.1 = 127.0.0.1:{port}\ndefault_user = {NAME}\ndefault_pass = {password}\n"
        "log.console = true\nlog.file = false\ndisk_free_limit.absolute = 50MB\n",
    )
    environment = {
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(system.free_port()),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"{NAME}@localhost",
        "RABBITMQ_DIST_PORT": str(system.free_port()),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RABBITMQ_CONF_ENV_FILE": str(folder / "environment"),
        "RABBITMQ_CONFIG_FILE": str(settings),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "logs"),
    }
    # The mapper is started here so that it ends with the server; left to Erlang it would outlive it.
    shell = ["sh", "-c", f"epmd & exec {_server()}"]
    command = system.unprivileged(shell, environment)
    return system.start(command, folder / "log", lambda: _answers(port), "RabbitMQ")


def address(port: int, password: str) -> str:
    """Return how to reach it."""
    return f"amqp://{NAME}:{password}@127.0.0.1:{port}//"


def _answers(port: int) -> bool:
    """Whether it greets: it listens once it has started."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=3) as connection:
        connection.sendall(b"AMQP\x00\x00\x09\x01")
        return bool(connection.recv(1))
    return False


def _server() -> Path | None:
    debians = PROGRAMS / "rabbitmq-server"
    return debians if debians.exists() else system.on_path("rabbitmq-server")
