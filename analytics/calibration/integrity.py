"""Calibration of the integrity signals: false alarms in honest simulated cities, detection of stuffed answers.

Cities are simulated (`analytics.calibration.simulated_city`) in which nobody cheats, or in which somebody adds
identical forms, five for everything, within ten minutes to twelve communities. Detection depends on the traces that
these leave.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd

from analytics.calibration.simulated_city import add_stuffed_responses, simulate_honest_city
from analytics.languages import translator
from analytics.reports.html_page import percent
from analytics.statistics.integrity_signals import find_signals

LEVELS: Final[Mapping[str, float]] = MappingProxyType({"ordinary": 0.65, "content": 1.5})
"""Satisfaction level of each kind of city; in the content one a fifth of honest responses are fives throughout."""

STUFFING_MANNERS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {"hurried": {"seconds": (9, 22)}, "one_terminal": {"same_terminal": True}, "own_terminals": {}}
)
"""Ways of stuffing: each form in seconds; unhurried from one terminal; unhurried, each from a terminal of its own."""

FORMS: Final = (15, 25, 40)
STUFFED_COMMUNITIES: Final = 12


@dataclass(frozen=True)
class CitySetting:
    """One simulated city; `manner` and `forms` are None if nobody cheats."""

    city: str
    communities: int
    seed: int
    manner: str | None
    forms: int | None


def list_cities(*, quick: bool) -> list[CitySetting]:
    """Return the cities of a study: honest ones, and one per manner of stuffing and number of forms.

    Examples
    --------
    >>> len(list_cities(quick=True)), len(list_cities(quick=False))
    (4, 60)
    """
    if quick:
        return [CitySetting(city, 100, 31, *how) for city in LEVELS for how in ((None, None), ("one_terminal", 25))]
    honest = [CitySetting(city, 500, seed, None, None) for city in LEVELS for seed in range(201, 213)]
    cheated = [
        CitySetting(city, 500, seed, manner, forms)
        for city in LEVELS
        for manner in STUFFING_MANNERS
        for forms in FORMS
        for seed in (61, 62)
    ]
    return honest + cheated


def run_cities(cities: list[CitySetting]) -> Iterator[dict[str, object]]:
    """Simulate each city, look for signals and yield the counts of what is found.

    Parameters
    ----------
    cities : list of CitySetting

    Yields
    ------
    dict
        The setting, and: honest_communities and honest_with_held, the number with any response held;
        stuffed_communities, stuffed_flagged (by the burst family) and held_share of the stuffed responses, None in an
        honest city.
    """
    for setting in cities:
        responses, answers = simulate_honest_city(
            setting.seed, setting.communities, most=210, level=LEVELS[setting.city]
        )
        honest = len(responses)
        places: list[int] = []
        if setting.manner is not None and setting.forms is not None:
            places = np.linspace(3, setting.communities - 2, STUFFED_COMMUNITIES).astype(int).tolist()
        for number, place in enumerate(places):
            responses, answers = add_stuffed_responses(
                responses,
                answers,
                community=place,
                forms=setting.forms or 0,
                seed=100 * setting.seed + number,
                **STUFFING_MANNERS[setting.manner or ""],
            )
        found = find_signals(responses, answers, overall="q01", staff_modes={"paper"})
        yield vars(setting) | _count_results(
            responses, found.families, found.responses["held"], honest=honest, places=places
        )


def _count_results(
    responses: pd.DataFrame, families: pd.DataFrame, held: "pd.Series[bool]", *, honest: int, places: list[int]
) -> dict[str, object]:
    is_cheated = responses["community_id"].isin(places)
    flagged = families[(families["family"] == "burst") & families["community_id"].isin(places)]["flagged"]
    return {
        "honest_communities": int(responses.loc[~is_cheated, "community_id"].nunique()),
        "honest_with_held": int(responses.loc[~is_cheated & held, "community_id"].nunique()),
        "stuffed_communities": len(places),
        "stuffed_flagged": int(flagged.sum()) if places else None,
        "held_share": round(float(held.iloc[honest:].mean()), 6) if places else None,
    }


def integrity_calibration_sentences(cities: pd.DataFrame, language: str) -> Iterator[str]:
    """Yield sentences on the honest communities with held responses and the share of stuffed responses held.

    Parameters
    ----------
    cities : DataFrame
        One row for each city, of `run_cities`.
    language : str
        One of `analytics.languages.LANGUAGES`.

    Yields
    ------
    str
    """
    _ = translator(language)
    names = {"ordinary": _("ordinary city"), "content": _("city content with everything")}
    manners = {
        "hurried": _("each form in seconds"),
        "one_terminal": _("unhurried, from one terminal"),
        "own_terminals": _("unhurried, each from its own device and terminal"),
    }
    for city, honest in cities[cities["manner"].isna()].groupby("city", sort=False):
        yield _(
            "{city}: of {all} honest communities {held} have a response held.",
            city=names[str(city)],
            all=f"{honest['honest_communities'].sum():,}",
            held=int(honest["honest_with_held"].sum()),
        )
    cheated = cities.dropna(subset="manner")
    for (place, manner), by_forms in cheated.groupby(["city", "manner"], sort=False):
        for forms, held in by_forms.groupby("forms")["held_share"].mean().items():
            yield _(
                "{city}, {forms} stuffed forms, {manner}: {share} of them are held.",
                city=names[str(place)],
                forms=f"{forms:.0f}",
                manner=manners[str(manner)],
                share=percent(float(held), 0),
            )
