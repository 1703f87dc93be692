"""`User`: a person who works here. Nobody who is read about has a row anywhere."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class Role(models.TextChoices):
    """What a person does here; decides what they see and may do (`casework.roles`)."""

    REVIEWER = "reviewer", "审核员"
    VOLUNTEER = "volunteer", "银发啄木鸟志愿者"
    LIAISON = "liaison", "平台联络员"
    LEAD = "lead", "组长"
    DUTY = "duty", "专班值守"
    ADMIN = "admin", "管理员"


class User(AbstractUser):
    """An account with one role. On lists and in the audit log a person appears as `staff_no`, not by name."""

    role = models.CharField(max_length=16, choices=Role, db_comment="what this person does here")
    staff_no = models.CharField(max_length=16, unique=True, db_comment="工号, printed on lists and in the audit log")

    class Meta:
        db_table = "casework_user"
        db_table_comment = "people who work here"

    def __str__(self) -> str:
        return self.staff_no
