"""Legal bases parse as law and article, or are refused."""

import pytest

from casework import law
from casework.errors import InvalidInput
from config.decision_table import load_decision_table
from config.taxonomy import LAWS, LawRef, load_taxonomy


@pytest.mark.parametrize(
    ("article", "printed"),
    [("77", "第77条"), ("22¶2", "第22条第2款"), ("6(九)", "第6条第（九）项"), ("7(四)(七)", "第7条第（四）（七）项")],
)
def test_an_article_is_printed_in_full(article: str, printed: str) -> None:
    assert law.cite(LawRef(law="R", article=article)) == f"《{LAWS['R']}》{printed}"


@pytest.mark.parametrize("reference", [("X", "1"), ("L", ""), ("L", "77a"), ("L", "第七十七条"), ("L", "6(9)")])
def test_anything_else_is_refused(reference: tuple[str, str]) -> None:
    with pytest.raises(InvalidInput):
        law.cite(LawRef.model_construct(law=reference[0], article=reference[1]))


def test_every_basis_of_the_taxonomy_parses() -> None:
    for category in load_taxonomy().categories.values():
        assert law.cite_all(category.basis)


def test_the_same_basis_is_printed_once() -> None:
    assert law.cite_all([LawRef(law="L", article="77")] * 2).count("77") == 1


def test_the_decision_table_is_read() -> None:
    assert load_decision_table()
