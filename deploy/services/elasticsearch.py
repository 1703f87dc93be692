"""Elasticsearch on loopback, with a password: one node, or several that make a cluster.

The server comes as the small distribution that Elastic publishes on Maven Central; it is the stock server with few
modules. It is kept in a cache folder and never committed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import urllib.error
import urllib.request
import zipfile
from collections.abc import Mapping
from pathlib import Path

from deploy.services import system

VERSION = "9.4.3"
SHA256 = "adde840e7013d25cf04203377abf77ad66573bc5db381e5b865c18ef5d683bc5"
ARTIFACT = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{VERSION}:zip"
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
OLDEST_JAVA = 21
HEAP, HEAP_OF_SEVERAL = "768m", "512m"


def make(folder: Path, password: str, name: str = "one", peers: Mapping[str, int] = {}) -> None:
    """Prepare a node.

    Args:
        folder: where it lives.
        password: of the user `elastic`.
        name: of the node.
        peers: node → transport port of all nodes of a cluster, this one among them; none: it stays alone.
    """
    home = _distribution()
    settings = folder / "config"
    shutil.rmtree(folder, ignore_errors=True)
    settings.mkdir(parents=True)
    for file in ("jvm.options", "log4j2.properties"):
        shutil.copy(home / "config" / file, settings / file)
    (settings / "elasticsearch.yml").write_text(_settings(folder, name, peers), "utf-8")
    (folder / "tmp").mkdir()
    system.hand_over(folder)
    _keep_password(home, _environment(folder, HEAP), password)


def serve(folder: Path, port: int, password: str) -> int:
    """Start a node, after a kill too, and wait until it answers as part of its cluster; return its process id."""
    alone = "single-node" in (folder / "config" / "elasticsearch.yml").read_text("utf-8")
    command = [str(_distribution() / "bin" / "elasticsearch"), f"-Ehttp.port={port}"]
    command = system.unprivileged(command, _environment(folder, HEAP if alone else HEAP_OF_SEVERAL))
    return system.start(command, folder / "log", lambda: _healthy(port, password), "Elasticsearch", seconds=300)


def address(port: int, password: str) -> str:
    """Return how to reach a node."""
    return f"http://elastic:{password}@127.0.0.1:{port}"


def _environment(folder: Path, heap: str) -> dict[str, str]:
    return {
        "ES_JAVA_HOME": str(system.need(_java, "openjdk-21-jre-headless")),
        "ES_PATH_CONF": str(folder / "config"),
        "ES_TMPDIR": str(folder / "tmp"),
        "ES_JAVA_OPTS": f"-Xms{heap} -Xmx{heap}",
    }


def _settings(folder: Path, name: str, peers: Mapping[str, int]) -> str:
    values = {
        "cluster.name": "woodpecker-dev",
        "node.name": name,
        "path.data": folder / "data",
        "path.logs": folder / "logs",
        "network.host": "127.0.0.1",
        "transport.port": peers.get(name) or system.free_port(),
        "xpack.security.enabled": "true",
        "action.destructive_requires_name": "false",
        "cluster.routing.allocation.disk.threshold_enabled": "false",
        "indices.breaker.total.use_real_memory": "false",
    }
    if peers:
        values["discovery.seed_hosts"] = json.dumps([f"127.0.0.1:{port}" for port in peers.values()])
        values["cluster.initial_master_nodes"] = json.dumps(list(peers))
    else:
        values["discovery.type"] = "single-node"
    return "".join(f"{setting}: {value}\n" for setting, value in values.items())


def _keep_password(home: Path, environment: dict[str, str], password: str) -> None:
    tool = str(home / "bin" / "elasticsearch-keystore")
    for arguments, given in ((["create"], ""), (["add", "-x", "bootstrap.password"], password)):
        command = system.unprivileged([tool, *arguments], environment)
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, cwd="/")
        if done.returncode:
            raise system.CannotStart(f"elasticsearch-keystore {arguments[0]} failed: {done.stderr.strip()[-500:]}")


def _healthy(port: int, password: str) -> bool:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/_cluster/health")
    request.add_header("Authorization", "Basic " + base64.b64encode(f"elastic:{password}".encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=3) as answer:  # noqa: S310 - loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _cache() -> Path:
    """Return the folder where the distribution stays; another user must be able to enter it."""
    return Path("/opt/silver-woodpecker") if system.is_root() else Path.home() / ".cache" / "silver-woodpecker"


def _distribution() -> Path:
    home = _cache() / f"elasticsearch-{VERSION}"
    if (home / "bin" / "elasticsearch").exists():
        return home
    archive = _cache() / f"elasticsearch-{VERSION}.zip"
    archive.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    if not archive.exists() or _digest(archive) != SHA256:
        maven = system.need(lambda: system.on_path("mvn"), "maven")
        system.say(f"fetching Elasticsearch {VERSION} (118 MB) …")
        command = [
            str(maven), "--batch-mode", "--quiet", PLUGIN, f"-Dartifact={ARTIFACT}",
            f"-DoutputDirectory={archive.parent}", "-Dmdep.useBaseVersion=true",
        ]  # fmt: skip
        fetched = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
        if fetched.returncode or not archive.exists():
            raise system.CannotStart(f"Elasticsearch could not be fetched: {fetched.stdout.strip()[-800:]}")
        if _digest(archive) != SHA256:
            raise system.CannotStart(f"{archive}: found SHA-256 {_digest(archive)}; allowed: {SHA256}")
    fresh = archive.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(fresh)
    for program in (fresh / home.name / "bin").iterdir():
        program.chmod(0o755)
    (fresh / home.name).rename(home)
    shutil.rmtree(fresh)
    archive.unlink()
    return home


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _java() -> Path | None:
    """Return the newest Java of the system that is new enough."""
    found: dict[int, Path] = {}
    for java in Path("/usr/lib/jvm").glob("*/bin/java"):
        release = java.parent.parent / "release"
        version = re.search(r'JAVA_VERSION="(\d+)', release.read_text("utf-8")) if release.exists() else None
        if version and int(version[1]) >= OLDEST_JAVA:
            found[int(version[1])] = java.parent.parent
    return found[max(found)] if found else None
