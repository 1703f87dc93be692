"""Files that hold for all sites, as a process keeps them: one that has become wrong changes nothing, restarts included.

What is read and right is put on record (`activations`), so that a process that starts while the file is wrong goes on
with what held. The shipped file is recorded only where a file of the installation's own held before it: else nothing
but the program says what it says.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Generic, TypeVar

import structlog
from django.db import DatabaseError, transaction

from casework import activations
from config.documents import Strict
from config.problems import PolicyError
from config.standing import file_of, is_shipped

log = structlog.get_logger(__name__)

Policy = TypeVar("Policy", bound=Strict)


class Kept(Generic[Policy]):
    """One such file.

    Args:
        subject: its place in the policy folder.
        kind: what it holds.
        load: reads it where it changed; raises PolicyError.
        careful: what holds where it is wrong and nothing right is known, so that nothing is let through.
    """

    def __init__(
        self, subject: str, kind: type[Policy], load: Callable[[], Policy], careful: Callable[[], Policy]
    ) -> None:
        self.subject = subject
        self._kind, self._load, self._careful = kind, load, careful
        self._held: Policy | None = None
        self._noted: Policy | None = None
        self._problems: tuple[str, ...] = ()

    def holds(self) -> Policy:
        """Return what holds now."""
        try:
            found = self._held = self._load()
        except PolicyError as error:
            return self._instead(tuple(str(problem) for problem in error.problems))
        if self._problems:
            log.info("policy_right_again", file=self.subject)
        self._problems = ()
        self._note(found)
        return found

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with the file now, empty when nothing is."""
        self.holds()
        return self._problems

    def forget(self) -> None:
        """Know nothing, as after a start."""
        self._held, self._noted, self._problems = None, None, ()

    def _instead(self, problems: tuple[str, ...]) -> Policy:
        self._held = self._held or self._recorded()
        if problems != self._problems:
            holds = "what held before" if self._held else "the careful default; nothing that held before is on record"
            log.error("policy_wrong", file=self.subject, problems=problems, holds=holds)
        self._problems = problems
        return self._held or self._careful()

    def _recorded(self) -> Policy | None:
        try:
            found = activations.last(self.subject)
        except DatabaseError:
            return None
        return activations.read(found, self._kind) if found else None

    def _note(self, policy: Policy) -> None:
        """Put it on record once the running transaction is over, which is not to fail with it."""
        if policy is not self._noted:
            with suppress(DatabaseError):  # no connection; the next use tries again
                transaction.on_commit(partial(self._write, policy))

    def _write(self, policy: Policy) -> None:
        if policy is self._noted:  # asked for several times in one transaction
            return
        try:
            if not is_shipped(self.subject) or activations.last(self.subject):
                activations.note(policy, file_of(self.subject).read_text("utf-8"))
        except (DatabaseError, OSError) as error:
            log.warning("policy_not_recorded", file=self.subject, error=type(error).__name__)
            return
        self._noted = policy
