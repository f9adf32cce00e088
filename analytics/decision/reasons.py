"""Sentences that explain the standing of a community, in each language."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cache, lru_cache
from string import Formatter
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from analytics.files.column_texts import filled, literal, replaced, side_by_side, whole_texts, word_texts
from analytics.languages import translator
from analytics.rules import Population
from analytics.statistics.validation import BooleanArray, FloatArray, IntegerArray

Part = Literal["satisfaction", "complaints", "criterion"]

Standings = pd.DataFrame | Mapping[str, Sequence[Any]]
"""Columns of standings by name; missing values may be None, NaN or <NA>."""

_Keys = npt.NDArray[np.object_]

_MOST_DECIMALS = 9
_POWERS_OF_TEN: Final[list[int]] = [10**decimals for decimals in range(_MOST_DECIMALS + 1)]
# Products of three floats are a thousand times as exact.
_ROUNDING_TOLERANCE = 1e-12
# So few rows are written one by one sooner than columns are set up.
_FEW: Final = 20


def reason_sentence(
    standing: Mapping[str, Any], region: Mapping[str, Any], part: Part, *, population: Population, language: str
) -> str:
    """Return one sentence that explains a community's status.

    Parameters
    ----------
    standing : mapping
        One row of standings; missing values may be None, NaN or <NA>.
    region : mapping
        The entry of the community's region in the summary of the evaluation, ``summary["regions"][name]``.
    part : {"satisfaction", "complaints", "criterion"}
        The status to explain.
    population : {"owners", "residents"}
        Whose answers the rules count, ``rules.satisfaction.population``: every number of answers says whose they are.
    language : str
        One of `analytics.languages.LANGUAGES`.

    Returns
    -------
    str

    Notes
    -----
    Numbers never contradict the decision: a score that differs from the score at the last qualifying position is
    shown with enough decimals to see that, and only exactly 100 % is shown as 100 %.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analytics.decision.evaluate import evaluate
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> result = evaluate(pd.DataFrame({
    ...     "community_id": [str(number) for number in range(20)], "region": "海南区",
    ...     "responses": [50, 50, 40, *[9] * 17], "satisfied": [48, 48, 38, *[9] * 17],
    ... }), rules)
    >>> rows = result.standings.to_dict("records")
    >>> region = result.summary["regions"]["海南区"]
    >>> population = rules.satisfaction.population
    >>> reason_sentence(rows[3], region, "satisfaction", population=population, language="en")
    '9 valid responses of owners, fewer than the 10 that are needed: sample too small, not ranked.'
    >>> reason_sentence(rows[3], region, "satisfaction", population=population, language="zh-Hans")
    '业主有效问卷9份，少于10份，样本不足，不参与排名。'
    """
    columns = {name: [standing[name]] for name in _COLUMNS[part]}
    regions = {standing["region"]: region}
    return reason_sentences(columns, regions, part, population=population, language=language)[0]


def reason_sentences(
    standings: Standings, regions: Mapping[str, Any], part: Part, *, population: Population, language: str
) -> list[str]:
    """Return for each community the sentence that explains its status, many times as fast as one by one.

    Parameters
    ----------
    standings, regions, part, population, language
        As in `reason_texts`.

    Returns
    -------
    list of str
        Those of `reason_sentence`, in the order of the rows; empty for no rows.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analytics.decision.evaluate import evaluate
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> result = evaluate(pd.DataFrame({
    ...     "community_id": [str(number) for number in range(20)], "region": "海南区",
    ...     "responses": [50, 50, 40, *[9] * 17], "satisfied": [48, 48, 38, *[9] * 17],
    ... }), rules)
    >>> population, regions = rules.satisfaction.population, result.summary["regions"]
    >>> said = reason_sentences(result.standings, regions, "satisfaction", population=population, language="zh-Hans")
    >>> said[-1]
    '业主有效问卷9份，少于10份，样本不足，不参与排名。'
    """
    texts = reason_texts(standings, regions, part, population=population, language=language)
    sentences: list[str] = texts.to_pylist()
    return sentences


def reason_texts(
    standings: Standings, regions: Mapping[str, Any], part: Part, *, population: Population, language: str
) -> pa.Array:
    """Return the sentences of `reason_sentences` as one Arrow array, for files of very many communities.

    Parameters
    ----------
    standings : DataFrame or mapping of str to sequence
        Rows of standings of one evaluation; missing values may be None, NaN or <NA>.
    regions : mapping
        The summary of the evaluation by region, ``summary["regions"]``. What it quotes from the rules is the same in
        every region.
    part, population, language
        As in `reason_sentence`.

    Returns
    -------
    Array of large_string
        None of them missing, in the order of the rows; empty for no rows.

    Examples
    --------
    >>> standings = {"criterion_status": ["met", "not_met"], "criterion_route": ["both", None]}
    >>> reason_texts(standings, {}, "criterion", population="owners", language="en")[0].as_py()
    'Met by satisfaction and by the complaint rate.'
    """
    if part == "criterion":
        return _criterion_sentences(standings, language)
    labels = _words(standings, "region").tolist()
    if not labels:
        return pa.array([], pa.large_string())
    places = {label: place for place, label in enumerate(dict.fromkeys(labels))}
    routes = [regions[label][part] for label in places]
    of_region = np.array([places[label] for label in labels])
    if part == "satisfaction":
        return _satisfaction_sentences(standings, routes, of_region, population, language)
    return _complaint_sentences(standings, routes, of_region, language)


def format_distinct(value: Fraction, others: Iterable[Fraction], *, decimals: int) -> str:
    """Format a number with enough decimals to distinguish it from others.

    Parameters
    ----------
    value : Fraction
    others : iterable of Fraction
        Numbers whose text must differ unless they are equal.
    decimals : int
        Least number of decimals.

    Returns
    -------
    str
        Rounded half to even.

    Examples
    --------
    >>> format_distinct(Fraction(9496, 100), [Fraction(95)], decimals=1)
    '94.96'
    >>> format_distinct(Fraction(95), [Fraction(95), Fraction(9496, 100)], decimals=1)
    '95.00'
    """
    shown = _round_half_even(value, decimals)
    for other in others:
        while decimals < _MOST_DECIMALS and _round_half_even(other, decimals) == shown and other != value:
            decimals += 1
            shown = _round_half_even(value, decimals)
    return f"{shown / _POWERS_OF_TEN[decimals]:,.{decimals}f}"


def _round_half_even(value: Fraction, decimals: int) -> int:
    """Return `round(value, decimals)` in units of the last decimal, five times as fast as a Fraction does it."""
    numerator, denominator = value.as_integer_ratio()
    # Half up; if the remainder is 0 it was a tie, and an odd result is reduced to the even one.
    half_up, left_over = divmod(2 * numerator * _POWERS_OF_TEN[decimals] + denominator, 2 * denominator)
    return half_up - 1 if left_over == 0 and half_up % 2 else half_up


def _words(standings: Standings, name: str) -> _Keys:
    values = standings[name]
    if isinstance(values, pd.Series):
        return values.to_numpy(dtype=object)
    # Filled one by one: numpy would take a sequence of texts of one length for something else.
    words = np.empty(len(values), dtype=object)
    words[:] = values
    return words


def _word_texts(standings: Standings, name: str) -> pa.Array:
    values = standings[name]
    return word_texts(values) if isinstance(values, pd.Series) else pa.array(values, pa.large_string())


def _numbers(standings: Standings, name: str) -> FloatArray:
    values = standings[name]
    if isinstance(values, pd.Series):
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.array([np.nan if value is None or value is pd.NA else value for value in values], dtype=np.float64)


def _satisfaction_sentences(
    standings: Standings,
    routes: Sequence[Mapping[str, Any]],
    of_region: IntegerArray,
    population: Population,
    language: str,
) -> pa.Array:
    templates, stated = _templates(language), routes[0]
    responses, reasons = _numbers(standings, "responses"), _words(standings, "satisfaction_reason").copy()
    reasons[(reasons == "no_responses") & np.isnan(responses)] = "no_satisfaction_data"
    every = np.full(len(reasons), f"answers_of_{population}", dtype=object)
    answers = _fill(templates, every, {"responses": filled(whole_texts(responses))})
    is_ranked = np.array([reason not in _NOT_RANKED for reason in reasons], dtype=bool)
    minimum = stated["minimum_responses"] or {}
    not_ranked = reasons.copy()
    not_ranked[is_ranked] = None
    sentences = _fill(
        templates,
        not_ranked,
        {
            "answers": answers,
            "households": filled(whole_texts(_numbers(standings, "households"))),
            **{name: str(value).replace(" ", "") for name, value in minimum.items()},
        },
    )
    rows = np.flatnonzero(is_ranked)
    if rows.size:
        score = _numbers(standings, "satisfaction_score")[rows]
        # A rate from counts lies between 0 and 1 and is shown as a percentage; given scores are percentages already.
        counted = _numbers(standings, "satisfaction_rate")[rows] == score
        scale = np.where(counted & (stated["measure"] == "satisfaction_rate"), 100, 1)
        cut_off = _cut_offs(routes, of_region[rows], own=score)
        unit = literal("%" if stated["measure"] == "satisfaction_rate" else "")
        facts = {
            "score": side_by_side(_show_each(score, (0, 100 // scale, cut_off), scale=scale, decimals=1), unit),
            "satisfied": filled(whole_texts(_numbers(standings, "satisfied")[rows])),
            "answers": answers.take(pa.array(rows)),
        }
        kinds = _satisfaction_facts(stated["measure"], counted, np.isnan(responses[rows]))
        ranked = _ranked_sentences(
            standings,
            rows,
            prefix="satisfaction",
            routes=routes,
            of_region=of_region[rows],
            language=language,
            reasons=reasons[rows],
            facts=_fill(templates, kinds, facts),
            cut_offs={
                "cut_off": side_by_side(_show_each(cut_off, (0, 100 // scale, score), scale=scale, decimals=1), unit)
            },
        )
        sentences = replaced(sentences, is_ranked, ranked)
    return sentences


def _satisfaction_facts(measure: str, counted: BooleanArray, is_uncounted: BooleanArray) -> _Keys:
    """Return for each community the template that states its score."""
    if measure == "satisfaction_rate":
        return np.where(counted, "rate_of_counts", "rate").astype(object)
    name = "composite" if measure == "composite" else "index"
    return np.where(is_uncounted, name, f"{name}_of_responses").astype(object)


def _complaint_sentences(
    standings: Standings, routes: Sequence[Mapping[str, Any]], of_region: IntegerArray, language: str
) -> pa.Array:
    templates, minimum = _templates(language), routes[0]["minimum_exposure"]
    reasons, exposure = _words(standings, "complaint_reason").copy(), _numbers(standings, "exposure_household_years")
    # The code is part of what is hashed; that nobody lived there is no missing number.
    reasons[(reasons == "denominator_missing") & (exposure == 0)] = "no_exposure"
    is_ranked = np.array([reason not in _NOT_RANKED for reason in reasons], dtype=bool)
    exposures = _show_each(exposure, (minimum,), decimals=0)
    not_ranked = reasons.copy()
    not_ranked[is_ranked] = None
    sentences = _fill(
        templates,
        not_ranked,
        {"exposure": exposures, "minimum": _show(minimum, (), decimals=0)},
    )
    rows = np.flatnonzero(is_ranked)
    if rows.size:
        own, exposure, exposures = (
            _numbers(standings, "complaints_per_1000_household_years")[rows],
            exposure[rows],
            exposures.take(pa.array(rows)),
        )
        cut_off = _cut_offs(routes, of_region[rows], own=own)
        cut_exposure = np.array([route["cut_off_exposure_household_years"] or 0.0 for route in routes])[of_region[rows]]
        decided = reasons[rows]
        # Neither had a complaint: they are ranked by exposure.
        by_exposure = (decided == "outside_k") & (own == 0) & (cut_off == 0)
        decided[by_exposure] = "outside_k_by_exposure"
        compared = _show_each(exposure[by_exposure], (cut_exposure[by_exposure],), decimals=0)
        facts = {
            "score": _show_each(own, (0, cut_off), decimals=2),
            "complaints": filled(whole_texts(_numbers(standings, "complaints")[rows])),
            "exposure": replaced(exposures, by_exposure, compared),
        }
        every = np.full(rows.size, "complaint_rate", dtype=object)
        ranked = _ranked_sentences(
            standings,
            rows,
            prefix="complaint",
            routes=routes,
            of_region=of_region[rows],
            language=language,
            reasons=decided,
            facts=_fill(templates, every, facts),
            cut_offs={
                "cut_off": _show_each(cut_off, (0, own), decimals=2),
                "cut_off_exposure": _show_each(cut_exposure, (exposure,), decimals=0),
            },
        )
        sentences = replaced(sentences, is_ranked, ranked)
    return sentences


def _cut_offs(routes: Sequence[Mapping[str, Any]], of_region: IntegerArray, *, own: FloatArray) -> FloatArray:
    """Return for each community the score at the last qualifying position, its own where there is none."""
    scores = np.array([np.nan if route["cut_off_score"] is None else route["cut_off_score"] for route in routes])
    cut_off = scores[of_region]
    return np.where(np.isnan(cut_off), own, cut_off)


def _ranked_sentences(
    standings: Standings,
    rows: IntegerArray,
    *,
    prefix: str,
    routes: Sequence[Mapping[str, Any]],
    of_region: IntegerArray,
    language: str,
    reasons: _Keys,
    facts: pa.Array,
    cut_offs: Mapping[str, pa.Array],
) -> pa.Array:
    templates, stated = _templates(language), routes[0]
    rank, last = (_numbers(standings, f"{prefix}_{name}")[rows] for name in ("rank", "last_rank"))
    own = pa.array(of_region)
    ranked, k = (pa.array([str(route[name]) for route in routes], pa.large_string()).take(own) for name in ("N", "k"))
    scopes = np.array([f"in_{route['ranked_with']}" for route in routes], dtype=object)[of_region]
    positions = _fill(
        templates,
        np.where(rank == last, "alone", "tied").astype(object),
        {
            "rank": whole_texts(rank),
            "last_rank": whole_texts(last),
            "N": ranked,
            "place": _fill(templates, scopes, {"region": _word_texts(standings, "region").take(pa.array(rows))}),
        },
    )
    decisions = _fill(
        templates,
        reasons,
        {
            "k": k,
            "N": ranked,
            "share": stated["share"].replace(" ", ""),
            "tied": whole_texts(last - rank + 1),
            "decision": stated.get("large_boundary_block") or "",
            **cut_offs,
        },
    )
    every = np.full(rows.size, "sentence", dtype=object)
    return _fill(templates, every, {"fact": facts, "position": positions, "decision": decisions})


def _criterion_sentences(standings: Standings, language: str) -> pa.Array:
    status, route = (_words(standings, f"criterion_{name}") for name in ("status", "route"))
    keys = [
        f"met_by_{by}" if decided == "met" else f"criterion_{decided}"
        for decided, by in zip(status.tolist(), route.tolist(), strict=True)
    ]
    templates = _templates(language)
    return pa.array([templates[key] for key in keys], pa.large_string())


def _fill(templates: Mapping[str, str], keys: _Keys, facts: Mapping[str, pa.Array | str]) -> pa.Array:
    """Return for each row the template of its key, filled with the row's facts; missing where the key is None."""
    if len(keys) <= _FEW:
        told = {name: [fact] * len(keys) if isinstance(fact, str) else fact.to_pylist() for name, fact in facts.items()}
        texts = [
            None if key is None else templates[key].format_map({name: column[row] for name, column in told.items()})
            for row, key in enumerate(keys.tolist())
        ]
        return pa.array(texts, pa.large_string())
    places = np.full(len(keys), -1)
    parts: list[pa.Array] = []
    count = 0
    for key in set(keys.tolist()) - {None}:
        rows = np.flatnonzero(keys == key)
        places[rows] = np.arange(count, count + rows.size)
        count += rows.size
        parts.append(_fill_template(templates[key], facts, rows))
    if len(parts) == 1 and count == len(keys):
        return parts[0]
    every = pa.concat_arrays(parts) if parts else pa.nulls(0, pa.large_string())
    return every.take(pa.array(places, mask=places < 0))


