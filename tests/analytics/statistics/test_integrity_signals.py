from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.calibration.simulated_city import (
    OPENED,
    TIME_ZONE,
    add_forms,
    add_stuffed_responses,
    put_behind_carriers,
    simulate_honest_city,
)
from analytics.statistics import integrity_rows
from analytics.statistics.integrity_signals import (
    FALSE_DISCOVERY_RATE,
    FAMILIES,
    _chance_of_rate,
    count_with_and_without_held,
    exclude_held,
    find_signals,
)

STAFF = frozenset({"paper"})
CONTENT = 1.5


def signals(responses, answers):
    return find_signals(responses, answers, overall="q01", staff_modes=STAFF, time_zone=TIME_ZONE)


def of_family(result, family, community):
    families = result.families
    return families[(families["family"] == family) & (families["community_id"] == community)].iloc[0]


def small_community(overall, minutes, **columns):
    """Return the rows of one community with two questions, both answered alike."""
    count = len(overall)
    responses = pd.DataFrame(
        {
            "response_id": range(count),
            "community_id": "a",
            "submitted_at": OPENED + pd.to_timedelta(minutes, unit="min"),
            "mode": "web",
            "duration_seconds": 90.0,
        }
        | columns,
        index=range(count),
    )
    return responses, pd.DataFrame({"q01": overall, "q02": overall}, index=range(count)).astype("Int64")


def held_share(result, responses, honest):
    return result.responses["held"][responses["response_id"] > honest].mean()


@pytest.fixture(scope="module")
def city():
    return simulate_honest_city(5, 200)


def test_nothing_is_held_in_an_honest_city(city):
    assert not signals(*city).responses["held"].any()


def test_hardly_anything_is_held_where_most_people_are_content_with_everything():
    responses, answers = simulate_honest_city(6, 200, level=CONTENT)
    assert ((answers == 5) | answers.isna()).all(axis=1).mean() > 0.15
    held = responses.loc[signals(responses, answers).responses["held"], "community_id"]
    assert held.nunique() <= FALSE_DISCOVERY_RATE * 200


@pytest.mark.parametrize("forms", [15, 40])
def test_hurried_fives_within_minutes_are_held(city, forms):
    responses, answers = add_stuffed_responses(*city, community=17, forms=forms, seed=1, seconds=(9, 22))
    result = signals(responses, answers)
    assert held_share(result, responses, len(city[0])) == 1
    assert {"burst", "haste"} <= set(result.responses["families"].iloc[-1].split(", "))


def test_fives_from_one_line_are_held_though_each_took_its_time(city):
    responses, answers = add_stuffed_responses(*city, community=17, forms=40, seed=1, same_line=True)
    result = signals(responses, answers)
    assert held_share(result, responses, len(city[0])) == 1
    assert of_family(result, "address", 17)["flagged"]


def test_one_family_alone_holds_nothing(city):
    responses, answers = add_stuffed_responses(*city, community=17, forms=15, seed=1)
    # Each form leaves out most questions, and different ones, so only the times are informative.
    left_out = np.random.default_rng(5).random(answers.shape) < 0.7
    left_out[:-15] = False
    left_out[:, list(answers.columns).index("q01")] = False
    answers = answers.mask(left_out)
    result = signals(responses, answers)
    assert of_family(result, "burst", 17)["flagged"]
    assert (result.responses["families"] == "burst").sum() >= 15
    assert held_share(result, responses, len(city[0])) == 0


def test_responses_that_staff_typed_in_are_exempt(city):
    responses, answers = add_stuffed_responses(*city, community=17, forms=40, seed=1, seconds=(9, 22), same_line=True)
    from_paper = responses.assign(mode=responses["mode"].mask(responses["response_id"] > len(city[0]), "paper"))
    result = signals(from_paper, answers)
    assert not result.responses["held"].any()
    assert of_family(result, "burst", 17).equals(of_family(signals(*city), "burst", 17))


def test_a_message_that_brings_ordinary_answers_at_once_is_no_burst():
    generator = np.random.default_rng(3)
    at_once = [*generator.uniform(0, 20_000, 60), *generator.uniform(5000, 5008, 60)]
    result = signals(*small_community(generator.integers(1, 6, 120), at_once))
    assert of_family(result, "burst", "a")["p"] > FALSE_DISCOVERY_RATE


