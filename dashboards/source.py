"""Interface that the dashboards read results from; they know nothing else about how results are stored."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, Protocol, TypeVar, TypeVarTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.casework.rates import Formulas
from analytics.decision.summary import RouteName
from analytics.disclosure.rules import DisclosureRules
from analytics.languages import Wording
from analytics.rules import Rules

Polygon = Sequence[Sequence[tuple[float, float]]]
"""Polygon: an outer ring of longitudes and latitudes, and the rings of its holes."""


@dataclass(frozen=True)
class EvaluationHeader:
    """Stored evaluation: of which round, by which rules, and what it counted."""

    id: int
    round_name: str
    round_english_name: str | None
    cut_off: datetime
    evaluated_at: datetime
    provisional: bool
    # Whether it was published as the result of its round; at most one evaluation of a round is.
    published: bool
    responses: int
    rules: Rules
    inputs_sha256: str
    standings_sha256: str
    # By which its evidence was weighed, see `analytics.evidence.method`.
    evidence_method: int
    # Per region and route: N, k, the cut-off score, ties, counts of each status, warnings; as analytics wrote it. Under
    # "evidence", by region, what `analytics.evidence.list_reliability.summarise_evidence` says.
    summary: Mapping[str, Any]

    def round_label(self, language: str) -> str:
        """Return the round's name in `language`."""
        return self.round_english_name or self.round_name if language == "en" else self.round_name


def select_evaluation(headers: Sequence[EvaluationHeader], asked: int | None) -> EvaluationHeader | None:
    """Return the evaluation asked for, if there is one; asked for none, the newest published or else the newest."""
    if asked is not None:
        return next((header for header in headers if header.id == asked), None)
    return next((header for header in headers if header.published), next(iter(headers), None))


@dataclass(frozen=True)
class Progress:
    """Progress of the open round, counted within the last minute: counts that do not depend on what was answered.

    `communities` has one row per community: community_id, name, english_name, region, region_english, responses
    (those that stand, whatever they say), households, required (valid responses of the ranked population that it takes
    to be assessed: how many of `responses` are that is known after the close).
    `daily` has one row per local day since the round opened: date, responses; `hourly` one per hour of the local day:
    hour (0 to 23), responses; `modes` one per mode in which answers came (web, paper, telephone): mode, responses;
    `buildings` one per building with a poster of its own: number, name, english_name, building, responses.
    """

    round_name: str
    round_english_name: str | None
    opens_at: datetime
    closes_at: datetime
    time_zone: str
    communities: pd.DataFrame
    daily: pd.DataFrame
    hourly: pd.DataFrame
    modes: pd.DataFrame
    buildings: pd.DataFrame


@dataclass(frozen=True)
class Casework:
    """Cases that were filed, open or moved from `start`, the beginning of a month, to `cut_off`, in the city's time.

    `cases` has the columns `analytics.casework.case_frame.CASE_COLUMNS`, the names community_name, community_english,
    district_english and company_english, and category_label and category_english; `spells` has those of
    `analytics.casework.case_frame.SPELL_COLUMNS`, and `call_backs` of the calls of that time those of
    `analytics.casework.call_backs.CALL_BACK_COLUMNS`. The company is the one that got the case; of a case that none
    got, the one in charge when it was filed. `formulas` are those of the three rates in the casework file that is in
    force at the cut-off, and `statements` what it says of each. `disclosure` are the rules by which numbers of
    residents are shown on that day.
    """

    cases: pd.DataFrame
    spells: pd.DataFrame
    call_backs: pd.DataFrame
    formulas: Formulas
    statements: Mapping[str, Wording]
    start: datetime
    cut_off: datetime
    disclosure: DisclosureRules

    def __len__(self) -> int:
        return len(self.cases) + len(self.spells) + len(self.call_backs)


