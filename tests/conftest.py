"""Real servers and a real browser for whoever asks for them; each is started once and only when it is needed."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Before Django's settings are read, which is why they are named here and not in pyproject.toml, where pytest-django
# would read them first: the tests have a data folder of their own, and nothing of a developer's shell.
_SERVICES = {
    name: os.environ[f"WOODPECKER_TEST_{name}"]
    for name in ("DATABASE_URL", "BROKER_URL", "ELASTICSEARCH_URL")
    if f"WOODPECKER_TEST_{name}" in os.environ
}
for _name in [name for name in os.environ if name.startswith("WOODPECKER_")]:
    if _name not in {"WOODPECKER_NO_SKIPS", "WOODPECKER_DATABASE_URL"} and not _name.startswith("WOODPECKER_TEST_"):
        del os.environ[_name]
_folder = tempfile.TemporaryDirectory(prefix="woodpecker-tests-", ignore_cleanup_errors=True)
os.environ["WOODPECKER_DATA_DIR"] = _folder.name
(Path(_folder.name) / "static").mkdir()  # WhiteNoise warns of a folder that is not there
os.environ["WOODPECKER_SECRET_KEY"] = "only-for-tests-" + "k" * 40

os.environ["DJANGO_SETTINGS_MODULE"] = "config.django.settings"

import django  # noqa: E402
import hypothesis  # noqa: E402
import pytest  # noqa: E402

django.setup()
# Whoever inherited it, a second process of pytest for one, would have pytest-django read the settings before this file.
del os.environ["DJANGO_SETTINGS_MODULE"]

# How long an example takes says how busy the machine is, not whether what is tested is right.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

pytest_plugins = ["tests.servers.browser", "tests.servers.installations"]


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Setting → address of a running PostgreSQL, Redis and Elasticsearch; those of `make test`, or our own."""
    if len(_SERVICES) == 3:
        yield _SERVICES
        return
    from deploy.services.running import down, up

    state = Path(tempfile.mkdtemp(prefix="woodpecker-services-")) / "state.json"
    try:
        yield up(state)
    finally:
        down(state)


@pytest.fixture
def index_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index is configured that does not answer: what changes stays in its outbox, pages come from the database."""
    from casework import search
    from casework.search.database import DatabaseSearch
    from casework.search.elasticsearch import ElasticsearchSearch
    from casework.search.fallback import WithFallback

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{probe.getsockname()[1]}"
    away = WithFallback(ElasticsearchSearch(nowhere, "away"), DatabaseSearch())
    monkeypatch.setattr(search, "_search", lambda *_: away)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what takes long last, so that a plain mistake shows early."""
    items.sort(key=lambda item: ("acceptance" in item.path.parts, item.get_closest_marker("browser") is not None))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where every server is there, a skipped test is a failure."""
    if not os.environ.get("WOODPECKER_NO_SKIPS") or session.exitstatus != 0:
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
