"""Signatures in the database: found by index in one look-up per batch, however many there are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from casework import bulk, likeness
from casework.likeness import BandKeys
from casework.models import Case, Signature

_BANDS = tuple(f"band_{number}" for number in range(likeness.BANDS))
CANDIDATES = 20
"""Cases that one text is compared with, those that agree on most bands first: bounds the work of one text."""


@dataclass(frozen=True)
class Sign:
    """By what one case is found: the digest of its normal form, and its band keys where it may have near copies.

    `raw` is the SHA-256 of the text as it stands, by which a restricted case is known. `former` are digest and band
    keys as they would have been under each of the secret keys of before: cases of their time are found by them, none
    is signed with them any more.
    """

    form: str
    digest: str
    raw: str
    keys: BandKeys | None
    former: tuple[tuple[str, BandKeys | None], ...] = ()

    def digests(self) -> set[str]:
        """Return every digest by which an exact copy may be known."""
        return {self.digest, self.raw, *(digest for digest, _ in self.former if digest)}


def signs(cases: Sequence[Case]) -> list[Sign]:
    """Return the sign of each case; of a restricted one nothing but the digest that it holds anyway."""
    forms = ["" if case.restricted else likeness.normal_form(case.folded, case.undone) for case in cases]
    keys = likeness.band_keys(forms)
    former = _former(forms)
    return [
        Sign(form, likeness.digest(form) if form else case.text_sha256, case.text_sha256, key, before)
        for case, form, key, before in zip(cases, forms, keys, former, strict=True)
    ]


def _former(forms: Sequence[str]) -> list[tuple[tuple[str, BandKeys | None], ...]]:
    """Return for each form its digest and band keys under each secret of before; a restricted case has no form."""
    signed: list[list[tuple[str, BandKeys | None]]] = [[] for _ in forms]
    for secret in likeness.former_keys():
        for one, form, keys in zip(signed, forms, likeness.band_keys(forms, secret), strict=True):
            one.append((likeness.digest(form, secret) if form else "", keys))
    return [tuple(one) for one in signed]


def candidates(wanted: Sequence[Sign]) -> list[tuple[set[int], list[int]]]:
    """Return for each sign the ids of the cases with its digest, and of those that share a band with it.

    The caller holds a transaction.
    """
    exact: dict[str, set[int]] = defaultdict(set)
    digests = sorted({digest for one in wanted for digest in one.digests()})
    table = connection.ops.quote_name(Signature._meta.db_table)
    with connection.cursor() as cursor:
        for start in range(0, len(digests), bulk.ROWS):
            asked, values = bulk.among("digest", "text", digests[start : start + bulk.ROWS])
            cursor.execute(f"SELECT digest, case_id FROM {table} WHERE {asked}", values)  # noqa: S608
            for digest, case_id in cursor.fetchall():
                exact[digest].add(case_id)
    near = _sharing([[one.keys, *(keys for _, keys in one.former)] for one in wanted])
    found = [set().union(*(exact[digest] for digest in one.digests())) for one in wanted]
    return list(zip(found, near, strict=True))


def _sharing(keys: Sequence[Sequence[BandKeys | None]]) -> list[list[int]]:
    """Return for each text, signed with one secret or several, the cases that agree with it on a band; best first."""
    holders: dict[tuple[int, int], list[int]] = defaultdict(list)
    for signed in zip(*keys, strict=True):  # a statement for each secret: SQLite takes so many values at once
        if given := [key for key in signed if key is not None]:
            _gather(given, holders)
    return [_most_shared(signed, holders) for signed in keys]


def _gather(given: Sequence[BandKeys], holders: dict[tuple[int, int], list[int]]) -> None:
    """Add to each band and value the cases that have it."""
    table = connection.ops.quote_name(Signature._meta.db_table)
    parts: list[str] = []
    values: list[Any] = []
    for number, band in enumerate(_BANDS):
        asked, wanted = bulk.among(band, "bigint", list({key[number] for key in given}))
        parts.append(f"SELECT {number}, {band}, case_id FROM {table} WHERE {asked}")  # noqa: S608
        values += wanted
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Twelve short index scans: starting processes for them would take a hundred times as long.
            cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        cursor.execute(" UNION ALL ".join(parts), values)
        for number, value, case_id in cursor.fetchall():
            holders[number, value].append(case_id)


def _most_shared(keys: Sequence[BandKeys | None], holders: Mapping[tuple[int, int], Sequence[int]]) -> list[int]:
    shared = Counter(case_id for key in keys for band in enumerate(key or ()) for case_id in holders.get(band, ()))
    return [case_id for case_id, _ in shared.most_common(CANDIDATES)]


def remember(signed: Iterable[tuple[int, Sign]]) -> None:
    """Write the signatures of cases (id, sign), in the running transaction; one that is there already stays."""
    rows = [(case_id, one.digest, *(one.keys or (None,) * likeness.BANDS)) for case_id, one in signed]
    bulk.insert(Signature, ("case_id", "digest", *_BANDS), rows, on_conflict="(case_id) DO NOTHING")


def forget(case_ids: Iterable[int]) -> None:
    """Take the signatures of these cases altogether; nothing is found to be a copy of them any more."""
    Signature.objects.filter(case__in=case_ids).delete()


def forget_text(case_ids: Iterable[int]) -> None:
    """Take away what was derived from the text of these cases, save the digest by which exact copies are known."""
    Signature.objects.filter(case_id__in=list(case_ids)).update(**dict.fromkeys(_BANDS))


def restrict(case: Case) -> None:
    """Leave of a case that has become restricted the digest alone that it holds anyway."""
    Signature.objects.filter(case=case).update(digest=case.text_sha256, **dict.fromkeys(_BANDS))
