from fractions import Fraction

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from analytics.decision.list_margins import list_margins

COUNTS = st.tuples(st.integers(0, 60), st.integers(0, 40)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def ranked(counts, places):
    """Return standings in the order of their rates; the first `places` are on the list, with whoever is tied."""
    rates = [Fraction(satisfied, answers) for satisfied, answers in counts]
    ranks = [1 + sum(other > rate for other in rates) for rate in rates]
    return pd.DataFrame(
        {
            "region": "A",
            "responses": [answers for _satisfied, answers in counts],
            "satisfied": [satisfied for satisfied, _answers in counts],
            "satisfaction_rank": ranks,
            "satisfaction_status": ["met" if rank <= places else "not_met" for rank in ranks],
        }
    )


def changes(counts, standings, added, satisfied):
    """Return whether so many answers in any one community put it across the cut."""
    rates = [Fraction(*pair) for pair in counts]
    met = (standings["satisfaction_status"] == "met").tolist()
    cut = min(rate for rate, is_met in zip(rates, met, strict=True) if is_met)
    best_below = max(rate for rate, is_met in zip(rates, met, strict=True) if not is_met)
    for (good, answers), is_met in zip(counts, met, strict=True):
        rate = Fraction(good + added * satisfied, answers + added)
        if (not is_met and satisfied and rate > cut) or (is_met and not satisfied and rate < best_below):
            return True
    return False


@given(counts=st.lists(COUNTS.filter(lambda pair: pair[1] > 0), min_size=2, max_size=8), places=st.integers(1, 4))
def test_so_many_added_answers_change_the_list_and_one_fewer_does_not(counts, places):
    standings = ranked(counts, places)
    margins = list_margins(standings)["answers"]
    if len(set(standings["satisfaction_status"])) == 1:
        assert margins.isna().all()
        return
    [margin] = margins
    if pd.isna(margin):
        assert not any(changes(counts, standings, 1000, satisfied) for satisfied in (True, False))
        return
    assert any(changes(counts, standings, int(margin), satisfied) for satisfied in (True, False))
    assert not any(changes(counts, standings, int(margin) - 1, satisfied) for satisfied in (True, False))


def test_a_region_without_a_list_has_no_margin():
    assert list_margins(ranked([(3, 4), (3, 4)], 2))["answers"].isna().all()
    assert list_margins(ranked([(3, 4), (3, 4)], 2).iloc[:0]).empty
