import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from analytics.decision.evaluate import evaluate
from analytics.evidence.bands import Evidence, Reason, evidence_bands
from analytics.evidence.weigh_evidence import EVIDENCE_COLUMNS, weigh_evidence
from tests.analytics.decision.test_evaluate import by_rate, community_rows, rule_choices
from tests.analytics.rule_files import rules_with

CHOICES = {
    "evidence.prior": ["normal", "nonparametric"],
    "evidence.one_answer_per_household": [True, False],
    "evidence.nonresponse_spread": ["0 %", "3 %"],
}


@st.composite
def evidence_choices(draw):
    return draw(rule_choices()) | {key: draw(st.sampled_from(options)) for key, options in CHOICES.items()}


def twenty(**columns):
    base = {"community_id": [f"{number:02}" for number in range(20)], "region": "r"}
    return pd.DataFrame(base | {"responses": 200, "satisfied": [198, 160, *[120] * 18]} | columns)


def weighed(frame, choices=()):
    return weigh_evidence(evaluate(frame, rules_with(dict(choices))))


@settings(max_examples=20, deadline=None)
@given(community_rows(), evidence_choices(), st.randoms(use_true_random=False))
def test_the_order_of_communities_changes_nothing(rows, choices, random):
    shuffled = random.sample(rows, len(rows))
    first, second = weighed(pd.DataFrame(rows), choices), weighed(pd.DataFrame(shuffled), choices)

    pd.testing.assert_frame_equal(
        first, second.sort_values("community_id", ignore_index=True), check_exact=True, check_column_type=True
    )


@settings(max_examples=25, deadline=None)
@given(community_rows(), evidence_choices())
def test_evidence_stands_where_a_community_is_ranked_and_nowhere_else(rows, choices):
    result = evaluate(pd.DataFrame(rows), rules_with(choices))
    evidence = weigh_evidence(result)

    assert evidence.dtypes.astype(str).to_dict() == dict(EVIDENCE_COLUMNS)
    assert evidence["community_id"].tolist() == result.standings["community_id"].tolist()
    for route, prefix in {"satisfaction": "satisfaction", "complaints": "complaint"}.items():
        k = result.standings["region"].map(
            {name: facts[route]["k"] for name, facts in result.summary["regions"].items()}
        )
        ranked = result.standings[f"{prefix}_rank"].notna()
        assert (evidence[f"{prefix}_evidence"].notna() == (ranked & (k > 0))).all()
        reasons = evidence[f"{prefix}_evidence_reason"]
        assert set(reasons[~ranked]) <= {Reason.NOT_ASSESSED.value}
        assert set(reasons[ranked & (k == 0)]) <= {Reason.NOT_APPLICABLE.value}
        assert set(evidence[f"{prefix}_evidence"].dropna()) <= {band.value for band in Evidence}


