"""Blueprint, navigation and labels that all staff pages share."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from flask import Blueprint
from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from analytics.languages import Wording
from analytics.reports.labels import signal_words
from survey_app.accounts.accounts import LONGEST_USERNAME
from survey_app.models.vocabulary import Role
from survey_app.web.languages import current_language

blueprint = Blueprint("staff", __name__)

ROLE_NAMES: Mapping[Role, LazyString] = MappingProxyType(
    {
        Role.CITY: _("City bureau"),
        Role.DISTRICT: _("District bureau"),
        Role.EVALUATOR: _("Third-party evaluator"),
        Role.COMPANY: _("Property company"),
        Role.CLERK: _("Clerk"),
        Role.ADMINISTRATOR: _("Administrator"),
    }
)

USERNAME_RULE = _(
    "A user name has 1 to %(most)s letters, digits and . _ - @ without blanks, such as li.na.", most=LONGEST_USERNAME
)

# Endpoints in the order of the navigation; each account is offered those it may visit.
NAVIGATION: Sequence[tuple[str, LazyString]] = (
    ("staff.home", _("Rounds")),
    ("staff.cases", _("Complaints")),
    ("staff.company_cases", _("Complaints")),
    ("staff.communities", _("Communities and posters")),
    ("staff.printing", _("Printing")),
    ("entry.choose", _("Type in answers")),
    ("entry.ask_for_number", _("Receipts")),
    ("staff.ask_for_secret", _("Reissue access codes")),
    ("staff.call_backs", _("Call-backs")),
    ("staff.bulletin", _("Monthly bulletin")),
    ("staff.documents", _("Rules and questionnaires")),
    ("/dashboards/", _("Dashboards")),
    ("staff.accounts", _("Accounts")),
    ("staff.reset_requests", _("Reset requests")),
    ("staff.calendars", _("Working days")),
    ("staff.audit", _("Audit")),
)


@blueprint.app_template_global()
def staff_pages() -> Sequence[tuple[str, LazyString]]:
    """Return the pages in the navigation of the account."""
    return NAVIGATION


@blueprint.app_template_global()
def in_language(name: str, english_name: str | None) -> str:
    """Return a name as readers of this page's language know it."""
    return Wording.of(name, english_name).in_language(current_language())


@blueprint.app_template_global()
def area_words(names: Sequence[Wording]) -> str:
    """Return what an account looks after in a few words: the place, or the first of its communities and how many."""
    first = names[0].in_language(current_language())
    if len(names) == 1:
        return first
    return str(_("%(first)s and %(count)s more", first=first, count=len(names) - 1))


@blueprint.app_template_global()
def role_name(role: Role) -> LazyString:
    """Return the label of a role."""
    return ROLE_NAMES[role]


@blueprint.app_template_global()
def signal_family_name(family: str) -> str:
    """Return the label of a family of integrity signals."""
    return signal_words(current_language())[family]
