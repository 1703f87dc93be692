"""`python -m demo`: serve the fictional platform, or print what its texts are meant to show."""

from __future__ import annotations

import argparse
import errno
import json
import signal
import sys
import tempfile
import threading
from pathlib import Path

from demo.clock import OtherSeed
from demo.library import Text, load
from demo.server import HOST, Platform
from demo.world import TICK

DEFAULT_PORT = 8765


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code: 0 done, 1 failed, 2 called wrongly."""
    asked = _parser().parse_args(arguments)
    if asked.truth:
        for text in load().texts():
            print(json.dumps(_truth(text), ensure_ascii=False))
        return 0
    if asked.data is not None:
        return _serve(asked, asked.data)
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        return _serve(asked, Path(folder))


def _serve(asked: argparse.Namespace, folder: Path) -> int:
    try:
        platform = Platform(asked.port, folder, asked.seed, asked.tick)
    except OtherSeed as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        hint = (
            f"port {asked.port} of {HOST} is taken; end the program that holds it, "
            f"or give another one with --port and in config/sites/demo.yaml"
            if error.errno == errno.EADDRINUSE
            else f"cannot serve on port {asked.port} of {HOST} with data in {folder}: {error}"
        )
        print(f"demo: {hint}", file=sys.stderr)
        return 1
    for signum in (signal.SIGINT, signal.SIGTERM):
        # shutdown() waits for the loop that this very thread runs, so another thread must call it
        signal.signal(signum, lambda *_: threading.Thread(target=platform.shutdown).start())
    print(f"demo: http://{HOST}:{platform.server_port} data in {folder}", flush=True)
    with platform:
        platform.serve_forever(poll_interval=0.2)
    return 0


def _truth(text: Text) -> dict[str, str | None]:
    return {
        "id": text.id,
        "text": text.text,
        "slug": text.slug,
        "severity": text.severity,
        "evasion": text.evasion,
        "pool": text.pool,
        "role": text.role,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description="The fictional platform of the demonstration.")
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--seed", type=int, help="what the platform grows from; default 7, or the one it was kept with")
    parser.add_argument("--data", type=Path, help="folder for the clock and the access log; default: a passing one")
    parser.add_argument("--tick", type=_seconds, default=TICK, help="mean seconds between two happenings")
    parser.add_argument("--truth", action="store_true", help="print each text with its category as JSON Lines, and end")
    return parser


def _port(found: str) -> int:
    if not found.isdecimal() or int(found) > 65535:
        raise argparse.ArgumentTypeError(f"{found!r} is no port; allowed: 0 to 65535")
    return int(found)


def _seconds(found: str) -> float:
    try:
        seconds = float(found)
    except ValueError:
        seconds = 0.0
    if not 0.01 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{found!r} is no number of seconds; allowed: 0.01 to 86400")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
