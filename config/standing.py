"""Policy files that hold for more than one site: how work is divided, the general thresholds, the platform classes.

Each is told by its place in the policy folder, its *subject*: `work.yaml`, `general.yaml`, `classes/forum_qa.yaml`. A
site's subject is its name.
"""

from __future__ import annotations

from pathlib import Path

from config.documents import HERE, Strict
from config.layers import read_layer
from config.policy import GENERAL, read_general
from config.settings import get_settings
from config.site_policy import PlatformClass, SitePolicy
from config.thresholds import GeneralPolicy
from config.work import FILE as WORK
from config.work import Work, load_work

Standing = Work | GeneralPolicy
"""What such a file holds; a platform class is a general policy with more to it."""


def subject_of(policy: Strict) -> str:
    """Return under which name a policy is on record.

    Raises:
        TypeError: it is no policy of a file of its own.
    """
    match policy:
        case SitePolicy():
            return policy.name
        case PlatformClass():
            return f"classes/{policy.slug}.yaml"
        case GeneralPolicy():
            return GENERAL
        case Work():
            return WORK
    raise TypeError(f"{type(policy).__name__} has no file of its own")


def is_site(subject: str) -> bool:
    """Whether a subject is a site's name, which has neither dot nor slash."""
    return "." not in subject and "/" not in subject


def kind_of(subject: str) -> type[SitePolicy | Work | GeneralPolicy] | None:
    """Return what the file of a subject holds; None where it is none that is put in force as one file."""
    if is_site(subject):
        return SitePolicy
    if subject.startswith("classes/"):
        return PlatformClass
    if subject == WORK:
        return Work
    return GeneralPolicy if subject == GENERAL else None


def place_of(subject: str) -> str:
    """Return the place of a subject's file in the policy folder."""
    return f"sites/{subject}.yaml" if is_site(subject) else subject


def file_of(subject: str) -> Path:
    """Return the file that holds for a subject here: this installation's, or the shipped one."""
    own = get_settings().policy_dir
    return own / subject if own is not None and (own / subject).is_file() else HERE / subject


def is_shipped(subject: str) -> bool:
    """Whether this installation has no such file of its own."""
    return file_of(subject).is_relative_to(HERE)


def load_standing(file: Path) -> Standing | None:
    """Return what a file says that is not in force yet, told by its keys; None where it is a site's.

    Raises:
        PolicyError: it is wrong; says everything that is wrong.
    """
    keys = set(read_layer(file).values)
    if keys & set(Work.model_fields):
        return load_work(file)
    if "slug" in keys:
        return read_general(PlatformClass, file)
    if keys and keys <= set(GeneralPolicy.model_fields):
        return read_general(GeneralPolicy, file)
    return None