def _fill_template(template: str, facts: Mapping[str, pa.Array | str], rows: IntegerArray) -> pa.Array:
    """Return one template filled with the facts of each of some rows."""
    # With the empty texts it is an array also where the template has no facts.
    pieces: list[pa.Array | pa.Scalar] = [pa.repeat(literal(""), rows.size)]
    for before, name in _pieces(template):
        pieces.append(literal(before))
        if name is not None:
            fact = facts[name]
            if isinstance(fact, str):
                pieces.append(literal(fact))
            else:
                pieces.append(fact if len(fact) == rows.size else fact.take(pa.array(rows)))
    return side_by_side(*pieces)


@cache
def _pieces(template: str) -> tuple[tuple[str, str | None], ...]:
    """Return what stands before each fact of a template with the fact's name, None where the template ends."""
    return tuple((before, name) for before, name, _, _ in Formatter().parse(template))


_COLUMNS: Final[Mapping[Part, tuple[str, ...]]] = {
    "satisfaction": (
        "region",
        "responses",
        "satisfied",
        "households",
        "satisfaction_rate",
        "satisfaction_score",
        "satisfaction_rank",
        "satisfaction_last_rank",
        "satisfaction_reason",
    ),
    "complaints": (
        "region",
        "complaints",
        "exposure_household_years",
        "complaints_per_1000_household_years",
        "complaint_rank",
        "complaint_last_rank",
        "complaint_reason",
    ),
    "criterion": ("region", "criterion_status", "criterion_route"),
}
"""Columns of standings that explain each status."""

