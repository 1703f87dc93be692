"""Heads of chains and series of numbers: one row each, locked by whoever appends."""

from __future__ import annotations

from casework.models import ChainHead


def lock(name: str) -> ChainHead:
    """Return the head with its row locked until the running transaction ends; it is made when missing.

    Raises:
        django.db.transaction.TransactionManagementError: no transaction is running.
    """
    head, _ = ChainHead.objects.select_for_update().get_or_create(name=name)
    return head


def advance(head: ChainHead, digest: str = "") -> int:
    """Append one link to a locked head and return its number."""
    head.sequence += 1
    head.hash = digest
    head.save(update_fields=["sequence", "hash"])
    return head.sequence
