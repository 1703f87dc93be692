"""The Celery app of this installation."""

from __future__ import annotations

from celery import Celery

from config.celery import celery_settings
from config.settings import get_settings
from workers import folder_broker

folder_broker.register()
app = Celery("silver-woodpecker")
app.conf.update(celery_settings(get_settings()))