@dataclass(frozen=True)
class ReportedComplaints:
    """Respondents who say that they complained within a year, beside the cases on record where it was ranked.

    `said` of those `asked` here and in the region; `answered` are those here who were led to the very question and
    answered it; the region's valid complaints and the household-years they are of. `is_withheld`: the table of answers
    withholds who complained here, or an answer that led to the question.
    """

    said: int
    asked: int
    answered: int
    region_said: int
    region_asked: int
    region_complaints: int
    region_household_years: float
    is_withheld: bool = False


@dataclass(frozen=True)
class Profile:
    """Profile of one community behind its standing, beside all communities that it was ranked with.

    `answers` has one row per question and code: question, label, english_label, domain (whether it is an aspect of
    service), code, option, english_option, missing (don't know and the like), here, region (numbers of answers).
    `complaints` has one row per month, category and validity: month ("2026-09"), category, label, english_label, valid
    (whether the rate counts it), cases. `drivers` has one row per domain: question, label, english_label and, of
    `analytics.statistics.drivers.Drivers`, n, weight, share, lower, upper, above_noise, the shares in whole percents;
    `respondents` is how many answers it rests on. `tenures` has one row for owners and one for tenants: tenure (1
    owners, 2 tenants), responses (valid answers to the ranked question) and satisfied; no rows in evaluations that did
    not count them apart. `reported` is None where the questionnaire does not say by which answer residents tell that
    they complained.
    """

    answers: pd.DataFrame
    complaints: pd.DataFrame
    drivers: pd.DataFrame
    respondents: int
    tenures: pd.DataFrame
    reported: ReportedComplaints | None


@dataclass(frozen=True)
class Examination:
    """Integrity examination of the round of an evaluation: which signals were looked for, and what was found.

    `families` has one row per community in scope and family of signals: number, region, region_english, family,
    statistic, expected, adjusted_p, flagged, as `analytics.statistics.integrity_signals` says. `counts` has one row
    per community in scope: number, waiting, released, excluded (numbers of responses by the state of their review,
    whoever sent them). `held` has one row per community in scope where answers that the evaluation counts wait for a
    decision: number, and of these answers alone the columns of
    `analytics.decision.table_columns.MEASURE_COLUMNS` that its inputs have, counted by its rules and of the population
    that it ranks.
    """

    round_id: int
    examined_at: datetime
    families: pd.DataFrame
    counts: pd.DataFrame
    held: pd.DataFrame


GridColumn = Literal[
    "name",
    "responses",
    "satisfaction_rank",
    "satisfaction_score",
    "complaint_rank",
    "complaints_per_1000_household_years",
]
"""Columns that a table of communities can be ordered by; `name` stands for the order of the sort keys."""


@dataclass(frozen=True)
class GridOrder:
    """Column that a table is ordered by, with its direction."""

    column: GridColumn
    descending: bool = False


CommunityGroup = Literal[
    "ranked_by_satisfaction",
    "ranked_by_complaints",
    "ranked_by_neither",
    "met_by_satisfaction",
    "met_by_complaints",
    "met_by_both",
    "left_open",
    "few_answers",
    "held_answers",
    "with_complaints",
    "without_complaints",
    "without_rate",
]
"""Communities that a number on a page counts: of `left_open` ones `standings.is_left_open` says what they are, those
with `few_answers` are ranked by satisfaction, of those with `held_answers` some wait for a decision. Those `with_` and
`without_complaints` have a known number of both complaints and households, those `without_rate` do not."""


@dataclass(frozen=True)
class GridQuery:
    """Query of a table of communities: filters, order, and which part of it to return.

    `text` is part of a name in either language or of the number, ignoring case; `subdistrict` is a Chinese name, and
    `company` the name of the company in charge on the last day of the round, in either language, or part of it where no
    company is called exactly so. Few answers are fewer than `enough_responses`; where that is None, no community has
    few. Any other field that is None or empty filters nothing. Communities without a value come last in either order,
    and so do, by a score, those that are not ranked; ties go to the one registered first. Without an order names
    decide, without a `limit` the list goes to its end.
    """

    text: str = ""
    region: str | None = None
    subdistrict: str | None = None
    company: str = ""
    status: str | None = None
    evidence: str | None = None
    minimum_responses: int | None = None
    group: CommunityGroup | None = None
    enough_responses: int | None = None
    order: tuple[GridOrder, ...] = ()
    offset: int = 0
    limit: int | None = None


