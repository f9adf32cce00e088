"""Simulated city: its communities, their sizes and companies, and their quality of service, which nobody observes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from survey_app.demo.simulation.complaint_texts import (
    COMPANY_NAMES,
    COMPANY_SUFFIXES,
    DISTRICTS,
    KINDS,
    NAMES,
    NEIGHBOURHOODS,
    NamedDistrict,
)
from survey_app.pinyin import pinyin_of
from survey_app.register.communities_file import CommunityRow, CommunityTable

COMMUNITIES = 440
"""In the whole city. The largest district, half of them, then has the 200 communities that fill ten nominations from
the best five per cent."""

MOST_COMMUNITIES = len(NAMES) * len(KINDS)
"""As many as there are names for."""

DOMAINS = 14
"""Rated aspects of service, the questions after the overall one."""

ROUNDS = 3

_NEIGHBOURHOODS_EACH = 4


@dataclass(frozen=True)
class SimulatedCommunity:
    """Simulated community and what its residents live with; qualities are in standard deviations between communities.

    `quality` has a row per round and a column per domain. `complaint_tendency` is how readily a resident complains
    about the same trouble, `response_tendency` how many answer compared with the city's average. Where
    `short_of_answers`, nobody went from door to door until enough owners had answered; where `stuffed`, somebody
    answered for many of them.
    """

    row: CommunityRow
    quality: NDArray[np.float64]
    complaint_tendency: float
    response_tendency: float
    short_of_answers: bool
    stuffed: bool
    seed: int

    @property
    def households(self) -> int:
        """Return the occupied households as they are, also where the office does not know them."""
        return self.row.households_occupied or round(0.7 * (self.row.households_delivered or 0))

    @property
    def owners(self) -> int:
        """Return the households that own their flat and live in it."""
        return min(self.households, self.row.households_owners or 0)


@dataclass(frozen=True)
class _Company:
    name: str
    english_name: str
    quality: float


def build_city(seed: int, communities: int = COMMUNITIES) -> tuple[SimulatedCommunity, ...]:
    """Build the city of a seed, always the same."""
    random = np.random.default_rng([seed, 1])
    companies = _companies(random, max(4, communities // 9))
    names = _community_names(random, communities)
    built: list[SimulatedCommunity] = []
    for district in DISTRICTS:
        count = _share_of(communities, district)
        portfolio = _portfolio(random, companies)
        first = len(built)
        for number in range(1, count + 1):
            company = portfolio[random.choice(len(portfolio), p=_zipf(len(portfolio)))]
            parts = _parts_of(district, place=(number - 1) / count)
            row = replace(_community_row(random, district, number, names[len(built)], company), **parts)
            built.append(_with_quality(random, row, company, seed=int(random.integers(2**31))))
        built[first:] = _left_short(random, built[first:])
    return tuple(_stuffed(random, built))


def _parts_of(district: NamedDistrict, *, place: float) -> dict[str, Any]:
    """Return the subdistrict and the neighbourhood of the community at a place in the list of a district, from 0 to 1.

    Those that follow each other in the list are neighbours.
    """
    at = place * len(district.subdistricts)
    subdistrict = district.subdistricts[int(at)]
    neighbourhood = NEIGHBOURHOODS[int(at % 1 * _NEIGHBOURHOODS_EACH)]
    return {
        "subdistrict": subdistrict.name,
        "subdistrict_english_name": subdistrict.english,
        "neighbourhood": subdistrict.name.removesuffix("街道") + neighbourhood.name,
        "neighbourhood_english_name": f"{subdistrict.english} {neighbourhood.english}",
    }


def community_table(city: Sequence[SimulatedCommunity]) -> CommunityTable:
    """Return the city as its office would list it."""
    return CommunityTable(tuple(community.row for community in city))


def _share_of(communities: int, district: NamedDistrict) -> int:
    """Return how many communities a district gets; the last one takes what rounding left."""
    counts = [round(communities * each.share) for each in DISTRICTS[:-1]]
    counts.append(communities - sum(counts))
    return counts[DISTRICTS.index(district)]


def _companies(random: np.random.Generator, count: int) -> list[_Company]:
    names = [
        (name + suffix.name, f"{_romanised(name)} {suffix.english}")
        for name, suffix in product(COMPANY_NAMES, COMPANY_SUFFIXES)
    ]
    random.shuffle(names)
    return [_Company(name, english, random.normal(0, 0.7)) for name, english in names[:count]]


def _portfolio(random: np.random.Generator, companies: list[_Company]) -> list[_Company]:
    """Return the companies of a district, the largest first; a few work in all districts."""
    everywhere = companies[: max(1, len(companies) // 8)]
    rest = companies[len(everywhere) :]
    local = [rest[index] for index in random.permutation(len(rest))[: max(2, len(rest) // 2)]]
    return [*everywhere, *local]


def _zipf(count: int) -> NDArray[np.float64]:
    weights = 1 / np.arange(2, count + 2, dtype=np.float64) ** 0.8
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


def _community_names(random: np.random.Generator, count: int) -> list[tuple[str, str]]:
    plain = [(name + kind.name, f"{_romanised(name)} {kind.english}") for name, kind in product(NAMES, KINDS)]
    random.shuffle(plain)
    # Some communities were built in two phases, each a community of its own.
    phased = count // 12
    first = plain[: count - phased]
    if len(first) < count - phased:
        raise ValueError(f"there are names for {MOST_COMMUNITIES} communities, got {count}")
    names = [*first, *((name + "二期", f"{english} Phase 2") for name, english in first[:phased])]
    random.shuffle(names)
    return names


def _romanised(name: str) -> str:
    return "".join(pinyin_of(name)).capitalize()


def _community_row(
    random: np.random.Generator, district: NamedDistrict, number: int, names: tuple[str, str], company: _Company
) -> CommunityRow:
    # Most communities have a few hundred households; one in fourteen is a lone building with fewer than forty.
    tiny = random.random() < 1 / 14
    delivered = int(random.integers(18, 40)) if tiny else int(np.clip(random.lognormal(6.1, 0.75), 45, 4200))
    new = random.random() < 0.06
    occupied = round(delivered * (random.beta(4, 8) if new else random.beta(12, 3.5)))
    owners = round(occupied * random.beta(14, 4))
    return CommunityRow(
        number=f"{district.code}{number:04}",
        name=names[0],
        english_name=names[1],
        district=district.name,
        district_english_name=district.english,
        company=company.name,
        company_english_name=company.english_name,
        households_delivered=delivered,
        # What an office does not know it leaves blank.
        households_occupied=None if random.random() < 0.015 else occupied,
        households_owners=owners,
    )


def _with_quality(
    random: np.random.Generator, row: CommunityRow, company: _Company, *, seed: int
) -> SimulatedCommunity:
    own = random.normal(0, 0.7)
    by_domain = random.normal(0, 0.45, DOMAINS)
    # From year to year a community changes a little, and the city improves a little.
    drift = np.cumsum(random.normal(0.06, 0.25, ROUNDS))[:, np.newaxis] + random.normal(0, 0.12, (ROUNDS, DOMAINS))
    quality = company.quality + own + by_domain + drift
    smallness = np.clip(np.log(500 / max(row.households_delivered or 1, 20)), -1, 1)
    return SimulatedCommunity(
        row=row,
        quality=quality,
        complaint_tendency=float(np.exp(random.normal(0, 0.45))),
        response_tendency=float(np.exp(random.normal(0.1 * smallness - 0.12 * (company.quality + own), 0.3))),
        short_of_answers=False,
        stuffed=False,
        seed=seed,
    )


def _left_short(random: np.random.Generator, district: list[SimulatedCommunity]) -> list[SimulatedCommunity]:
    """Return the communities of a district, one in twenty-two of them without anybody going from door to door.

    Counted, not drawn: how many communities can be assessed decides how many a district may nominate.
    """
    short = set(random.permutation(len(district))[: len(district) // 22].tolist())
    return [replace(each, short_of_answers=index in short) for index, each in enumerate(district)]


def _stuffed(random: np.random.Generator, city: list[SimulatedCommunity]) -> list[SimulatedCommunity]:
    """Return the city with two average communities of ordinary size marked as stuffed: they would gain most."""
    ordinary = [
        index
        for index, each in enumerate(city)
        if 150 <= each.owners <= 900 and not each.short_of_answers and abs(each.quality[1].mean()) < 1
    ]
    chosen = set(random.choice(ordinary, size=min(2, len(ordinary)), replace=False).tolist()) if ordinary else set()
    return [replace(each, stuffed=index in chosen) for index, each in enumerate(city)]
