"""`Case`: a hit that humans work on."""

from __future__ import annotations

from django.db import models


class CaseState(models.TextChoices):
    """Where a case stands. `casework.transitions` says what may follow what."""

    OPEN = "open", "待审核"
    SECOND = "second", "待二次确认"
    ESCALATED = "escalated", "已上报"
    CONFIRMED = "confirmed", "已确认"
    DISMISSED = "dismissed", "已排除"
    OUT_OF_SCOPE = "out_of_scope", "超出范围"
    POLICE = "police", "已转公安"


UNDECIDED = (CaseState.OPEN, CaseState.SECOND, CaseState.ESCALATED)
"""States in which a person has still to decide."""


class Case(models.Model):
    """A hit, its assessment and what has become of it.

    A `restricted` case (sexual_exploitation: 未成年人保护法 Art 52, 未成年人网络保护条例 Art 22¶2) holds no text,
    no spans and no other score: URL, time, digest, category and score only, for duty staff.
    """

    capture_id = models.CharField(max_length=128, unique=True, db_comment="digest of site, URL, unit and text")
    version = models.PositiveIntegerField(
        default=1, db_comment="grows with every change; external version of the index"
    )
    state = models.CharField(max_length=16, choices=CaseState, default=CaseState.OPEN)

    site = models.CharField(max_length=63)
    platform_class = models.CharField(max_length=63)
    section = models.CharField(max_length=63)
    kid_zone = models.BooleanField(default=False)
    prominent = models.BooleanField(default=False)
    url = models.CharField(max_length=2000)
    canonical_url = models.CharField(max_length=2000)
    sealed_url = models.TextField(
        blank=True, default="", db_comment="the address as it is, sealed, where personal data in url was masked"
    )
    unit = models.CharField(max_length=300, db_comment="the site's own key of the post")
    kind = models.CharField(max_length=16)
    thread = models.CharField(max_length=300, null=True)
    position = models.PositiveIntegerField(null=True)
    flags = models.JSONField(default=list)
    method = models.CharField(max_length=63, db_comment="how it was sampled")
    inclusion_probability = models.FloatField(null=True)
    basis = models.CharField(max_length=16, db_comment="permission under which it was read")
    crawler = models.CharField(max_length=100, db_comment="tool and version that read it")
    evidence = models.CharField(max_length=300, null=True)
    published_at = models.DateTimeField(null=True)
    captured_at = models.DateTimeField()

    text = models.TextField(blank=True, db_comment="redacted text; always empty when restricted or purged")
    folded = models.TextField(blank=True, db_comment="text folded for search, same length, code point by code point")
    text_sha256 = models.CharField(max_length=64)
    redactions = models.JSONField(default=list)

    category = models.CharField(max_length=32, db_comment="primary category: the gravest, then the highest score")
    categories = models.JSONField(default=list, db_comment="every flagged category, gravest first")
    severity = models.CharField(max_length=2, db_comment="S0 gravest … S3")
    grade = models.CharField(max_length=16, db_comment="illegal, bad or may_affect")
    score = models.FloatField(db_comment="score of the primary category, 0 to 1")
    scores = models.JSONField(default=dict)
    spans = models.JSONField(default=list)
    undone = models.JSONField(default=list)
    model_version = models.CharField(max_length=64)
    policy_digest = models.CharField(max_length=64, db_comment="SHA-256 of the policy that flagged it")
    audit_sample = models.BooleanField(default=False, db_comment="taken from below the threshold to measure misses")
    restricted = models.BooleanField(default=False, db_comment="sexual_exploitation: no text, duty staff only")

    received_at = models.DateTimeField(null=True, db_comment="when its capture came into the inbox")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    due_at = models.DateTimeField(null=True, db_comment="by when somebody here should act; null: nobody has to")
    below_at = models.DateTimeField(
        null=True, db_comment="when another model put it below every threshold; a person decides all the same"
    )
    purge_after = models.DateTimeField(null=True, db_comment="when an out-of-scope case loses its text")
    purged_at = models.DateTimeField(null=True)
    edited_at = models.DateTimeField(null=True, db_comment="when a crawl found another text in its place")
    gone_at = models.DateTimeField(null=True, db_comment="when a crawl found that it no longer stands there")

    copy_of = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="copies",
        db_index=False,  # `case_copies` instead
        db_comment="the case that this one is a copy of and whose decision it shares; null: a case of its own",
    )
    likeness = models.FloatField(null=True, db_comment="of a copy: Jaccard index of character pairs; 1: equal")
    split_from = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="+", db_comment="the case it was split off from"
    )

    class Meta:
        db_table_comment = "hits that humans work on"
        indexes = [
            models.Index(fields=["state", "severity", "-score", "id"], name="case_urgency"),
            models.Index(fields=["state", "-created_at"], name="case_recent"),
            models.Index(fields=["site", "thread", "position"], name="case_thread"),
            # Everything that facets count by: read alone, without the rows and their texts. That copies are left out
            # is said twice, since SQLite would look at each row to see it.
            models.Index(
                fields=[
                    *("state", "severity", "platform_class", "site", "section", "categories"),
                    *("restricted", "kid_zone", "copy_of"),
                ],
                name="case_counted",
                condition=models.Q(copy_of__isnull=True),
            ),
            models.Index(
                fields=["severity", "-score", "id"], name="case_gravest", condition=models.Q(copy_of__isnull=True)
            ),
            models.Index(fields=["-created_at", "-id"], name="case_newest", condition=models.Q(copy_of__isnull=True)),
            # Most cases are no copies. An index that held them too would look to SQLite as if every case had thousands
            # of copies, which it would then rather find by reading the whole table.
            models.Index(fields=["copy_of", "-id"], name="case_copies", condition=models.Q(copy_of__isnull=False)),
            models.Index(fields=["site", "state"], name="case_site"),
            models.Index(fields=["category", "state"], name="case_category"),
            # What a new model still has to assess again: found by index, nothing once all is done.
            models.Index(
                fields=["state", "model_version", "id"],
                name="case_assessed_by",
                condition=models.Q(copy_of__isnull=True),
            ),
            models.Index(fields=["due_at"], name="case_due", condition=models.Q(due_at__isnull=False)),
            models.Index(fields=["purge_after"], name="case_purge", condition=models.Q(purge_after__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                name="restricted_holds_no_text",
                condition=models.Q(restricted=False) | models.Q(text="", folded=""),
            )
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """The number by which people name a case, e.g. `A-000123`."""
        return f"A-{self.pk:06d}"
