"""Forms that somebody opens, keeps and sends by the dozen on one poster are held; those of honest crowds are not."""

import json
import random
import re
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from analytics.reports.channel_sentences import poster_limits
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.models import IntegrityExamination, Response, ResponseReview
from survey_app.responses.declared_help import declare_help
from survey_app.responses.integrity_reviews import examine_round
from survey_app.rounds.rounds import GRACE_PERIOD
from tests.accounts import csrf_token, make_account, signed_in_client
from tests.factories import make_community, make_poster_code, make_round_around

KEY = re.compile(r'name="key" value="([^"]+)"')
BROWSERS = ("MicroMessenger/8.0", "curl/8", "Mozilla/5.0 (iPhone)", "Dalvik/2.1", "")
NIGHT = timedelta(hours=30)


@dataclass(order=True)
class Form:
    """One form: opened and sent so many seconds after the beginning, and what it answers."""

    opened: float
    sent: float
    address: str = "203.0.113.7"
    answers: dict = field(default_factory=dict, compare=False)
    token: str | None = field(default=None, compare=False)
    browser: str = field(default="", compare=False)
    language: str = field(default="zh-Hans", compare=False)


@dataclass
class Town:
    """A site whose clock a test sets, with communities of six honest answers each; the first one is attacked."""

    app: object
    database: object
    survey_round: object
    communities: list
    tokens: list
    start: datetime
    clock: list

    def play(self, forms, *, client=None):
        """Open and send forms in the order of their times, and return the ids of the stored responses."""
        before = set(self.ids())
        client, keys, sent = client or self.app.test_client(), {}, {}
        moments = [(form.opened, 0, place) for place, form in enumerate(forms)]
        moments += [(form.sent, 1, place) for place, form in enumerate(forms)]
        for moment, is_sending, place in sorted(moments):
            form = forms[place]
            self.clock[0] = self.start + timedelta(seconds=moment)
            request = {
                "headers": {"User-Agent": form.browser, "Accept-Language": form.language},
                "environ_overrides": {"REMOTE_ADDR": form.address},
            }
            address = f"/s/{form.token or self.tokens[0]}"
            if is_sending:
                answer = client.post(address, data=form.answers | {"key": keys[place]}, **request)
                assert answer.status_code == 303
                sent[place] = answer.location
            else:
                keys[place] = KEY.search(client.get(address, **request).text)[1]
        self.sent = [sent[place] for place in range(len(forms))]
        return set(self.ids()) - before

    def ids(self):
        with self.database.reading() as session:
            return session.scalars(select(Response.id)).all()

    def examine(self, after=NIGHT):
        """Examine the round, and return the ids of the responses that are held."""
        examine_round(self.database, round_id=self.survey_round.id, now=self.start + after)
        with self.database.reading() as session:
            return set(session.scalars(select(ResponseReview.response_id).filter_by(state="held")))


def given(rng, *, ratings=(1, 2, 3, 4, 5)):
    """Return the answers of one person, who is more or less content with everything."""
    mood = rng.choice(ratings)
    rated = [min(max(mood + rng.choice((-1, 0, 0, 1)), min(ratings)), max(ratings)) for _ in range(15)]
    return {f"q{number:02}": str(rating) for number, rating in enumerate(rated, 1)} | {"q16": "1"}


def crowd(rng, openings, addresses, *, median=110, spread=0.4):
    """Return the forms of people: each takes its own time, and has its own mind."""
    return [
        Form(opened, opened + median * rng.lognormvariate(0, spread), address, given(rng), browser=rng.choice(BROWSERS))
        for opened, address in zip(openings, addresses, strict=True)
    ]


@pytest.fixture
def rng():
    return random.Random(20260915)


@pytest.fixture
def town(app, sqlite_database, monkeypatch, rng):
    # At 12:00 in the city, so that no network key ends during an evening.
    start = datetime.now(UTC).replace(hour=4, minute=0, second=0, microsecond=0)
    with sqlite_database.writing() as session:
        survey_round = make_round_around(session, start)
        communities = [make_community(session, households_owners=300) for _ in range(8)]
        tokens = [make_poster_code(session, community).token for community in communities]
        make_account(session, "city", now=start - timedelta(days=9))
        make_account(session, "clerk", community=communities[0], now=start - timedelta(days=9))
    clerk = signed_in_client(app, "clerk")
    clock = [start]
    for name, module in list(sys.modules.items()):
        if name.startswith("survey_app.") and hasattr(module, "current_time"):
            monkeypatch.setattr(module, "current_time", lambda: clock[0])
    town = Town(app, sqlite_database, survey_round, communities, tokens, start, clock)
    town.clerk = clerk
    for place, token in enumerate(tokens):
        # From seven in the morning to seven in the evening.
        openings = sorted(rng.uniform(-18_000, 25_000) for _ in range(6))
        addresses = [f"198.51.{place}.{10 * number}" for number in range(6)]
        for form in (forms := crowd(rng, openings, addresses)):
            form.token = token
        town.play(forms)
    town.honest = set(town.ids())
    return town


