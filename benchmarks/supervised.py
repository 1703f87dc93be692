"""What a supervisor does for an installation: its parts and its servers run, and whatever ends is started again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
import redis

from benchmarks.system import WOODPECKER, Installation
from deploy.services import running
from deploy.services.running import Server
from deploy.services.system import CannotStart

LOOK_SECONDS, PAUSE_SECONDS = 0.2, 1.0


class Parts:
    """`woodpecker` commands that go on; one that ends is started again after a moment."""

    def __init__(self, here: Installation, commands: Sequence[str]) -> None:
        self._here = here
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._commands, self._ended = list(commands), threading.Event()
        self.ended_alone: Counter[str] = Counter()
        self._killed: set[int] = set()
        for command in self._commands:
            self._start(command)
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def kill(self, command: str, dice: random.Random) -> str:
        """Kill one process of a part's family outright, the part itself or a child; return its name."""
        process = self._processes[command]
        with suppress(psutil.NoSuchProcess):
            root = psutil.Process(process.pid)
            victim = dice.choice([root, *root.children(recursive=True)])
            if victim.pid == process.pid:
                self._killed.add(process.pid)
                victim.kill()
                return command
            victim.kill()
            return f"{command} (a child)"
        return command

    def stop(self) -> None:
        """End every part politely."""
        self._ended.set()
        self._watcher.join()
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, command: str) -> None:
        with (self._here.folder / f"{command}.log").open("ab") as log:
            self._processes[command] = subprocess.Popen(
                [*WOODPECKER, command], env=self._here.environment, stdout=log, stderr=log
            )

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            for command, process in list(self._processes.items()):
                if process.poll() is None:
                    continue
                if process.pid not in self._killed:
                    self.ended_alone[f"{command} with {process.returncode}"] += 1
                if not self._ended.wait(PAUSE_SECONDS):
                    self._start(command)


class Repeated:
    """Commands that end, one after the other; one that fails or is killed is run again until it is done."""

    def __init__(self, here: Installation, commands: Sequence[Sequence[str]], log: str) -> None:
        self._here, self._log = here, here.folder / log
        self._waiting, self._allowed = list(commands), 0
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Condition()
        self.failed: Counter[int] = Counter()
        self.done = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def allow(self, count: int) -> None:
        """Let so many of the commands be run in all."""
        with self._lock:
            self._allowed = count
            self._lock.notify_all()

    def kill(self) -> bool:
        """Kill the command that runs; return whether one did."""
        process = self._process
        if process is None or process.poll() is not None:
            return False
        process.send_signal(signal.SIGKILL)
        return True

    def finish(self, within: float) -> None:
        """Let all run and wait for them.

        Raises:
            TimeoutError: they are not done in time.
        """
        self.allow(len(self._waiting))
        self._thread.join(within)
        if self._thread.is_alive():
            raise TimeoutError(f"a command was not done after {within:.0f} s; see {self._log}")

    def _run(self) -> None:
        for number, command in enumerate(self._waiting):
            with self._lock:
                self._lock.wait_for(lambda number=number: self._allowed > number)
            while code := self._once(command):
                self.failed[code] += 1
                time.sleep(0.5)
            self.done = number + 1

    def _once(self, command: Sequence[str]) -> int:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*WOODPECKER, *command], env=self._here.environment, stdout=log, stderr=log
            )
        return self._process.wait()


class Servers:
    """PostgreSQL, the broker and Elasticsearch; what is killed is started again in a thread of its own."""

    def __init__(self, servers: Sequence[Server], state: Path | None = None) -> None:
        self._by_name, self._state = {server.name: server for server in servers}, state
        self._away: dict[str, threading.Thread] = {}

    @property
    def addresses(self) -> dict[str, str]:
        """Setting → address."""
        return running.addresses(self._state) if self._state else {}

    @property
    def folder(self) -> Path:
        """Where their data lies."""
        return Path(next(iter(self._by_name.values())).folder).parent

    def flush(self, address: str) -> None:
        """Empty a Redis, number by number."""
        with redis.Redis.from_url(address) as client:
            client.flushall()

    def there(self) -> list[str]:
        """Return those that run."""
        return [name for name in self._by_name if name not in self._away or not self._away[name].is_alive()]

    def kill(self, name: str, away: float) -> None:
        """Kill a server outright and start it again, with its data, after so many seconds."""
        server = self._by_name[name]
        server.kill()

        def again() -> None:
            time.sleep(away)
            while True:
                try:
                    server.serve()
                    return
                except CannotStart as error:  # a full disk: tried again as a supervisor would
                    print(str(error).splitlines()[0], file=sys.stderr, flush=True)
                    time.sleep(PAUSE_SECONDS)

        self._away[name] = threading.Thread(target=again, daemon=True)
        self._away[name].start()

    def mend(self) -> list[str]:
        """Start again what ended without having been killed; return which."""
        gone = [name for name in self.there() if not _lives(self._by_name[name].pid)]
        for name in gone:
            self.kill(name, 0.0)
        return gone

    def wait(self) -> None:
        """Wait until all run."""
        for thread in self._away.values():
            thread.join()
        if self._state:
            running.note(self._state, list(self._by_name.values()))


@contextmanager
def servers_of(state: Path | None, nodes: int = 1) -> Iterator[Servers]:
    """Give the servers of a state file of `deploy.services`, or fresh ones, which are stopped at the end."""
    with ExitStack() as stack:
        if state is None:
            state = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "servers.json"
            stack.callback(running.down, state)
        running.up(state, nodes=nodes)
        servers = Servers(running.noted(state), state)
        stack.callback(servers.wait)
        yield servers


def _lives(pid: int) -> bool:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return psutil.pid_exists(pid)
