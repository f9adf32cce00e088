"""Labels of the audit chain: what each fact is called, and what its value means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from types import MappingProxyType

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from survey_app.accounts.staff_pages import ROLE_NAMES
from survey_app.models.vocabulary import (
    AppealDecision,
    Area,
    CallCorrection,
    CallOutcome,
    CaseAction,
    CaseEndReason,
    CaseStatus,
    MatchStatus,
    Mode,
    ResponseChangeReason,
    ReviewState,
    Revocation,
    Role,
)
from survey_app.web.template_filters import local_date, local_minute

# Enough of a check code to compare by eye.
_SHORT_HASH = 12

FACT_NAMES: Mapping[str, LazyString] = MappingProxyType(
    {
        "added": _("added"),
        "alias": _("name at the hotline"),
        "address": _("check code of the site’s address"),
        "area": _("bound to"),
        "because": _("reason"),
        "begins_at": _("from"),
        "changed": _("changed"),
        "call_back": _("call-back no."),
        "closes_at": _("closes at"),
        "community": _("community no."),
        "company": _("property company"),
        "cases": _("complaints"),
        "count": _("number"),
        "ended": _("ended"),
        "ends_at": _("until"),
        "evaluation": _("evaluation no."),
        "hour": _("in the hour from"),
        "in_force_from": _("in force from"),
        "expected": _("answers expected"),
        "is_merged": _("merged"),
        "is_removed": _("removed"),
        "is_reprint": _("printed again"),
        "kept_until": _("answers deleted on"),
        "kind": _("file"),
        "mode": _("how"),
        "month": _("month"),
        "new": _("new"),
        "of": _("with complaint no."),
        "outcome": _("outcome"),
        "opens_at": _("opens at"),
        "photos": _("photos"),
        "place": _("place no."),
        "proof": _("second step"),
        "provisional": _("preview"),
        "reason": _("reason"),
        "requested_by": _("requested by"),
        "responses": _("responses"),
        "role": _("role"),
        "round": _("round no."),
        "rules": _("check code of the rules"),
        "seed": _("random seed"),
        "sessions": _("sessions"),
        "sha256": _("check code"),
        "standings": _("check code of the standings"),
        "state": _("state"),
        "status": _("standing"),
        "starts_on": _("from the day"),
        "step": _("step"),
    }
)
VALUE_NAMES: Mapping[str, LazyString] = MappingProxyType(
    {
        Area.CITY: _("the whole city"),
        Area.DISTRICT: _("a district"),
        Area.COMPANY: _("a property company"),
        Area.SUBDISTRICT: _("a subdistrict"),
        Area.NEIGHBOURHOOD: _("a neighbourhood"),
        Area.COMMUNITY: _("communities"),
        Area.NOWHERE: _("no place"),
        "authenticator": _("authenticator"),
        "recovery code": _("recovery code"),
        "password": _("password"),
        "change code": _("change code"),
        "identity": _("identity checked at the office"),
        "code": _("code"),
        "cases": _("complaints"),
        "responses": _("responses"),
        "standings": _("standings"),
        "communities": _("counts of the communities"),
        Mode.WEB: _("online"),
        Mode.PAPER: _("on paper"),
        Mode.TELEPHONE: _("by telephone"),
        ReviewState.HELD: _("held"),
        ReviewState.RELEASED: _("released"),
        ReviewState.EXCLUDED: _("excluded"),
        Revocation.SPOILED: _("spoiled"),
        Revocation.RETURNED: _("returned"),
        Revocation.LOST: _("lost or seen by others"),
        ResponseChangeReason.WRONG_COMMUNITY: _("wrong community"),
        ResponseChangeReason.NOT_MINE: _("not the resident’s answers"),
        ResponseChangeReason.CHANGED_MIND: _("the resident changed their mind"),
        ResponseChangeReason.TYPING_ERROR: _("typing error"),
        ResponseChangeReason.OTHER: _("another reason"),
        CallOutcome.REACHED: _("reached"),
        CallOutcome.DECLINED: _("did not want to answer"),
        CallOutcome.NOT_REACHED: _("not reached"),
        CallCorrection.MISTYPED: _("typing error"),
        CallCorrection.OTHER_PERSON: _("somebody else had answered the call"),
        CallCorrection.CALLED_AGAIN: _("the resident said more later"),
        "call-back": _("call-back"),
        "call_backs": _("call-backs"),
        "closures": _("contradicted closures"),
        CaseEndReason.SAME_CASE: _("the same case was filed before"),
        CaseEndReason.NOT_A_CASE: _("nothing to be handled"),
        CaseEndReason.OTHER_PLACE: _("about another place"),
        CaseEndReason.OTHER_AUTHORITY: _("for another authority"),
        CaseEndReason.PRIVATE_DISPUTE: _("a dispute between private persons"),
        CaseStatus.SUBMITTED: _("submitted"),
        CaseStatus.ACCEPTED: _("accepted"),
        CaseStatus.DISPATCHED: _("handed to the company"),
        CaseStatus.IN_PROGRESS: _("being handled"),
        CaseStatus.AWAITING_RESIDENT: _("waits for the resident"),
        CaseStatus.RESPONDED: _("replied to"),
        CaseStatus.REOPENED: _("opened again"),
        CaseStatus.STAGE2: _("second stage"),
        CaseStatus.CLOSED: _("closed"),
        CaseStatus.WITHDRAWN: _("withdrawn"),
        CaseStatus.DUPLICATE: _("a duplicate"),
        CaseStatus.INVALID: _("invalid"),
        CaseStatus.OUT_OF_SCOPE: _("out of scope"),
        CaseAction.SUBMIT: _("submit"),
        CaseAction.ACCEPT: _("accept"),
        CaseAction.DISPATCH: _("hand to the company"),
        CaseAction.START: _("begin to handle"),
        CaseAction.ASK_RESIDENT: _("ask the resident"),
        CaseAction.RESUME: _("go on"),
        CaseAction.RESPOND: _("answer"),
        CaseAction.ADD: _("add words"),
        CaseAction.CONFIRM: _("confirm that it is fixed"),
        CaseAction.PARTLY: _("say that it is partly fixed"),
        CaseAction.REJECT: _("reject the answer"),
        CaseAction.AUTO_CLOSE: _("close after a week of silence"),
        CaseAction.REOPEN: _("open again"),
        CaseAction.ESCALATE: _("go to the second stage"),
        CaseAction.WITHDRAW: _("withdraw"),
        CaseAction.SPLIT: _("take apart again"),
        CaseAction.ASSIGN: _("assign to a person"),
        CaseAction.TRANSFER: _("transfer to another office"),
        CaseAction.RETURN: _("return to the office it came from"),
        CaseAction.EXTEND: _("extend the deadline"),
        CaseAction.SUPERVISE: _("put under supervision"),
        CaseAction.REDO: _("have it dealt with again"),
        CaseAction.NOTE: _("note within the offices"),
        CaseAction.FILE: _("a file of the hotline follows"),
        CaseAction.LIMIT: _("time limit of the hotline"),
        CaseAction.CLOSE: _("closed by the hotline"),
        CaseAction.RETRACT: _("file of the hotline taken back"),
        CaseAction.PROPOSE: _("propose to end it"),
        CaseAction.MERGE: _("end as a duplicate"),
        CaseAction.INVALIDATE: _("end as invalid"),
        CaseAction.REFUSE: _("end as out of scope"),
        AppealDecision.UPHELD: _("appeal upheld"),
        AppealDecision.DISMISSED: _("appeal dismissed"),
        MatchStatus.CONFIRMED: _("found to be one case"),
        MatchStatus.REJECTED: _("found to be two cases"),
        "hotline": _("reply file for the hotline"),
    }
)
# By the kind that stands before the number of a subject; what has no number stands alone.
SUBJECT_NAMES: Mapping[str, LazyString] = MappingProxyType(
    {
        "examinations": _("Earlier examinations"),
        "account": _("account no. %(number)s"),
        "cases": _("list of complaints"),
        "accounts": _("other accounts"),
        "bulletin": _("monthly bulletin %(number)s"),
        "calendar": _("calendar of %(number)s"),
        "call_backs": _("sample of call-backs no. %(number)s"),
        "closures": _("register of contradicted closures"),
        "casework": _("casework file no. %(number)s"),
        "code": _("code no. %(number)s"),
        "communities": _("list of communities"),
        "community": _("community no. %(number)s"),
        "hotline": _("file of the hotline no. %(number)s"),
        "complaint": _("complaint no. %(number)s"),
        "evaluation": _("evaluation no. %(number)s"),
        "installation": _("this installation"),
        "posters": _("posters"),
        "questionnaire": _("questionnaire no. %(number)s"),
        "response": _("response no. %(number)s"),
        "round": _("round no. %(number)s"),
        "rules": _("rule file no. %(number)s"),
        "slip_batch": _("batch of slips no. %(number)s"),
        "terminals": _("network addresses"),
        "username": _("a user name that nobody has"),
        "usernames": _("user names that nobody has"),
    }
)
# Kinds of tries of which so many can fail that the site slows them.
ATTEMPT_NAMES: Mapping[str, LazyString] = MappingProxyType(
    {
        "change_code": _("change codes of receipts"),
        "complaint_secret": _("secrets of complaints"),
        "password": _("passwords of accounts"),
        "recovery_code": _("recovery codes of accounts"),
        "second_factor": _("authenticator codes of accounts"),
        "typed_number": _("numbers of slips, receipts and complaints"),
    }
)
_TRUTHS: Mapping[bool, LazyString] = MappingProxyType({True: _("yes"), False: _("no")})
_MOMENTS = frozenset({"opens_at", "closes_at", "begins_at", "ends_at", "hour"})
_DAYS = frozenset({"in_force_from", "kept_until"})
_HASHES = frozenset({"address", "rules", "sha256", "standings"})


@dataclass(frozen=True)
class LabelledFact:
    """Fact of an event in words; its `whole` value stands behind what is shown of it."""

    name: str | LazyString
    value: str | LazyString
    whole: str


def subject_words(subject: str) -> str:
    """Return the label of a subject; an unknown one, as of a later version, stays as it was recorded."""
    kind, _colon, number = subject.partition(":")
    return str(SUBJECT_NAMES[kind]) % {"number": number} if kind in SUBJECT_NAMES else subject


def particulars(facts: Mapping[str, object], zone: tzinfo) -> Sequence[LabelledFact]:
    """Return the facts that are known, with labels; what has none, as of a later version, stays as it was recorded."""
    return [
        LabelledFact(FACT_NAMES.get(key, key), _value_words(key, value, zone), str(value))
        for key, value in facts.items()
        if value is not None
    ]


def _value_words(key: str, value: object, zone: tzinfo) -> str | LazyString:
    if isinstance(value, bool):
        return _TRUTHS[value]
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    if key == "role" and text in ROLE_NAMES:
        # Some are called like the area that they look after.
        return ROLE_NAMES[Role(text)]
    if key == "requested_by":
        return subject_words(text)
    if key in _MOMENTS:
        return local_minute(datetime.fromisoformat(text).astimezone(zone))
    if key in _DAYS:
        return local_date(date.fromisoformat(text))
    return text[:_SHORT_HASH] if key in _HASHES else VALUE_NAMES.get(text, text)
