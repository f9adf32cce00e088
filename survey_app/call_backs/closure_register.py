"""Register of contradicted closures (回访不符登记): by company, case by case, and who is on the watch list."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.casework.closures import find_watched, judge_closures, judged_within
from analytics.casework.shares import Share, pool_small_groups, publish_counts, share_of, shares_by
from analytics.disclosure.rules import DisclosureRules, rules_in_force
from analytics.languages import Wording
from survey_app.accounts.scope import Scope
from survey_app.call_backs.call_results import read_call_backs
from survey_app.city_time import Month, city_zone
from survey_app.complaints.case_records import read_case_records
from survey_app.complaints.casework_files import rules_at
from survey_app.complaints.casework_rules import CaseworkRules
from survey_app.complaints.categories import category_of
from survey_app.complaints.contacts import CONTACT_RETENTION
from survey_app.models import Complaint, PropertyCompany
from survey_app.models.vocabulary import CaseStatus

MONTHS = 12
"""Months of the register, the running one among them."""


@dataclass(frozen=True)
class RegisteredCompany:
    """Closures of a company that were verified; numbers that would tell of few residents are missing.

    `name` is None of the companies of which too few were verified to stand alone. `share` is missing where its parts
    are.
    """

    name: Wording | None
    verified: int | None
    contradicted: int | None
    share: Share | None
    is_watched: bool


@dataclass(frozen=True)
class ContradictedCase:
    """A case to be looked at again, its times in the city's; `company` is None where the office answered itself.

    `is_by_call_back`: a call-back contradicts it, and not the resident's own word at the site.
    """

    reference: str
    community: Wording
    category: Wording
    company: Wording | None
    answered_at: datetime
    contradicted_at: datetime
    is_by_call_back: bool
    status: CaseStatus


@dataclass(frozen=True)
class ClosureRegister:
    """Register of the closures that were verified from `start` to `cut_off`, in the city's time.

    `cases` are those of which the last answer is contradicted, the latest first: what was put right since is not to be
    looked at again.
    """

    start: datetime
    cut_off: datetime
    verified: Share
    companies: Sequence[RegisteredCompany]
    cases: Sequence[ContradictedCase]
    casework: CaseworkRules
    rules: DisclosureRules

    @property
    def watched(self) -> Sequence[RegisteredCompany]:
        """Companies on the watch list, by their names."""
        return [company for company in self.companies if company.is_watched]


def read_register(session: Session, *, scope: Scope, now: datetime) -> ClosureRegister:
    """Return the register of the running month and the eleven before it."""
    zone = city_zone(session)
    cut_off = now.astimezone(zone)
    start = Month.of(cut_off.date()).plus(1 - MONTHS).start(zone)
    # A case that closed before the period can be called back in it, as long as its contact is kept.
    records = read_case_records(session, scope=scope, since=start - CONTACT_RETENTION, cut_off=cut_off)
    calls = read_call_backs(session, scope=scope, since=start - CONTACT_RETENTION, cut_off=cut_off)
    judged = judge_closures(records.closures, calls)
    judged = judged_within(judged, pd.Timestamp(start), pd.Timestamp(cut_off))
    casework, rules = rules_at(session, now), rules_in_force(cut_off.date())
    names = _company_names(session)
    return ClosureRegister(
        start=start,
        cut_off=cut_off,
        verified=share_of(judged["is_contradicted"].astype("boolean")),
        companies=[*_companies(judged, names, casework, rules)],
        cases=[*_cases(session, judged, records.closures, names)],
        casework=casework,
        rules=rules,
    )


def _company_names(session: Session) -> Mapping[str, Wording]:
    """Return the names of all companies, in their order."""
    order = select(PropertyCompany).order_by(PropertyCompany.sort_key, PropertyCompany.id)
    return {company.name: Wording.of(company.name, company.english_name) for company in session.scalars(order)}


def _companies(
    judged: pd.DataFrame, names: Mapping[str, Wording], casework: CaseworkRules, rules: DisclosureRules
) -> Iterator[RegisteredCompany]:
    """Yield the companies by their names, and last all those of which too few closures were verified."""
    own = judged[judged["company"].notna()]
    exact = shares_by(own["is_contradicted"].astype("boolean"), own["company"])
    watched = set(
        find_watched(
            exact,
            contradicted_share=casework.watch_list.contradicted_share,
            # Of fewer residents nothing is told.
            least_verified=max(casework.watch_list.least_verified, rules.minimum_base),
        )
    )
    every = pd.Series(data=True, index=own.index, dtype="bool")
    groups = pool_small_groups(own["company"], every, least=rules.minimum_base)
    counted = own["is_contradicted"].astype("bool")
    doings = pd.DataFrame({"contradicted": counted, "upheld": ~counted})
    known = doings.groupby(groups, dropna=False).sum().astype("int64")
    told = publish_counts(known, rules=rules)
    order = {name: place for place, name in enumerate(names)}
    for key in sorted(told.index, key=lambda name: (pd.isna(name), order.get(name, len(order)))):
        row = told.loc[told.index.isna()].iloc[0] if pd.isna(key) else told.loc[key]
        contradicted, verified = _number(row["contradicted"]), _number(row["total"])
        yield RegisteredCompany(
            name=None if pd.isna(key) else names[key],
            verified=verified,
            contradicted=contradicted,
            share=None if contradicted is None or verified is None else _share(exact, key, contradicted, verified),
            is_watched=not pd.isna(key) and key in watched,
        )


def _share(exact: pd.DataFrame, key: Any, some: int, of: int) -> Share:
    if pd.isna(key):
        return share_of(pd.Series([True] * some + [False] * (of - some), dtype="boolean"))
    return Share(some, of, float(exact.loc[key, "lower"]), float(exact.loc[key, "upper"]))


def _number(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def _cases(
    session: Session, judged: pd.DataFrame, closures: pd.DataFrame, names: Mapping[str, Wording]
) -> Iterator[ContradictedCase]:
    """Yield the cases whose last answer is contradicted, the latest first."""
    last = closures.drop_duplicates("case", keep="last").index
    found = judged[judged["is_contradicted"].astype("bool") & judged.index.isin(last)]
    found = found.sort_values("judged_at", ascending=False, kind="stable")
    wanted = [int(number) for number in found["case"]]
    complaints = {each.id: each for each in session.scalars(select(Complaint).where(Complaint.id.in_(wanted)))}
    for row in found.to_dict("records"):
        complaint = complaints[row["case"]]
        yield ContradictedCase(
            reference=complaint.reference,
            community=Wording.of(complaint.community.name, complaint.community.english_name),
            category=category_of(complaint.category).name,
            company=None if pd.isna(row["company"]) else names[row["company"]],
            answered_at=row["answered_at"],
            contradicted_at=row["judged_at"],
            is_by_call_back=row["by"] == "call_back",
            status=CaseStatus(complaint.status),
        )
