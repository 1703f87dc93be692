"""deploy/compose.yaml cannot be started here, but what it says is held against the program."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from config.settings import PREFIX, Settings
from workers.cli import reference

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text("utf-8")
COMPOSE: dict[str, Any] = YAML(typ="safe").load(TEXT)
EXAMPLE = (DEPLOY / "compose.env.example").read_text("utf-8")
OURS = {"web", "work", "beat"}


def variables(text: str) -> set[str]:
    return set(re.findall(r"(?<!\$)\$\{(\w+)", text))


def test_every_part_of_the_program_runs_once_with_a_command_that_there_is() -> None:
    services = COMPOSE["services"]
    assert set(services) == OURS | {"postgres", "redis", "elasticsearch"}
    known = {path for path, _command in reference.commands()}
    assert {services[name]["command"][0] for name in OURS} == OURS <= known


def test_every_setting_is_one_that_there_is_and_services_mode_is_complete() -> None:
    environment = COMPOSE["services"]["web"]["environment"]
    names = {name.removeprefix(PREFIX).lower() for name in environment}
    assert names <= set(Settings.model_fields)
    assert {"database_url", "broker_url", "elasticsearch_url", "secret_key"} <= names
    hosts = re.findall(r"@([a-z]+)", " ".join(map(str, environment.values())))
    assert hosts == ["postgres", "redis", "elasticsearch"]


def test_no_secret_stands_in_it_and_none_has_a_default() -> None:
    assert set(re.findall(r"(?<!\$)\$\{\w+([^}]*)\}", TEXT)) == {":?"}
    for line in TEXT.splitlines():
        if re.search(r"(?i)(password|secret|token)\w*:\s*\S", line):
            assert "${" in line, line
    assert not re.search(r"://\w*:[^$@/]+@", TEXT)


def test_the_example_names_every_value_and_gives_none() -> None:
    given = dict(line.split("=", 1) for line in EXAMPLE.splitlines() if line and not line.startswith("#"))
    assert set(given) == variables(TEXT)
    assert set(given.values()) == {""}


def test_whatever_is_waited_for_says_when_it_is_there_and_keeps_what_it_writes() -> None:
    services = COMPOSE["services"]
    for name in OURS:
        assert set(services[name]["depends_on"]) == {"postgres", "redis", "elasticsearch"}
    for name, service in services.items():
        for waited in service.get("depends_on", {}):
            assert services[waited]["healthcheck"]["test"]
        named = {volume.split(":")[0] for volume in service.get("volumes", ()) if not volume.startswith("$")}
        assert named <= set(COMPOSE["volumes"]), name


def test_nothing_is_opened_to_the_outside_and_no_image_is_taken_as_it_happens_to_be() -> None:
    for service in COMPOSE["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
        assert service["image"] == "silver-woodpecker" or re.search(r":\d", service["image"])


def test_the_image_holds_every_room_and_runs_without_rights() -> None:
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    for room in ("config", "crawlers", "classifiers", "casework", "workers", "review_ui"):
        assert f"COPY {room} ./{room}\n" in text
    assert "USER woodpecker" in text
    assert "--frozen" in text