_NOT_RANKED: Final = frozenset(
    {
        "no_satisfaction_data",
        "no_responses",
        "too_few_responses",
        "too_few_for_households",
        "households_unknown",
        "no_complaint_data",
        "denominator_missing",
        "no_exposure",
        "exposure_too_small",
    }
)


def _show_each(
    numbers: FloatArray,
    others: Sequence[FloatArray | IntegerArray | float | str],
    *,
    scale: IntegerArray | int = 1,
    decimals: int,
) -> pa.Array:
    """Return scaled numbers as `_show` does with the others of each row, empty where one is missing."""
    known = ~np.isnan(numbers)

    def show(row: int) -> str:
        exact = tuple(other[row].item() if isinstance(other, np.ndarray) else other for other in others)
        own = int(scale[row]) if isinstance(scale, np.ndarray) else scale
        return _show(numbers[row].item(), exact, scale=own, decimals=decimals)

    if numbers.size <= _FEW:
        return pa.array([show(row) if known[row] else "" for row in range(numbers.size)], pa.large_string())
    units, is_exact = _nearest_units(numbers, scale, decimals)
    alike = ~is_exact
    for other in others:
        compared = float(Fraction(other)) if isinstance(other, str) else other
        other_units, is_other_exact = _nearest_units(compared, scale, decimals)
        alike |= ((other_units == units) & (compared != numbers)) | ~is_other_exact
    distinct, places = np.unique(units, return_inverse=True)
    shown = ["" if np.isnan(unit) else f"{int(unit) / _POWERS_OF_TEN[decimals]:,.{decimals}f}" for unit in distinct]
    texts = pa.array(shown, pa.large_string()).take(pa.array(places))
    # Few numbers are so close to others, or to the middle between two roundings, that they need exact arithmetic.
    alike &= known
    exact = [show(row) for row in np.flatnonzero(alike).tolist()]
    return replaced(texts, alike, pa.array(exact, pa.large_string()))


