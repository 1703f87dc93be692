"""The audit chain only grows, and shows where somebody tampered with it."""

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from casework import audit
from casework.errors import NotAllowed
from casework.models import AuditEntry, ChainHead
from tests.casework.factories import make_user
from tests.casework.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.modes]
TABLE = AuditEntry._meta.db_table


def three_entries() -> list[AuditEntry]:
    AuditEntry.objects.exists()
    return [audit.record("test.act", audit.SYSTEM, f"thing:{n}", value=0.1 * n, 字="木") for n in range(3)]


def tamper(statement: str, *parameters: object) -> None:
    """Change the table the way somebody with the database's password would: the trigger switched off."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"ALTER TABLE {TABLE} DISABLE TRIGGER audit_append_only")
        else:
            cursor.execute("DROP TRIGGER audit_append_only")
        cursor.execute(statement, parameters)


def test_an_untouched_chain_is_whole_and_numbered_without_a_gap() -> None:
    entries = three_entries()
    assert [entry.sequence for entry in entries] == [1, 2, 3]
    assert entries[1].previous_hash == entries[0].hash
    assert audit.verify() == audit.Verification(True, 3)


def test_an_empty_chain_is_whole() -> None:
    assert audit.verify() == audit.Verification(True, 0)


def test_a_changed_detail_is_named() -> None:
    three_entries()
    tamper(f"UPDATE {TABLE} SET details = '{{}}' WHERE sequence = 2")
    found = audit.verify()
    assert (found.whole, found.entries, found.broken_at, found.fault) == (False, 1, 2, audit.Fault.ALTERED)
    assert found.expected != found.found


def test_a_changed_actor_is_named() -> None:
    three_entries()
    tamper(f"UPDATE {TABLE} SET actor = 'SW9999' WHERE sequence = 1")
    assert audit.verify().broken_at == 1


def test_a_removed_entry_is_named() -> None:
    three_entries()
    tamper(f"DELETE FROM {TABLE} WHERE sequence = 2")
    assert audit.verify() == audit.Verification(False, 1, 2, audit.Fault.MISSING, expected="2", found="3")


def test_a_removed_tail_is_noticed() -> None:
    three_entries()
    tamper(f"DELETE FROM {TABLE} WHERE sequence = 3")
    assert audit.verify().broken_at == 3


def test_an_entry_rewritten_together_with_its_digest_breaks_the_next_link() -> None:
    entry = three_entries()[0]
    entry.actor = "SW9999"
    tamper(f"UPDATE {TABLE} SET actor = %s, hash = %s WHERE sequence = 1", entry.actor, audit.digest(entry))
    assert audit.verify().broken_at == 2


def test_a_chain_that_was_computed_anew_is_whole_in_itself_but_does_not_fit_its_anchor() -> None:
    three_entries()
    kept = audit.head()
    assert kept is not None
    tamper(f"DELETE FROM {TABLE}")
    ChainHead.objects.filter(name=audit.CHAIN).delete()
    three_entries()
    assert audit.verify().whole
    found = audit.verify([kept])
    assert (found.broken_at, found.fault, found.expected) == (3, audit.Fault.ANCHOR, kept.hash)


def test_a_chain_that_is_shorter_than_its_anchor_has_lost_its_tail() -> None:
    three_entries()
    found = audit.verify([audit.Anchored(5, "a" * 64)])
    assert (found.broken_at, found.fault) == (4, audit.Fault.TAIL)


def test_a_lost_head_is_noticed() -> None:
    three_entries()
    ChainHead.objects.filter(name=audit.CHAIN).delete()
    assert not audit.verify().whole


def test_the_model_refuses_to_change_or_delete_an_entry() -> None:
    entry = three_entries()[0]
    for attempt in (entry.save, entry.delete, AuditEntry.objects.all().delete):
        with pytest.raises(NotAllowed):
            attempt()
    with pytest.raises(NotAllowed):
        AuditEntry.objects.update(actor="SW9999")


def test_the_database_refuses_to_change_an_entry() -> None:
    three_entries()
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {TABLE} SET actor = 'SW9999'")
    assert audit.verify().whole


def test_an_act_that_is_rolled_back_leaves_no_entry() -> None:
    with transaction.atomic():
        audit.record("test.act", audit.SYSTEM, "thing:1")
        transaction.set_rollback(True)
    assert audit.verify() == audit.Verification(True, 0)


def test_a_person_appears_by_staff_number() -> None:
    user = make_user()
    assert audit.record("test.act", user, user).actor == user.staff_no


@pytest.mark.django_db(transaction=True)
def test_acts_at_the_same_instant_make_one_chain() -> None:
    at_once(6, lambda number: [audit.record("test.act", audit.SYSTEM, f"thing:{number}") for _ in range(5)])
    assert audit.verify() == audit.Verification(True, 30)
