"""Marks for what is put before people although its score is too low for the model to say where it lies.

The audit sample has to look like the hits, whose marks say what is masked and underlined; so it gets marks of the
category it was taken for. A hit gets them too where a policy's threshold, or a new model's score, lies that low.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from casework import hits
from classifiers.assessment import Assessment, Assessor


def marked(
    assessor: Assessor,
    texts: Sequence[str],
    assessments: Sequence[Assessment],
    categories: Sequence[Collection[str]],
) -> list[Assessment]:
    """Return the assessments with spans added for those of a text's categories that have none.

    Args:
        assessor: who made them.
        texts, assessments: what was assessed, and what was said of it.
        categories: under which each text is or becomes a case; empty where nobody looks at it.
    """
    found = list(assessments)
    missing = {
        number: slugs
        for number, wanted in enumerate(categories)
        if wanted and hits.RESTRICTED not in wanted and texts[number] and (slugs := _without(wanted, found[number]))
    }
    pointed = assessor.point([texts[number] for number in missing], list(missing.values())) if missing else []
    for number, spans in zip(missing, pointed, strict=True):
        both = sorted((*found[number].spans, *spans), key=lambda span: (span.start, span.end))
        found[number] = found[number].model_copy(update={"spans": tuple(both)})
    return found


def _without(categories: Collection[str], assessment: Assessment) -> list[str]:
    spoken = {span.slug for span in assessment.spans}
    return [slug for slug in categories if slug not in spoken]
