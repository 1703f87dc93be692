"""`SavedSearch`: a question to the queue that a person asks again and again."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class SavedSearch(models.Model):
    """A name for a question. It belongs to one person; what it finds is decided anew each time it is asked."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_searches")
    name = models.CharField(max_length=60)
    address = models.CharField(max_length=1000, db_comment="the question, as the end of the queue's address")
    created_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, db_comment="removed, until it is certain that this is not undone")

    class Meta:
        db_table_comment = "questions that people ask again"
        ordering = ["name", "id"]
        indexes = [models.Index(fields=["user", "removed_at"], name="saved_search_user")]

    def __str__(self) -> str:
        return self.name
