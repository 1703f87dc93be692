"""The suggested times stand as the domain says."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from config.service_levels import Parsed, load_service_levels

# first look, second confirmation, platform deadline, recheck: hours, or working days
ROWS = {
    "S0": (1, 1, 2, 4),
    "S1": (4, 8, 24, 48),
    "S2": (24, 48, "2 days", 96),
    "S3": (72, 120, "5 days", 240),
}


@pytest.mark.parametrize("severity", ROWS)
def test_a_severity_has_its_four_times(severity: str) -> None:
    level = load_service_levels()[severity]
    times = (level.first_look, level.second_confirmation, level.platform_deadline, level.recheck)
    assert tuple(f"{one.working_days} days" if one.working_days else one.hours for one in times) == ROWS[severity]


@pytest.mark.parametrize("value", ["soon", "4", "-4h", "2 days"])
def test_a_wrong_time_is_refused(value: str) -> None:
    with pytest.raises(ValidationError, match="4h, 2d or 2 working days"):
        TypeAdapter(Parsed).validate_python(value)
