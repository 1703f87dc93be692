"""The machine underneath: packages, an unprivileged user, free ports, processes that outlive their starter."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

USER = "woodpecker-dev"
"""PostgreSQL and Elasticsearch refuse to run as root; as root we start them as this user."""


class CannotStart(Exception):
    """A server cannot be started; says what is missing and how to get it."""


def say(message: str) -> None:
    """Tell a person on stderr; stdout belongs to the export lines."""
    print(message, file=sys.stderr, flush=True)


def is_root() -> bool:
    """Whether this process may install packages and become another user."""
    return os.geteuid() == 0


def need(program: Callable[[], Path | None], *packages: str) -> Path:
    """Return where a program is; install its packages where we may, or name them.

    Raises:
        CannotStart: it is not there and cannot be installed here.
    """
    found = program()
    if found is None and is_root() and shutil.which("apt-get"):
        say(f"installing {' '.join(packages)} …")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
        for command in (["apt-get", "update"], install):
            subprocess.run(command, env=environment, capture_output=True, check=False)
        found = program()
    if found is None:
        raise CannotStart(f"needed: {' '.join(packages)}; install with your system's packages, e.g. apt-get install")
    return found


def on_path(name: str) -> Path | None:
    """Return a program of the search path."""
    found = shutil.which(name)
    return Path(found) if found else None


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def unprivileged(command: Sequence[str], environment: Mapping[str, str] = {}) -> list[str]:
    """Return a command that runs as nobody special: as ourselves, or as `USER` when we are root."""
    settings = [f"{name}={value}" for name, value in environment.items()]
    plain = ["env", *settings, *command]
    return ["runuser", "-u", USER, "--", *plain] if is_root() else plain


def ensure_user() -> None:
    """Make the unprivileged user where we are root; to be called once, before servers start side by side."""
    if is_root() and subprocess.run(["id", USER], capture_output=True, check=False).returncode:
        create = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", USER]
        subprocess.run(create, check=True)


def hand_over(folder: Path) -> None:
    """Give a folder to whoever `unprivileged` runs as."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if is_root():
        subprocess.run(["chown", "--recursive", f"{USER}:", str(folder)], check=True)


def write(folder: Path, name: str, settings: str) -> Path:
    """Write a settings file into a server's folder, made where it is not there, and hand both over; return where."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(settings, "utf-8")
    hand_over(folder)
    return file


def start(command: Sequence[str], log: Path, answers: Callable[[], bool], what: str, seconds: float = 90) -> int:
    """Start a server that goes on when we end, and wait until it answers; return its process id.

    Raises:
        CannotStart: it ended, or does not answer in time and was ended; quotes the end of its log.
    """
    with log.open("ab") as stream:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True
        )
    deadline = time.monotonic() + seconds
    failed = f"did not answer within {seconds:.0f} s"
    while time.monotonic() < deadline:
        if answers():
            return process.pid
        if (code := process.poll()) is not None:
            failed = f"ended with {code}"
            break
        time.sleep(0.2)
    kill(process.pid)  # nobody else knows of it
    tail = log.read_text("utf-8", "replace")[-2000:] if log.exists() else "(no log)"
    raise CannotStart(f"{what} {failed}; the end of {log}:\n{tail}")


def stop(pid: int, seconds: float = 20) -> None:
    """End a process group: kindly first."""
    for signum in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(pid, signum)
        except (ProcessLookupError, PermissionError):
            return
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not _group_lives(pid):
                return
            time.sleep(0.1)


def kill(pid: int) -> None:
    """End a server and everything that it has started, outright, as a crash would, and wait until it is gone."""
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        psutil.wait_procs(family, timeout=20)


def _group_lives(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
