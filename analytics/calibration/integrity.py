"""Calibration of the integrity signals: false alarms in honest simulated cities, detection of stuffed answers.

Cities are simulated (`analytics.calibration.simulated_city`) in which nobody cheats, or in which somebody adds forms to
twelve communities: identical ones, five for everything, within ten minutes; or satisfied ones, all opened and sent at
once from one phone (hasty), opened over an hour and sent in the course of an evening (hoarded), one after another from
one phone as a volunteer's would send them, or each at its own time over its own line, at night (nightly) or when
residents answer (patient). Detection depends on the traces that these leave. Among the honest cities are those of which
the wrong ones might be held: behind a carrier's few addresses, with volunteers' telephones, on the evening of an
announcement or of a meeting, with messages to one building, with people who work in shifts, who all pass one poster, or
who scan it and answer at home.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd

from analytics.calibration.simulated_city import (
    HOURS,
    TIME_ZONE,
    add_forms,
    add_stuffed_responses,
    announce_in_the_evening,
    answer_at_home,
    help_with_telephones,
    meet_in_the_hall,
    pass_the_gate,
    put_behind_carriers,
    send_to_one_building,
    simulate_honest_city,
    simulate_households,
    work_in_shifts,
)
from analytics.languages import translator
from analytics.reports.html_page import percent
from analytics.statistics.integrity_signals import find_signals
from analytics.statistics.validation import FloatArray

LEVELS: Final[Mapping[str, float]] = MappingProxyType({"ordinary": 0.65, "content": 1.5})
"""Satisfaction level of each kind of city; in the content one a fifth of honest responses are fives throughout."""

STUFFING_MANNERS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {"hurried": {"seconds": (9, 22)}, "one_line": {"same_line": True}, "own_lines": {}}
)
"""Ways of stuffing: each form in seconds; unhurried from one terminal; unhurried, each from a terminal of its own."""

SENT_MANNERS: Final[Mapping[str, bool]] = MappingProxyType(
    {
        "hasty": True,
        "hoarded": True,
        "hoarded_own_lines": False,
        "one_after_another": True,
        "nightly": False,
        "patient": False,
    }
)
"""Ways of stuffing by when forms are opened and sent, with answers that differ, and whether all come over one line."""

CROWDS: Final[Mapping[str, Callable[..., pd.DataFrame]]] = MappingProxyType(
    {
        "carrier": put_behind_carriers,
        "helped": help_with_telephones,
        "announced": announce_in_the_evening,
        "meeting": meet_in_the_hall,
        "shifts": work_in_shifts,
        "gate": pass_the_gate,
        "building": send_to_one_building,
        "at_home": answer_at_home,
    }
)
"""Honest crowds that leave traces."""

FORMS: Final = (15, 25, 40)
SENT_FORMS: Final = (30, 200)
STUFFED_COMMUNITIES: Final = 12
# Hours at which `simulated_city.add_forms` begins to count, and at which the night ends.
EVENING: Final = 19
DAWN: Final = 5


@dataclass(frozen=True)
class CitySetting:
    """One simulated city; `manner` and `forms` are None if nobody cheats, `crowd` if there is no special one."""

    city: str
    communities: int
    seed: int
    manner: str | None
    forms: int | None
    crowd: str | None = None


def list_cities(*, quick: bool) -> list[CitySetting]:
    """Return the cities of a study: honest ones, and one per manner of stuffing and number of forms.

    Examples
    --------
    >>> len(list_cities(quick=True)), len(list_cities(quick=False))
    (14, 140)
    """
    if quick:
        bursts = [CitySetting(city, 100, 31, *how) for city in LEVELS for how in ((None, None), ("one_line", 25))]
        sent = [CitySetting("ordinary", 100, 31, manner, 30) for manner in ("hasty", "patient")]
        return bursts + sent + [CitySetting("ordinary", 100, 31, None, None, crowd) for crowd in CROWDS]
    honest = [CitySetting(city, 500, seed, None, None) for city in LEVELS for seed in range(201, 213)]
    cheated = [
        CitySetting(city, 500, seed, manner, forms)
        for city in LEVELS
        for manner in STUFFING_MANNERS
        for forms in FORMS
        for seed in (61, 62)
    ]
    crowds = [CitySetting("ordinary", 500, seed, None, None, crowd) for crowd in CROWDS for seed in range(301, 308)]
    sent = [
        CitySetting("ordinary", 500, seed, manner, forms)
        for manner in SENT_MANNERS
        for forms in SENT_FORMS
        for seed in (61, 62)
    ]
    return honest + cheated + crowds + sent


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
        honest, households = len(responses), simulate_households(responses, seed=setting.seed)
        places: list[int] = []
        if setting.manner is not None and setting.forms is not None:
            places = np.linspace(3, setting.communities - 2, STUFFED_COMMUNITIES).astype(int).tolist()
        if setting.crowd is not None:
            responses = CROWDS[setting.crowd](responses, seed=setting.seed)
        for number, place in enumerate(places):
            seed = 100 * setting.seed + number
            responses, answers = _stuff(responses, answers, setting, community=place, seed=seed)
        found = find_signals(
            responses,
            answers,
            overall="q01",
            staff_modes={"paper"},
            time_zone=TIME_ZONE,
            households=households,
        )
        yield vars(setting) | _count_results(
            responses, found.families, found.responses["held"], honest=honest, places=places
        )


def _stuff(
    responses: pd.DataFrame, answers: pd.DataFrame, setting: CitySetting, *, community: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    manner, forms = setting.manner or "", setting.forms or 0
    if manner not in SENT_MANNERS:
        return add_stuffed_responses(
            responses, answers, community=community, forms=forms, seed=seed, **STUFFING_MANNERS[manner]
        )
    opened, sent = _times(manner, forms, seed=seed)
    return add_forms(
        responses,
        answers,
        community=community,
        opened=opened,
        sent=sent,
        one_line=SENT_MANNERS[manner],
        seed=seed,
    )


def _times(manner: str, forms: int, *, seed: int) -> tuple[FloatArray, FloatArray]:
    """Return the seconds at which forms are opened and sent."""
    random = np.random.default_rng([seed, 7])
    if manner == "hasty":
        return random.integers(8, size=forms).astype(float), 158 + np.sort(random.uniform(0, 2.3, forms))
    if manner in {"hoarded", "hoarded_own_lines"}:
        return random.integers(3600, size=forms).astype(float), random.uniform(3600, 4 * 3600, forms)
    taken = np.clip(random.lognormal(4.6, 0.45, forms), 20, 900)
    if manner == "one_after_another":
        sent = np.cumsum(taken + 10 + random.exponential(60, forms))
        return sent - taken, sent
    hours = np.arange(HOURS.size)
    often = np.where(hours < DAWN, 1.0, 0.0) if manner == "nightly" else HOURS
    hour = random.choice(hours, forms, p=often / often.sum()) - EVENING
    sent = (random.integers(-1, 3, forms) * 24 + hour) * 3600 + random.uniform(0, 3600, forms)
    return sent - taken, sent


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
    names = {
        ("ordinary", ""): _("ordinary city"),
        ("content", ""): _("city content with everything"),
        ("ordinary", "carrier"): _("city behind a carrier’s few addresses"),
        ("ordinary", "helped"): _("city with volunteers’ telephones"),
        ("ordinary", "announced"): _("city on the evening of an announcement"),
        ("ordinary", "meeting"): _("city with meetings on one wireless network"),
        ("ordinary", "shifts"): _("city with communities of shift workers"),
        ("ordinary", "gate"): _("city with one poster that nearly all pass"),
        ("ordinary", "building"): _("city with messages to single buildings"),
        ("ordinary", "at_home"): _("city with communities that scan at the gate and answer at home"),
    }
    manners = {
        "hurried": _("each form in seconds"),
        "one_line": _("unhurried, over one line"),
        "own_lines": _("unhurried, each from its own device and line"),
        "hasty": _("opened and sent at once over one line"),
        "hoarded": _("opened over an hour, sent in an evening, over one line"),
        "hoarded_own_lines": _("opened over an hour, sent in an evening, each over its own line"),
        "one_after_another": _("one after another over one line, at the pace of a person"),
        "nightly": _("each over its own line, between midnight and five"),
        "patient": _("each over its own line, when residents answer"),
    }
    honest_cities = cities[cities["manner"].isna()].fillna({"crowd": ""})
    for (city, crowd), honest in honest_cities.groupby(["city", "crowd"], sort=False):
        yield _(
            "{city}: of {all} honest communities {held} have a response held.",
            city=names[str(city), str(crowd)],
            all=f"{honest['honest_communities'].sum():,}",
            held=int(honest["honest_with_held"].sum()),
        )
    cheated = cities.dropna(subset="manner")
    for (place, manner), by_forms in cheated.groupby(["city", "manner"], sort=False):
        for forms, held in by_forms.groupby("forms")["held_share"].mean().items():
            yield _(
                "{city}, {forms} stuffed forms, {manner}: {share} of them are held.",
                city=names[str(place), ""],
                forms=f"{forms:.0f}",
                manner=manners[str(manner)],
                share=percent(float(held), 0),
            )
