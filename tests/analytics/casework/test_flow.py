import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.casework.flow import AGE_BOUNDS, monthly_flow, open_by_age

ZONE = "Asia/Shanghai"
START = pd.Timestamp("2026-03-01", tz=ZONE)
CUT_OFF = pd.Timestamp("2026-09-18 15:00", tz=ZONE)
HOURS = st.integers(-4000, int((CUT_OFF - START).total_seconds() // 3600) - 1)
SPELLS = st.lists(st.tuples(HOURS, st.one_of(st.none(), HOURS), st.booleans()), max_size=30)


def spells_of(drawn):
    rows = [
        (START + pd.Timedelta(hours=opened), None if ended is None else START + pd.Timedelta(hours=ended), again)
        for opened, ended, again in drawn
        if ended is None or ended >= opened
    ]
    frame = pd.DataFrame(rows, columns=["opened_at", "ended_at", "is_reopening"])
    return frame.astype({"opened_at": f"datetime64[us, {ZONE}]", "ended_at": f"datetime64[us, {ZONE}]"})


def open_before(spells, moment):
    return int(((spells["opened_at"] < moment) & ~(spells["ended_at"] < moment)).sum())


@given(SPELLS)
def test_what_came_in_less_what_ended_is_the_change_of_what_is_open(drawn):
    spells = spells_of(drawn)

    flow = monthly_flow(spells, start=START, cut_off=CUT_OFF)

    open_then = open_before(spells, START)
    assert flow.index.tolist() == [f"2026-0{month}" for month in range(3, 10)]
    for month, row in flow.iterrows():
        open_then += row["filed"] + row["reopened"] - row["ended"]
        end = min(pd.Timestamp(f"{month}-01", tz=ZONE) + pd.offsets.MonthBegin(1), CUT_OFF)
        assert row["open"] == open_then == open_before(spells, end)


def test_a_month_begins_at_local_midnight():
    moment = pd.Timestamp("2026-03-31T16:30Z").tz_convert(ZONE)
    spells = pd.DataFrame(
        {
            "opened_at": [moment],
            "ended_at": pd.Series([pd.NaT], dtype=f"datetime64[us, {ZONE}]"),
            "is_reopening": [False],
        }
    )

    assert monthly_flow(spells, start=START, cut_off=CUT_OFF)["filed"].to_dict()["2026-04"] == 1


def test_a_cut_off_at_the_end_of_a_month_opens_no_other():
    flow = monthly_flow(spells_of([]), start=START, cut_off=pd.Timestamp("2026-04-01", tz=ZONE))

    assert flow.index.tolist() == ["2026-03"]


def test_a_span_without_time_and_an_end_before_its_beginning_are_refused():
    with pytest.raises(ValueError, match="cut-off"):
        monthly_flow(spells_of([]), start=START, cut_off=START)
    backwards = spells_of([(5, 9, False)]).rename(columns={"opened_at": "ended_at", "ended_at": "opened_at"})
    with pytest.raises(ValueError, match="ended before"):
        monthly_flow(backwards, start=START, cut_off=CUT_OFF)


def cases_of(days, waits_for):
    return pd.DataFrame({"submitted_at": [CUT_OFF - pd.Timedelta(days=day) for day in days], "waits_for": waits_for})


@pytest.mark.parametrize(
    ("days", "first"), [(0, 1), (0.2, 1), (7, 1), (7.01, 8), (14, 8), (30, 15), (31, 31), (400, 91)]
)
def test_an_open_case_is_in_the_class_of_its_days(days, first):
    ages = open_by_age(cases_of([days], ["office"]), cut_off=CUT_OFF)

    assert ages["office"].to_dict() == {bound: int(bound == first) for bound in (1, 8, 15, 31, 91)}
    assert ages["to"].tolist() == [*AGE_BOUNDS, -1]


def test_ended_cases_have_no_age_and_who_is_to_act_is_told_apart():
    ages = open_by_age(cases_of([3, 3, 3], ["office", "resident", None]), cut_off=CUT_OFF)

    assert ages.loc[1, ["office", "resident"]].tolist() == [1, 1]
    assert ages[["office", "resident"]].to_numpy().sum() == 2


def test_a_case_of_the_future_is_refused():
    with pytest.raises(ValueError, match="after the cut-off"):
        open_by_age(cases_of([-1], ["office"]), cut_off=CUT_OFF)
