"""The document of a case."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from casework.models import Case
from casework.search import mapping
from tests.casework.factories import make_case


@pytest.mark.django_db
def test_what_is_read_for_documents_is_all_that_they_need(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    case = make_case("一句话")
    with django_assert_num_queries(1):
        (stored,) = mapping.stored(Case.objects.all())
        document = mapping.document(stored)
    assert set(document) == set(mapping.mappings("")["properties"])
    assert stored == (*(getattr(case, name) for name in stored._fields[:-1]), None)