def test_the_p_of_a_burst_is_hypergeometric():
    # 20 responses an hour apart alternate between 2 and 4; then six fives within a minute.
    overall = [2, 4] * 10 + [5] * 6
    minutes = [*np.arange(20) * 61, *(2000 + np.arange(6) / 10)]
    family = of_family(signals(*small_community(overall, minutes)), "burst", "a")
    # All six, and nobody else, gave the highest answer to everything.
    # Of ten windows and three ways to count, that is the best.
    assert family["p"] == pytest.approx(10 * 3 / comb(26, 6), rel=1e-9)
    assert (family["statistic"], family["expected"]) == (6, pytest.approx(36 / 26))


def test_dissatisfied_bursts_count_as_well():
    overall = [3, 4] * 10 + [1] * 8
    minutes = [*np.arange(20) * 61, *(2000 + np.array([0, 7, 19, 21, 34, 50, 53, 70]) / 100)]
    durations = 60.0 + np.arange(28) * 37 % 101
    result = signals(*small_community(overall, minutes, duration_seconds=durations))
    assert of_family(result, "burst", "a")["flagged"]
    assert (result.responses["families"] == "burst").tolist() == [False] * 20 + [True] * 8


def test_equally_dense_windows_give_the_earliest():
    overall = [5, 5, 3, 3, 5, 5]
    result = signals(*small_community(overall, [0, 1, 3000, 4000, 6000, 6001]))
    assert of_family(result, "burst", "a")["statistic"] == 2
    assert of_family(result, "burst", "a")["p"] == 1


def test_a_shared_telephone_is_a_fact_and_alone_holds_nobody():
    phones = ["one", "two", "one", None, None]
    result = signals(*small_community([5, 4, 3, 2, 1], [0, 900, 1800, 2700, 3600], device=phones))
    family = of_family(result, "duplicate", "a")
    assert (family["statistic"], family["p"], family["flagged"]) == (2, 0, True)
    assert (result.responses["families"] == "duplicate").tolist() == [True, False, True, False, False]
    assert not result.responses["held"].any()


def test_one_telephone_at_one_line_is_not_counted_twice(city):
    responses, answers = city
    fifty = responses.index[responses["community_id"] == 17][:25]
    shared = responses.assign(
        device=responses["device"].mask(responses.index.isin(fifty), "tablet"),
        address=responses["address"].mask(responses.index.isin(fifty), "office"),
    )
    result = signals(shared, answers)
    assert of_family(result, "duplicate", 17)["flagged"]
    assert not of_family(result, "address", 17)["flagged"]


def test_without_keys_or_durations_their_families_do_not_judge(city):
    responses, answers = city
    bare = responses.drop(columns=["device", "address"]).assign(duration_seconds=np.nan)
    families = signals(bare, answers).families.groupby("family")
    assert families["p"].count()[["duplicate", "haste", "address"]].tolist() == [0, 0, 0]
    assert (families["p"].count()[["burst", "identical", "variance"]] == 200).all()
    assert not families["flagged"].any()[["duplicate", "haste", "address"]].any()


def test_too_few_communities_give_no_reference_distribution():
    families = signals(*simulate_honest_city(5, 19)).families.groupby("family")
    assert families["p"].count()[["burst", "identical", "variance", "haste", "address"]].tolist() == [19, 0, 0, 0, 0]


def test_haste_stands_out_where_nobody_else_hurries(city):
    responses, answers = add_stuffed_responses(*city, community=17, forms=15, seed=1, seconds=(9, 22))
    honest = responses["response_id"] <= len(city[0])
    unhurried = responses.assign(duration_seconds=responses["duration_seconds"].mask(honest, 100.0))
    family = of_family(signals(unhurried, answers), "haste", 17)
    assert (family["statistic"], family["expected"]) == (15, 0)
    assert family["flagged"]


def test_answers_all_made_alike_have_too_little_variance(city):
    responses, answers = city
    generator = np.random.default_rng(2)
    invented = answers.copy()
    rows = responses.index[responses["community_id"] == 1]
    invented.loc[rows] = generator.choice([3, 4, 5], p=[0.25, 0.5, 0.25], size=(len(rows), answers.shape[1]))
    assert len(rows) > 100
    assert of_family(signals(responses, invented), "variance", 1)["flagged"]


