import pandas as pd
import pytest

from analytics.casework.case_frame import VERDICTS
from analytics.casework.rates import (
    CallBackCounts,
    Formulas,
    ResolutionFormula,
    ResponseFormula,
    SatisfactionFormula,
    three_rates,
)
from analytics.statistics.intervals import wilson

# Seven cases whose acknowledgement was judged, five of them in time; of fourteen answers six are confirmed, two partly
# fixed, one is not, and five got no word.
CASES = pd.DataFrame(
    {
        "acknowledged_in_time": pd.array([True] * 5 + [False] * 2 + [None] * 9, dtype="boolean"),
        "verdict": ["confirmed"] * 6 + ["partly"] * 2 + ["rejected"] + ["silent"] * 5 + [None] * 2,
    }
)
CALLS = CallBackCounts(reached=20, contacted=17, resolved=13, satisfied=12)
USUAL = Formulas(
    ResponseFormula.ACKNOWLEDGED_IN_TIME, ResolutionFormula.CONFIRMED_OF_VERDICTS, SatisfactionFormula.SATISFIED
)


def rates(cases=CASES, calls=CALLS, **formulas):
    return three_rates(cases, calls, formulas=Formulas(**(vars(USUAL) | formulas)))


@pytest.mark.parametrize(
    ("name", "formula", "some", "of"),
    [
        ("response", ResponseFormula.ACKNOWLEDGED_IN_TIME, 5, 7),
        ("response", ResponseFormula.CONTACTED, 17, 20),
        ("resolution", ResolutionFormula.CONFIRMED_OF_VERDICTS, 6, 9),
        ("resolution", ResolutionFormula.CONFIRMED_OF_ANSWERED, 6, 14),
        ("resolution", ResolutionFormula.RESOLVED, 13, 20),
        ("satisfaction", SatisfactionFormula.SATISFIED, 12, 20),
        ("satisfaction", SatisfactionFormula.NOT_REJECTED, 8, 9),
    ],
)
def test_each_formula_counts_what_it_says(name, formula, some, of):
    rate = rates(**{name: formula})[name]

    limits = wilson(some, of, level=0.95)
    assert (rate.some, rate.of) == (some, of)
    assert (rate.lower, rate.upper) == pytest.approx((float(limits.lower), float(limits.upper)))


def test_every_formula_has_a_hand_worked_case():
    worked = test_each_formula_counts_what_it_says.pytestmark[0].args[1]

    assert {formula for _name, formula, _some, _of in worked} == {
        *ResponseFormula,
        *ResolutionFormula,
        *SatisfactionFormula,
    }


@pytest.mark.parametrize("resolution", list(ResolutionFormula))
@pytest.mark.parametrize("satisfaction", list(SatisfactionFormula))
def test_where_nothing_is_known_a_rate_is_of_nobody(resolution, satisfaction):
    nothing = CASES.assign(acknowledged_in_time=pd.array([None] * len(CASES), dtype="boolean"), verdict=None)

    found = rates(nothing, CallBackCounts(), resolution=resolution, satisfaction=satisfaction)

    assert {(rate.some, rate.of) for rate in found.values()} == {(0, 0)}


def test_silence_counts_in_one_formula_alone():
    silent = CASES.assign(verdict=CASES["verdict"].replace("silent", None))

    changed = {
        formula
        for name, formulas in (("resolution", ResolutionFormula), ("satisfaction", SatisfactionFormula))
        for formula in formulas
        if rates(**{name: formula})[name] != rates(silent, **{name: formula})[name]
    }

    assert set(CASES["verdict"].dropna()) == set(VERDICTS)
    assert changed == {ResolutionFormula.CONFIRMED_OF_ANSWERED}


def test_more_than_were_reached_is_refused():
    with pytest.raises(ValueError, match="events exceed n"):
        rates(calls=CallBackCounts(reached=1, satisfied=2))
