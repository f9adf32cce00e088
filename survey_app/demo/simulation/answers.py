"""Simulated answers to the standard questionnaire, as a phone would send them, and how many residents answer."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from survey_app.demo.simulation.city import DOMAINS, SimulatedCommunity
from survey_app.demo.simulation.complaint_texts import BLAME, PRAISE, REQUESTS
from survey_app.models.vocabulary import Tenure

Form = Mapping[str, Sequence[str]]

_Floats = NDArray[np.float64]

# How far one standard deviation between communities moves a resident: it makes satisfaction rates of 50 % to 97 %, a
# tenth apart at one standard deviation, as published surveys of housing services find them.
QUALITY_EFFECT = 0.32
MEAN_SATISFACTION = 0.72
BETWEEN_RESIDENTS = 0.75
WITHIN_RESIDENT = 0.8
OVERALL_NOISE = 0.45
# A latent satisfaction above the first is a 5, above the second a 4, and so on.
THRESHOLDS = np.array([1.3, 0.0, -0.8, -1.5])

# In the order of q02 to q15: cleaning, waste sorting, greenery, facilities, repairs, security, fire lanes, parking,
# e-bike charging, fee disclosure, staff attitude, complaint outcome, owners' committee, practical deeds.
DOMAIN_KEYS = tuple(f"q{number:02}" for number in range(2, 2 + DOMAINS))
DOMAIN_OFFSETS = np.array([0.3, 0.1, 0.2, 0.0, -0.1, 0.2, -0.25, -0.5, -0.4, 0.0, 0.4, -0.2, -0.1, 0.0])
DOMAIN_UNKNOWN = np.array([0.01, 0.04, 0.02, 0.03, 0.12, 0.02, 0.04, 0.07, 0.2, 0.12, 0.02, 0.42, 0.28, 0.15])
COMPOSITE_DOMAINS = 12
OVERALL_UNKNOWN = 0.006
SKIPPED = 0.02

# Enough for the shipped rules even when some owners answer “don't know”: 30 owners or half of them.
ENOUGH_OWNERS = 33
ENOUGH_SHARE = 0.55
LEAST_OWNERS = 11
# How many more answer on average where somebody went from door to door; some communities take to it, some do not.
FURTHER_OWNERS = 18
# How much of the city was visited from door to door in each round, and how many answer without a visit.
VISITED = (0.5, 1.0, 0.3)
UNASKED = 1.3


def count_respondents(
    random: np.random.Generator, community: SimulatedCommunity, *, round_index: int, progress: float
) -> tuple[int, int]:
    """Return how many owners and how many others answer in a round of which `progress` in [0, 1] has passed."""
    owners = community.owners
    probability = min(0.6, UNASKED * community.response_tendency / max(owners, 1) ** 0.5)
    count = int(random.binomial(owners, probability * progress))
    if random.random() < VISITED[round_index] and not community.short_of_answers:
        enough = min(ENOUGH_OWNERS, max(LEAST_OWNERS, int(ENOUGH_SHARE * owners) + 1)) + int(
            random.exponential(FURTHER_OWNERS)
        )
        count = max(count, min(enough, owners))
    others = int(random.poisson(0.22 * count * (1 - owners / max(community.households, 1)) / 0.25))
    return count, others


def draw_forms(
    random: np.random.Generator, community: SimulatedCommunity, *, round_index: int, owners: int, others: int
) -> list[Form]:
    """Return the form that each respondent sends in, owners and others in random order."""
    count = owners + others
    tenure = np.full(count, Tenure.OWNER)
    tenure[owners:] = np.where(random.random(others) < 0.92, Tenure.TENANT, Tenure.OTHER)
    tenure = random.permutation(tenure)
    domains, overall = _latent_satisfaction(random, community.quality[round_index], tenure)
    ratings = _codes(domains)
    unknown = DOMAIN_UNKNOWN * np.where(tenure == Tenure.OWNER, 1.0, 1.4)[:, np.newaxis]
    ratings[random.random(ratings.shape) < unknown] = 9
    ratings[random.random(ratings.shape) < SKIPPED] = 0
    overall_codes = _codes(overall)
    overall_codes[random.random(count) < OVERALL_UNKNOWN] = 9
    forms: list[Form] = []
    for person in range(count):
        form: dict[str, list[str]] = {"q01": [str(overall_codes[person])], "q16": [str(tenure[person])]}
        form |= {key: [str(code)] for key, code in zip(DOMAIN_KEYS, ratings[person], strict=True) if code}
        form |= _problem_answers(random, float(overall[person]), community.complaint_tendency)
        form |= _closing_answers(random, float(overall[person]))
        forms.append(form)
    return forms


def stuffed_form() -> Form:
    """Return the form that somebody sends in again and again for a whole community (ballot stuffing)."""
    ratings = {key: ["5"] for key in ("q01", *DOMAIN_KEYS)}
    return {**ratings, "q16": [str(Tenure.OWNER)], "q17": ["2"], "q23": ["2"]}


def _latent_satisfaction(
    random: np.random.Generator, quality: _Floats, tenure: NDArray[np.int_]
) -> tuple[_Floats, _Floats]:
    """Return the satisfaction of each respondent with each domain, and overall."""
    count = len(tenure)
    person = random.normal(0, BETWEEN_RESIDENTS, (count, 1))
    # Tenants pay no property fee and mind less, either way.
    effect = np.where(tenure == Tenure.OWNER, QUALITY_EFFECT, 0.8 * QUALITY_EFFECT)[:, np.newaxis]
    domains = MEAN_SATISFACTION + DOMAIN_OFFSETS + effect * quality + person
    domains = domains + random.normal(0, WITHIN_RESIDENT, (count, DOMAINS))
    overall = domains[:, :COMPOSITE_DOMAINS].mean(axis=1) + random.normal(0, OVERALL_NOISE, count)
    return domains, overall


def _codes(latent: _Floats) -> NDArray[np.int_]:
    codes: NDArray[np.int_] = 5 - (latent[..., np.newaxis] <= THRESHOLDS).sum(axis=-1)
    return codes


def _problem_answers(random: np.random.Generator, overall: float, complaint_tendency: float) -> dict[str, list[str]]:
    """Return q17 to q21: whether there was a problem, a complaint, a solution, or a reason to keep silent."""
    if random.random() < SKIPPED:
        return {}
    if random.random() < 0.04:
        return {"q17": ["9"]}
    if random.random() > _logistic(-0.4 - 1.1 * overall):
        return {"q17": ["2"]}
    if random.random() < _logistic(-0.2 + 1.2 * np.log(complaint_tendency)):
        channels = np.flatnonzero(random.random(5) < (0.8, 0.35, 0.08, 0.2, 0.03)) + 1
        solved = random.choice(3, p=_choice_weights(0.5 + 0.3 * overall, 0.3, 0.4 - 0.3 * overall)) + 1
        return {
            "q17": ["1"],
            "q18": ["1"],
            "q19": [str(channel) for channel in channels] or ["1"],
            "q20": [str(solved)],
        }
    # Where people seldom complain it is less because all is well than because it seems no use.
    reason = (
        random.choice(
            5,
            p=_choice_weights(
                0.4 * complaint_tendency, 0.15, 0.35 / complaint_tendency, 0.12 / complaint_tendency, 0.05
            ),
        )
        + 1
    )
    return {"q17": ["1"], "q18": ["2"], "q21": [str(reason)]}


def _closing_answers(random: np.random.Generator, overall: float) -> dict[str, list[str]]:
    answers = {}
    if random.random() > SKIPPED:
        wish = random.choice(7, p=(0.2, 0.31, 0.15, 0.17, 0.07, 0.06, 0.04)) + 1
        answers["q22"] = [str(wish)]
    if random.random() > SKIPPED:
        told = random.choice(3, p=(0.015, 0.965, 0.02))
        answers["q23"] = [("1", "2", "8")[told]]
    if random.random() < 0.07:
        phrases = PRAISE if overall > 1.3 else BLAME if overall < 0 else REQUESTS
        answers["q24"] = [phrases[random.integers(len(phrases))]]
    return answers


def _logistic(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


def _choice_weights(*weights: float) -> _Floats:
    positive = np.clip(np.array(weights), 0.02, None)
    normalised: _Floats = positive / positive.sum()
    return normalised