@dataclass(frozen=True)
class GridPage:
    """One page of a table, and how many communities the whole table has.

    `rows` has the columns community_id, number, name, english_name, region, region_english, subdistrict,
    subdistrict_english, neighbourhood, neighbourhood_english, company, company_english and `GRID_COLUMNS`.
    """

    rows: pd.DataFrame
    total: int


@dataclass(frozen=True)
class KeyCounts:
    """How many communities there are, are ranked on each route and meet the criterion, and their valid answers.

    `responses` is None where it is unknown of all of them. `rated` are the valid answers of the communities that are
    ranked by satisfaction and of which it is known how many of them are `satisfied`; `covered` are those of them that
    are of communities whose `households` are known. None where there is none.
    """

    communities: int
    ranked: Mapping[RouteName, int]
    met: int
    responses: int | None
    rated: int | None
    satisfied: int | None
    covered: int | None
    households: int | None


ExportKind = Literal["grid", "aspects"]
"""Tables that leave as files: that of all communities, and that of their percentiles by aspect of service."""

CATEGORICAL_COLUMNS: Final = (
    "name",
    "english_name",
    "region",
    "region_english",
    "subdistrict",
    "subdistrict_english",
    "neighbourhood",
    "neighbourhood_english",
    "company",
    "company_english",
    "satisfaction_status",
    "satisfaction_reason",
    "complaint_status",
    "complaint_reason",
    "criterion_status",
    "criterion_route",
    "satisfaction_evidence",
    "satisfaction_evidence_reason",
    "complaint_evidence",
    "complaint_evidence_reason",
    "criterion_evidence",
    "criterion_evidence_reason",
)
"""Columns of standings that a source returns as pandas categories: rows of these are chosen by whole numbers."""

DRAWN_COLUMNS: Final = (
    "households",
    "responses",
    "satisfied",
    "complaints",
    "exposure_household_years",
    "satisfaction_score",
    "satisfaction_rank",
    "satisfaction_last_rank",
    "satisfaction_status",
    "complaints_per_1000_household_years",
    "complaint_rank",
    "complaint_last_rank",
    "complaint_status",
    "criterion_status",
    "satisfaction_lower",
    "satisfaction_upper",
    "satisfaction_shrunk",
    "satisfaction_evidence",
    "complaint_rate_lower",
    "complaint_rate_upper",
    "complaint_evidence",
)
"""Columns of the standings that pages draw of all communities; the others they need of single ones."""

Answer = TypeVar("Answer", bound=Sized)
Arguments = TypeVarTuple("Arguments")

GRID_COLUMNS: Final = (
    "responses",
    "satisfaction_rank",
    "satisfaction_last_rank",
    "satisfaction_score",
    "complaint_rank",
    "complaint_last_rank",
    "complaints_per_1000_household_years",
    "satisfaction_status",
    "satisfaction_reason",
    "complaint_status",
    "complaint_reason",
    "criterion_status",
    "criterion_evidence",
)
"""Columns of the standings that a table of communities shows."""


