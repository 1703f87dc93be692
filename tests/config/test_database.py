"""What is asked of the database's connections."""

from __future__ import annotations

import pytest
from django.db import connection

pytestmark = [pytest.mark.django_db, pytest.mark.modes]


def test_a_machine_that_is_cut_off_is_given_up_by_postgresql_after_half_a_minute() -> None:
    if connection.vendor == "sqlite":
        assert "tcp_user_timeout" not in connection.settings_dict["OPTIONS"]
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('tcp_user_timeout'), current_setting('tcp_keepalives_idle')::int "
            "+ current_setting('tcp_keepalives_interval')::int * current_setting('tcp_keepalives_count')::int"
        )
        assert cursor.fetchone() == ("30000", 30)
