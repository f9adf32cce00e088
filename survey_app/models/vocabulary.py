"""Closed vocabularies: every status, kind, role and channel that a table stores, each once."""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What an account is for."""

    CITY = "city"
    DISTRICT = "district"
    EVALUATOR = "evaluator"
    COMPANY = "company"
    CLERK = "clerk"
    ADMINISTRATOR = "administrator"


class Area(StrEnum):
    """What part of the city an account is bound to."""

    CITY = "city"
    DISTRICT = "district"
    SUBDISTRICT = "subdistrict"
    NEIGHBOURHOOD = "neighbourhood"
    COMPANY = "company"
    # One community, or a list of them.
    COMMUNITY = "community"
    # An administrator looks after accounts and sees no community.
    NOWHERE = "nowhere"


AREAS_OF_ROLE: Mapping[Role, frozenset[Area]] = MappingProxyType(
    {
        Role.CITY: frozenset({Area.CITY}),
        Role.DISTRICT: frozenset({Area.DISTRICT}),
        Role.EVALUATOR: frozenset({Area.CITY}),
        Role.COMPANY: frozenset({Area.COMPANY}),
        # Of a subdistrict office, a residents' committee or an association: the whole district, a part of it, or the
        # communities that are named one by one.
        Role.CLERK: frozenset({Area.DISTRICT, Area.SUBDISTRICT, Area.NEIGHBOURHOOD, Area.COMMUNITY}),
        Role.ADMINISTRATOR: frozenset({Area.NOWHERE}),
    }
)

# Nobody resets an account of these roles alone: an administrator asks, another account of these roles confirms.
SECOND_PERSON_ROLES = frozenset({Role.CITY, Role.ADMINISTRATOR})


class CodeKind(StrEnum):
    """Through what a resident came: one poster for everybody, or the slip of a household."""

    POSTER = "poster"
    HOUSEHOLD = "household"


class Revocation(StrEnum):
    """Why a slip takes no more answers."""

    SPOILED = "spoiled"  # misprinted, torn, handed out in the wrong community
    RETURNED = "returned"  # nobody took it, and it is back at the office
    LOST = "lost"  # its digits are known, such as from a photograph, and a new slip stands for it


class Mode(StrEnum):
    """How answers reached the site."""

    WEB = "web"
    PAPER = "paper"
    TELEPHONE = "telephone"


# The names are those of `analytics.decision.survey_modes.STAFF_ENTERED_MODES`.
STAFF_ENTERED_MODES = (Mode.PAPER, Mode.TELEPHONE)


class Tenure(IntEnum):
    """How a respondent holds the home: the codes of the tenure question in every questionnaire."""

    OWNER = 1
    TENANT = 2
    OTHER = 3


class ResponseStatus(StrEnum):
    """What became of a response; each is in exactly one of these. Derived when it is asked for, never stored."""

    COUNTED = "counted"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    EXCLUDED = "excluded"
    ERASED = "erased"


class SupersededWithin(StrEnum):
    """Among which answers of its household a response is not the newest: a mark that outlives the link to it."""

    TENURE = "tenure"  # those under the same tenure, so that it is replaced whoever is ranked
    HOUSEHOLD = "household"  # only those under another tenure


class ResponseEventKind(StrEnum):
    """What can happen to a stored response."""

    WITHDRAWN = "withdrawn"
    CORRECTED = "corrected"
    # After the close: what was counted until then stays counted.
    ERASED = "erased"


class ResponseActor(StrEnum):
    """Who withdraws or corrects a response."""

    RESIDENT = "resident"
    STAFF = "staff"


class ResponseChangeReason(StrEnum):
    """Why answers were withdrawn or corrected."""

    WRONG_COMMUNITY = "wrong_community"
    NOT_MINE = "not_mine"
    CHANGED_MIND = "changed_mind"
    TYPING_ERROR = "typing_error"
    OTHER = "other"


class Tally(StrEnum):
    """What is counted of a round while answers come in."""

    # All that came, whatever became of it: in all, by local day, by local hour, and by mode.
    RECEIVED = "received"
    DAY = "day"
    HOUR = "hour"
    MODE = "mode"
    # One for each household that has answered, and one for each response without a slip, unless withdrawn or corrected.
    STANDING = "standing"
    # The households among them.
    HOUSEHOLD = "household"
    # What came through each poster or code of a helper and was not withdrawn.
    CODE = "code"


class ReviewState(StrEnum):
    """Where the review of a response stands."""

    HELD = "held"
    RELEASED = "released"
    EXCLUDED = "excluded"


class StandingStatus(StrEnum):
    """Whether a community meets a criterion; the names are those of `analytics.decision.summary.STATUSES`."""

    MET = "met"
    NOT_MET = "not_met"
    NOT_ASSESSED = "not_assessed"
    NOT_APPLICABLE = "not_applicable"


class CaseKind(StrEnum):
    """What a resident wants; repair requests and enquiries do not count in the complaint rate."""

    COMPLAINT = "complaint"
    REPAIR = "repair"
    ENQUIRY = "enquiry"


class Channel(StrEnum):
    """By which way a complaint came; the names are those of `analytics.statistics.complaint_rates.CHANNELS`."""

    CODE = "code"
    WEB = "web"
    TELEPHONE = "telephone"
    VISIT = "visit"
    HOTLINE = "hotline"
    LETTER = "letter"
    OTHER = "other"


class CaseStatus(StrEnum):
    """Where a case stands."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    DISPATCHED = "dispatched"
    IN_PROGRESS = "in_progress"
    AWAITING_RESIDENT = "awaiting_resident"
    RESPONDED = "responded"
    REOPENED = "reopened"
    STAGE2 = "stage2"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    DUPLICATE = "duplicate_of"
    INVALID = "invalid"
    OUT_OF_SCOPE = "out_of_scope"


