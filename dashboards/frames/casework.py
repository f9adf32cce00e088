"""Casework of one view: the cases of a region or of all, and what was decided of them in the period."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
import pandas as pd

from analytics.casework.call_backs import count_call_backs
from analytics.casework.case_frame import month_of, within
from analytics.casework.outcomes import is_in_stage2, is_reopened
from analytics.casework.rates import Formulas, three_rates
from analytics.casework.shares import FEWEST_JUDGED, Share, pool_small_groups, shares_by
from analytics.casework.waiting_times import WaitingTimes, waiting_times
from analytics.disclosure.rules import DisclosureRules
from analytics.languages import Wording
from dashboards.address import View
from dashboards.languages import pick, translator
from dashboards.source import Casework

GROUPS: Final[Mapping[str, tuple[str, str, str]]] = {
    "district": ("district", "district", "district_english"),
    "company": ("company", "company", "company_english"),
    "category": ("category", "category_label", "category_english"),
    "channel": ("channel", "channel", "channel"),
    "community": ("community", "community_name", "community_english"),
}
"""What cases are grouped by: the column of the groups, and those of their Chinese and English names."""


@dataclass(frozen=True)
class CaseworkData:
    """Casework of one view: `cases` are those of the region asked for, or of all; the spells and calls are theirs."""

    language: str
    cases: pd.DataFrame
    spells: pd.DataFrame
    call_backs: pd.DataFrame
    formulas: Formulas
    statements: Mapping[str, Wording]
    start: pd.Timestamp
    cut_off: pd.Timestamp
    disclosure: DisclosureRules

    @classmethod
    def of(cls, casework: Casework, view: View) -> Self:
        """Return the casework of a view; a region that has no case of its own narrows nothing."""
        cases, spells, call_backs = casework.cases, casework.spells, casework.call_backs
        if view.region is not None and view.region in set(cases["district"]):
            cases = cases[cases["district"] == view.region]
            spells = spells[spells["case"].isin(cases["case"])]
            call_backs = call_backs[call_backs["district"] == view.region]
        return cls(
            language=view.language,
            cases=cases,
            spells=spells,
            call_backs=call_backs,
            formulas=casework.formulas,
            statements=casework.statements,
            start=pd.Timestamp(casework.start),
            cut_off=pd.Timestamp(casework.cut_off),
            disclosure=casework.disclosure,
        )

    def is_in(self, column: str) -> "pd.Series[bool]":
        """Return whether what a column of times tells happened in the period."""
        return within(self.cases[column], self.start, self.cut_off)

    @cached_property
    def filed(self) -> pd.DataFrame:
        """The cases that were filed in the period."""
        return self.cases[self.is_in("submitted_at")]

    @cached_property
    def valid(self) -> pd.DataFrame:
        """Those of them that are to be answered."""
        return self.filed[self.filed["exclusion"].isna()]

    @cached_property
    def acknowledged(self) -> "pd.Series[Any]":
        """Whether each case was acknowledged in time; missing unless that was decided in the period."""
        return self.cases["acknowledged_in_time"].where(self.is_in("acknowledgement_judged_at"))

    @cached_property
    def answered(self) -> "pd.Series[Any]":
        """Whether each case was answered in time; missing unless that was decided in the period."""
        return self.cases["answered_in_time"].where(self.is_in("answer_judged_at"))

    @cached_property
    def verdicts(self) -> "pd.Series[Any]":
        """What the resident of each case said of the answer; missing unless it was said in the period."""
        return self.cases["verdict"].astype("object").where(self.is_in("verdict_at"), None)

    @cached_property
    def rates(self) -> Mapping[str, Share]:
        """The rates of response, resolution and satisfaction in the period, by the formulas of the casework file."""
        decided = pd.DataFrame({"acknowledged_in_time": self.acknowledged, "verdict": self.verdicts})
        return three_rates(decided, count_call_backs(self.call_backs), formulas=self.formulas)

    @cached_property
    def waits(self) -> WaitingTimes:
        """How long the cases filed in the period wait for their first answer."""
        return _waits(self.valid)

    def names(self, group: str) -> dict[Any, str]:
        """Return the name of each group in the language of the view."""
        column, chinese, english = GROUPS[group]
        known = self.cases[[column, chinese, english]].drop_duplicates(column)
        return {
            key: pick(self.language, name, other)
            for key, name, other in zip(*(known.iloc[:, place].astype("object") for place in range(3)), strict=True)
            if not pd.isna(key)
        }

    def by_month(self) -> pd.DataFrame:
        """Return the shares in time of each month in which something was decided.

        Indexed by month; for acknowledged and answered: ``…_some``, ``…_of``, ``…_share``, ``…_lower``, ``…_upper``.
        """
        months = {"acknowledged": "acknowledgement_judged_at", "answered": "answer_judged_at"}
        tables = [
            shares_by(getattr(self, name), month_of(self.cases[column])).add_prefix(f"{name}_")
            for name, column in months.items()
        ]
        found = tables[0].join(tables[1], how="outer").sort_index()
        return found.fillna({f"{name}_{part}": 0 for name in months for part in ("some", "of")})

    def month_name(self, month: str) -> str:
        """Return what a month is called: the last one says that it is not over, where cases still come in."""
        if month != f"{self.cut_off:%Y-%m}":
            return month
        _ = translator(self.language)
        return _("{month}, not over yet").format(month=month)

    def by_group(self, group: str) -> pd.DataFrame:
        """Return the figures of each group, in the order of the names.

        Groups of fewer than `analytics.casework.shares.FEWEST_JUDGED` cases filed in the period are one row, the last,
        with the cases of which no group is known; its label is missing. Columns: label, filed, acknowledged and
        answered (shares in time), lower and upper (limits of the latter), reopened and stage2 (shares). A share is
        missing where nothing was decided.
        """
        keys, is_filed = self._keys(group), self.is_in("submitted_at")
        valid = self.cases["case"].isin(self.valid["case"])
        answered = shares_by(self.answered, keys)
        table = pd.DataFrame(
            {
                "filed": is_filed.groupby(keys).sum(),
                "acknowledged": shares_by(self.acknowledged, keys)["share"],
                "answered": answered["share"],
                "lower": answered["lower"],
                "upper": answered["upper"],
                "reopened": shares_by(is_reopened(self.cases).where(valid), keys)["share"],
                "stage2": shares_by(is_in_stage2(self.cases).where(valid), keys)["share"],
            }
        )
        table = table[table["filed"] > 0]
        names = self.names(group)
        table.insert(0, "label", [names.get(key) for key in table.index])
        return table.sort_values("label", kind="stable", na_position="last")

    def with_waits(self, listed: pd.DataFrame, group: str) -> pd.DataFrame:
        """Return rows of `by_group` with the working days after which half and nine tenths of the cases have an answer.

        Further columns: median and ninety; missing where too many still wait.
        """
        keys = self._keys(group).loc[self.valid.index]
        own = {key: _waits(cases) for key, cases in self.valid[keys.isin(listed.index)].groupby(keys)}
        days = {
            name: [own[key].quantiles[share].days if key in own else np.nan for key in listed.index]
            for name, share in (("median", 0.5), ("ninety", 0.9))
        }
        return listed.assign(**days)

    def _keys(self, group: str) -> "pd.Series[Any]":
        pooled = pool_small_groups(self.cases[GROUPS[group][0]], self.is_in("submitted_at"), least=FEWEST_JUDGED)
        return pooled.fillna(_OTHERS)


# No key of a group: those are names, numbers and codes.
_OTHERS: Final = ""


def _waits(cases: pd.DataFrame) -> WaitingTimes:
    return waiting_times(cases["working_days_waited"].to_numpy("float64"), cases["answered_at"].notna().to_numpy())