def test_one_vector_again_and_again_is_flagged_even_if_it_is_not_straight(city):
    responses, answers = add_stuffed_responses(*city, community=17, forms=30, seed=1)
    planted = responses["response_id"] > len(city[0])
    answers.loc[planted] = [5, 4, 5, 5, 4, 5, 4, 5, 5, 4, 5, 5, 4, 5, 5]
    result = signals(responses, answers)
    assert of_family(result, "identical", 17)["statistic"] == 30
    assert of_family(result, "identical", 17)["expected"] < 10
    assert (result.responses["families"][planted].str.contains("identical")).all()


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_rows_changes_nothing(seed):
    responses, answers = add_stuffed_responses(
        *simulate_honest_city(7, 30), community=17, forms=20, seed=1, seconds=(9, 22)
    )
    order = np.random.default_rng(seed).permutation(len(responses))
    result, shuffled = signals(responses, answers), signals(responses.iloc[order], answers.iloc[order])
    pd.testing.assert_frame_equal(shuffled.families, result.families, check_exact=True)
    pd.testing.assert_frame_equal(shuffled.responses.sort_index(), result.responses)


@settings(max_examples=25, deadline=None)
@given(
    codes=st.lists(st.one_of(st.none(), st.integers(1, 5)), max_size=30),
    data=st.data(),
)
def test_every_p_is_a_probability_and_only_flagged_families_point(codes, data):
    count = len(codes)
    minutes = data.draw(st.lists(st.integers(0, 3000), min_size=count, max_size=count))
    places = data.draw(st.lists(st.sampled_from(["a", "b"]), min_size=count, max_size=count))
    modes = data.draw(st.lists(st.sampled_from(["web", "poster", "paper"]), min_size=count, max_size=count))
    phones = data.draw(st.lists(st.sampled_from(["x", "y", None]), min_size=count, max_size=count))
    rows = {"community_id": places, "mode": modes, "device": phones}
    responses, answers = small_community(codes, minutes, **rows)
    result = signals(responses, answers)
    known = result.families["p"].dropna()
    assert ((known >= 0) & (known <= 1)).all()
    named = {name for names in result.responses["families"] for name in names.split(", ") if name}
    assert named <= set(result.families.loc[result.families["flagged"], "family"])
    assert (result.responses["held"] == (result.responses["families"].str.count(", ") >= 1)).all()
    assert not result.responses.loc[responses["mode"] == "paper", "held"].any()
    assert len(result.families) == len(set(places)) * len(FAMILIES)


def test_p_of_bursts_are_at_least_uniform_where_nobody_cheats(city):
    p = signals(*city).families.query("family == 'burst'")["p"].to_numpy()
    assert all((p <= level).mean() <= level + 3 * np.sqrt(level / p.size) for level in (0.01, 0.05, 0.2))


def test_an_empty_table_has_no_signals():
    responses, answers = small_community([], [])
    result = signals(responses, answers)
    assert result.families.empty
    assert result.responses.empty
    assert list(result.responses) == ["response_id", "held", "families"]


def test_a_community_of_paper_alone_keeps_its_rows_unjudged():
    result = signals(*small_community([5, 5], [0, 1], mode="paper"))
    assert result.families["p"].isna().all()
    assert (result.families["examined"] == 0).all()
    assert result.responses["families"].tolist() == ["", ""]


def test_counts_with_and_without_held_agree_with_the_rows_left(city):
    responses, answers = add_stuffed_responses(*city, community=17, forms=40, seed=1, seconds=(9, 22))
    result = signals(responses, answers)
    table = count_with_and_without_held(responses, answers, overall="q01", integrity=result)
    left = exclude_held(responses, result)
    recounted = (answers.loc[left.index, "q01"] >= 4).astype(int).groupby(left["community_id"]).sum()
    assert table["satisfied_without"].tolist() == recounted.tolist()
    assert table["n"].sum() == answers["q01"].count()
    assert (table["held"] > 0).sum() == 1
    assert table.loc[17, "held"] >= 40
    assert table.loc[17, "n"] - table.loc[17, "n_without"] == table.loc[17, "held"]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("response_id", 0, "response_id occurs twice in 1 of 3 rows: row 1 \\(response_id 0\\)"),
        ("community_id", None, "community_id is missing in 1 of 3 rows: row 1"),
        ("submitted_at", pd.NaT, "submitted_at is missing in 1 of 3 rows: row 1"),
        ("duration_seconds", -1.0, "duration_seconds is below 0 in 1 of 3 rows: row 1"),
    ],
)
def test_bad_rows_are_named(column, value, message):
    responses, answers = small_community([5, 4, 3], [0, 1, 2])
    responses[column] = responses[column].astype(object).where(responses.index != 1, value).infer_objects()
    with pytest.raises(ValueError, match=message):
        signals(responses, answers)