class CaseActor(StrEnum):
    """Who takes a step of a case; the system acts when a period is over."""

    RESIDENT = "resident"
    BUREAU = "bureau"
    COMPANY = "company"
    SYSTEM = "system"


class CaseAction(StrEnum):
    """One step of a case."""

    SUBMIT = "submit"
    ACCEPT = "accept"
    DISPATCH = "dispatch"
    START = "start"
    ASK_RESIDENT = "ask_resident"
    RESUME = "resume"
    RESPOND = "respond"
    ADD = "add"
    CONFIRM = "confirmed_fixed"
    PARTLY = "partly_fixed"
    REJECT = "rejected"
    AUTO_CLOSE = "auto_close"
    REOPEN = "reopen"
    ESCALATE = "escalate"
    WITHDRAW = "withdraw"
    PROPOSE = "propose"
    MERGE = "merge"
    INVALIDATE = "invalidate"
    REFUSE = "refuse"
    # Takes a merged case apart from the one that it was merged with.
    SPLIT = "split"
    # Gives the case to a person of the office.
    ASSIGN = "assign"
    # Gives it to another office, and back to the one from which it came (退单).
    TRANSFER = "transfer"
    RETURN = "return"
    EXTEND = "extend"
    # A higher office watches over it (督办).
    SUPERVISE = "supervise"
    # The office finds that an answer is not good enough (重办).
    REDO = "redo"
    NOTE = "note"
    # What a file of the hotline says of its own cases: that its steps follow, a time limit, that a case is closed; and
    # that the steps of the last file are taken back.
    FILE = "file"
    LIMIT = "limit"
    CLOSE = "close"
    RETRACT = "retract"


class CaseOffice(StrEnum):
    """Which of the offices that look after a community has its case; the names are those of `Area`."""

    CITY = "city"
    DISTRICT = "district"
    SUBDISTRICT = "subdistrict"
    NEIGHBOURHOOD = "neighbourhood"


class MatchStatus(StrEnum):
    """Whether a person found a case of the hotline and another one to be the same."""

    SUGGESTED = "suggested"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


class CaseEndReason(StrEnum):
    """Why the bureau ends a case, or the company proposes to."""

    SAME_CASE = "same_case"
    NOT_A_CASE = "not_a_case"
    OTHER_PLACE = "other_place"
    OTHER_AUTHORITY = "other_authority"
    PRIVATE_DISPUTE = "private_dispute"


class RecordedEnd(StrEnum):
    """How a case had come to its end before a call-back: by the resident's word, or without one."""

    CONFIRMED = "confirmed"
    SILENT = "silent"


class CallOutcome(StrEnum):
    """What came of a call-back; the names are those of `analytics.casework.call_backs.OUTCOMES`."""

    REACHED = "reached"
    # Reached, and not willing to answer.
    DECLINED = "declined"
    NOT_REACHED = "not_reached"


class Contacted(StrEnum):
    """Whether somebody contacted the resident about the case."""

    YES = "yes"
    NO = "no"
    UNSAID = "unsaid"


