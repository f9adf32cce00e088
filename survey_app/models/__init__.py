"""Tables of the database, by subject. Importing this package declares all of them."""

from survey_app.models.accounts import (
    Account,
    AccountCommunity,
    AccountSession,
    Installation,
    KeyCheck,
    RecoveryCode,
    ResetRequest,
)
from survey_app.models.appeals import ComplaintAppeal
from survey_app.models.attachments import Attachment, AttachmentSource, AttachmentThumbnail
from survey_app.models.attempts import AttemptCount, FailedSignIn
from survey_app.models.audit import AuditEvent, ErasureCount
from survey_app.models.call_backs import CallBack, CallBackResult, CallBackSample
from survey_app.models.collection import CollectionChange, CollectionTally
from survey_app.models.complaints import (
    CaseworkFile,
    Complaint,
    ComplaintAssignment,
    ComplaintContact,
    ComplaintEvent,
    ComplaintNote,
    ComplaintRelease,
    ComplaintSupport,
    WorkingCalendar,
)
from survey_app.models.evaluations import (
    CommunityProfile,
    Evaluation,
    EvaluationNumber,
    RegionProfile,
    Standing,
    StandingEvidence,
)
from survey_app.models.hotline import CommunityAlias, HotlineCase, HotlineChange, HotlineImport, HotlineMatch
from survey_app.models.jobs import Job
from survey_app.models.kept_files import KeptFile
from survey_app.models.network import NetworkKey
from survey_app.models.places import (
    ColumnHeader,
    Community,
    CommunityList,
    District,
    Neighbourhood,
    PropertyCompany,
    PropertyContract,
    Subdistrict,
)
from survey_app.models.publications import Publication
from survey_app.models.responses import (
    Code,
    DeclaredHelp,
    IntegrityExamination,
    Response,
    ResponseEvent,
    ResponseReview,
    SlipBatch,
)
from survey_app.models.rounds import Questionnaire, Round, RuleFile

__all__ = [
    "Account",
    "AccountCommunity",
    "AccountSession",
    "Attachment",
    "AttachmentSource",
    "AttachmentThumbnail",
    "AttemptCount",
    "AuditEvent",
    "CallBack",
    "CallBackResult",
    "CallBackSample",
    "CaseworkFile",
    "Code",
    "CollectionChange",
    "CollectionTally",
    "ColumnHeader",
    "Community",
    "CommunityAlias",
    "CommunityList",
    "CommunityProfile",
    "Complaint",
    "ComplaintAppeal",
    "ComplaintAssignment",
    "ComplaintContact",
    "ComplaintEvent",
    "ComplaintNote",
    "ComplaintRelease",
    "ComplaintSupport",
    "DeclaredHelp",
    "District",
    "ErasureCount",
    "Evaluation",
    "EvaluationNumber",
    "FailedSignIn",
    "HotlineCase",
    "HotlineChange",
    "HotlineImport",
    "HotlineMatch",
    "Installation",
    "IntegrityExamination",
    "Job",
    "KeptFile",
    "KeyCheck",
    "Neighbourhood",
    "NetworkKey",
    "PropertyCompany",
    "PropertyContract",
    "Publication",
    "Questionnaire",
    "RecoveryCode",
    "RegionProfile",
    "ResetRequest",
    "Response",
    "ResponseEvent",
    "ResponseReview",
    "Round",
    "RuleFile",
    "SlipBatch",
    "Standing",
    "StandingEvidence",
    "Subdistrict",
    "WorkingCalendar",
]