def test_a_code_that_is_no_rating_is_named():
    responses, answers = small_community([5, 9, 3], [0, 1, 2])
    with pytest.raises(ValueError, match="not a code from 1 to 5 in 1 of 3 rows: row 1 \\(response_id 1\\)"):
        signals(responses, answers)


def test_times_without_a_zone_and_rows_that_do_not_match_are_refused():
    responses, answers = small_community([5, 4], [0, 1])
    with pytest.raises(ValueError, match="time zone"):
        signals(responses.assign(submitted_at=responses["submitted_at"].dt.tz_localize(None)), answers)
    with pytest.raises(ValueError, match="same index"):
        signals(responses, answers.iloc[::-1])
    with pytest.raises(ValueError, match="columns are missing: mode"):
        signals(responses.drop(columns="mode"), answers)
    with pytest.raises(ValueError, match="columns are missing: q99"):
        find_signals(responses, answers, overall="q99", staff_modes=STAFF, time_zone=TIME_ZONE)


def with_households(responses, households=400):
    return dict.fromkeys(responses["community_id"].unique(), households)


def at_night(responses, chosen):
    """Move some responses into the night of their day, each to its own time."""
    seconds = pd.to_timedelta(np.random.default_rng(4).integers(5 * 3600, size=len(responses)), unit="s")
    return responses.assign(
        submitted_at=responses["submitted_at"].mask(chosen, responses["submitted_at"].dt.normalize() + seconds)
    )


def test_a_community_of_shift_workers_is_flagged_by_the_night_and_by_nothing_else(city):
    responses, answers = city
    chosen = (responses["community_id"] == 17) & (responses.index % 2 == 0)
    result = signals(at_night(responses, chosen), answers)
    assert of_family(result, "night", 17)["flagged"]
    assert of_family(result, "night", 17)["statistic"] > 10 * of_family(result, "night", 17)["expected"]
    assert not result.responses["held"].any()
    assert set(result.responses.loc[responses["community_id"] == 17, "families"]) <= {"", "night", "duplicate"}


@pytest.mark.parametrize("rows_of_a_block", [50, 1_000])
def test_what_is_found_is_the_same_however_the_communities_are_divided(monkeypatch, rows_of_a_block):
    small_city = simulate_honest_city(8, 40)
    responses, answers = add_stuffed_responses(*small_city, community=17, forms=40, seed=1, seconds=(9, 22))
    responses = put_behind_carriers(responses, seed=2).assign(helped=responses["response_id"] % 11 == 0)
    responses["mode"] = responses["mode"].mask(responses["response_id"] % 13 == 0, "paper")
    how = {"overall": "q01", "staff_modes": STAFF, "time_zone": TIME_ZONE, "households": with_households(responses)}
    whole = find_signals(responses, answers, **how)

    monkeypatch.setattr(integrity_rows, "BLOCK_ROWS", rows_of_a_block)
    divided = find_signals(responses, answers, **how)

    assert whole.responses["held"].any()
    assert whole.families.dropna(subset="p")["family"].nunique() == len(FAMILIES)
    pd.testing.assert_frame_equal(divided.families, whole.families, check_exact=True)
    pd.testing.assert_frame_equal(divided.responses, whole.responses)


def test_the_night_is_that_of_the_zone(city):
    responses, answers = city
    far_away = responses.assign(submitted_at=responses["submitted_at"].dt.tz_convert("America/New_York"))
    there = find_signals(responses, answers, overall="q01", staff_modes=STAFF, time_zone="America/New_York")
    assert signals(far_away, answers).families.equals(signals(*city).families)
    nights = there.families.query("family == 'night'")["statistic"].sum()
    assert nights > 5 * signals(*city).families.query("family == 'night'")["statistic"].sum()


