"""Simulated response rows of a city: honest answers with realistic suspicious patterns, and stuffed answers."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from analytics.statistics.validation import BooleanArray, FloatArray, IntegerArray

QUESTIONS = [f"q{number:02}" for number in range(1, 16)]
OFFSETS = np.array([0.1, 0.3, 0.1, 0.2, 0.0, -0.1, 0.2, -0.25, -0.5, -0.4, 0.0, 0.4, -0.2, -0.1, 0.0])
UNKNOWN = np.array([0.0, 0.01, 0.04, 0.02, 0.03, 0.12, 0.02, 0.04, 0.07, 0.2, 0.12, 0.02, 0.42, 0.28, 0.15])
THRESHOLDS = np.array([-1.5, -0.8, 0.0, 1.3])
HOURS = np.array([2, 1, 0, 0, 0, 1, 5, 12, 16, 18, 17, 18, 24, 18, 13, 13, 14, 18, 30, 42, 44, 34, 18, 7], dtype=float)
TIME_ZONE = "Asia/Shanghai"
OPENED = pd.Timestamp("2021-09-01", tz=TIME_ZONE)
DAYS = 14
MOST_POSTERS = 12
NEARLY_ALL = 0.9


def simulate_honest_city(
    seed: int, communities: int, *, least: int = 30, most: int = 250, level: float = 0.65
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Simulate responses and answers of a city in which nobody cheats.

    A resident's answers are correlated across questions, more so in some communities; one resident in six, more in some
    communities, gives the same answer to everything, quickly and completely; at `level` 1.5 most answers are the
    highest. They answer in the evening, in couples that agree and sometimes share a phone, after a message to a whole
    group, or on the tablet of the neighbourhood's office.
    """
    random = np.random.default_rng([seed, 1])
    sizes = np.exp(random.uniform(np.log(least), np.log(most), communities)).astype(int)
    place = np.repeat(np.arange(communities), sizes)
    count = place.size
    person, is_partner = _persons(random, place, random.uniform(0.55, 1.0, communities))
    quality = level + 0.5 * random.normal(size=communities)
    aspects = 0.25 * random.normal(size=(communities, len(QUESTIONS)))
    poster, of_poster = _posters(np.random.default_rng([seed, 8]), place, communities)
    common = (quality[place] + of_poster + person)[:, np.newaxis]
    latent = common + aspects[place] + OFFSETS + random.normal(0, 0.8, (count, len(QUESTIONS)))
    straight = random.random(count) < random.beta(5, 25, communities)[place]
    latent[straight] = (common + random.normal(0, 0.5, (count, 1)))[straight]
    answers = 1 + (latent[..., np.newaxis] > THRESHOLDS).sum(axis=-1).astype(float)
    unknown = random.random(answers.shape) < UNKNOWN
    answers[unknown & ~straight[:, np.newaxis]] = np.nan
    seconds = np.clip(random.lognormal(4.6, 0.45, count) * np.where(straight, 0.6, 1.0), 20, 900)
    responses = pd.DataFrame(
        {
            "response_id": np.arange(count) + 1,
            "community_id": place + 1,
            "submitted_at": OPENED + pd.to_timedelta(_arrivals(random, place, is_partner, communities), unit="s"),
            "mode": np.where(random.random(count) < 0.9, "web", "paper"),
            "duration_seconds": seconds,
            "device": _phones(random, is_partner),
            "address": _addresses(random, place, is_partner, communities),
            "poster": poster,
        }
    )
    return responses, pd.DataFrame(answers, columns=QUESTIONS).astype("Int64")


