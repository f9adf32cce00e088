from datetime import date
from fractions import Fraction

import pandas as pd
import pytest

from analytics.casework.monthly_figures import monthly_figures
from analytics.casework.rates import (
    CallBackCounts,
    Formulas,
    ResolutionFormula,
    ResponseFormula,
    SatisfactionFormula,
)
from analytics.disclosure.rules import rules_in_force

ZONE = "Asia/Shanghai"
RULES = rules_in_force(date(2026, 9, 30))
USUAL = {
    "rules": RULES,
    "formulas": Formulas(
        ResponseFormula.ACKNOWLEDGED_IN_TIME, ResolutionFormula.CONFIRMED_OF_VERDICTS, SatisfactionFormula.SATISFIED
    ),
    "call_backs": CallBackCounts(),
    "least_cases": 20,
    "least_share": Fraction(4, 5),
    "start": pd.Timestamp("2026-09-01", tz=ZONE),
    "cut_off": pd.Timestamp("2026-10-01", tz=ZONE),
}
TIMES = (
    "submitted_at",
    "acknowledgement_judged_at",
    "answer_judged_at",
    "verdict_at",
    "reopened_at",
    "stage2_at",
    "ended_at",
)


def frames(rows):
    """Return cases and their spells; a row says only what it is about."""
    usual = {"channel": "code", "company": "某物业", "is_companys": True, "exclusion": None, "verdict": None}
    usual |= {"acknowledged_in_time": None, "answered_in_time": None, "submitted_at": "2026-09-10"}
    cases = pd.DataFrame([dict.fromkeys(TIMES) | usual | row for row in rows])
    kinds = dict.fromkeys(TIMES, f"datetime64[us, {ZONE}]")
    kinds |= dict.fromkeys(("acknowledged_in_time", "answered_in_time"), "boolean")
    cases = cases.assign(**{name: pd.to_datetime(cases[name]).dt.tz_localize(ZONE) for name in TIMES}).astype(kinds)
    spells = cases.rename(columns={"submitted_at": "opened_at"})[["opened_at", "ended_at"]].assign(is_reopening=False)
    return cases, spells


def figures(rows, **changes):
    return monthly_figures(*frames(rows), **(USUAL | changes))


def test_a_period_counts_in_the_month_in_which_it_was_decided():
    found = figures(
        [
            {"submitted_at": "2026-08-25", "answered_in_time": True, "answer_judged_at": "2026-09-02"},
            {"submitted_at": "2026-08-25", "answered_in_time": False, "answer_judged_at": "2026-08-31"},
            {"acknowledged_in_time": True, "acknowledgement_judged_at": "2026-09-10"},
            {"answered_in_time": True, "answer_judged_at": "2026-10-01"},
        ]
    )

    assert (found.answered.some, found.answered.of) == (1, 1)
    assert (found.acknowledged.some, found.acknowledged.of) == (1, 1)
    assert found.received == 2


def test_few_cases_of_a_channel_are_not_told_nor_what_would_give_them_away():
    found = figures([{"channel": "code"}] * 30 + [{"channel": "hotline"}] * 8 + [{"channel": "letter"}] * 2)

    assert found.received == 40
    assert found.by_channel.astype("object").where(found.by_channel.notna(), None).to_dict() == {
        "code": 30,
        "hotline": None,
        "letter": None,
    }


def test_a_word_counts_in_the_month_in_which_it_was_said():
    said = [{"verdict": "confirmed", "verdict_at": "2026-09-20"}] * 12 + [
        {"verdict": "silent", "verdict_at": "2026-09-21"}
    ]

    found = figures([*said, {"verdict": "rejected", "verdict_at": "2026-08-20", "submitted_at": "2026-08-01"}])

    assert (found.confirmed.some, found.confirmed.of) == (12, 12)
    assert (found.silent.some, found.silent.of) == (1, 13)
    assert found.verdicts.isna().to_dict() == {"confirmed": True, "partly": False, "rejected": False, "silent": True}


def test_the_open_cases_change_by_what_came_in_and_ended():
    found = figures(
        [
            {"submitted_at": "2026-08-20", "ended_at": "2026-09-04"},
            {"submitted_at": "2026-08-21"},
            {"ended_at": "2026-09-30"},
            {},
            {"stage2_at": "2026-09-15", "exclusion": "same_case", "reopened_at": "2026-09-20"},
        ]
    )

    assert (found.open_at_start, found.received, found.ended, found.open_at_end) == (2, 3, 2, 3)
    assert (found.stage2, found.excluded, found.reopened, found.opened_again) == (1, 1, 1, 0)


@pytest.mark.parametrize("least_cases", [20, 21])
def test_laggards_are_found_by_the_stated_minimum(least_cases):
    late = [{"answered_in_time": False, "answer_judged_at": "2026-09-02"}] * 20

    found = figures(late, least_cases=least_cases)

    assert len(found.laggards) == (least_cases == 20)
    assert (found.least_cases, found.least_share) == (least_cases, Fraction(4, 5))


def test_a_month_without_cases_has_figures_of_nothing():
    cases, spells = frames([{"submitted_at": "2026-08-01", "ended_at": "2026-08-02"}])

    found = monthly_figures(cases, spells, **USUAL)

    assert (found.received, found.open_at_end, found.acknowledged.of) == (0, 0, 0)
    assert found.by_channel.empty


def test_the_rates_are_those_of_the_month():
    found = figures(
        [
            {"acknowledged_in_time": True, "acknowledgement_judged_at": "2026-09-10"},
            {"acknowledged_in_time": False, "acknowledgement_judged_at": "2026-08-31"},
            {"verdict": "confirmed", "verdict_at": "2026-09-12"},
            {"verdict": "rejected", "verdict_at": "2026-10-01"},
        ],
        call_backs=CallBackCounts(reached=5, satisfied=4),
    )

    assert {name: (rate.some, rate.of) for name, rate in found.rates.items()} == {
        "response": (1, 1),
        "resolution": (1, 1),
        "satisfaction": (4, 5),
    }
