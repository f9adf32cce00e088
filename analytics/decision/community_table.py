"""Community tables: the input of an evaluation, read from a file and validated as a whole."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.decision.exact_ratios import read_scores
from analytics.decision.survey_channels import CHANNEL_COLUMNS as SURVEY_CHANNEL_COLUMNS
from analytics.decision.survey_channels import HOUSEHOLD_PAIRS, PAIR_COLUMNS, UNLIKE_HOUSEHOLD_PAIRS
from analytics.decision.survey_modes import MODE_COLUMNS, Counted, counted_modes, mode_column, rates_by_mode
from analytics.decision.table_columns import (
    LATE_ANSWERS_SPREAD,
    MEASURE_COLUMNS,
    SLIP_ANSWERS_SPREAD,
    SPREAD_COLUMNS,
    float_column,
)
from analytics.files.table_cells import cells_of, read_cells
from analytics.files.typed_columns import CellReader, Column
from analytics.files.written_text import number_key
from analytics.files.yaml_documents import Fault
from analytics.languages import N_
from analytics.rules import Denominator, Rules
from analytics.statistics.complaint_rates import CHANNEL_COLUMNS

COMPLAINT_DETAIL_COLUMNS: Final = (
    *CHANNEL_COLUMNS,
    "complaints_excluded",
    "complaining_households",
    "asked_about_complaints",
    "said_complained",
)
"""Columns with details of complaints; all may be missing, and no decision uses them."""

COLUMNS: Final[Mapping[str, Column]] = {
    "community_id": Column("text"),
    "region": Column("text"),
    "name": Column("text"),
    "responses": Column("count"),
    "satisfied": Column("count"),
    **{name: Column("count") for name in (*MODE_COLUMNS, *SURVEY_CHANNEL_COLUMNS, *PAIR_COLUMNS)},
    "mean_index": Column("number", most=100),
    "sd_index": Column("number", most=100),
    "composite_responses": Column("count"),
    "mean_composite": Column("number", most=100),
    "sd_composite": Column("number", most=100),
    "score": Column("number", most=100),
    "score_precision": Column("number", least=1e-6, most=100),
    **{name: Column("number", most=1) for name in SPREAD_COLUMNS},
    "households": Column("count"),
    "complaints": Column("count"),
    **{name: Column("count") for name in COMPLAINT_DETAIL_COLUMNS},
    "exposure_household_years": Column("number", most=1e9),  # exact as a float in millionths
    "denominator_source": Column("text"),
}
"""Every column that a community table may have, with its type and limits."""

_DENOMINATORS: Final[tuple[Denominator, ...]] = get_args(Denominator)


def read_table(path: Path, rules: Rules) -> pd.DataFrame:
    """Read a community table from a CSV or Parquet file and check it.

    Parameters
    ----------
    path : Path
        A CSV file (UTF-8 with or without byte order mark, or GB18030; the first row names the columns) or a Parquet
        file. Columns as in `check_communities`; any other column is a fault, since it may be misspelt.
    rules : Rules
        Determine which columns are required.

    Returns
    -------
    DataFrame
        As `check_communities` returns it: the rows of the file in its order.

    Raises
    ------
    TableError
        With every fault: its line (its row in a Parquet file), its column, the name of the column and the value.

    Notes
    -----
    A file with more responses than households is refused: one of the two numbers is in the wrong column or counts
    another population.
    """
    checker = _Checker(read_cells(path))
    checker.refuse_unknown_columns(COLUMNS)
    table = checker.check(rules)
    checker.check_households(table)
    checker.raise_faults(str(path))
    return table


def read_plan(path: Path) -> pd.DataFrame:
    """Read the community table of a planned survey from a file and check it.

    Parameters
    ----------
    path : Path
        As in `read_table`. Required are `community_id`, `region` and `households`, in every row and at least 1; the
        other columns are optional.

    Returns
    -------
    DataFrame
        As `check_communities` returns it.

    Raises
    ------
    TableError
        With every fault, as `read_table`.
    """
    checker = _Checker(read_cells(path))
    checker.refuse_unknown_columns(COLUMNS)
    table = checker.check_plan()
    checker.raise_faults(str(path))
    return table


def check_communities(
    communities: pd.DataFrame, rules: Rules, *, source: str = "communities", look_alikes: bool = True
) -> pd.DataFrame:
    """Check a community table and return it with one type per column.

    Parameters
    ----------
    communities : DataFrame
        One row per community. `community_id` and `region` are text, never empty, ids never twice. For the satisfaction
        route either the measure of the rules (`responses` with `satisfied` for the satisfaction rate or with
        `mean_index` for the index, `composite_responses` with `mean_composite` for the composite), or a given `score`
        from 0 to 100 with its `score_precision`, one for all rows. Of fewer responses than the rules ever rank, the
        measure may be missing: it is withheld then. With `responses` also those that staff typed in, `paper_responses`
        and `telephone_responses`, and with `satisfied` those of them that are satisfied, `paper_satisfied` and
        `telephone_satisfied`; those that came through slips, `slip_responses`, and with declared help,
        `helped_responses`; and where answers of one household are known as such, the pairs of them, `household_pairs`,
        and those of which only one is satisfied, `unlike_household_pairs`; `late_answers_spread` and
        `slip_answers_spread`, one for each region: by how much those who did not answer differ if they are like the
        last who did, or like those who did on a slip, as a share of the range of scores. For the complaint route
        `complaints` and `exposure_household_years`, and with them `COMPLAINT_DETAIL_COLUMNS`. Optional: `name`,
        `households`, `sd_index`, `sd_composite`, the columns of other measures, and `denominator_source`
        (``occupied_households`` or ``delivered_households``). Counts are of the ranked population: if the rules rank
        owners, of owners. Other columns are left out.
    rules : Rules
        Determine which columns are required.
    source : str
        Name of the table, for messages.
    look_alikes : bool
        Whether ids and regions that only look different are sought, which takes as long as all the rest. It is needless
        where the ids and regions are those of a table that was checked.

    Returns
    -------
    DataFrame
        The known columns in a fixed order, the rows in the given order, a new index. Text is str, counts are Int64 with
        <NA>, numbers float64 with NaN.

    Raises
    ------
    TableError
        With every fault: its row, counted from 1, the name of the column and the value.

    Examples
    --------
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> frame = pd.DataFrame({"community_id": ["001", "001"], "region": "乌达区", "responses": [30, 2], "satisfied": 5})
    >>> check_communities(frame, rules)
    Traceback (most recent call last):
        ...
    analytics.files.table_cells.TableError: communities:2: community_id: 001 stands already in row 1
    communities:2: satisfied: 5 satisfied of 2 responses
    """
    checker = _Checker(cells_of(communities))
    table = checker.check(rules, look_alikes=look_alikes)
    checker.raise_faults(source)
    return table


class _Checker(CellReader):
    """Validates the columns and constraints of a community table."""

    def check(self, rules: Rules, *, look_alikes: bool = True) -> pd.DataFrame:
        self._check_columns(rules)
        table = self._typed()
        self._check_names(table, look_alikes=look_alikes)
        self._check_answers(table, rules)
        self._check_modes(table)
        self._check_pairs(table)
        self._check_spreads(table)
        self._check_scores(table, rules)
        self._check_complaints(table)
        return table

    def check_plan(self) -> pd.DataFrame:
        self.expect_columns(["community_id", "region", "households"])
        table = self._typed()
        self._check_names(table)
        if "households" in table:
            missing = ~(float_column(table, "households") >= 1)
            self.note(missing, "households", N_("the number of households is missing"), table)
        return table

    def _typed(self) -> pd.DataFrame:
        self.expect_rows()
        return self.read(COLUMNS)

    def check_households(self, table: pd.DataFrame) -> None:
        households = float_column(table, "households")
        for name, message in (
            ("responses", N_("{responses} responses of {households} households")),
            ("composite_responses", N_("{composite_responses} responses of {households} households")),
        ):
            self.note(float_column(table, name) > households, name, message, table, name, "households")

    def _check_columns(self, rules: Rules) -> None:
        names, measured = self.names, MEASURE_COLUMNS[rules.satisfaction.measure]
        needed = ["community_id", "region"]
        needed += ["score_precision"] if "score" in names else measured.columns
        if "complaints" in names or "exposure_household_years" in names:
            needed += ["complaints", "exposure_household_years"]
        for counted in _MODES_EXCEED:
            needed += [counted] if counted_modes(names, counted) else []
        needed += [mode_column(mode, "responses") for mode in counted_modes(names, "satisfied")]
        needed += ["responses", "satisfied", *PAIR_COLUMNS] if set(PAIR_COLUMNS) & set(names) else []
        self.expect_columns(dict.fromkeys(needed))
        if {"score", measured.value} <= names:
            fault = Fault("give either this column or {other}, not both", {"other": measured.value}, "score", 1)
            self.faults.append(fault)

    def _check_names(self, table: pd.DataFrame, *, look_alikes: bool = True) -> None:
        self.note_empty(table, ["community_id", "region"])
        self.note_repeats(table, "community_id")
        if look_alikes:
            # Two that only look different would be two communities, or a region ranked by itself. Names tell nothing
            # apart here: a hospital named Mountain View and one named Mountainview are two.
            self.note_look_alikes(table, "community_id", key=number_key)
            self.note_look_alikes(table, "region")
        if "denominator_source" in table:
            unknown = ~table["denominator_source"].isin(["", *_DENOMINATORS]).to_numpy(dtype=bool)
            message = N_("this must be occupied_households or delivered_households, it is “{denominator_source}”")
            self.note(unknown, "denominator_source", message, table, "denominator_source")

    def _check_answers(self, table: pd.DataFrame, rules: Rules) -> None:
        for measure, measured in MEASURE_COLUMNS.items():
            name, counted = measured.value, measured.responses
            if not set(measured.columns) <= set(table.columns):
                continue
            values, responses = float_column(table, name), float_column(table, counted)
            if name == "satisfied":
                message = N_("{satisfied} satisfied of {responses} responses")
                self.note(values > responses, name, message, table, "satisfied", "responses")
            unfounded = ~np.isnan(values) & (np.isnan(responses) if name == "satisfied" else ~(responses > 0))
            self.note(unfounded, name, _NEEDS_RESPONSES, table, counted)
            if measure == rules.satisfaction.measure and "score" not in table:
                # Of so few that they cannot be ranked, what they answered may be withheld.
                minimum = rules.satisfaction.minimum_responses
                least = 1 if minimum is None else minimum.least
                missing = np.isnan(values) & (responses >= least)
                self.note(missing, name, _MISSING[counted], table, counted)

    def _check_modes(self, table: pd.DataFrame) -> None:
        rest: dict[Counted, npt.NDArray[np.float64]] = {}
        for counted, message in _MODES_EXCEED.items():
            names = [mode_column(mode, counted) for mode in counted_modes(table, counted)]
            # A missing column is already reported as a fault.
            if names and counted in table:
                whole, parts = float_column(table, counted), [float_column(table, name) for name in names]
                for name, part in zip(names, parts, strict=True):
                    self.note(np.isnan(whole) & ~np.isnan(part), name, _NEEDS_RESPONSES, table, counted)
                self.note(np.nansum(parts, axis=0) > whole, names[0], message, table, counted)
                rest[counted] = whole - np.sum(parts, axis=0)
        for mode in counted_modes(table, "satisfied"):
            satisfied, responses = mode_column(mode, "satisfied"), mode_column(mode, "responses")
            if responses in table:
                values, answers = float_column(table, satisfied), float_column(table, responses)
                self.note(~np.isnan(values) & np.isnan(answers), satisfied, _NEEDS_RESPONSES, table, responses)
                self.note(values > answers, satisfied, _SATISFIED_OF[mode], table, satisfied, responses)
        for name in SURVEY_CHANNEL_COLUMNS:
            beyond = float_column(table, name) > float_column(table, "responses")
            self.note(beyond, name, _MORE_THAN_RESPONSES, table, "responses")
        if len(rest) == len(_MODES_EXCEED) and rates_by_mode(table) is not None:
            message = N_("the modes leave more satisfied than responses to the web")
            beyond = (rest["satisfied"] > rest["responses"]) & (rest["responses"] >= 0)
            self.note(beyond, "satisfied", message, table)

    def _check_pairs(self, table: pd.DataFrame) -> None:
        responses, pairs = float_column(table, "responses"), float_column(table, HOUSEHOLD_PAIRS)
        message = N_("{household_pairs} pairs of {responses} responses")
        self.note(
            pairs > responses * (responses - 1) / 2, HOUSEHOLD_PAIRS, message, table, "household_pairs", "responses"
        )
        beyond = float_column(table, UNLIKE_HOUSEHOLD_PAIRS) > pairs
        message = N_("{unlike_household_pairs} unlike pairs of {household_pairs} pairs")
        self.note(beyond, UNLIKE_HOUSEHOLD_PAIRS, message, table, *PAIR_COLUMNS)

    def _check_spreads(self, table: pd.DataFrame) -> None:
        messages = {
            LATE_ANSWERS_SPREAD: N_(
                "one number holds for a region: {late_answers_spread} is not that of its first community"
            ),
            SLIP_ANSWERS_SPREAD: N_(
                "one number holds for a region: {slip_answers_spread} is not that of its first community"
            ),
        }
        for name, message in messages.items():
            if name in table and "region" in table:
                spreads = table[name].fillna(-1.0)
                differs = (spreads != spreads.groupby(table["region"]).transform("first")).to_numpy(dtype=bool)
                self.note(differs, name, message, table, name)

    def _check_scores(self, table: pd.DataFrame, rules: Rules) -> None:
        if "score" in table:
            self._check_precision(table)
            if "score_precision" in table:
                misfits = read_scores(table, rules.satisfaction).misfits
                message = N_("{score} is no multiple of its precision {score_precision}")
                self.note(misfits, "score", message, table, "score", "score_precision")
            return
        measured = MEASURE_COLUMNS[rules.satisfaction.measure]
        if measured.value in _MISFITS and set(measured.columns) <= set(table.columns):
            scores = read_scores(table, rules.satisfaction)
            self.note(scores.misfits, measured.value, _MISFITS[measured.value], table, *measured.columns)
            points = rules.satisfaction.index_points.values()
            beyond = (scores.shown < float(min(points))) | (scores.shown > float(max(points)))
            message = N_("this lies beyond the points that an answer can have")
            self.note(beyond & ~scores.misfits, measured.value, message, table, *measured.columns)

    def _check_complaints(self, table: pd.DataFrame) -> None:
        complaints = float_column(table, "complaints")
        if "complaints" in table:
            households = float_column(table, "complaining_households")
            message = N_("{complaining_households} households for {complaints} complaints")
            self.note(households > complaints, "complaining_households", message, table, *_HOUSEHOLDS_OF_COMPLAINTS)
            channels = [name for name in CHANNEL_COLUMNS if name in table]
            total = np.sum([float_column(table, name) for name in channels], axis=0) if channels else complaints
            message = N_("the channels add up to another number than {complaints}")
            differs = total != complaints if len(channels) == len(CHANNEL_COLUMNS) else total > complaints
            known = ~np.isnan(total) & ~np.isnan(complaints)
            self.note(differs & known, channels[0] if channels else "complaints", message, table, "complaints")
        said = float_column(table, "said_complained")
        message = N_("{said_complained} of {asked_about_complaints} say that they complained")
        if {"said_complained", "asked_about_complaints"} <= set(table.columns):
            asked = float_column(table, "asked_about_complaints")
            self.note(np.isnan(said) & (asked > 0), "said_complained", N_("this cell is empty"), table)
            self.note(said > asked, "said_complained", message, table, "said_complained", "asked_about_complaints")

    def _check_precision(self, table: pd.DataFrame) -> None:
        scores, precisions = float_column(table, "score"), float_column(table, "score_precision")
        missing = ~np.isnan(scores) & np.isnan(precisions)
        if "score_precision" in table:
            self.note(missing, "score_precision", N_("this is missing for the score {score}"), table, "score")
        stated = precisions[~np.isnan(precisions)]
        if stated.size:
            message = N_("one precision holds for all scores: {score_precision} is not the {first} of the first")
            for row in np.flatnonzero(~np.isnan(precisions) & (precisions != stated[0])):
                facts = {"score_precision": precisions[row], "first": stated[0]}
                self.fault(int(row), "score_precision", message, facts)


_NEEDS_RESPONSES: Final = N_("this needs the number of responses")
_MORE_THAN_RESPONSES: Final = N_("this is more than the {responses} responses")
_MODES_EXCEED: Final[Mapping[Counted, str]] = {
    "responses": N_("the modes add up to more than {responses} responses"),
    "satisfied": N_("the modes add up to more than {satisfied} satisfied"),
}
_SATISFIED_OF: Final = {
    "paper": N_("{paper_satisfied} satisfied of {paper_responses} responses"),
    "telephone": N_("{telephone_satisfied} satisfied of {telephone_responses} responses"),
}
_HOUSEHOLDS_OF_COMPLAINTS: Final = ("complaining_households", "complaints")
_MISSING: Final = {
    "responses": N_("this is missing for {responses} responses"),
    "composite_responses": N_("this is missing for {composite_responses} responses"),
}
_MISFITS: Final = {
    "mean_index": N_("no points of {responses} responses have the mean {mean_index}: give it with six decimals"),
    "mean_composite": N_("{mean_composite} is not rounded to six decimals"),
}
