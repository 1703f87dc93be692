"""What becomes a case, how grave it is, and what of it is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework import hits
from casework.hits import case_of
from casework.policies import Placement
from classifiers.assessment import Span, Undone
from config.settings import get_settings
from config.taxonomy import SLUGS
from tests.casework.factories import make_assessment, make_capture

IMMINENT = Span(start=0, end=2, slug="self_harm", reason="rule:self_harm.imminent")


def placement(**values: object) -> Placement:
    fields: dict[str, object] = {"kid_zone": False, "prominent": False, "digest": "general"} | values
    thresholds = dict.fromkeys(SLUGS, 0.5) | {"sexual_exploitation": 0.15}
    return Placement(thresholds=thresholds, **fields)  # type: ignore[arg-type]


def test_below_every_threshold_nothing_becomes_of_it() -> None:
    capture = next(one for one in map(make_capture, map(str, range(1000))) if not hits._in_audit_sample(one.id))
    assert case_of(capture, make_assessment({"bullying": 0.49}), placement()) is None


def test_a_score_at_the_threshold_becomes_a_case() -> None:
    case = case_of(make_capture(), make_assessment({"bullying": 0.5}), placement())
    assert case is not None
    assert (case.category, case.severity, case.grade, case.score) == ("bullying", "S1", "illegal", 0.5)
    assert not case.audit_sample


def test_the_gravest_category_comes_first_whatever_the_scores() -> None:
    scores = {"superstition_sales": 0.99, "bullying": 0.6, "crime_drugs": 0.7}
    case = case_of(make_capture(), make_assessment(scores), placement())
    assert case is not None
    assert case.categories == ["crime_drugs", "bullying", "superstition_sales"]
    assert (case.category, case.severity) == ("crime_drugs", "S1")


@pytest.mark.parametrize(("kid_zone", "severity"), [(False, "S3"), (True, "S1")])
def test_a_range_takes_its_lighter_end_but_the_graver_one_in_a_childrens_section(kid_zone: bool, severity: str) -> None:
    case = case_of(make_capture(), make_assessment({"fraud_spending": 0.9}), placement(kid_zone=kid_zone))
    assert case is not None
    assert case.severity == severity


@pytest.mark.parametrize(("spans", "severity"), [((), "S1"), ((IMMINENT,), "S0")])
def test_self_harm_is_gravest_only_when_a_rule_saw_that_it_is_imminent(spans: tuple[Span, ...], severity: str) -> None:
    case = case_of(make_capture(), make_assessment({"self_harm": 0.9}, spans=spans), placement(kid_zone=True))
    assert case is not None
    assert case.severity == severity


def test_flags_of_the_capture_or_the_section_say_where_it_stands() -> None:
    flagged = case_of(make_capture(flags=["kid_zone", "prominent"]), make_assessment({"bullying": 0.9}), placement())
    placed = case_of(make_capture(), make_assessment({"bullying": 0.9}), placement(kid_zone=True, prominent=True))
    assert flagged is not None
    assert placed is not None
    assert (flagged.kid_zone, flagged.prominent, placed.kid_zone, placed.prominent) == (True, True, True, True)


def test_a_restricted_case_keeps_where_and_when_and_nothing_of_the_text() -> None:
    capture = make_capture("标记文字甲乙丙", thread="t", position=3, flags=["kid_zone"], evidence="responses/1")
    assessment = make_assessment(
        {"sexual_exploitation": 0.2, "bullying": 0.99},
        spans=[Span(start=0, end=4, slug="sexual_exploitation", reason="rule:x")],
        undone=[Undone(start=0, end=1, seen="标", read_as="记", kind="homophone")],
    )
    case = case_of(capture, assessment, placement())
    assert case is not None
    assert case.restricted
    assert (case.category, case.categories, case.severity) == ("sexual_exploitation", ["sexual_exploitation"], "S0")
    assert case.scores == {"sexual_exploitation": 0.2}
    assert (case.text, case.folded, case.spans, case.undone, case.redactions) == ("", "", [], [], [])
    assert (case.thread, case.position, case.evidence, case.flags) == (None, None, None, [])
    assert (case.url, case.unit) == (capture.url, capture.unit)
    assert len(case.text_sha256) == 64


@given(st.dictionaries(st.sampled_from(SLUGS), st.floats(0, 1), max_size=15))
def test_whatever_the_scores_a_flagged_m01_is_restricted_and_a_case_is_whole(scores: dict[str, float]) -> None:
    case = case_of(make_capture(), make_assessment(scores), placement())
    if scores.get("sexual_exploitation", 0) >= 0.15:
        assert case is not None
        assert case.restricted
    if case is None:
        return
    assert case.restricted == (case.category == "sexual_exploitation")
    assert case.category == case.categories[0]
    assert bool(case.text) != case.restricted
    assert case.severity == min(hits.severity_of(slug, case) for slug in case.categories)


class TestTheAuditSample:
    """A share of what nobody would look at goes to people, chosen by the id alone."""

    @pytest.fixture(autouse=True)
    def everything_is_sampled(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sampled = get_settings().model_copy(update={"audit_rate": 1.0})
        monkeypatch.setattr(hits, "get_settings", lambda: sampled)

    def test_a_sampled_capture_looks_like_any_other_case(self) -> None:
        case = case_of(make_capture(), make_assessment({"gambling": 0.3}), placement())
        assert case is not None
        assert case.audit_sample
        assert (case.category, case.categories) == ("gambling", ["gambling"])

    def test_what_comes_nearest_to_m01_is_never_sampled(self) -> None:
        assert case_of(make_capture(), make_assessment({"sexual_exploitation": 0.1}), placement()) is None

    def test_a_flagged_capture_is_no_sample(self) -> None:
        case = case_of(make_capture(), make_assessment({"gambling": 0.9}), placement())
        assert case is not None
        assert not case.audit_sample


def test_about_the_given_share_is_sampled_and_a_repeat_chooses_the_same() -> None:
    ids = [make_capture(str(n)).id for n in range(20_000)]
    chosen = [one for one in ids if hits._in_audit_sample(one)]
    assert chosen == [one for one in ids if hits._in_audit_sample(one)]
    assert 0.006 < len(chosen) / len(ids) < 0.014
