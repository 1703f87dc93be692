"""`Signature`: by what a case is found again when a copy of it arrives."""

from __future__ import annotations

from django.db import models

from casework.models.case import Case


class Signature(models.Model):
    """Digest and band keys of one case that is no copy. Written with the case, found by index.

    A band key is 64 bits of a keyed digest over a few minima of hashed character pairs (`casework.likeness`): without
    the key no text can be tried against it. It goes with the text: a purged case keeps its digest alone. A
    restricted case never has band keys, and its digest is the SHA-256 of its text, which it holds anyway.
    """

    case = models.OneToOneField(Case, primary_key=True, on_delete=models.CASCADE, related_name="signature")
    digest = models.CharField(max_length=64, db_comment="keyed digest of the normal form")
    band_0 = models.BigIntegerField(null=True, db_index=True)
    band_1 = models.BigIntegerField(null=True, db_index=True)
    band_2 = models.BigIntegerField(null=True, db_index=True)
    band_3 = models.BigIntegerField(null=True, db_index=True)
    band_4 = models.BigIntegerField(null=True, db_index=True)
    band_5 = models.BigIntegerField(null=True, db_index=True)
    band_6 = models.BigIntegerField(null=True, db_index=True)
    band_7 = models.BigIntegerField(null=True, db_index=True)
    band_8 = models.BigIntegerField(null=True, db_index=True)
    band_9 = models.BigIntegerField(null=True, db_index=True)
    band_10 = models.BigIntegerField(null=True, db_index=True)
    band_11 = models.BigIntegerField(null=True, db_index=True)

    class Meta:
        db_table_comment = "by what copies of a case are found"
        indexes = [models.Index(fields=["digest"], name="signature_digest")]