@settings(max_examples=25, deadline=None)
@given(community_rows(), evidence_choices())
def test_probabilities_add_up_to_the_positions_of_a_district(rows, choices):
    choices |= {"region": "district", "when_k_is_zero": "not_applicable"}
    result = evaluate(pd.DataFrame(rows), rules_with(by_rate(choices)))
    evidence = weigh_evidence(result)

    for region, facts in result.summary["regions"].items():
        own = evidence[(result.standings["region"] == region).to_numpy()]
        for route, prefix in {"satisfaction": "satisfaction", "complaints": "complaint"}.items():
            assert own[f"{prefix}_top_probability"].sum() == pytest.approx(facts[route]["k"], abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(community_rows(), evidence_choices())
def test_every_interval_holds_its_centre(rows, choices):
    result = evaluate(pd.DataFrame(rows), rules_with(choices))
    evidence, standings = weigh_evidence(result), result.standings

    for lower, value, upper in (
        ("satisfaction_lower", evidence["satisfaction_shrunk"], "satisfaction_upper"),
        ("complaint_rate_lower", standings["complaints_per_1000_household_years"], "complaint_rate_upper"),
        ("satisfaction_rank_lower", standings["satisfaction_rank"], "satisfaction_rank_upper"),
        ("criterion_lower", evidence["criterion_upper"], "criterion_upper"),
    ):
        known = evidence[lower].notna()
        assert (known == evidence[upper].notna()).all()
        assert (evidence[lower][known] <= value[known].astype(float) + 1e-9).all()
        assert (value[known].astype(float) <= evidence[upper][known] + 1e-9).all()


@settings(max_examples=25, deadline=None)
@given(community_rows(), evidence_choices())
def test_one_probability_is_behind_word_needed_answers_and_bounds(rows, choices):
    evidence = weighed(pd.DataFrame(rows), choices)

    for prefix in ("satisfaction", "complaint"):
        chance, word = evidence[f"{prefix}_top_probability"], evidence[f"{prefix}_evidence"]
        withheld = evidence[f"{prefix}_evidence_reason"].isin(["too_little_information", "zero_by_luck"])
        plain = chance.notna() & word.notna() & ~withheld
        assert word[plain].tolist() == [str(band) for band in evidence_bands(chance[plain])]
        assert set(word[withheld]) <= {"undecided"}
    undecided = evidence["satisfaction_evidence"] == "undecided"
    settled = evidence["satisfaction_needed_responses"].eq(0).fillna(value=False)
    assert (settled == (evidence["satisfaction_evidence"].notna() & ~undecided)).all()
    lower, upper, said = (evidence[f"criterion_{name}"] for name in ("lower", "upper", "evidence"))
    for words, bound in ((("certain", "likely"), lower), (("unlikely", "no"), upper)):
        named = said.isin(words)
        assert said[named].tolist() == [str(band) for band in evidence_bands(bound[named])]
    assert ((lower < 0.8) & (upper > 0.2))[said == "undecided"].all()


def test_the_best_of_twenty_is_certain_and_the_decision_stays_what_it_is():
    frame = twenty()
    result = evaluate(frame, rules_with({}))
    evidence = weigh_evidence(result)

    assert result.standings["satisfaction_status"].tolist() == ["met", *["not_met"] * 19]
    assert evidence["satisfaction_evidence"].tolist() == ["certain", *["no"] * 19]
    assert evidence.loc[0, ["satisfaction_rank_lower", "satisfaction_rank_upper"]].tolist() == [1, 1]
    assert evidence.loc[0, "satisfaction_lower"] < 198 / 200 < evidence.loc[0, "satisfaction_upper"] <= 1


def limits_by_hand(scores, variance):
    """Return 95 % limits of each true score, x ~ N(θ, v), θ ~ N(μ, τ²), μ flat and B₀ = v/(v + τ²) uniform.

    Given B₀ the mean is x − B₀(x − x̄) and the variance v(1 − B₀) + vB₀/N; B₀ has the density B₀^((N−1)/2) e^(−B₀S/2v).
    """
    apart, number = scores - scores.mean(), scores.size
    rest = (apart**2).sum() / variance

    def moment(power):
        peak = min(1, (number - 1) / rest)
        height = (number - 1) / 2 * np.log(peak) - peak * rest / 2
        density = lambda b: b**power * np.exp((number - 1) / 2 * np.log(b) - b * rest / 2 - height)  # noqa: E731
        return integrate.quad(density, 0, 1, points=[peak], limit=200)[0]

    first, second = moment(1) / moment(0), moment(2) / moment(0)
    spread = variance * (1 - first + first / number) + (second - first**2) * apart**2
    return scores - first * apart - 1.959964 * np.sqrt(spread), scores - first * apart + 1.959964 * np.sqrt(spread)


@pytest.mark.parametrize("spread", ["0 %", "3 %"])
def test_the_interval_is_that_of_the_posterior_with_nonresponse(spread):
    choices = {
        "satisfaction.measure": "satisfaction_index",
        "evidence.prior": "normal",
        "evidence.nonresponse_spread": spread,
    }
    scores = np.array([75.0, 64, 58, *np.arange(40.0, 57.0)])
    evidence = weighed(twenty(mean_index=scores, sd_index=10.0).drop(columns="satisfied"), choices)

    # Nobody knows how many did not answer, so f = 0: v = 10²/200 + (ω·100)².
    lower, upper = limits_by_hand(scores, 0.5 + float(spread.rstrip(" %")) ** 2)
    np.testing.assert_allclose(evidence["satisfaction_lower"], lower, atol=0.01)
    np.testing.assert_allclose(evidence["satisfaction_upper"], upper, atol=0.01)


def simulate_city(random, communities):
    """Return a community table and the share of all households that are satisfied.

    Who answers differs by N(0, .03²) from the rest, so by (1 − f) times that from all.
    """
    households, rate = random.integers(150, 900, communities), random.beta(16, 4, communities)
    n = np.maximum(30, (households * random.uniform(0.1, 0.8, communities)).astype(int))
    truth = random.binomial(households, rate) / households
    apart = (1 - n / households) * random.normal(0, 0.03, communities)
    willing = np.rint(np.clip(truth + apart, 0, 1) * households).astype(int)
    satisfied = random.hypergeometric(willing, households - willing, n)
    table = pd.DataFrame(
        {
            "community_id": [f"{number:04}" for number in range(communities)],
            "region": "r",
            "responses": n,
            "satisfied": satisfied,
            "households": households,
        }
    )
    return table, truth


def test_intervals_hold_what_all_households_would_answer_also_of_the_observed_best():
    rules = rules_with({"evidence.one_answer_per_household": True, "evidence.prior": "nonparametric"})
    random = np.random.default_rng(5)
    held, best, chances, true = [], [], [], []
    for _ in range(40):
        table, truth = simulate_city(random, 400)
        evidence = weigh_evidence(evaluate(table, rules))
        inside = (evidence["satisfaction_lower"] <= truth + 1e-9) & (truth - 1e-9 <= evidence["satisfaction_upper"])
        held += inside.tolist()
        best += inside[(table["satisfied"] / table["responses"]).nlargest(20).index].tolist()
        chances += evidence["satisfaction_top_probability"].tolist()
        true += (pd.Series(truth).rank(ascending=False) <= 20).tolist()

    # 800 observed best: two standard errors are .016.
    assert 0.93 <= np.mean(held) <= 0.97
    assert 0.93 <= np.mean(best) <= 0.97
    frame = pd.DataFrame({"word": evidence_bands(chances), "said": chances, "true": true}).groupby("word")
    numbers = frame.agg(said=("said", "mean"), true=("true", "mean"), count=("true", "size"))
    error = np.sqrt(numbers["said"] * (1 - numbers["said"]) / numbers["count"])
    assert ((numbers["said"] - numbers["true"]).abs() <= 3 * error + 0.02).all(), numbers


def test_a_given_score_is_undecided_because_its_answers_are_not_known():
    frame = twenty(score=[83, *[80] * 19], score_precision=1).drop(columns=["responses", "satisfied"])
    evidence = weighed(frame)

    assert set(evidence["satisfaction_evidence"]) == {"undecided"}
    assert set(evidence["satisfaction_evidence_reason"]) == {"variance_unknown"}
    assert (
        evidence[["satisfaction_lower", "satisfaction_top_probability", "satisfaction_rank_lower"]]
        .isna()
        .all(axis=None)
    )


def test_an_index_is_weighed_by_the_spread_of_its_answers():
    frame = twenty(mean_index=[99.0, *[60.0] * 19], sd_index=10.0).drop(columns="satisfied")
    sharp = weighed(frame, {"satisfaction.measure": "satisfaction_index"})
    unknown = weighed(frame.drop(columns="sd_index"), {"satisfaction.measure": "satisfaction_index"})

    assert sharp["satisfaction_evidence"].tolist() == ["certain", *["no"] * 19]
    assert set(unknown["satisfaction_evidence_reason"]) == {"variance_unknown"}


def test_a_composite_is_weighed_by_the_spread_of_its_residents():
    choices = {"satisfaction.measure": "composite", "satisfaction.domains": {"q02": "60 %", "q03": "40 %"}}
    frame = twenty(composite_responses=200, mean_composite=[99.0, *[60.0] * 19], sd_composite=10.0)
    sharp = weighed(frame, choices)
    unknown = weighed(frame.drop(columns="sd_composite"), choices)

    assert sharp["satisfaction_evidence"].tolist() == ["certain", *["no"] * 19]
    assert (sharp["satisfaction_upper"] <= 100).all()
    assert set(unknown["satisfaction_evidence_reason"]) == {"variance_unknown"}


def test_households_limit_what_is_possible_only_where_each_answers_once():
    frame = twenty(households=200)
    posters, codes = weighed(frame), weighed(frame, {"evidence.one_answer_per_household": True})

    assert (codes["satisfaction_lower"] == codes["satisfaction_upper"]).all()
    assert (posters["satisfaction_lower"] < posters["satisfaction_upper"]).all()
    assert np.isinf(codes["satisfaction_tipping_point"]).all()
    assert np.isfinite(posters["satisfaction_tipping_point"]).all()


def test_more_answers_than_households_are_no_census():
    evidence = weighed(twenty(households=150), {"evidence.one_answer_per_household": True})

    assert (evidence["satisfaction_lower"] < evidence["satisfaction_upper"]).all()


def close_race(**columns):
    satisfied = [180, 176, *np.linspace(172, 130, 38).astype(int)]
    names = [f"{number:02}" for number in range(40)]
    return pd.DataFrame(
        {"community_id": names, "region": "r", "responses": 200, "satisfied": satisfied, "households": 900} | columns
    )


def test_settled_evidence_needs_nobody_and_undecided_evidence_needs_somebody():
    for codes in (True, False):
        evidence = weighed(close_race(), {"evidence.one_answer_per_household": codes})
        undecided = evidence["satisfaction_evidence"] == "undecided"
        needed, assurance = evidence["satisfaction_needed_responses"], evidence["satisfaction_needed_assurance"]

        assert undecided.any()
        assert (needed[~undecided] == 0).all()
        assert (assurance[~undecided] == 1).all()
        assert (needed[undecided].dropna() >= 1).all()
        assert needed[undecided].notna().any()
        # No more than 60 % of 900 households are expected to answer.
        assert (needed.dropna() <= 540 - 200).all()
        assert assurance[undecided].between(0, 1, inclusive="neither").all()


def test_without_households_nobody_knows_how_many_more_could_answer():
    evidence = weighed(close_race(households=None))
    undecided = evidence["satisfaction_evidence"] == "undecided"

    assert (
        evidence.loc[undecided, ["satisfaction_needed_responses", "satisfaction_needed_assurance"]]
        .isna()
        .all(axis=None)
    )
    assert (evidence.loc[~undecided, "satisfaction_needed_responses"] == 0).all()


def test_what_is_not_ranked_has_no_forecast():
    evidence = weighed(close_race(responses=[5, *[200] * 39], satisfied=[5, *[150] * 39]))

    assert evidence.loc[0, ["satisfaction_needed_responses", "satisfaction_needed_assurance"]].isna().all()


@pytest.mark.long
@pytest.mark.parametrize("codes", [False, True])
@pytest.mark.parametrize("prior", ["normal", "nonparametric"])
def test_so_many_further_answers_settle_the_evidence_as_often_as_is_said(codes, prior):
    rules = rules_with({"evidence.one_answer_per_household": codes, "evidence.prior": prior})
    random = np.random.default_rng(7)
    said, settled = [], []
    for _ in range(60):
        households, truth = random.integers(200, 900, 60), random.beta(16, 4, 60)
        homes = random.binomial(households, truth)
        n = random.integers(30, 120, 60)
        satisfied = random.hypergeometric(homes, households - homes, n) if codes else random.binomial(n, truth)
        table = twenty(
            community_id=[f"{number:02}" for number in range(60)],
            responses=n,
            satisfied=satisfied,
            households=households,
        )
        evidence = weigh_evidence(evaluate(table, rules))
        needed = evidence["satisfaction_needed_responses"].fillna(0).to_numpy(dtype=int)
        for row in np.flatnonzero(needed > 0)[:4]:
            left = homes[row] - satisfied[row], households[row] - n[row] - homes[row] + satisfied[row]
            more = random.hypergeometric(*left, needed[row]) if codes else random.binomial(needed[row], truth[row])
            further = table.copy()
            further.loc[row, ["responses", "satisfied"]] += [needed[row], more]
            later = weigh_evidence(evaluate(further, rules))
            said.append(evidence.loc[row, "satisfaction_needed_assurance"])
            settled.append(later.loc[row, "satisfaction_evidence"] != "undecided")

    # About 120 trials: two standard errors are .09.
    assert len(said) > 80
    assert np.mean(settled) == pytest.approx(np.mean(said), abs=0.1)


def test_no_complaint_has_an_upper_bound_and_is_no_proof_in_a_small_community():
    frame = twenty(complaints=[0, *[4] * 19], exposure_household_years=[100, *[1000] * 19])
    evidence = weighed(frame)

    assert evidence.loc[0, "complaint_rate_lower"] == 0
    assert evidence.loc[0, "complaint_rate_upper"] == pytest.approx(36.88879, abs=1e-4)
    assert evidence.loc[0, ["complaint_evidence", "complaint_evidence_reason"]].tolist() == [
        "undecided",
        "zero_by_luck",
    ]


def test_a_community_that_is_too_small_to_be_ranked_shapes_nobody_elses_evidence():
    few = twenty(responses=[*[200] * 19, 5], satisfied=[198, 160, *[120] * 17, 0])
    alone = weighed(few)
    evidence = weighed(few.assign(satisfied=[198, 160, *[120] * 17, 5]))

    assert evidence.loc[19, "satisfaction_evidence_reason"] == "not_assessed"
    assert pd.isna(evidence.loc[19, "satisfaction_evidence"])
    assert pd.isna(evidence.loc[19, "satisfaction_upper"])
    pd.testing.assert_frame_equal(alone.iloc[:19], evidence.iloc[:19])


def test_a_small_region_is_weighed_in_the_city_that_it_is_ranked_with():
    frame = twenty(region=[*["small"] * 5, *["large"] * 15])
    choices = {"when_k_is_zero": "wider_region", "satisfaction.share": "7 %"}
    result = evaluate(frame, rules_with(choices))
    evidence = weigh_evidence(result)
    city = weighed(frame, {"region": "city", "satisfaction.share": "7 %"})

    assert result.summary["regions"]["small"]["satisfaction"]["ranked_with"] == "wider_region"
    pd.testing.assert_frame_equal(evidence.iloc[:5], city.iloc[:5])
    assert evidence["satisfaction_top_probability"].iloc[5:].sum() == pytest.approx(1)


def test_a_route_that_names_nobody_leaves_the_criterion_to_the_other():
    frame = twenty(complaints=[0, *[40] * 19], exposure_household_years=1000)
    evidence = weighed(frame, {"satisfaction.share": "4 %"})

    assert set(evidence["satisfaction_evidence_reason"]) == {"not_applicable"}
    assert evidence["criterion_evidence"].tolist() == ["certain", *["no"] * 19]


def test_where_nothing_is_known_the_criterion_has_no_evidence():
    evidence = weighed(twenty(responses=0, satisfied=0))

    assert evidence["criterion_evidence"].isna().all()
    assert set(evidence["criterion_evidence_reason"]) == {"not_assessed"}