# Where the forms come from, by their number.
LINES = {
    "one line": lambda _place: "203.0.113.7",
    "three lines": lambda place: f"203.0.{113 + place % 3}.7",
    "a /64": lambda place: f"2001:db8:1:2::{place + 1:x}",
    "a /48": lambda place: f"2001:db8:1:{place + 1:x}::9",
    "a line each": lambda place: f"{20 + place % 80}.{place}.{place % 7}.9",
}


def at_once(rng, number):
    """Forms opened within some seconds, and after a pause all sent: as it was done."""
    return [(rng.uniform(0, 8), 158 + 2.3 * place / number) for place in range(number)]


def hoarded(rng, number):
    """Forms opened over an hour, sent in the course of an evening."""
    return [(rng.uniform(0, 3600), rng.uniform(5 * 3600, 9 * 3600)) for _ in range(number)]


def hoarded_and_sent_in_order(rng, number):
    opened, sent = (sorted(each) for each in zip(*hoarded(rng, number), strict=True))
    return list(zip(opened, sent, strict=True))


def sent_apart(_rng, number):
    """Forms opened at once and sent one after another, one every minute."""
    return [(place / number, 120 + 60 * place) for place in range(number)]


def gathered(rng, number):
    """Forms opened apart, over an hour, and sent together."""
    return [(rng.uniform(0, 3600), 3700 + rng.uniform(0, 5)) for _ in range(number)]


def by_the_clock(rng, number):
    """A form every four minutes through the night, each filled in for as long as a person takes."""
    return [(240 * place - rng.uniform(60, 200), 240 * place + rng.uniform(0, 2)) for place in range(1, number + 1)]


def one_pause(rng, number):
    """One form after another at irregular times, each kept open for the same pause."""
    opened = 0.0
    times = []
    for _ in range(number):
        times.append((opened, opened + 95 + rng.uniform(0, 2)))
        opened += 97 + rng.expovariate(1 / 40)
    return times


def in_seconds(rng, number):
    """One form after another, as fast as a script goes."""
    opened = 0.0
    times = []
    for _ in range(number):
        times.append((opened, opened + rng.uniform(0.2, 2)))
        opened = times[-1][1] + rng.uniform(0.2, 2)
    return times


def at_the_pace_of_people(rng, number):
    """One form after another in daytime, each filled in for as long as a person takes, with pauses of their length."""
    opened, times = 0.0, []
    for _ in range(number):
        times.append((opened, opened + 110 * rng.lognormvariate(0, 0.4)))
        opened = times[-1][1] + 20 + rng.expovariate(1 / 120)
    return times


def in_three_bursts(rng, number):
    return [
        (opened + 5000 * (place % 3), sent + 5000 * (place % 3))
        for place, (opened, sent) in enumerate(at_once(rng, number))
    ]


MANNERS = (at_once, hoarded, hoarded_and_sent_in_order, sent_apart, gathered, by_the_clock, one_pause, in_seconds)


def stuffed(rng, manner, number, line, *, ratings=(4, 5)):
    return [
        Form(opened, sent, LINES[line](place), given(rng, ratings=ratings), browser=BROWSERS[place % len(BROWSERS)])
        for place, (opened, sent) in enumerate(manner(rng, number))
    ]


def assert_held(town, ids, *, least=0.95):
    held = town.examine()
    assert len(held & ids) >= least * len(ids), (len(held & ids), len(ids))
    assert not held & town.honest


def test_two_hundred_forms_of_one_phone_are_held_and_the_six_honest_ones_are_not(town, rng):
    assert_held(town, town.play(stuffed(rng, at_once, 200, "one line")))


@pytest.mark.parametrize("manner", MANNERS, ids=lambda manner: manner.__name__)
@pytest.mark.parametrize("line", ["one line", "three lines", "a /48"])
def test_forty_forms_are_held_however_they_are_timed(town, rng, manner, line):
    assert_held(town, town.play(stuffed(rng, manner, 40, line)))


