"""Casework of the last twelve months, as the dashboards draw it."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from analytics.disclosure.rules import rules_in_force
from dashboards.source import Casework
from survey_app.accounts.scope import Scope
from survey_app.call_backs.call_results import read_call_backs
from survey_app.city_time import Month, city_zone
from survey_app.complaints.case_records import read_case_records
from survey_app.complaints.casework_files import rules_at
from survey_app.complaints.categories import category_of

MONTHS: Final = 12
"""Months that are shown, the running one among them."""

# Few different values each: as categories they take a byte or two a row.
_REPEATED: Final = (
    *("community", "community_name", "community_english", "district", "district_english", "company"),
    *("company_english", "channel", "category", "kind", "verdict", "status", "waits_for", "exclusion"),
    *("category_label", "category_english"),
)


def read_casework(session: Session, *, scope: Scope, cut_off: datetime) -> Casework:
    """Return the casework in scope from the beginning of the eleventh month before the cut-off."""
    zone = city_zone(session)
    today = cut_off.astimezone(zone).date()
    start = Month.of(today).plus(1 - MONTHS).start(zone)
    records = read_case_records(session, scope=scope, since=start, cut_off=cut_off)
    names = {code: category_of(code).name for code in records.cases["category"].unique()}
    cases = records.cases.assign(
        category_label=[names[code].zh_hans for code in records.cases["category"]],
        category_english=[names[code].en for code in records.cases["category"]],
    )
    rules = rules_at(session, cut_off)
    return Casework(
        cases=cases.astype(dict.fromkeys(_REPEATED, "category")),
        spells=records.spells,
        call_backs=read_call_backs(session, scope=scope, since=start, cut_off=cut_off),
        formulas=rules.formulas,
        statements={key: rate.statement for key, rate in rules.rates.items()},
        start=start,
        cut_off=records.cut_off,
        disclosure=rules_in_force(today),
    )