def test_a_poster_that_brings_one_evening_what_it_never_brought_is_flagged_and_one_at_the_gate_is_not(city):
    responses, answers = city
    gate = (responses["community_id"] == 23) & (responses.index % 10 > 0)
    responses = responses.assign(poster=responses["poster"].mask(gate, "23-0"))
    opened = np.random.default_rng(5).uniform(0, 7000, 40)
    sent = opened + np.random.default_rng(6).uniform(60, 200, 40)
    rows, codes = add_forms(responses, answers, community=53, opened=opened, sent=sent, one_line=False, seed=1)
    result = signals(rows, codes)
    assert result.families.query("family == 'poster' and flagged")["community_id"].tolist() == [53]
    assert of_family(result, "poster", 53)["statistic"] > 35
    assert (result.responses["families"].iloc[-40:] == "poster").all()
    assert not result.responses["held"].any()


@pytest.mark.parametrize("communities", [3, 8, 40, 300])
def test_rates_that_differ_as_exponential_variables_are_flagged_no_more_often_than_p_says(communities):
    generator, least = np.random.default_rng(communities), []
    for _ in range(12_000 // communities):
        counts = generator.poisson(generator.exponential(20, communities))
        expected = (counts.sum() - counts) / (communities - 1)
        least.append(_chance_of_rate(counts.astype(float), expected, communities - 1))
    p = np.concatenate(least)
    assert all((p <= level).mean() <= level + 3 * np.sqrt(level / p.size) for level in (1e-3, 0.01, 0.05, 0.2))


def test_many_answers_beside_few_households_and_a_couple_with_one_telephone_are_one_kind_of_sign(city):
    responses, answers = city
    web = responses[responses["mode"] == "web"]
    couple = web.loc[web["device"].duplicated(), "community_id"].iloc[0]
    households = with_households(responses) | {couple: 10}
    result = find_signals(
        responses, answers, overall="q01", staff_modes=STAFF, time_zone=TIME_ZONE, households=households
    )
    assert of_family(result, "volume", couple)["flagged"]
    assert "duplicate, volume" in set(result.responses["families"])
    assert not result.responses["held"].any()


@pytest.mark.long
@pytest.mark.parametrize(("level", "most_held"), [(0.65, 0.001), (CONTENT, 0.002)])
def test_of_thousands_of_honest_communities_hardly_any_has_a_response_held(level, most_held):
    held = flagged = examined = 0
    for seed in range(12):
        responses, answers = simulate_honest_city(400 + seed, 500, level=level)
        result = signals(responses, answers)
        held += responses.loc[result.responses["held"], "community_id"].nunique()
        examined += 500
        flagged += result.families.query("family != 'duplicate'")["flagged"].sum()
    assert flagged / examined <= 0.004
    assert held / examined <= most_held


@pytest.mark.long
@pytest.mark.parametrize(("level", "least_flagged"), [(0.65, 0.9), (CONTENT, 0.75)])
@pytest.mark.parametrize(
    ("forms", "how", "least_held"),
    [
        (15, {"seconds": (9, 22)}, 0.65),
        (25, {"seconds": (9, 22)}, 0.8),
        (40, {"seconds": (9, 22)}, 0.8),
        (25, {"same_line": True}, 0.8),
        (40, {"same_line": True}, 0.8),
        (40, {}, 0.05),
    ],
)
def test_planted_bursts_are_found_whatever_the_size_of_the_community(forms, how, least_held, level, least_flagged):
    honest = simulate_honest_city(61, 500, level=level)
    sizes = honest[0].query("mode == 'web'").groupby("community_id").size()
    for least, most in ((30, 60), (60, 120), (120, 210)):
        responses, answers = honest
        places = sizes[sizes.between(least, most)].index[:12]
        for seed, place in enumerate(places):
            responses, answers = add_stuffed_responses(
                responses, answers, community=place, forms=forms, seed=seed, **how
            )
        result = signals(responses, answers)
        flagged = [of_family(result, "burst", place)["flagged"] for place in places]
        assert np.mean(flagged) >= least_flagged
        assert held_share(result, responses, len(honest[0])) >= least_held