def every_forty_seconds(_rng, number):
    """A form every 40 seconds through the night, each opened when the former one is sent."""
    return [(10 * 3600 + 40 * place, 10 * 3600 + 40 * (place + 1)) for place in range(number)]


def opened_first_and_sent_in_another_order(rng, number):
    """All forms opened, then sent in an order drawn by lot, with pauses as between people."""
    order = rng.sample(range(number), number)
    sent = [900.0]
    while len(sent) < number:
        sent.append(sent[-1] + 20 + rng.expovariate(1 / 60))
    return [(3 * place, sent[order[place]]) for place in range(number)]


def in_the_night(rng, number):
    """Each form at its own time of two nights, filled in for as long as a person takes."""
    # The town's clock begins at noon.
    sent = [12 * 3600 + rng.choice((0, 86_400)) + rng.uniform(600, 5 * 3600 - 600) for _ in range(number)]
    return [(moment - 110 * rng.lognormvariate(0, 0.4), moment) for moment in sent]


@pytest.mark.parametrize(
    "manner", [every_forty_seconds, opened_first_and_sent_in_another_order], ids=lambda manner: manner.__name__
)
@pytest.mark.parametrize("line", LINES)
def test_neither_an_even_pace_nor_another_order_helps_even_with_a_line_each(town, rng, manner, line):
    assert_held(town, town.play(stuffed(rng, manner, 60, line)), least=0.85)


def test_thirty_hoarded_forms_are_held_though_each_is_sent_over_its_own_line(town, rng):
    assert_held(town, town.play(stuffed(rng, hoarded, 30, "a line each")))


@pytest.mark.parametrize("line", ["one line", "a line each"])
@pytest.mark.parametrize("manner", [at_once, gathered], ids=lambda manner: manner.__name__)
def test_posters_of_two_communities_are_each_found(town, rng, manner, line):
    forms = stuffed(rng, manner, 60, line)
    for place, form in enumerate(forms):
        form.token = town.tokens[place % 2]
    assert_held(town, town.play(forms))


def flagged_families(town):
    """Return the families that flag the first community in the newest examination."""
    with town.database.reading() as session:
        newest = select(IntegrityExamination.families).order_by(IntegrityExamination.id.desc()).limit(1)
        found = json.loads(session.scalar(newest))
    return {row["family"] for row in found if row["flagged"] and row["community_id"] == town.communities[0].id}


def test_answers_of_the_night_are_a_sign_and_hold_nothing_alone(town, rng):
    town.play(stuffed(rng, in_the_night, 40, "a line each"))

    assert town.examine(timedelta(hours=60)) == set()
    assert flagged_families(town) == {"night"}


def test_more_answers_of_the_night_than_neighbours_and_households_let_expect_are_held(town, rng):
    ids = town.play(stuffed(rng, in_the_night, 250, "a line each"))

    held = town.examine(timedelta(hours=60))
    assert {"night", "volume"} <= flagged_families(town)
    assert len(held & ids) >= 0.95 * len(ids)
    assert not held & town.honest


@pytest.mark.parametrize("line", ["one line", "a line each"])
def test_who_copies_the_pace_of_people_is_not_found_and_the_method_says_so(town, rng, line):
    town.play(stuffed(rng, at_the_pace_of_people, 40, line))

    assert town.examine() == set()
    assert "at the pace of people" in poster_limits("en")


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("number", [30, 90])
def test_changing_lines_help_nobody_who_sends_at_once(town, rng, line, number):
    assert_held(town, town.play(stuffed(rng, at_once, number, line)))


@pytest.mark.parametrize("manner", [hoarded, gathered, in_seconds], ids=lambda manner: manner.__name__)
def test_a_line_for_each_form_helps_nobody_who_does_not_wait(town, rng, manner):
    assert_held(town, town.play(stuffed(rng, manner, 120, "a line each")))


@pytest.mark.parametrize("ratings", [(5,), (4, 5), (3, 4, 5), (1, 2, 3, 4, 5), (1,)])
def test_what_is_answered_does_not_matter(town, rng, ratings):
    assert_held(town, town.play(stuffed(rng, at_once, 40, "one line", ratings=ratings)))