class EvaluationSource(Protocol):
    """Results and progress, limited to what the signed-in account may see."""

    def evaluations(self) -> Sequence[EvaluationHeader]:
        """Return the stored evaluations, the newest first."""

    def standings(self, evaluation_id: int) -> pd.DataFrame:
        """Return one row per community that the account may see, in the order of the community's sort key.

        Columns: community_id, number, name, english_name, region, region_english and `DRAWN_COLUMNS`. Those of
        `CATEGORICAL_COLUMNS` are categories.

        Raises
        ------
        LookupError
            If there is no such evaluation.
        """

    def standings_of(self, evaluation_id: int, numbers: Sequence[str]) -> pd.DataFrame:
        """Return the same of some communities with all columns, in the order of `numbers`; without those out of sight.

        Columns: those of `standings`, subdistrict, subdistrict_english, neighbourhood, neighbourhood_english, company,
        company_english, those of an analytics standings frame and
        `analytics.evidence.weigh_evidence.EVIDENCE_COLUMNS`; the latter are missing in evaluations that were made
        before evidence was weighed.

        Raises
        ------
        LookupError
            If there is no such evaluation.
        """

    def places(self, evaluation_id: int) -> pd.DataFrame:
        """Return the regions with the subdistricts that have communities in `standings`, in the order of their first.

        Columns: region, region_english, subdistrict, subdistrict_english; of communities without a subdistrict a row
        that names none.

        Raises
        ------
        LookupError
            If there is no such evaluation.
        """

    def key_counts(self, evaluation_id: int, region: str | None) -> KeyCounts:
        """Return the key counts of the communities in `standings`, of one region or of all.

        Raises
        ------
        LookupError
            If there is no such evaluation.
        """

    def ranked_counts(self, evaluation_id: int, region: str) -> pd.DataFrame:
        """Return the counts of the communities of a region in `standings` that are ranked by them on satisfaction.

        Columns: number, responses, satisfied, satisfaction_score, satisfaction_rank and satisfaction_last_rank, none of
        them missing.

        Raises
        ------
        LookupError
            If there is no such evaluation.
        """

    def company_counts(self, evaluation_id: int, region: str | None) -> pd.DataFrame:
        """Return the pooled counts of each property company's communities that are ranked by counts on satisfaction.

        Of the communities in `standings`, of one region or of all. The company of a community is the one in charge on
        the last day of the round; where no change is recorded with its day, that of the register of today. Columns:
        company, company_english, communities, responses, satisfied, in the order of the companies' sort keys; of
        communities without a company a last row that names none. Where a community is ranked its counts are public:
        nothing of the others has a part in the sums.

        Raises
        ------
        LookupError
            If there is no such evaluation.
        """

    def compute_once(
        self,
        evaluation_id: int,
        derive: Callable[["EvaluationSource", int, *Arguments], Answer],
        *arguments: *Arguments,
    ) -> Answer:
        """Return `derive(source, evaluation_id, *arguments)`, computed once and then remembered while there is room.

        The key is the function with its arguments, which are hashable. So that it says all that the answer depends on,
        `derive` is a function of a module, and closes over nothing: it reads from the source what never changes,
        standings and inputs as the account may see them. The length of the answer is the number of rows that it takes
        room for.
        """

    def grid(self, evaluation_id: int, query: GridQuery) -> GridPage:
        """Return one page of the table of communities that the account may see.

        Raises
        ------
        LookupError
            If there is no such evaluation.
        """

    def export_rows(self, evaluation_id: int, query: GridQuery, *, kind: ExportKind = "grid") -> Iterator[pd.DataFrame]:
        """Return all rows of a table in chunks, for a file; the export and its kind are recorded before the first.

        Raises
        ------
        LookupError
            If there is no such evaluation.
        """

    def inputs(self, evaluation_id: int) -> pd.DataFrame:
        """Return the community table that was evaluated, as far as the account may see it, for what-if questions.

        Raises
        ------
        LookupError
            If there is no such evaluation.
        """

    def inputs_of_other_population(self, evaluation_id: int) -> pd.DataFrame:
        """Return the same table as if the responses of the other population had been counted.

        That is all residents where the rules rank owners, and owners where they rank all residents. Without answers
        where they were not counted, as with a preview.

        Raises
        ------
        LookupError
            If there is no such evaluation.
        """

    def profile(self, evaluation_id: int, number: str) -> Profile | None:
        """Return the profile behind the standing of a community; None where none was kept, as with a preview.

        Raises
        ------
        LookupError
            If there is no such evaluation or community, or the account may not see it.
        """

    def reported(self, evaluation_id: int, numbers: Collection[str]) -> pd.DataFrame:
        """Return how many respondents of some communities that the account may see say that they complained.

        Columns: number, said, asked, answered, as `ReportedComplaints` has them. No rows where the questionnaire does
        not ask, or answers were not kept, as with a preview, nor where the table of answers withholds who complained.
        """

    def aspects(self, evaluation_id: int) -> pd.DataFrame:
        """Return the aspects of service, with the share of satisfied answers in each region in `standings`.

        One row per region and aspect that is rated on the scale of the ranked question, in the order of the
        questionnaire. Columns: region, question, label, english_label and share, in whole percents as the page of a
        community has it, missing where it is withheld. No rows where answers were not kept, as with a preview.

        Raises
        ------
        LookupError
            If there is no such evaluation.
        """

    def aspect_standings(self, evaluation_id: int, region: str) -> pd.DataFrame:
        """Return how the communities of a region in `standings` stand in each aspect of service.

        One row per community and aspect whose share of satisfied answers may be shown; no others, and none where
        answers were not kept, as with a preview. Columns: number and question (categories), satisfied and answered,
        and those of `analytics.evidence.aspect_percentiles.aspect_percentiles`.

        Percentiles and their intervals are computed among all communities of the region whose share may be shown, also
        where the account sees a part of them. So an account of a district learns how many of the city's are behind
        its own, and the counts of its own alone: of communities out of sight no row is handed out. What is withheld
        has no part in the computation, so that nothing of it follows: whoever knows all shares that may be shown
        could compute every percentile.

        Raises
        ------
        LookupError
            If there is no such evaluation.
        """

    def history(self, number: str) -> pd.DataFrame:
        """Return one row per official evaluation of a community that the account may see, the earliest first.

        Columns: evaluation_id, round_name, round_english_name, cut_off, responses, satisfied, satisfaction_score,
        satisfaction_lower, satisfaction_upper, satisfaction_shrunk, evidence_method, satisfaction_rank,
        satisfaction_status, complaint_rank and complaints_per_1000_household_years. Of several evaluations of a round
        the newest.
        """

    def cases(self, evaluation_id: int) -> pd.DataFrame:
        """Return the cases of the period of an evaluation, added up for each region that the account may see.

        Columns: region and those of `Profile.complaints`. Empty where none were kept, as with a preview.
        """

    def channels(self, evaluation_id: int) -> pd.DataFrame:
        """Return the valid complaints of an evaluation by channel, of each region that the account may see.

        Columns: region, channel (one of `analytics.statistics.complaint_rates.CHANNELS`), complaints and the region's
        household_years, of communities where both are known. Empty where none were kept, as with a preview.
        """

    def ranked_scores(self, evaluation_id: int, region: str) -> "npt.NDArray[np.float64]":
        """Return the satisfaction scores of the communities of a region in `standings` that are ranked by them.

        Raises
        ------
        LookupError
            If there is no such evaluation.
        """

    def examination(self, evaluation_id: int, *, number: str | None = None) -> Examination | None:
        """Return the newest examination of the round of an evaluation; None where it was never examined.

        With a `number`, `families` and `counts` are of that community alone; None where it was not examined.

        Raises
        ------
        LookupError
            If there is no such evaluation.
        """

    def waiting(self, evaluation_id: int) -> Collection[str]:
        """Return the numbers of the communities in sight of which answers are held for review and wait for a decision.

        Raises
        ------
        LookupError
            If there is no such evaluation.
        """

    def boundaries(self) -> Mapping[str, Sequence[Polygon]]:
        """Return the polygons of the districts whose boundary is known, by name."""

    def progress(self) -> Progress | None:
        """Return the progress of the open round, or None while none is open."""

    def casework(self) -> Casework:
        """Return the casework of this month and the eleven before it, as it stood within the last ten minutes."""


def header_of(source: EvaluationSource, evaluation_id: int) -> EvaluationHeader:
    """Return the header of an evaluation; `LookupError` if there is no such evaluation."""
    for header in source.evaluations():
        if header.id == evaluation_id:
            return header
    raise LookupError(evaluation_id)


def examination_of(source: EvaluationSource, evaluation_id: int) -> Examination:
    """Return the newest examination of an evaluation that was examined; `LookupError` if it was not."""
    examination = source.examination(evaluation_id)
    if examination is None:
        raise LookupError(evaluation_id)
    return examination
