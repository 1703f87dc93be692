"""The fifteen categories stand as the domain says."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from config.taxonomy import LAWS, SLUGS, Grade, Severity, Taxonomy, load_taxonomy

ILLEGAL, BAD, MAY = Grade.ILLEGAL, Grade.BAD, Grade.MAY_AFFECT
# code, slug, grades, severities, basis
ROWS = [
    ("M01", "sexual_exploitation", [ILLEGAL], ["S0"], "L52 L54 R22¶2 R27"),
    ("M02", "pornography", [ILLEGAL], ["S1"], "L50 R22¶1 E6(九)"),
    ("M03", "sexual_suggestion", [BAD, MAY], ["S2"], "E7(四)(七) M3(一)"),
    ("M04", "self_harm", [ILLEGAL], ["S0", "S1"], "R22¶1 L50"),
    ("M05", "violence_gore", [ILLEGAL, BAD], ["S1", "S2"], "R22¶1 E6(九) E7(五)"),
    ("M06", "dangerous_acts", [MAY], ["S2"], "M3(五)(六) E7(八) L60"),
    ("M07", "bullying", [ILLEGAL], ["S1"], "L77 R26¶1 E6(十)"),
    ("M08", "minor_privacy", [ILLEGAL, MAY], ["S1", "S2"], "R38 L73 L103 M5 M6"),
    ("M09", "crime_drugs", [ILLEGAL], ["S1"], "R27 L54 E6(九) F31"),
    ("M10", "gambling", [ILLEGAL], ["S1", "S2"], "R22¶1 E6(九)"),
    ("M11", "fraud_spending", [ILLEGAL, MAY], ["S1", "S2", "S3"], "F2 L74 R44 R46 M3(十)(十一)"),
    ("M12", "substance_use", [MAY, ILLEGAL], ["S2", "S3"], "L59 M3(七) E7(八)"),
    ("M13", "addiction_bypass", [ILLEGAL, MAY], ["S2", "S3"], "L74 L75 R42 R45 R46 SH53 SH54 M3(九)"),
    ("M14", "superstition_sales", [ILLEGAL, MAY], ["S3"], "R22¶1 M4"),
    ("M15", "illicit_ads", [ILLEGAL, BAD], ["S2"], "R27 F31 F2"),
]


def test_the_slugs_stand_in_the_order_of_their_codes() -> None:
    assert list(SLUGS) == [slug for _, slug, *_ in ROWS]


@pytest.mark.parametrize(("code", "slug", "grades", "severities", "basis"), ROWS)
def test_a_category_has_its_grades_severities_and_law(
    code: str, slug: str, grades: list[Grade], severities: list[str], basis: str
) -> None:
    found = load_taxonomy().categories[slug]
    assert (found.code, list(found.grades), [str(one) for one in found.severities]) == (code, grades, severities)
    assert " ".join(one.law + one.article for one in found.basis) == basis


@pytest.mark.parametrize("slug", SLUGS)
def test_a_category_can_be_shown_in_both_languages_and_in_other_schemes(slug: str) -> None:
    found = load_taxonomy().categories[slug]
    assert all((found.name, found.name_en, found.definition, found.definition_en))
    assert found.crosswalk.dsa_category.startswith("STATEMENT_CATEGORY_")
    assert found.crosswalk.report_12377


def test_every_law_has_its_full_title() -> None:
    assert set(LAWS) == {"L", "R", "E", "M", "SH", "F"}
    assert LAWS["R"] == "未成年人网络保护条例"


@pytest.mark.parametrize(
    ("slug", "seen"),
    [
        ("sexual_exploitation", ""), ("pornography", ""), ("self_harm", ""),
        ("violence_gore", "S2 S3"), ("gambling", "S0 S1 S2 S3"),
    ],
)  # fmt: skip
def test_volunteers_see_of_a_category_what_its_severity_allows(slug: str, seen: str) -> None:
    category = load_taxonomy().categories[slug]
    assert " ".join(one for one in Severity if category.volunteers_may_see(one)) == seen
    assert category.never_to_volunteers is (not seen)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"basis": ["X 1"]}, "law 'X' is not one of"),
        ({"basis": ["R22"]}, "valid dictionary or instance of LawRef"),
        ({"grades": ["grave"]}, "illegal"),
        ({"severities": ["S9"]}, "S0"),
        ({"slug": "Sexual"}, "pattern"),
        ({"colour": "red"}, "Extra inputs"),
        ({"basis": []}, "at least 1"),
    ],
)
def test_a_wrong_taxonomy_is_refused(change: dict[str, object], message: str) -> None:
    from config.documents import read_shipped

    data = read_shipped("taxonomy.yaml")
    data["categories"][0] |= change
    with pytest.raises(ValidationError, match=message):
        Taxonomy.model_validate(data)
