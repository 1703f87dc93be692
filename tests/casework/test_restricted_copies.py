"""Copies of restricted texts: nothing but their digest is kept, whenever it turns out what they are."""

import pytest

from casework import (
    clusters,
    decisions,
    exposure,
    reassessments,
)
from casework.models import Case, EvidenceRecord, Role, Signature
from tests.casework.factories import make_assessment, make_user
from tests.casework.test_clusters import arrive, decide, reload
from tests.casework.test_restricted import MARKER, tables_that_hold

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.modes]


def test_of_restricted_texts_only_equal_ones_join_and_nothing_but_their_digest_is_kept() -> None:
    text = f"前文{MARKER}后文{MARKER}"
    first, same = arrive(text, text, slug="sexual_exploitation")
    (near,) = arrive(f"{text}吗", slug="sexual_exploitation")
    assert (same.copy_of, near.copy_of) == (first, None)
    for row in Signature.objects.all():
        assert row.digest == row.case.text_sha256
        assert row.band_0 is None
    assert tables_that_hold(MARKER) == set()


def test_what_turns_out_to_be_restricted_takes_the_text_of_its_copies_along_and_of_those_that_come() -> None:
    text = f"前文{MARKER}后文{MARKER}"
    first, _copy = arrive(text, f"{text}呢")
    decide(first, "escalated", role=Role.REVIEWER, category="sexual_exploitation")
    assert tables_that_hold(MARKER) == set()
    (again,) = arrive(text)
    assert (again.copy_of, again.restricted, again.text) == (first, True, "")
    assert tables_that_hold(MARKER) == set()
    assert not exposure.visible_cases(make_user()).filter(pk=again.pk).exists()


def test_what_is_put_back_to_a_case_that_turned_out_to_be_restricted_loses_its_text_and_its_evidence() -> None:
    text = f"前文{MARKER}后文{MARKER}"
    first, copy = arrive(text, f"{text}呢")
    lead = make_user(Role.LEAD)
    clusters.split(copy.pk, make_user())
    version = Case.objects.get(pk=copy.pk).version
    decisions.decide(copy.pk, lead, "confirmed", expected_version=version, category="illicit_ads")
    decisions.undo(copy.pk, lead)
    assert EvidenceRecord.objects.get(case=copy).removed_at is None
    run = reassessments.begin("stand-in-2", "command")
    read = [case for case in reassessments.next_cases(run, 9) if case.pk == first.pk]
    says = make_assessment({"sexual_exploitation": 0.9}).model_copy(update={"model": "stand-in-2"})
    reassessments.write(run, [(case, says) for case in read])

    clusters.rejoin(copy.pk, make_user())
    (copy,) = reload(copy)
    assert (copy.copy_of, copy.restricted, copy.category) == (first, True, "sexual_exploitation")
    assert EvidenceRecord.objects.get(case=copy).removed_at is not None
    assert tables_that_hold(MARKER) == set()