def add_stuffed_responses(
    responses: pd.DataFrame,
    answers: pd.DataFrame,
    *,
    community: int,
    forms: int,
    seed: int,
    minutes: int = 10,
    seconds: tuple[float, float] | None = None,
    same_line: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add `forms` stuffed responses, five for everything, to one community of a city within `minutes`."""
    random = np.random.default_rng([seed, 2])
    evening = OPENED + pd.Timedelta(days=int(random.integers(2, DAYS)), hours=20)
    moments = np.sort(random.uniform(0, 60 * minutes, forms))
    taken = random.uniform(*seconds, forms) if seconds else np.clip(random.lognormal(4.6, 0.45, forms), 20, 900)
    first = responses["response_id"].max() + 1
    rows = pd.DataFrame(
        {
            "response_id": np.arange(first, first + forms),
            "community_id": community,
            "submitted_at": evening + pd.to_timedelta(moments.round(), unit="s"),
            "mode": "web",
            "duration_seconds": taken,
            "device": [f"stuffed-{first + form}" for form in range(forms)],
            "address": [f"stuffed-{first if same_line else first + form}" for form in range(forms)],
            "poster": f"{community}-0",
        }
    )
    fives = pd.DataFrame(5, index=range(forms), columns=QUESTIONS, dtype="Int64")
    return pd.concat([responses, rows], ignore_index=True), pd.concat([answers, fives], ignore_index=True)


def add_forms(
    responses: pd.DataFrame,
    answers: pd.DataFrame,
    *,
    community: int,
    opened: FloatArray,
    sent: FloatArray,
    one_line: bool,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add satisfied responses of one community, opened and sent at seconds after the evening of a day begins.

    They come over one line, or each over its own.
    """
    random = np.random.default_rng([seed, 3])
    evening = OPENED + pd.Timedelta(days=int(random.integers(2, DAYS - 2)), hours=19)
    forms, first = sent.size, int(responses["response_id"].max()) + 1
    rows = pd.DataFrame(
        {
            "response_id": np.arange(first, first + forms),
            "community_id": community,
            "submitted_at": evening + pd.to_timedelta(sent, unit="s"),
            "mode": "web",
            "duration_seconds": sent - opened,
            "device": [f"stuffed-{first + form}" for form in range(forms)],
            "address": [f"stuffed-{first if one_line else first + form}" for form in range(forms)],
            "poster": f"{community}-0",
        }
    )
    codes = pd.DataFrame(random.choice([4, 5], (forms, len(QUESTIONS))), columns=QUESTIONS).astype("Int64")
    return pd.concat([responses, rows], ignore_index=True), pd.concat([answers, codes], ignore_index=True)


def put_behind_carriers(responses: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the responses of a city whose carriers have 40 addresses; one community in 20 has but one of its own."""
    random = np.random.default_rng([seed, 4])
    carrier = pd.Series(random.integers(40, size=len(responses)).astype(str), index=responses.index)
    communities = responses["community_id"].unique()
    own = random.choice(communities, communities.size // 20, replace=False)
    address = ("carrier-" + carrier).mask(
        responses["community_id"].isin(own), "community-" + responses["community_id"].astype(str)
    )
    return responses.assign(address=address)


def help_with_telephones(responses: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the responses of a city where in one community in ten a volunteer's telephone sends up to 40 in a day."""
    random = np.random.default_rng([seed, 5])

    def one_after_another(durations: FloatArray) -> pd.DatetimeIndex:
        gaps = 40 + random.exponential(150, durations.size)
        begins = OPENED + pd.Timedelta(days=int(random.integers(DAYS)), hours=9)
        return begins + pd.to_timedelta(np.cumsum(durations + gaps).round(), unit="s")

    return _send_over_one_line(responses, random, line="volunteer", moments=one_after_another)


def announce_in_the_evening(responses: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the responses of a city where a third of the communities answer mostly within minutes of a message."""
    random = np.random.default_rng([seed, 6])
    communities = np.sort(responses["community_id"].unique())
    begins = random.integers(DAYS, size=communities.size) * 86400 + 70_000
    place = np.searchsorted(communities, responses["community_id"])
    prompted = (random.random(communities.size) < 1 / 3)[place] & (random.random(len(responses)) < 0.6)
    sent = begins[place] + random.exponential(400, len(responses)) + responses["duration_seconds"].to_numpy()
    moments = OPENED + pd.to_timedelta(sent.round(), unit="s")
    return responses.assign(
        submitted_at=responses["submitted_at"].mask(prompted, pd.Series(moments, index=responses.index))
    )


def work_in_shifts(responses: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the responses of a city where in one community in 20 a third answers between midnight and five."""
    random = np.random.default_rng([seed, 9])
    communities = responses["community_id"].unique()
    working = random.choice(communities, communities.size // 20, replace=False)
    at_night = responses["community_id"].isin(working) & (random.random(len(responses)) < 1 / 3)
    seconds = pd.to_timedelta(random.integers(5 * 3600, size=len(responses)), unit="s")
    moments = responses["submitted_at"].dt.normalize() + seconds
    return responses.assign(submitted_at=responses["submitted_at"].mask(at_night, moments))


def meet_in_the_hall(responses: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the responses of a city where in one community in ten up to 40 answer on the wireless of one meeting."""
    random = np.random.default_rng([seed, 10])

    def together(durations: FloatArray) -> pd.DatetimeIndex:
        begins = OPENED + pd.Timedelta(days=int(random.integers(DAYS)), hours=19)
        return begins + pd.to_timedelta((random.uniform(0, 60, durations.size) + durations).round(), unit="s")

    return _send_over_one_line(responses, random, line="hall", moments=together)


def _send_over_one_line(
    responses: pd.DataFrame,
    random: np.random.Generator,
    *,
    line: str,
    moments: Callable[[FloatArray], pd.DatetimeIndex],
) -> pd.DataFrame:
    """Return responses of which up to 40 in one community in ten come over a line of its own, at the given moments."""
    communities = responses["community_id"].unique()
    changed = responses.copy()
    for community in random.choice(communities, communities.size // 10, replace=False):
        web = changed.index[(changed["community_id"] == community) & (changed["mode"] == "web")]
        chosen = random.permutation(web)[: min(40, web.size // 2)]
        changed.loc[chosen, "submitted_at"] = moments(changed.loc[chosen, "duration_seconds"].to_numpy())
        changed.loc[chosen, "address"] = f"{line}-{community}"
    return changed


def send_to_one_building(responses: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the responses of a city where in a third of the communities one building answers after a message to it."""
    random = np.random.default_rng([seed, 13])
    sent_to = responses.copy()
    for _, of_community in responses[responses["mode"] == "web"].groupby("community_id"):
        building = random.choice(of_community["poster"].unique())
        reached = of_community.index[(of_community["poster"] == building) & (random.random(len(of_community)) < 0.6)]
        begins = OPENED + pd.Timedelta(days=int(random.integers(DAYS)), seconds=70_000)
        sent = random.exponential(400, reached.size) + responses.loc[reached, "duration_seconds"].to_numpy()
        if random.random() < 1 / 3:
            sent_to.loc[reached, "submitted_at"] = begins + pd.to_timedelta(sent.round(), unit="s")
    return sent_to


def answer_at_home(responses: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the responses of a city where in one community in 20 half of the forms are kept for up to three hours."""
    random = np.random.default_rng([seed, 14])
    communities = responses["community_id"].unique()
    at_home = responses["community_id"].isin(random.choice(communities, communities.size // 20, replace=False))
    at_home &= random.random(len(responses)) < 1 / 2
    kept = random.uniform(1200, 3 * 3600, len(responses))
    moments = responses["submitted_at"] + pd.to_timedelta(kept.round(), unit="s")
    return responses.assign(
        submitted_at=responses["submitted_at"].mask(at_home, moments),
        duration_seconds=responses["duration_seconds"].mask(at_home, responses["duration_seconds"] + kept.round()),
    )


def pass_the_gate(responses: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the responses of a city where in one community in five nine in ten answer at the poster of the gate."""
    random = np.random.default_rng([seed, 11])
    communities = responses["community_id"].unique()
    gated = responses["community_id"].isin(random.choice(communities, communities.size // 5, replace=False))
    at_gate = gated & responses["poster"].notna() & (random.random(len(responses)) < NEARLY_ALL)
    return responses.assign(poster=responses["poster"].mask(at_gate, responses["community_id"].astype(str) + "-0"))


def simulate_households(responses: pd.DataFrame, *, seed: int) -> dict[int, int]:
    """Simulate how many households each community of an honest city has: about a fifth of them answer."""
    sizes = responses["community_id"].value_counts().sort_index()
    rates = np.clip(np.random.default_rng([seed, 12]).lognormal(np.log(0.2), 0.6, sizes.size), 0.02, 1.0)
    return dict(zip(sizes.index.tolist(), np.ceil(sizes.to_numpy() / rates).astype(int).tolist(), strict=True))


def _persons(random: np.random.Generator, place: IntegerArray, spread: FloatArray) -> tuple[FloatArray, BooleanArray]:
    """Simulate each person's general satisfaction; partners directly follow each other and have similar values."""
    own = random.normal(size=place.size)
    is_partner = np.r_[False, (random.random(place.size - 1) < 0.1) & (np.diff(place) == 0)]
    partner = np.flatnonzero(is_partner)
    own[partner] = 0.5 * own[partner - 1] + np.sqrt(0.75) * own[partner]
    return own * spread[place], is_partner


def _arrivals(
    random: np.random.Generator, place: IntegerArray, is_partner: BooleanArray, communities: int
) -> IntegerArray:
    hours = random.choice(24, place.size, p=HOURS / HOURS.sum())
    seconds = random.integers(DAYS, size=place.size) * 86400 + hours * 3600 + random.integers(3600, size=place.size)
    # A message to the owners' group: in a third of the communities a part of the answers comes at once.
    messaged = random.random(communities) < 0.3
    share, moment = random.uniform(0.05, 0.3, communities), random.integers(DAYS, size=communities) * 86400 + 70000
    prompted = messaged[place] & (random.random(place.size) < share[place])
    seconds = np.where(prompted, moment[place] + random.exponential(900, place.size).astype(int), seconds)
    partner = np.flatnonzero(is_partner)
    seconds[partner] = seconds[partner - 1] + random.integers(60, 600, partner.size)
    return seconds


def _phones(random: np.random.Generator, is_partner: BooleanArray) -> list[str]:
    phone = np.arange(is_partner.size)
    shared = np.flatnonzero(is_partner & (random.random(is_partner.size) < 0.1))
    phone[shared] = phone[shared - 1]
    return [f"phone-{number}" for number in phone]


def _posters(random: np.random.Generator, place: IntegerArray, communities: int) -> tuple[list[str], FloatArray]:
    """Simulate at which poster of its community each resident answers, and how content people are there.

    There are up to twelve, and some are passed by more people than others.
    """
    weights = random.exponential(size=(communities, MOST_POSTERS))
    weights[np.arange(MOST_POSTERS) >= random.integers(1, MOST_POSTERS + 1, communities)[:, np.newaxis]] = 0
    shares = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    poster = (random.random(place.size)[:, np.newaxis] > shares[place]).sum(axis=1)
    content = 0.3 * random.normal(size=(communities, MOST_POSTERS))
    return [f"{where + 1}-{number}" for where, number in zip(place, poster, strict=True)], content[place, poster]


def _addresses(
    random: np.random.Generator, place: IntegerArray, is_partner: BooleanArray, communities: int
) -> list[str]:
    has_tablet = random.random(communities) < 0.1
    on_tablet = has_tablet[place] & (random.random(place.size) < 0.06)
    home = np.arange(place.size)
    at_home = np.flatnonzero(is_partner & (random.random(place.size) < 0.7))
    home[at_home] = home[at_home - 1]
    return [
        f"tablet-{where}" if shared else f"home-{row}"
        for row, where, shared in zip(home, place, on_tablet, strict=True)
    ]
