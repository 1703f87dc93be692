"""The nouns of casework, one file each."""

from casework.models.activation import PolicyActivation
from casework.models.annotation import Annotation, Answer, Assignment
from casework.models.audit import AuditEntry
from casework.models.case import UNDECIDED, Case, CaseState
from casework.models.chain import ChainHead
from casework.models.claim import Claim
from casework.models.count import DailyCount, ScoreCount
from casework.models.dead_letter import DeadLetter, Stage
from casework.models.decision import Addressee, Decision, Finding
from casework.models.evidence import EvidenceRecord
from casework.models.heartbeat import Heartbeat
from casework.models.inbox import Batch, InboxItem, SeenCapture
from casework.models.notice import Instrument, Notice, NoticeLine, NoticeState
from casework.models.outbox import Outbox, Visible
from casework.models.reassessment import PastAssessment, Reassessment
from casework.models.sample import SampleCount
from casework.models.saved_search import SavedSearch
from casework.models.signature import Signature
from casework.models.switch import Switch
from casework.models.user import Role, User

__all__ = [
    "UNDECIDED",
    "Addressee",
    "Annotation",
    "Answer",
    "Assignment",
    "AuditEntry",
    "Batch",
    "Case",
    "CaseState",
    "ChainHead",
    "Claim",
    "DailyCount",
    "DeadLetter",
    "Decision",
    "EvidenceRecord",
    "Finding",
    "Heartbeat",
    "InboxItem",
    "Instrument",
    "Notice",
    "NoticeLine",
    "NoticeState",
    "Outbox",
    "PastAssessment",
    "PolicyActivation",
    "Reassessment",
    "Role",
    "SampleCount",
    "SavedSearch",
    "ScoreCount",
    "SeenCapture",
    "Signature",
    "Stage",
    "Switch",
    "User",
    "Visible",
]
