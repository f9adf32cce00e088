"""Figures of a monthly bulletin: what came in during a period, and what was decided, said and ended in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import pandas as pd

from analytics.casework.case_frame import within
from analytics.casework.flow import monthly_flow
from analytics.casework.laggards import find_laggards
from analytics.casework.outcomes import confirmed_share, count_verdicts, silent_share
from analytics.casework.rates import CallBackCounts, Formulas, three_rates
from analytics.casework.shares import Share, share_of
from analytics.disclosure.rules import DisclosureRules
from analytics.disclosure.suppression import suppress_counts
from analytics.statistics.complaint_rates import CHANNELS


@dataclass(frozen=True)
class MonthlyFigures:
    """Figures of one month.

    Attributes
    ----------
    received : int
        Cases filed in the month.
    by_channel : Series
        Of these, by channel, in the order of `analytics.statistics.complaint_rates.CHANNELS`, without channels that
        nobody used: Int64, missing where a number is too small to be shown or would give one away.
    excluded : int
        Cases of the month that turned out to be none to be answered.
    acknowledged, answered : Share
        In time, among those whose acknowledgement, or answer, was decided in the month.
    confirmed, silent : Share
        Confirmed as fixed among those who said anything about an answer in the month; without a word among all.
    rates : mapping of str to Share
        As `analytics.casework.rates.three_rates` returns them.
    verdicts : Series
        Int64, by verdict; missing where a number is too small to be shown or would give one away.
    reopened, stage2 : int
        Cases on which work began anew in the month, and those that were put under review by somebody else.
    opened_again, ended : int
        Ended cases that were opened again, and ends of cases.
    open_at_start, open_at_end : int
        Open cases at the beginning and the end: their difference is received + opened_again − ended.
    laggards : DataFrame
        As `analytics.casework.laggards.find_laggards` returns them.
    least_cases : int
    least_share : Fraction
        By which they were found.
    """

    received: int
    by_channel: "pd.Series[int]"
    excluded: int
    acknowledged: Share
    answered: Share
    confirmed: Share
    silent: Share
    rates: Mapping[str, Share]
    verdicts: "pd.Series[int]"
    reopened: int
    stage2: int
    opened_again: int
    ended: int
    open_at_start: int
    open_at_end: int
    laggards: pd.DataFrame
    least_cases: int
    least_share: Fraction


def monthly_figures(
    cases: pd.DataFrame,
    spells: pd.DataFrame,
    *,
    start: pd.Timestamp,
    cut_off: pd.Timestamp,
    rules: DisclosureRules,
    formulas: Formulas,
    call_backs: CallBackCounts,
    least_cases: int,
    least_share: Fraction,
) -> MonthlyFigures:
    """Return the figures of one month.

    Parameters
    ----------
    cases : DataFrame
        Columns `analytics.casework.case_frame.CASE_COLUMNS`, as they stood at the cut-off: all that were open in the
        month, at least.
    spells : DataFrame
        Columns `analytics.casework.case_frame.SPELL_COLUMNS`, of the same cases.
    start, cut_off : Timestamp
        In the time zone of the city: the beginning of the month, and the end of it or an earlier moment.
    rules : DisclosureRules
        By which small numbers of residents are hidden.
    formulas : Formulas
        Of the three rates.
    call_backs : CallBackCounts
        Of the calls of the month.
    least_cases : int
    least_share : Fraction
        As `analytics.casework.laggards.find_laggards` takes them.

    Returns
    -------
    MonthlyFigures

    Raises
    ------
    ValueError
        As `analytics.casework.flow.monthly_flow` and `analytics.casework.rates.three_rates` do.

    Notes
    -----
    A period counts in the month in which it was decided whether its deadline was kept, and a word of the resident in
    the month in which it was said. Of the cases filed in a month, those answered early would be known first: their
    share in time would fall from one bulletin to the next.

    How many acknowledgements and answers came in time says what an office did, and is told however few they are.

    Examples
    --------
    >>> from datetime import date
    >>> from analytics.disclosure.rules import rules_in_force
    >>> from analytics.casework.rates import ResolutionFormula, ResponseFormula, SatisfactionFormula
    >>> moment = pd.Series(pd.to_datetime(["2026-09-03", "2026-09-28"], utc=True))
    >>> kept = pd.Series([True, None], dtype="boolean")
    >>> cases = pd.DataFrame({
    ...     "channel": "code", "company": "a", "submitted_at": moment, "exclusion": None, "is_companys": True,
    ...     "acknowledged_in_time": kept, "acknowledgement_judged_at": moment.where(kept.notna()),
    ...     "answered_in_time": kept, "answer_judged_at": moment.where(kept.notna()),
    ...     "verdict": ["confirmed", None], "verdict_at": moment.where(kept.notna()),
    ...     "reopened_at": moment.where(kept.isna()), "stage2_at": moment.where(kept.isna()),
    ... })
    >>> spells = pd.DataFrame({"opened_at": moment, "ended_at": moment.where(kept.notna()), "is_reopening": False})
    >>> month = {"start": pd.Timestamp("2026-09-01", tz="UTC"), "cut_off": pd.Timestamp("2026-10-01", tz="UTC")}
    >>> found = monthly_figures(
    ...     cases,
    ...     spells,
    ...     rules=rules_in_force(date(2026, 9, 30)),
    ...     formulas=Formulas(
    ...         ResponseFormula.CONTACTED, ResolutionFormula.CONFIRMED_OF_VERDICTS, SatisfactionFormula.SATISFIED
    ...     ),
    ...     call_backs=CallBackCounts(reached=3, contacted=2),
    ...     least_cases=20,
    ...     least_share=Fraction(9, 10),
    ...     **month,
    ... )
    >>> round(found.rates["response"].share, 3), found.rates["resolution"].some
    (0.667, 1)
    >>> found.received, found.answered.some, found.answered.of, found.open_at_end, found.by_channel.tolist()
    (2, 1, 1, 1, [<NA>])
    """
    [flow] = monthly_flow(spells, start=start, cut_off=cut_off).to_dict("records")
    filed = cases[within(cases["submitted_at"], start, cut_off)]
    answered = cases[within(cases["answer_judged_at"], start, cut_off)]
    acknowledged = cases[within(cases["acknowledgement_judged_at"], start, cut_off)]
    said = cases.loc[within(cases["verdict_at"], start, cut_off), "verdict"]
    channels = filed["channel"].value_counts().reindex(list(CHANNELS), fill_value=0)
    decided = pd.DataFrame({"acknowledged_in_time": acknowledged["acknowledged_in_time"], "verdict": said})
    [verdicts] = (counts for _all, counts in count_verdicts(said).iterrows())
    return MonthlyFigures(
        received=len(filed),
        by_channel=suppress_counts(channels, rules=rules)[channels > 0],
        excluded=int(filed["exclusion"].notna().sum()),
        acknowledged=share_of(acknowledged["acknowledged_in_time"]),
        answered=share_of(answered["answered_in_time"]),
        confirmed=confirmed_share(said),
        silent=silent_share(said),
        rates=three_rates(decided, call_backs, formulas=formulas),
        verdicts=suppress_counts(verdicts, rules=rules),
        reopened=int(within(cases["reopened_at"], start, cut_off).sum()),
        stage2=int(within(cases["stage2_at"], start, cut_off).sum()),
        opened_again=flow["reopened"],
        ended=flow["ended"],
        open_at_start=flow["open"] - flow["filed"] - flow["reopened"] + flow["ended"],
        open_at_end=flow["open"],
        laggards=find_laggards(answered, least_cases=least_cases, least_share=least_share),
        least_cases=least_cases,
        least_share=least_share,
    )
