"""Hosts of their own for an installation's workers: network namespaces with one cable each. Root, Linux, iproute2."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

SUBNET = "10.201.17"
BRIDGE = "wp-hosts"


class Host:
    """A network namespace that reaches this machine over a cable that can be pulled."""

    def __init__(self, number: int) -> None:
        self.name, self._cable = f"wp-host{number}", f"wp-cable{number}"
        inside = f"wp-eth{number}"
        _ip("netns", "add", self.name)
        _ip("link", "add", self._cable, "type", "veth", "peer", "name", inside, "netns", self.name)
        _ip("link", "set", self._cable, "master", BRIDGE, "up")
        _ip("-n", self.name, "address", "add", f"{SUBNET}.{number + 10}/24", "dev", inside)
        _ip("-n", self.name, "link", "set", inside, "up")
        _ip("-n", self.name, "link", "set", "lo", "up")

    def command(self, command: Sequence[str]) -> list[str]:
        """Return a command that runs on this host."""
        return ["ip", "netns", "exec", self.name, *command]

    def pull(self) -> None:
        """Cut it off: what is sent goes nowhere, and nobody is told."""
        _ip("link", "set", self._cable, "down")

    def plug(self) -> None:
        """Join it again."""
        _ip("link", "set", self._cable, "up")

    def remove(self) -> None:
        """Take it away with its cable."""
        _ip("netns", "delete", self.name)


@contextmanager
def hosts(count: int, ports: Sequence[int]) -> Iterator[list[Host]]:
    """Give hosts that reach these ports of this machine's loopback at `SUBNET`.1."""
    with ExitStack() as stack:
        _ip("link", "add", BRIDGE, "type", "bridge")
        stack.callback(_ip, "link", "delete", BRIDGE)
        _ip("address", "add", f"{SUBNET}.1/24", "dev", BRIDGE)
        _ip("link", "set", BRIDGE, "up")
        for port in ports:
            stack.callback(_forward(port).close)
        made = []
        for number in range(count):
            made.append(Host(number))
            stack.callback(made[-1].remove)
        yield made


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"ip {' '.join(arguments)}: {done.stderr.strip()}; needed: root and iproute2")


def _forward(port: int) -> socket.socket:
    """Listen on the bridge and pass what comes on to loopback, where the servers are."""
    listener = socket.create_server((f"{SUBNET}.1", port))

    def accept() -> None:
        with suppress(OSError):  # it is closed at the end
            while True:
                outer, _ = listener.accept()
                inner = socket.create_connection(("127.0.0.1", port))
                for source, target in ((outer, inner), (inner, outer)):
                    source.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                    threading.Thread(target=_pump, args=(source, target), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(65_536):
            target.sendall(block)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
            one.close()