def _nearest_units(
    numbers: FloatArray | IntegerArray | float, scale: IntegerArray | int, decimals: int
) -> tuple[FloatArray, BooleanArray]:
    """Return scaled numbers in units of the last decimal, and whether floats are exact enough to round them."""
    multiples = np.asarray(numbers * np.asarray(scale) * _POWERS_OF_TEN[decimals], dtype=np.float64)
    units = np.rint(multiples)
    tolerance = _ROUNDING_TOLERANCE * np.maximum(1, np.abs(multiples))
    return units, np.abs(np.abs(multiples - units) - 0.5) > tolerance


def _show(number: float | str, others: tuple[float | str, ...], *, scale: int = 1, decimals: int) -> str:
    """Return a scaled number as `format_distinct` formats it, usually from cached roundings."""
    units, text = _rounded(number, scale, decimals)
    for other in others:
        if other != number and _rounded(other, scale, decimals)[0] == units:
            exact = [_fraction(each) * scale for each in others]
            return format_distinct(_fraction(number) * scale, exact, decimals=decimals)
    return text


@lru_cache(maxsize=50_000)
def _rounded(number: float | str, scale: int, decimals: int) -> tuple[int, str]:
    """Round a scaled number: return it in units of the last decimal, and as text."""
    units = _round_half_even(Fraction(number) * scale, decimals)
    return units, f"{units / _POWERS_OF_TEN[decimals]:,.{decimals}f}"


