"""What runs by the clock."""

from __future__ import annotations

from typing import Any

from celery.schedules import crontab

SCHEDULE: dict[str, dict[str, Any]] = {
    "crawl-due": {"task": "workers.tasks.crawl_due", "schedule": 20.0, "options": {"expires": 20}},
    "retain": {"task": "workers.tasks.retain", "schedule": crontab(hour="3", minute="30")},
    "anchor": {"task": "workers.tasks.anchor", "schedule": crontab(hour="3", minute="45")},
}
