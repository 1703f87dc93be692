"""Policies as casework reads them, and captures checked against them."""

from pathlib import Path

import pytest

import config.policy
from casework import intake, policies
from config.policy import general_thresholds
from config.settings import get_settings
from tests.casework.factories import make_capture

pytestmark = pytest.mark.django_db

SITE = """\
class: forum_qa
title: 木棉论坛
basis: {kind: owner, document: 站方书面同意}
thresholds: {general: 0.55, kid_zone: 0.35}
overrides:
  - {category: bullying, value: 0.8, reason: 版内玩笑多}
sections:
  - {slug: talk, title: 闲聊}
  - {slug: kids, title: 少年版, kid_zone: true, prominent: true}
"""


@pytest.fixture
def sites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "policy" / "sites"
    folder.mkdir(parents=True)
    own = get_settings().model_copy(update={"policy_dir": folder.parent})
    monkeypatch.setattr(config.policy, "get_settings", lambda: own)
    (folder / "mumian.yaml").write_text(SITE, "utf-8")
    (folder / "broken.yaml").write_text("class: forum_qa\n", "utf-8")
    return folder


def found(**values: str) -> list[tuple[str, str]]:
    capture = make_capture(**({"site": "mumian", "section": "talk", "platform_class": "forum_qa"} | values))
    return [(problem.field, problem.found) for problem in intake.check_against_policy(capture)]


def test_a_section_is_judged_by_its_sites_policy(sites: Path) -> None:
    usual, own = config.policy.load_class("forum_qa").zone_thresholds, "gambling"
    talk, kids = policies.placement("mumian", "talk"), policies.placement("mumian", "kids")
    assert (talk.thresholds[own], talk.thresholds["bullying"]) == (usual("general")[own], 0.8)
    assert (talk.kid_zone, talk.prominent) == (False, False)
    assert kids.thresholds[own] == usual("kid_zone")[own]
    assert (kids.kid_zone, kids.prominent) == (True, True)
    assert talk.digest == kids.digest == config.policy.load_site("mumian").digest


@pytest.mark.parametrize(("site", "section"), [("gone", "talk"), ("broken", "talk"), ("mumian", "gone")])
def test_what_is_not_configured_is_judged_by_the_general_thresholds(sites: Path, site: str, section: str) -> None:
    placed = policies.placement(site, section)
    assert placed.thresholds == general_thresholds()
    assert not placed.kid_zone


def test_a_wrong_general_file_leaves_the_shipped_thresholds_in_force(sites: Path) -> None:
    shipped = general_thresholds()
    (sites.parent / "general.yaml").write_text("thresholds: 1\n", "utf-8")
    assert policies.placement("gone", "talk").thresholds == shipped


def test_an_edited_policy_takes_effect_after_a_moment(sites: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert policies.site_title("mumian") == "木棉论坛"
    (sites / "mumian.yaml").write_text(SITE.replace("木棉论坛", "新木棉"), "utf-8")
    assert policies.site_title("mumian") == "木棉论坛"
    monkeypatch.setattr(policies, "KEPT_SECONDS", 0.0)
    policies.forget()
    assert policies.site_title("mumian") == "新木棉"


def test_titles_fall_back_to_names(sites: Path) -> None:
    assert policies.section_title("mumian", "kids") == "少年版"
    assert policies.class_title("forum_qa") != "forum_qa"
    assert policies.site_title("gone") == "gone"
    assert policies.section_title("mumian", "gone") == "gone"
    assert policies.section_title("gone", "gone") == "gone"
    assert policies.class_title("gone") == "gone"


def test_a_fitting_capture_has_no_problem(sites: Path) -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"site": "nowhere"}, ("site", "nowhere")),
        ({"section": "attic"}, ("section", "attic")),
        ({"platform_class": "game"}, ("platform_class", "game")),
    ],
)
def test_what_does_not_fit_is_named(sites: Path, values: dict[str, str], problem: tuple[str, str]) -> None:
    assert found(**values) == [problem]


def test_a_problem_says_what_is_allowed(sites: Path) -> None:
    (section,) = intake.check_against_policy(make_capture(site="mumian", section="attic"))
    assert str(section) == "section: found 'attic'; allowed: talk, kids"
    (wrong,) = intake.check_against_policy(make_capture(site="broken"))
    assert "config check broken" in wrong.allowed
    (unknown,) = intake.check_against_policy(make_capture(site="nowhere"))
    assert "mumian" in unknown.allowed


def test_a_path_is_no_site(sites: Path) -> None:
    assert policies.effective(str(sites / "mumian.yaml")) is None
