"""Accounts of the demonstration: one per role, without passwords, entered by one-time links."""

from __future__ import annotations

from casework import accounts
from casework.models import Role, User


def sign_in_links() -> list[tuple[str, str]]:
    """Return (role, path of a fresh one-time sign-in link) for each role; missing accounts are made."""
    links = []
    for role in (Role.REVIEWER, Role.VOLUNTEER, Role.LIAISON, Role.LEAD, Role.DUTY, Role.ADMIN):
        name = f"demo-{role.value}"
        user = User.objects.filter(username=name).first() or accounts.create(name, role)
        links.append((role.value, accounts.sign_in_link(user)))
    return links
