"""Hits: which capture becomes a case, how grave it is, and what of it may be kept."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

from casework.folding import fold
from casework.models import UNDECIDED, Case
from casework.policies import Placement
from classifiers.assessment import Assessment
from config.settings import get_settings
from config.taxonomy import load_taxonomy
from crawlers.capture import Capture

RESTRICTED = "sexual_exploitation"
"""未成年人保护法 Art 52 and 未成年人网络保护条例 Art 22¶2 forbid holding such information: no text is ever kept."""
SELF_HARM = "self_harm"
IMMINENT_RULE = "rule:self_harm.imminent"
"""Reason of a span that makes self_harm imminent, and with it S0."""
KID_ZONE, PROMINENT, MINOR_AUTHOR = "kid_zone", "prominent", "minor_author"


def case_of(capture: Capture, assessment: Assessment, placement: Placement) -> Case | None:
    """Return the case that this capture becomes, not yet saved; None when nobody needs to look.

    A capture becomes a case when a score reaches its threshold, or when it falls into the audit sample.
    """
    flagged, sampled = chosen(capture.id, assessment, placement.thresholds)
    if not flagged:
        return None
    case = _kept_always(capture, placement)
    case.redactions = [redaction.model_dump(exclude_none=True) for redaction in capture.redactions]
    case.text, case.folded = capture.text, fold(capture.text)
    case.thread, case.position = capture.thread, capture.position
    case.flags, case.evidence, case.audit_sample = list(capture.flags), capture.evidence, sampled
    return judge(case, assessment, flagged)


def chosen(capture_id: str, assessment: Assessment, thresholds: Mapping[str, float]) -> tuple[list[str], bool]:
    """Return under which categories a capture becomes a case, and whether only as an audit sample: then its likeliest.

    None when nobody needs to look. What comes nearest to sexual_exploitation is never sampled.
    """
    flagged = assessment.flagged(thresholds)
    if flagged or not _in_audit_sample(capture_id):
        return flagged, False
    likeliest = max(assessment.scores, key=lambda slug: (assessment.scores[slug], slug))
    return ([likeliest], True) if likeliest != RESTRICTED else ([], False)


def judge(case: Case, assessment: Assessment, flagged: Collection[str]) -> Case:
    """Give the case what a model says of its text, and its place among the categories flagged. Saves nothing.

    A case for which sexual_exploitation is flagged is stripped of its text at once. One for which nothing is flagged
    keeps its categories, and the severity that they gave it: a score takes nobody's attention away.
    """
    case.model_version = assessment.model
    case.scores = dict(assessment.scores)
    if RESTRICTED in flagged:
        settle(restrict(case), RESTRICTED, (RESTRICTED,))
        return case
    case.spans = [span.model_dump() for span in assessment.spans]
    case.undone = [undone.model_dump() for undone in assessment.undone]
    gravest_first = sorted(flagged, key=lambda slug: (severity_of(slug, case), -case.scores[slug], slug))
    if gravest_first:
        settle(case, gravest_first[0], gravest_first)
    else:
        severity = case.severity
        settle(case, case.category, grade=case.grade)
        case.severity = severity
    return case


def settle(case: Case, category: str, categories: Iterable[str] | None = None, grade: str = "") -> None:
    """Give the case its primary category, and with it severity, grade and score.

    An audit sample that nobody has decided gets a drawn score: it is for ordering alone, and the true one, with the
    others in `scores`, is shown once it is decided.

    Args:
        categories: every flagged category, gravest first; None keeps those it has.
        grade: one of the category's grades; empty takes the one that the taxonomy names first.

    Raises:
        KeyError: no such category.
    """
    known = load_taxonomy().categories[category]
    case.category = category
    if categories is not None:
        case.categories = list(categories)
    case.severity = severity_of(category, case)
    case.grade = grade or str(known.grades[0])
    unseen = case.audit_sample and case.state in UNDECIDED
    case.score = _place(case.capture_id) if unseen else float(case.scores.get(category, 0.0))


def _place(capture_id: str) -> float:
    """Draw where an undecided audit sample stands among the hits, so that its place in a queue does not mark it."""
    return 0.5 + int.from_bytes(hashlib.sha256(f"place:{capture_id}".encode()).digest()[:4], "big") / 2**33


def severity_of(category: str, case: Case) -> str:
    """Return S0 … S3 for a category of this case.

    A category with a range (S1–S2) takes the lighter end, in a children's section the graver one. self_harm is S0
    only where a rule saw that it is imminent, else S1.
    """
    graver, lighter = severities_of(category)
    if category == SELF_HARM:
        return graver if imminent(case.spans) else lighter
    return graver if case.kid_zone else lighter


@cache
def severities_of(category: str) -> tuple[str, str]:
    """Return the graver and the lighter end of a category's severities."""
    severities = sorted(str(one) for one in load_taxonomy().categories[category].severities)
    return severities[0], severities[-1]


def imminent(spans: Iterable[Mapping[str, Any]]) -> bool:
    """Say whether a rule saw imminent self-harm."""
    return any(str(span["reason"]).startswith(IMMINENT_RULE) for span in spans)


def restrict(case: Case) -> Case:
    """Strip the case of all that may not be held; URL, time, digest, category and score stay. Saves nothing."""
    case.restricted, case.audit_sample = True, False
    case.text = case.folded = ""
    case.spans, case.undone, case.redactions, case.flags = [], [], [], []
    case.thread = case.position = case.evidence = None
    case.categories = [RESTRICTED]
    case.scores = {slug: score for slug, score in case.scores.items() if slug == RESTRICTED}
    return case


def _kept_always(capture: Capture, placement: Placement) -> Case:
    return Case(
        capture_id=capture.id,
        site=capture.site,
        platform_class=capture.platform_class,
        section=capture.section,
        kid_zone=placement.kid_zone or KID_ZONE in capture.flags,
        prominent=placement.prominent or PROMINENT in capture.flags,
        url=capture.url,
        canonical_url=capture.canonical_url,
        sealed_url=capture.sealed_url or "",
        unit=capture.unit,
        kind=capture.kind,
        method=capture.method,
        inclusion_probability=capture.inclusion_probability,
        basis=capture.basis,
        crawler=capture.crawler,
        published_at=capture.published_at,
        captured_at=capture.captured_at,
        text_sha256=hashlib.sha256(capture.text.encode("utf-8")).hexdigest(),
        policy_digest=placement.digest,
    )


def _in_audit_sample(capture_id: str) -> bool:
    """Choose by the id alone, so that a killed and repeated batch chooses the same captures again."""
    drawn = int.from_bytes(hashlib.sha256(f"audit-sample:{capture_id}".encode()).digest()[:8], "big")
    return drawn < get_settings().audit_rate * 2**64