def test_posters_of_several_buildings_and_several_languages_are_one_community(town, rng):
    with town.database.writing() as session:
        tokens = [make_poster_code(session, town.communities[0], building=f"{number}号楼").token for number in range(4)]
    forms = stuffed(rng, at_once, 60, "three lines")
    for place, form in enumerate(forms):
        form.token, form.language = tokens[place % 4], ("zh-CN", "en")[place % 2]
    assert_held(town, town.play(forms))


def test_three_bursts_are_held_all_three(town, rng):
    assert_held(town, town.play(stuffed(rng, in_three_bursts, 90, "one line")))


def test_several_communities_in_turn_are_each_found(town, rng):
    forms = stuffed(rng, at_once, 96, "one line")
    for place, form in enumerate(forms):
        form.token = town.tokens[place % 4]
    assert_held(town, town.play(forms))


@pytest.mark.parametrize("examined_between", [False, True])
def test_correcting_each_form_in_peace_afterwards_takes_no_sign_away(town, rng, examined_between):
    town.play(stuffed(rng, at_once, 24, "one line"))
    if examined_between:
        town.examine(timedelta(minutes=20))
    client, moment = town.app.test_client(), 600.0
    before = set(town.ids())
    for first_address in town.sent:
        address = first_address
        for _ in range(2):
            town.clock[0] = town.start + timedelta(seconds=moment)
            page = client.get(f"{address}/correction")
            town.clock[0] += timedelta(seconds=rng.uniform(30, 60))
            answers = given(rng) | {"key": KEY.search(page.text)[1]}
            address = client.post(f"{address}/correction", data=answers).location
            moment += 60 + rng.expovariate(1 / 30)
    newest = sorted(set(town.ids()) - before)[1::2]
    assert_held(town, set(newest))


def test_a_clerk_who_types_faster_than_any_clerk_is_held(town, rng):
    client, address = town.clerk, f"/staff/entry/{town.communities[0].id}/telephone"
    before, moment = set(town.ids()), 0.0
    for _ in range(40):
        town.clock[0] = town.start + timedelta(seconds=moment)
        page = client.get(address)
        fields = {"key": KEY.search(page.text)[1], "csrf_token": csrf_token(page)}
        assert client.post(address, data=given(rng) | fields).status_code == 303
        moment += 0.3
    assert_held(town, set(town.ids()) - before)


def test_no_form_can_be_opened_before_the_round_and_kept_for_it(town):
    client = town.app.test_client()
    town.clock[0] = town.start - timedelta(days=3, minutes=1)
    page = client.get(f"/s/{town.tokens[0]}")
    assert KEY.search(page.text) is None


def test_changing_the_language_does_not_open_a_form_anew(town, rng):
    client, forms = town.app.test_client(), stuffed(rng, hoarded, 40, "one line")
    keys = []
    for form in forms:
        town.clock[0] = town.start + timedelta(seconds=form.opened)
        keys.append(KEY.search(client.get(f"/s/{town.tokens[0]}").text)[1])
    before = set(town.ids())
    for form, key in zip(sorted(forms, key=lambda form: form.sent), keys, strict=True):
        town.clock[0] = town.start + timedelta(seconds=form.sent - 100)
        shown = client.post(f"/s/{town.tokens[0]}?lang=en", data=form.answers | {"key": key, "show": "large"})
        town.clock[0] = town.start + timedelta(seconds=form.sent)
        sent = {"key": KEY.search(shown.text)[1]}
        assert client.post(f"/s/{town.tokens[0]}", data=form.answers | sent).status_code == 303
    assert_held(town, set(town.ids()) - before)


def test_an_official_evaluation_examines_what_came_in_last(town, rng):
    ids = town.play(stuffed(rng, at_once, 40, "one line"))
    settled = town.survey_round.closes_at + GRACE_PERIOD
    evaluate_round(town.database, round_id=town.survey_round.id, now=settled)
    evaluate_round(town.database, round_id=town.survey_round.id, now=settled + timedelta(minutes=5))
    with town.database.reading() as session:
        held = set(session.scalars(select(ResponseReview.response_id).filter_by(state="held")))
        assert session.scalars(select(IntegrityExamination.examined_at)).all() == [settled]
    assert held == ids


def neighbours_behind_one_carrier(rng):
    return crowd(rng, sorted(rng.uniform(0, 36_000) for _ in range(300)), ["203.0.113.7"] * 300)


def a_family(rng):
    return crowd(rng, [0, 45, 210, 400], ["203.0.113.7"] * 4)


def a_meeting(rng):
    return crowd(rng, [rng.uniform(0, 25) for _ in range(25)], ["203.0.113.7"] * 25, median=130, spread=0.35)