class Resolved(StrEnum):
    """Whether the matter is resolved, as the resident sees it."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"
    UNSAID = "unsaid"


class Satisfied(StrEnum):
    """Whether the resident is satisfied with how the case was handled."""

    YES = "yes"
    NO = "no"
    UNSAID = "unsaid"


class CallCorrection(StrEnum):
    """Why a result of a call-back takes the place of an earlier one."""

    MISTYPED = "mistyped"
    OTHER_PERSON = "other_person"  # somebody else had answered the call
    CALLED_AGAIN = "called_again"  # the resident called back, or said more later


class AppealDecision(StrEnum):
    """What was decided of an appeal against counting a case; one that is upheld leaves the case out."""

    UPHELD = "upheld"
    DISMISSED = "dismissed"


class ListStatus(StrEnum):
    """Where a kept list of communities stands on its way into the register."""

    # To be read and compared with the register by a job.
    SENT = "sent"
    # It has faults.
    REFUSED = "refused"
    # It has headers that have to be explained.
    ASKED = "asked"
    # What it would change is shown and waits to be confirmed.
    COMPARED = "compared"
    # To be stored by a job.
    CONFIRMED = "confirmed"
    IMPORTED = "imported"


class JobStatus(StrEnum):
    """Where a background job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class AttemptScope(StrEnum):
    """Whose failed tries a count adds up."""

    # One line of the network, or one account of staff, whatever it tries.
    LINE = "line"
    # All lines that share a network prefix.
    PREFIX = "prefix"
    # One line on one subject: what a success forgives.
    PAIR = "pair"
    # All strangers on one subject.
    SUBJECT = "subject"
    # All strangers, whatever they try.
    EVERYWHERE = "everywhere"
    # Whoever has proved before that the subject is theirs.
    PROVEN = "proven"


class AuditAction(StrEnum):
    """What was done, as an event of the audit chain says it."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    COMPLAINT_MOVED = "complaint_moved"
    SECRET_REISSUED = "secret_reissued"  # noqa: S105 (a name of what was done)
    CONTACT_ERASED = "contact_erased"
    CONTACT_SHOWN = "contact_shown"
    CALL_BACKS_DRAWN = "call_backs_drawn"
    CALL_BACK_RECORDED = "call_back_recorded"
    CALL_BACK_CORRECTED = "call_back_corrected"
    AUTHENTICATOR_LINKED = "authenticator_linked"
    PASSWORD_SET = "password_set"  # noqa: S105 (what was done, not a password)
    RECOVERY_CODES_RENEWED = "recovery_codes_renewed"
    SESSIONS_ENDED = "sessions_ended"
    KEY_REPLACED = "key_replaced"
    ACCOUNT_ADDED = "account_added"
    ACCOUNT_PLACED = "account_placed"
    ACCOUNT_RESET = "account_reset"
    RESET_REQUESTED = "reset_requested"
    RESET_DECLINED = "reset_declined"
    ACCOUNT_DISABLED = "account_disabled"
    ACCOUNT_ENABLED = "account_enabled"
    QUESTIONNAIRE_PUBLISHED = "questionnaire_published"
    RULES_ADDED = "rules_added"
    CASEWORK_FILE_PUBLISHED = "casework_file_published"
    CALENDAR_PUBLISHED = "calendar_published"
    ROUND_CREATED = "round_created"
    ROUND_CLOSED_EARLY = "round_closed_early"
    ROUND_MOVED = "round_moved"
    ROUND_DROPPED = "round_dropped"
    COMMUNITIES_IMPORTED = "communities_imported"
    CONTRACT_RECORDED = "contract_recorded"
    CONTRACT_WITHDRAWN = "contract_withdrawn"
    COMPANY_CHANGED = "company_changed"
    COMMUNITY_ALIAS_SET = "community_alias_set"
    HOTLINE_IMPORTED = "hotline_imported"
    HOTLINE_TAKEN_BACK = "hotline_taken_back"
    HOTLINE_MATCH_DECIDED = "hotline_match_decided"
    APPEAL_FILED = "appeal_filed"
    APPEAL_DECIDED = "appeal_decided"
    CODE_ISSUED = "code_issued"
    CODE_REVOKED = "code_revoked"
    POSTERS_PRINTED = "posters_printed"
    SLIPS_ISSUED = "slips_issued"
    EVALUATED = "evaluated"
    EVALUATION_PUBLISHED = "evaluation_published"
    EXPORTED = "exported"
    HELP_DECLARED = "help_declared"
    RESPONSE_ENTERED = "response_entered"
    RESPONSE_CORRECTED = "response_corrected"
    RESPONSE_WITHDRAWN = "response_withdrawn"
    RESPONSE_SHOWN = "response_shown"
    RESPONSE_ERASED = "response_erased"
    REVIEW_DECIDED = "review_decided"
    TERMINALS_ERASED = "terminals_erased"
    HOUSEHOLD_LINKS_REMOVED = "household_links_removed"
    COMMENTS_ERASED = "comments_erased"
    RESPONSES_ERASED = "responses_erased"
    EXAMINATIONS_ERASED = "examinations_erased"
    COMPLAINT_WORDS_ERASED = "complaint_words_erased"


# After which a name of a place, or the district or the company of a community, may be another one.
REGISTER_CHANGES = frozenset({AuditAction.COMMUNITIES_IMPORTED, AuditAction.COMPANY_CHANGED})
