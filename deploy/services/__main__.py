"""`python -m deploy.services up|down`: start or stop the servers."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from deploy.services import __doc__ as about
from deploy.services import running, system

PORTS = ("postgres", "redis", "rabbitmq", "elasticsearch")


def main() -> int:
    """Run the command; return its exit code: 0 done, 1 failed, 2 called wrongly."""
    parser = argparse.ArgumentParser(prog="python -m deploy.services", description=about)
    parser.add_argument("act", choices=("up", "down"))
    for name in PORTS:
        parser.add_argument(f"--{name}-port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--nodes", type=int, choices=(1, 2, 3), default=1, help="nodes of Elasticsearch")
    parser.add_argument("--broker", choices=("redis", "rabbitmq"), default="redis", help="which broker to start")
    parser.add_argument(
        "--state", type=Path, default=running.STATE, help="where the addresses and process ids are kept"
    )
    asked = parser.parse_args()
    try:
        if asked.act == "down":
            running.down(asked.state)
            return 0
        ports = {name: getattr(asked, f"{name}_port") for name in PORTS}
        found = running.up(asked.state, ports, nodes=asked.nodes, broker=asked.broker)
    except system.CannotStart as error:
        system.say(f"services: {error}")
        running.down(asked.state)
        return 1
    except running.NotNoted as error:
        system.say(f"services: {error}")
        return 1
    for setting, address in found.items():
        print(f"export WOODPECKER_{setting}={address}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