def an_announcement(rng):
    openings = [rng.expovariate(1 / 500) for _ in range(120)]
    return crowd(rng, openings, [f"203.{rng.randrange(3)}.{rng.randrange(200)}.{place}" for place in range(120)])


def a_carrier_of_the_city(rng):
    return crowd(rng, [rng.uniform(0, 30_000) for _ in range(60)], [f"203.0.113.{place % 5}" for place in range(60)])


def one_after_another(rng, answers, *, least, mean, median):
    """Return the forms that one telephone sends; each is opened so long after the one before."""
    openings, moment = [], 0.0
    for _ in range(answers):
        openings.append(moment)
        moment += least + rng.expovariate(1 / mean)
    return crowd(rng, openings, ["203.0.113.7"] * answers, median=median, spread=0.3)


def a_volunteer(rng):
    return one_after_another(rng, 40, least=200, mean=120, median=120)


def a_carrier_with_four_hundred_telephones(rng):
    openings = sorted(rng.uniform(0, 36_000) for _ in range(400))
    return crowd(rng, openings, [f"203.0.113.{place % 3}" for place in range(400)])


def a_meeting_of_forty_in_the_hall(rng):
    return crowd(rng, [rng.uniform(0, 90) for _ in range(40)], ["203.0.113.7"] * 40, median=140, spread=0.4)


def a_volunteer_with_eight_answers(rng):
    return one_after_another(rng, 8, least=150, mean=90, median=100)


def shift_workers(rng):
    openings = [rng.uniform(12 * 3600, 17 * 3600) for _ in range(20)] + [rng.uniform(0, 30_000) for _ in range(30)]
    return crowd(rng, openings, [f"203.{place}.1.1" for place in range(50)])


def people_who_scan_at_the_gate_and_answer_at_home(rng):
    openings = [rng.uniform(0, 20_000) for _ in range(60)]
    forms = crowd(rng, openings, [f"203.{place}.1.1" for place in range(60)])
    for form in forms[::4]:
        form.sent += rng.uniform(1800, 7200)
    return forms


CROWDS = (
    neighbours_behind_one_carrier,
    a_family,
    a_meeting,
    an_announcement,
    a_carrier_of_the_city,
    a_volunteer,
    a_carrier_with_four_hundred_telephones,
    a_meeting_of_forty_in_the_hall,
    a_volunteer_with_eight_answers,
    shift_workers,
    people_who_scan_at_the_gate_and_answer_at_home,
)


@pytest.mark.parametrize("crowd_of", CROWDS, ids=lambda crowd_of: crowd_of.__name__)
@pytest.mark.parametrize("seed", [1, 2])
def test_an_honest_crowd_is_not_held(town, crowd_of, seed):
    town.play(crowd_of(random.Random(seed)))

    assert town.examine() == set()


def declared(town, *, expected, begins=timedelta(0), hours=6):
    """Declare help in the first community an hour beforehand, and return the token of its code."""
    begins_at = town.start + begins
    with town.database.writing() as session:
        return declare_help(
            session,
            survey_round=session.merge(town.survey_round, load=False),
            community=session.merge(town.communities[0], load=False),
            begins_at=begins_at,
            ends_at=begins_at + timedelta(hours=hours),
            helper="居委会志愿者两名",
            reason="没有智能手机的老人",
            expected=expected,
            account_id=1,
            now=begins_at - timedelta(hours=1),
        ).code.token


def through(token, forms):
    for form in forms:
        form.token = token
    return forms


def test_a_declared_volunteer_may_go_by_the_clock(town, rng):
    town.play(through(declared(town, expected=40), stuffed(rng, by_the_clock, 40, "one line", ratings=(1, 2, 3, 4, 5))))

    assert town.examine() == set()


def test_no_more_than_were_declared_are_exempt(town, rng):
    ids = town.play(through(declared(town, expected=20), stuffed(rng, at_once, 60, "one line")))

    assert len(town.examine() & ids) == 40


def test_a_code_of_declared_help_exempts_nothing_outside_its_time(town, rng):
    token = declared(town, expected=60, begins=timedelta(hours=2))
    assert_held(town, town.play(through(token, stuffed(rng, at_once, 60, "one line"))))


def test_answers_beside_declared_help_are_not_exempt(town, rng):
    declared(town, expected=60)
    assert_held(town, town.play(stuffed(rng, at_once, 60, "one line")))
