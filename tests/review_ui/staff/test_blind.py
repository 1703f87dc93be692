"""An audit sample and a hit look alike, field by field, until somebody has decided.

The same text becomes a case twice, by the real model: as a hit where a site's policy asks for it at a low score, and as
an audit sample where it lies below every threshold.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest
from django.test import Client

import config.policy
from casework import decisions, exposure, hits, intake
from casework.models import Batch, Case, Role, User
from classifiers.cascade import load_cascade
from config.settings import get_settings
from tests.casework.factories import make_capture, make_user
from tests.review_ui.conftest import Enter
from tests.review_ui.pages import read
from workers import assessing

pytestmark = pytest.mark.django_db
SITE = """\
class: forum_qa
title: 木棉论坛
basis: {kind: owner, document: 站方书面同意}
sections: [{slug: talk, title: 闲聊}]
"""
STRICT = """\
overrides:
  - {category: gambling, value: 0.03, reason: 从严}
  - {category: addiction_bypass, value: 0.03, reason: 从严}
  - {category: minor_privacy, value: 0.03, reason: 从严}
"""
TEXTS = ("充了六块钱买了月卡，挺值的", "求保佑明天数学考试", "直播间刷了个小礼物")
"""Scores of .05 to .2: of none would the model say by itself where it lies."""
OWN = re.compile(r'A-\d{6}|/cases/\d+/|behind=\d+|value="\w{64}"|(lax|strict)site|thread/\d+|post-\d+')
"""What belongs to one case and tells nothing: its numbers and addresses."""


@pytest.fixture
def pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Case, Case]]:
    """Sample and hit of each text."""
    folder = tmp_path / "policies" / "sites"
    folder.mkdir(parents=True)
    (folder / "laxsite.yaml").write_text(SITE, "utf-8")
    (folder / "strictsite.yaml").write_text(SITE + STRICT, "utf-8")
    own = get_settings().model_copy(update={"policy_dir": folder.parent, "audit_rate": 1.0})
    monkeypatch.setattr(config.policy, "get_settings", lambda: own)
    monkeypatch.setattr(hits, "get_settings", lambda: own)
    intake.receive(
        make_capture(text, site=site, section="talk") for text in TEXTS for site in ("laxsite", "strictsite")
    )
    for batch in Batch.objects.all():
        assessing.run(batch.pk, load_cascade())
    found = [tuple(Case.objects.filter(text=text).order_by("-audit_sample")) for text in TEXTS]
    assert [[case.audit_sample for case in pair] for pair in found] == [[True, False]] * len(TEXTS)
    assert not Case.objects.exclude(copy_of=None).exists()
    return found  # type: ignore[return-value]


def bare(shown: str) -> str:
    """Return an answer without what belongs to one case; its form's token is random."""
    return OWN.sub("", shown)


def row(client: Client, case: Case) -> str:
    """Return a case's row of the queue."""
    rows = read(client.get("/queue/")).css("ol.cases > li").getall()
    return next(one for one in rows if case.number in one)


def page(client: Client, case: Case) -> str:
    return str(read(client.get(f"/cases/{case.pk}/")).css("main").get())


def revealed(client: Client, case: Case) -> str:
    return client.post(f"/cases/{case.pk}/reveal/", {"reason": "核对"}, headers={"HX-Request": "true"}).content.decode()


def test_what_a_reviewer_sees_of_them_is_the_same_field_by_field(pairs: list[tuple[Case, Case]]) -> None:
    user = make_user()
    own = {"id", "number", "site", "url", "unit"}
    for pair in pairs:
        views = [asdict(exposure.present(case, user)) for case in pair]
        shown = [{name: value for name, value in view.items() if name not in own} for view in views]
        assert shown[0] == shown[1]
        assert views[0]["masked"]


def test_queue_case_page_and_revealed_text_are_the_same(pairs: list[tuple[Case, Case]], enter: Enter) -> None:
    client = enter(Role.REVIEWER)
    for sample, hit in pairs:
        for look in (row, page, revealed):
            assert bare(look(client, sample)) == bare(look(client, hit))
        assert 'class="flag' in revealed(client, sample)
        assert "■" in row(client, sample)


def test_what_the_api_answers_is_the_same(pairs: list[tuple[Case, Case]], enter: Enter) -> None:
    client = enter(Role.REVIEWER)
    listed = {one["id"]: json.dumps(one) for one in client.get("/api/v1/cases").json()["items"]}
    for sample, hit in pairs:
        alone = [client.get(f"/api/v1/cases/{case.pk}").json() for case in (sample, hit)]
        for one in alone:
            assert json.dumps(one) == listed[one.pop("id")]
        assert bare(json.dumps(alone[0])) == bare(json.dumps(alone[1]))


def test_a_result_that_is_taken_out_has_the_same_columns_filled(pairs: list[tuple[Case, Case]], enter: Enter) -> None:
    lines = enter(Role.LEAD).post("/queue/export/", {"asked": ""}).content.decode("utf-8-sig").splitlines()
    for sample, hit in pairs:
        own = [bare(next(one for one in lines if case.number in one)) for case in (sample, hit)]
        assert own[0] == own[1]


def test_once_decided_it_is_told_which_was_the_sample(pairs: list[tuple[Case, Case]], enter: Enter) -> None:
    user: User = make_user()
    client = enter(user)
    for case in pairs[0]:
        decisions.decide(case.pk, user, "dismissed", expected_version=1)
    assert ["抽查" in page(client, case) for case in pairs[0]] == [True, False]