@lru_cache(maxsize=10_000)
def _fraction(number: float | str) -> Fraction:
    """Return the exact number, cached because many communities have the same scores and limits."""
    return Fraction(number)


@cache
def _templates(language: str) -> dict[str, str]:
    _ = translator(language)
    return {
        "answers_of_owners": _("{responses} valid responses of owners"),
        "answers_of_residents": _("{responses} valid responses of all residents"),
        "sentence": _("{fact}, {position}; {decision}."),
        "rate_of_counts": _("Satisfaction rate {score} ({satisfied} of {answers})"),
        "rate": _("Satisfaction rate {score}"),
        "index_of_responses": _("Satisfaction index {score} ({answers})"),
        "index": _("Satisfaction index {score}"),
        "composite_of_responses": _("Composite score {score} ({answers})"),
        "composite": _("Composite score {score}"),
        "complaint_rate": _(
            "{score} complaints per 1,000 households a year (valid complaints: {complaints}; household-years: "
            "{exposure})"
        ),
        "in_district": _("{region}"),
        "in_city": _("the whole city"),
        "in_wider_region": _("the whole city ({region} alone is too small and by the rules ranked with it)"),
        "alone": _("rank {rank} of {N} ranked communities in {place}"),
        "tied": _("tied for ranks {rank} to {last_rank} of {N} ranked communities in {place}"),
        "within_k": _("the first {k} qualify: met"),
        "outside_k": _("the first {k} qualify and position {k} has {cut_off}: not met"),
        "outside_k_by_exposure": _(
            "the first {k} qualify and position {k}, without complaints too, has {cut_off_exposure} household-years:"
            " not met"
        ),
        "tied_within_k": _("the tie reaches across position {k} and by the rules all of it qualifies: met"),
        "tied_across_k": _("the tie reaches across position {k} and by the rules none of it qualifies: not met"),
        "tied_within_k_by_decision": _(
            "{tied} communities are tied across position {k}, more than twice as many as qualify;"
            " by written decision all of them do (“{decision}”): met"
        ),
        "tied_across_k_by_decision": _(
            "{tied} communities are tied across position {k}, more than twice as many as qualify;"
            " by written decision none of them does (“{decision}”): not met"
        ),
        "boundary_block_too_large": _(
            "{tied} communities are tied across position {k}, more than twice as many as qualify, and no written"
            " decision says what holds: not assessed"
        ),
        "zero_complaints_undecidable": _(
            "{tied} communities without complaints are tied across position {k}, which the rules leave undecided:"
            " not assessed"
        ),
        "k_is_zero": _("{share} of {N} ranked communities is less than one position: not applicable"),
        "no_satisfaction_data": _("No data on satisfaction: not ranked."),
        "no_responses": _("{answers}: sample too small, not ranked."),
        "too_few_responses": _("{answers}, fewer than the {least} that are needed: sample too small, not ranked."),
        "too_few_for_households": _(
            "{answers}, fewer than {enough} and fewer than {or_share_of_households} of {households}"
            " households: sample too small, not ranked."
        ),
        "households_unknown": _(
            "{answers}, fewer than {enough}, and the number of households is unknown: sample too small, not ranked."
        ),
        "no_complaint_data": _("No data on complaints: not ranked."),
        "denominator_missing": _("The number of households is unknown, so there is no complaint rate: not ranked."),
        "no_exposure": _("0 household-years in the period, so there is no complaint rate: not ranked."),
        "exposure_too_small": _("{exposure} household-years, fewer than the {minimum} that are needed: not ranked."),
        "met_by_satisfaction": _("Met by satisfaction."),
        "met_by_complaints": _("Met by the complaint rate."),
        "met_by_both": _("Met by satisfaction and by the complaint rate."),
        "criterion_not_met": _("Not met: neither satisfaction nor the complaint rate is among those that qualify."),
        "criterion_not_assessed": _("Not assessed: neither route is met, and at least one could not be assessed."),
        "criterion_not_applicable": _("Not applicable: too few communities are ranked for the share to name one."),
    }
