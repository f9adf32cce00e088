"""A made-up city with three evaluated rounds and an open one, behind the real `EvaluationSource` signature."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from analytics.decision.evaluate import evaluate
from analytics.decision.table_columns import float_column
from analytics.disclosure.answer_tables import are_shares_told
from analytics.disclosure.rules import rules_in_force
from analytics.disclosure.suppression import rounded_share
from analytics.evidence.aspect_percentiles import aspect_percentiles
from analytics.evidence.list_reliability import summarise_evidence
from analytics.evidence.method import EVIDENCE_METHOD
from analytics.evidence.weigh_evidence import weigh_evidence
from analytics.rules import load_rules
from analytics.statistics.complaint_rates import CHANNELS
from analytics.statistics.integrity_signals import FAMILIES
from dashboards.frames.standings import in_region, key_counts_of
from dashboards.source import (
    CATEGORICAL_COLUMNS,
    Casework,
    EvaluationHeader,
    Examination,
    Profile,
    Progress,
    ReportedComplaints,
)
from tests.casework import RULES as CASEWORK_RULES
from tests.dashboards.grids import grid_page

_DATA = Path(__file__).parents[2] / "data"
BOUNDARIES = _DATA / "samples" / "boundaries" / "schematic.geojson"
RULES = load_rules(_DATA / "rules" / "wuhai" / "2021-08-23.yaml")
DISCLOSURE = rules_in_force(date(2026, 10, 1))
DISTRICTS = (("海勃湾区", "Haibowan", 220), ("乌达区", "Wuda", 140), ("海南区", "Hainan", 80))
ROUNDS = (("2026年第三轮", "Round 3, 2026", 2026), ("2025年第二轮", "Round 2, 2025", 2025))

_FIRST = {
    "阳光": "Sunshine",
    "学府": "College",
    "滨河": "Riverside",
    "金桥": "Goldbridge",
    "翡翠": "Jade",
    "恒泰": "Hengtai",
}
_FIRST |= {"万达": "Wanda", "锦绣": "Splendid", "云中": "Cloud", "和平": "Peace", "富民": "Fumin", "新华": "Xinhua"}
_FIRST |= {
    "春晖": "Spring",
    "碧水": "Clearwater",
    "广厦": "Guangxia",
    "龙湖": "Dragon",
    "御景": "Royal",
    "书香": "Scholar",
}
_FIRST |= {"幸福": "Happiness", "建设": "Builders"}
_LAST = {"花园": "Garden", "家园": "Homes", "新城": "New Town", "雅居": "Court", "苑": "Yard", "公馆": "Residence"}
_LAST |= {"府": "Mansion", "里": "Lane"}


# One company has no English name, and a few communities are of none that is known.
COMPANIES = [(f"{first}物业", f"{english} Property") for first, english in _FIRST.items()]
COMPANIES += [("某物业", None), (None, None)]


def places(scale=1):
    """Return the register: 440 communities times `scale` in three districts."""
    rows = []
    for district, english, size in DISTRICTS:
        for _ in range(size * scale):
            number = len(rows)
            first, first_english = list(_FIRST.items())[number * 7 % 20]
            last, last_english = list(_LAST.items())[number // 20 % 8]
            phase = number // 160 + 1
            company, company_english = COMPANIES[number * 5 % len(COMPANIES)]
            suffix = ("", "") if phase == 1 else (f"{phase}期", f" {phase}")
            rows.append(
                {
                    "community_id": f"{150000 + number}",
                    "number": f"{150000 + number}",
                    "name": first + last + suffix[0],
                    "english_name": f"{first_english} {last_english}{suffix[1]}",
                    "region": district,
                    "region_english": english,
                    "subdistrict": f"第{number % 3 + 1}街道" if number % 10 else None,
                    "subdistrict_english": f"Subdistrict {number % 3 + 1}" if number % 10 else None,
                    "neighbourhood": None,
                    "neighbourhood_english": None,
                    "company": company,
                    "company_english": company_english,
                }
            )
    return pd.DataFrame(rows)


def counts(register, seed):
    """Return made-up counts: some communities with few answers, satisfaction about 80 %, a few complaints."""
    random = np.random.default_rng(seed)
    size = len(register)
    households = random.integers(80, 1800, size)
    responses = np.minimum(households, random.poisson(60, size) + random.integers(0, 30, size))
    responses = np.where(random.random(size) < 0.06, np.minimum(responses, random.integers(0, 29, size)), responses)
    satisfied = random.binomial(responses, random.beta(16, 4, size))
    return register.assign(
        responses=responses,
        satisfied=satisfied,
        households=households,
        complaints=random.poisson(households * random.gamma(3, 0.008, size)),
        complaints_excluded=np.arange(size) % 3,
        said_complained=responses // 5,
        asked_about_complaints=responses,
        exposure_household_years=households.astype("float64"),
    )


OPTIONS = (
    (5, "非常满意", "Very satisfied", False),
    (4, "满意", "Satisfied", False),
    (3, "一般", "Neither", False),
    (2, "不满意", "Dissatisfied", False),
    (1, "非常不满意", "Very dissatisfied", False),
    (9, "不了解", "Don't know", True),
)
ASPECTS = {
    "q01": ("总体满意度", "Overall"),
    "q02": ("公共区域清洁", "Cleanliness"),
    "q06": ("报修处理速度", "Repairs"),
    "q07": ("安全保卫", "Security"),
    "q09": ("停车管理", "Parking"),
    "q11": ("收费公示", "Display of fees"),
    "q12": ("服务态度", "Staff attitude"),
}


def satisfied_with(key, standings, seed):
    """Return how many of each community are made up to be satisfied with an aspect, fewer with some than others."""
    place = list(ASPECTS).index(key)
    if place == 0:
        return standings["satisfied"].to_numpy("int64")
    factors = np.random.default_rng([seed, place]).beta(24 - 2 * place, 3, 10_000)
    return (standings["satisfied"].to_numpy("int64") * factors[standings["number"].astype(int) % 10_000]).astype(
        "int64"
    )


def answers_around(key, seed):
    """Return how many of a region are made up to have given each code, the same in every region."""
    random = np.random.default_rng([seed, list(ASPECTS).index(key), 1])
    return [int(random.integers(*((1500, 3000) if code > 3 else (100, 900)))) for code, *_words in OPTIONS]


CASEWORK_START = pd.Timestamp("2026-01-01", tz="Asia/Shanghai")
CASEWORK_CUT_OFF = pd.Timestamp("2026-12-02 10:20", tz="Asia/Shanghai")


def made_up_casework(register, *, district=None, cases_each=6):
    """Return made-up cases of a register: most answered in time, some late, open, opened again or left out."""
    random = np.random.default_rng(31)
    size = len(register) * cases_each
    places_of = register.loc[register.index.repeat(cases_each)].reset_index(drop=True)
    minutes = int((CASEWORK_CUT_OFF - CASEWORK_START).total_seconds() // 60)
    submitted = CASEWORK_START + pd.to_timedelta(np.sort(random.integers(0, minutes, size)), unit="min")
    codes = random.choice(["EQ01", "PK01", "CL02", "FE01"], size, p=[0.5, 0.3, 0.18, 0.02])
    excluded = random.random(size) < 0.06
    acknowledged_at = submitted + pd.to_timedelta(random.integers(1, 50, size), unit="h")
    days = random.integers(1, 16, size)
    answered_at = submitted + pd.to_timedelta(days * 30, unit="h")
    ended_at = answered_at + pd.to_timedelta(random.integers(1, 150, size), unit="h")
    is_answered, is_ended = ~excluded & (answered_at < CASEWORK_CUT_OFF), ended_at < CASEWORK_CUT_OFF
    is_acknowledged = acknowledged_at < CASEWORK_CUT_OFF
    verdicts = random.choice(["confirmed", "partly", "rejected", "silent"], size, p=[0.5, 0.06, 0.04, 0.4])
    is_said = is_answered & is_ended
    reopened = np.where(is_said & np.isin(verdicts, ["partly", "rejected"]), 1, 0)

    def moments(times, known):
        return pd.Series(times).where(known)

    has_company = places_of["company"].notna()
    labels = {"EQ01": ("电梯", "Lifts"), "PK01": ("乱停占道", "Obstruction"), "CL02": ("垃圾清运分类", "Waste")}
    labels |= {"FE01": ("收费争议", "Fees")}
    cases = pd.DataFrame(
        {
            "case": np.arange(size),
            "community": places_of["number"],
            "district": places_of["region"],
            "company": places_of["company"],
            "channel": random.choice(["code", "telephone", "hotline", "letter"], size, p=[0.6, 0.2, 0.19, 0.01]),
            "category": codes,
            "kind": "complaint",
            "submitted_at": submitted,
            "acknowledged_at": moments(acknowledged_at, is_acknowledged),
            "acknowledged_in_time": pd.Series(
                acknowledged_at < submitted + pd.Timedelta(hours=46), dtype="boolean"
            ).where(is_acknowledged),
            "acknowledgement_judged_at": moments(acknowledged_at, is_acknowledged),
            "answered_at": moments(answered_at, is_answered),
            "answered_in_time": pd.Series(days <= 12, dtype="boolean").where(is_answered),
            "answer_judged_at": moments(answered_at, is_answered),
            "is_companys": has_company & is_answered & (codes != "FE01"),
            "working_days_waited": np.where(is_answered, days, 3).astype("float64"),
            "verdict": pd.Series(verdicts, dtype="object").where(is_said, None),
            "verdict_at": moments(ended_at, is_said),
            "reopened": reopened,
            "reopened_at": moments(ended_at, reopened > 0),
            "stage": np.where(random.random(size) < 0.03, 2, 1),
            "stage2_at": pd.Series(pd.NaT, index=range(size), dtype=submitted.dtype),
            "status": np.where(is_ended, "closed", "in_progress"),
            "waits_for": pd.Series(np.where(is_answered, "resident", "office"), dtype="object").where(~is_ended, None),
            "ended_at": moments(ended_at, is_ended),
            "exclusion": pd.Series(
                random.choice(["same_case", "other_authority", "not_a_case"], size), dtype="object"
            ).where(excluded, None),
            "community_name": places_of["name"],
            "community_english": places_of["english_name"],
            "district_english": places_of["region_english"],
            "company_english": places_of["company_english"],
            "category_label": [labels[code][0] for code in codes],
            "category_english": [labels[code][1] for code in codes],
        }
    )
    if district is not None:
        cases = cases[cases["district"] == district].reset_index(drop=True)
    spells = cases.rename(columns={"submitted_at": "opened_at"})[["case", "opened_at", "ended_at"]]
    return Casework(
        cases=cases,
        spells=spells.assign(is_reopening=False),
        call_backs=made_up_call_backs(cases),
        formulas=CASEWORK_RULES.formulas,
        statements={key: rate.statement for key, rate in CASEWORK_RULES.rates.items()},
        start=CASEWORK_START.to_pydatetime(),
        cut_off=CASEWORK_CUT_OFF.to_pydatetime(),
        disclosure=DISCLOSURE,
    )


def made_up_call_backs(cases):
    """Return call-backs of some of the closed cases: nine of ten are reached, and most of those are satisfied."""
    called = cases[cases["ended_at"].notna() & cases["exclusion"].isna()].iloc[::7]
    number = np.arange(len(called))
    reached = number % 10 > 0

    def said(words):
        return pd.Series(words, index=called.index, dtype="object").where(reached, None)

    return pd.DataFrame(
        {
            "case": called["case"],
            "district": called["district"],
            "called_at": called["ended_at"],
            "outcome": np.where(reached, "reached", "not_reached"),
            "recorded": "silent",
            "contacted": said(np.where(number % 4 > 0, "yes", "no")),
            "resolved": said(np.where(number % 6 > 0, "yes", "partly")),
            "satisfied": said(np.where(number % 5 > 0, "yes", "no")),
        }
    )


def made_up_profile(standing, seed):
    """Return made-up answers and cases of one community; the ranked question agrees with its standing."""
    random = np.random.default_rng(seed)
    answers = []
    for key, (label, english) in ASPECTS.items():
        [satisfied] = satisfied_with(key, pd.DataFrame([standing]), seed).tolist()
        rest = int(standing["responses"]) - satisfied
        here = [satisfied - satisfied // 2, satisfied // 2, rest - rest // 2, rest // 2, 0, 2]
        counted = zip(OPTIONS, here, answers_around(key, seed), strict=True)
        for (code, option, english_option, missing), count, region in counted:
            answers.append((key, label, english, key != "q01", code, option, english_option, missing, count, region))
    columns = ["question", "label", "english_label", "domain", "code", "option", "english_option", "missing"]
    months = [f"{2025 + month // 12}-{month % 12 + 1:02}" for month in range(9, 21)]
    cases = [
        (month, code, label, english, valid, int(random.integers(1, 4)))
        for month in months
        for code, label, english in (("EQ01", "电梯", "Lifts"), ("PK01", "乱停占道", "Obstruction"))
        for valid in (True, False)
        if random.random() < 0.4
    ]
    drivers = pd.DataFrame(
        [
            (key, *ASPECTS[key], 900, share * 0.6, share, share * 0.5, share * 0.7, share > 0.1)
            for key, share in zip(list(ASPECTS)[1:], (0.3, 0.25, 0.2, 0.12, 0.08, 0.05), strict=True)
        ],
        columns=["question", *columns[1:3], "n", "weight", "share", "lower", "upper", "above_noise"],
    )
    case_columns = ["month", "category", *columns[1:3], "valid", "cases"]
    return Profile(
        answers=pd.DataFrame(answers, columns=[*columns, "here", "region"]),
        complaints=pd.DataFrame(cases, columns=case_columns),
        drivers=drivers,
        respondents=900,
        tenures=pd.DataFrame(
            [(1, standing["responses"], standing["satisfied"]), (2, 12, 7)],
            columns=["tenure", "responses", "satisfied"],
        ),
        reported=ReportedComplaints(*said_and_asked(standing), 900, 9_000, 4_000, 200_000.0),
    )


def said_and_asked(standing):
    """Return of a standing how many say that they complained, of how many, and of how many who had trouble.

    Every fifth says so, and few where few are; every other had trouble.
    """
    responses = int(standing["responses"])
    return responses // 5, responses, responses // 2


def made_up_examination(standings):
    """Return an examination that holds twelve satisfied answers in every fortieth community."""
    chosen = np.arange(len(standings)) % 40 == 0
    held = np.where(chosen, np.minimum(12, standings["satisfied"]), 0).astype("int64")
    places = standings[["number", "region", "region_english"]]
    families = pd.concat(
        [
            places.assign(
                family=family,
                statistic=np.where(chosen, 12.0, 1.0),
                expected=1.5,
                adjusted_p=np.where(chosen, 0.001, 1.0),
                flagged=chosen & (family in ("burst", "haste")),
            )
            for family in FAMILIES
        ]
    )
    counts = pd.DataFrame(
        {
            "number": standings["number"],
            "waiting": held,
            "released": 0,
            "excluded": 0,
        }
    )
    waiting = pd.DataFrame({"number": standings["number"], "responses": held, "satisfied": held, "mean_index": 100.0})
    return Examination(
        1, datetime(2026, 10, 1, tzinfo=UTC), families.reset_index(drop=True), counts, waiting[chosen & (held > 0)]
    )


class MadeUpCity:
    """An `EvaluationSource`; `district` cuts it down as the site does for a district's account."""

    def __init__(
        self, *, scale=1, provisional=False, rounds=ROUNDS, open_round=True, district=None, register=None, published=()
    ):
        self._register = places(scale) if register is None else register
        self._district = district
        self._open_round = open_round
        self._published = published
        self.asked = []
        self.worked_out_for = []
        self.exported = []
        self._answers = {}
        self._headers, self._standings, self._inputs = [], {}, {}
        for age, (name, english, year) in enumerate(rounds):
            self._add(len(rounds) - age, name, english, year, provisional=provisional and age == 0)

    def _add(self, number, name, english, year, *, provisional):
        result = evaluate(self.table(number), RULES)
        evidence = weigh_evidence(result)
        self._inputs[number] = result.communities
        columns = [column for column in result.standings if column not in ("community_id", "region")]
        beside = evidence.drop(columns="community_id")
        standings = self._register.join(result.standings[columns]).join(beside)
        self._standings[number] = standings.astype(dict.fromkeys(CATEGORICAL_COLUMNS, "category"))
        self._headers.append(
            EvaluationHeader(
                id=number,
                round_name=name,
                round_english_name=english,
                cut_off=datetime(year, 9, 30, 16, tzinfo=UTC),
                evaluated_at=datetime(year, 10, 1, 2, tzinfo=UTC),
                provisional=provisional,
                published=number in self._published,
                responses=int(result.standings["responses"].sum()),
                rules=RULES,
                inputs_sha256=result.inputs_sha256,
                standings_sha256=result.standings_sha256,
                evidence_method=EVIDENCE_METHOD,
                summary={**result.summary, "evidence": {"regions": summarise_evidence(result, evidence)}},
            )
        )

    def table(self, number):
        return counts(self._register, seed=number)

    def evaluations(self):
        return self._headers

    def standings(self, evaluation_id):
        self.asked.append(evaluation_id)
        if evaluation_id not in self._standings:
            raise LookupError(evaluation_id)
        frame = self._standings[evaluation_id]
        return frame if self._district is None else frame[frame["region"] == self._district]

    def standings_of(self, evaluation_id, numbers):
        standings = self.standings(evaluation_id).set_index("number", drop=False).rename_axis(None)
        return standings.loc[[number for number in numbers if number in standings.index]].reset_index(drop=True)

    def places(self, evaluation_id):
        columns = ["region", "region_english", "subdistrict", "subdistrict_english"]
        return self.standings(evaluation_id)[columns].drop_duplicates()

    def key_counts(self, evaluation_id, region):
        return key_counts_of(in_region(self.standings(evaluation_id), region))

    def ranked_counts(self, evaluation_id, region):
        standings = in_region(self.standings(evaluation_id), region)
        counted = standings[standings["satisfaction_rank"].notna() & standings["satisfied"].notna()]
        ranks = ["satisfaction_rank", "satisfaction_last_rank"]
        return counted[["number", "responses", "satisfied", "satisfaction_score", *ranks]].reset_index(drop=True)

    def company_counts(self, evaluation_id, region):
        standings = in_region(self.standings(evaluation_id), region)
        ranked = standings[standings["satisfaction_rank"].notna() & standings["satisfied"].notna()]
        counted = ranked.assign(communities=1).groupby(["company", "company_english"], dropna=False, observed=True)
        pooled = (
            counted[["communities", "responses", "satisfied"]]
            .sum()
            .reset_index()
            .astype(dict.fromkeys(("company", "company_english"), "object"))
        )
        return pooled.sort_values("company", na_position="last").reset_index(drop=True)

    def compute_once(self, evaluation_id, derive, *arguments):
        # A function within another would be a new one each time, and could depend on what no key says.
        assert "<locals>" not in derive.__qualname__
        key = (derive, evaluation_id, arguments)
        if key not in self._answers:
            self.worked_out_for.append(key)
            self._answers[key] = derive(self, evaluation_id, *arguments)
        return self._answers[key]

    def forget(self):
        self._answers.clear()

    def grid(self, evaluation_id, query):
        standings = self.standings(evaluation_id)
        if query.group == "held_answers":
            standings, query = (
                standings[standings["number"].isin(self.waiting(evaluation_id))],
                replace(query, group=None),
            )
        return grid_page(standings, query)

    def export_rows(self, evaluation_id, query, *, kind="grid"):
        self.exported.append(kind)
        return iter([self.grid(evaluation_id, query).rows])

    def inputs(self, evaluation_id):
        frame = self._inputs[evaluation_id]
        return frame if self._district is None else frame[frame["region"] == self._district].reset_index(drop=True)

    def inputs_of_other_population(self, evaluation_id):
        frame = self.inputs(evaluation_id)
        return frame.assign(
            responses=frame["responses"] + 20, satisfied=frame["satisfied"] + np.arange(len(frame)) % 21
        )

    def profile(self, evaluation_id, number):
        standings = self.standings(evaluation_id)
        own = standings[standings["number"] == number]
        if own.empty:
            raise LookupError(number)
        return None if self._headers[-evaluation_id].provisional else made_up_profile(own.iloc[0], seed=evaluation_id)

    def reported(self, evaluation_id, numbers):
        standings = self.standings(evaluation_id)
        is_kept = not self._headers[-evaluation_id].provisional
        rows = [
            (row["number"], *said_and_asked(row))
            for row in standings[standings["number"].isin(numbers)].to_dict("records")
            if is_kept
        ]
        return pd.DataFrame(rows, columns=["number", "said", "asked", "answered"])

    def aspects(self, evaluation_id):
        columns = ["region", "question", "label", "english_label", "share"]
        rows = [
            (region, key, *ASPECTS[key], rounded_share(sum(around[:2]), sum(around[:5]), rules=DISCLOSURE))
            for region in self.standings(evaluation_id)["region"].unique()
            for key in list(ASPECTS)[1:]
            for around in [answers_around(key, evaluation_id)]
        ]
        return pd.DataFrame([] if self._headers[-evaluation_id].provisional else rows, columns=columns)

    def aspect_standings(self, evaluation_id, region):
        everyone = self._standings[evaluation_id]
        everyone = everyone[everyone["region"] == region]
        kept = everyone.head(0) if self._headers[-evaluation_id].provisional else everyone
        shares = pd.concat(
            [
                pd.DataFrame(
                    {
                        "number": kept["number"],
                        "question": key,
                        "satisfied": satisfied_with(key, kept, evaluation_id),
                        "answered": kept["responses"].to_numpy("int64"),
                        "households": float_column(kept, "households"),
                        "design_effect": 1.0,
                    }
                )
                for key in list(ASPECTS)[1:]
            ],
            ignore_index=True,
        )
        told = are_shares_told(shares["satisfied"].to_numpy(), shares["answered"].to_numpy(), rules=DISCLOSURE)
        shares = shares[told]
        found = shares.drop(columns=["households", "design_effect"]).join(aspect_percentiles(shares, RULES))
        # Percentiles are those among all; what is handed out is what the account sees.
        own = found[found["number"].isin(self.standings(evaluation_id)["number"])]
        return own.astype({"number": "category", "question": "category"}).reset_index(drop=True)

    def history(self, number):
        rows = []
        for header in reversed(self._headers):
            standings = self._standings[header.id]
            [row] = standings[standings["number"] == number].to_dict("records")
            names = {"round_name": header.round_name, "round_english_name": header.round_english_name}
            names["evidence_method"] = header.evidence_method
            if not header.provisional:
                rows.append({"evaluation_id": header.id, "cut_off": header.cut_off, **names, **row})
        return pd.DataFrame(rows, columns=["evaluation_id", "cut_off", *names, *standings])

    def cases(self, evaluation_id):
        standings = self.standings(evaluation_id)
        columns = ["month", "category", "label", "english_label", "valid", "cases", "region"]
        rows = [
            (month, code, label, english, valid, 5 + place, region)
            for place, region in enumerate(standings["region"].drop_duplicates())
            for month in ("2026-03", "2026-04")
            for code, label, english in (("EQ01", "电梯", "Lifts"), ("PK01", "乱停占道", "Obstruction"))
            for valid in (True, False)
        ]
        return pd.DataFrame(rows if not self._headers[-evaluation_id].provisional else [], columns=columns)

    def channels(self, evaluation_id):
        exposed = self.standings(evaluation_id).groupby("region", sort=False)["exposure_household_years"].sum()
        is_kept = not self._headers[-evaluation_id].provisional
        rows = [
            (region, channel, 70 - 10 * place, years)
            for region, years in exposed.items()
            for place, channel in enumerate(CHANNELS)
            if is_kept
        ]
        return pd.DataFrame(rows, columns=["region", "channel", "complaints", "household_years"])

    def ranked_scores(self, evaluation_id, region):
        standings = in_region(self.standings(evaluation_id), region)
        return standings["satisfaction_score"][standings["satisfaction_rank"].notna()].to_numpy()

    def examination(self, evaluation_id, *, number=None):
        standings = self.standings(evaluation_id)
        if evaluation_id == 1:
            return None
        found = made_up_examination(standings)
        if number is None:
            return found
        own = {
            name: frame[frame["number"] == number]
            for name in ("families", "counts")
            for frame in [getattr(found, name)]
        }
        return replace(found, **own)

    def waiting(self, evaluation_id):
        found = self.examination(evaluation_id)
        return frozenset() if found is None else frozenset(found.held["number"])

    def boundaries(self):
        return {
            feature["properties"]["name"]: [feature["geometry"]["coordinates"]]
            for feature in json.loads(BOUNDARIES.read_text("utf-8"))["features"]
        }

    def casework(self):
        return made_up_casework(self._register, district=self._district)

    def progress(self):
        if not self._open_round:
            return None
        random = np.random.default_rng(5)
        now = datetime.now(UTC)
        columns = ["community_id", "name", "english_name", "region", "region_english"]
        communities = self._register[columns].assign(
            responses=random.poisson(32, len(self._register)), households=300, required=30
        )
        if self._district is not None:
            communities = communities[communities["region"] == self._district]
        days = [date(2027, 9, 1) + timedelta(days=day) for day in range(21)]
        return Progress(
            round_name="2027年第四轮",
            round_english_name="Round 4, 2027",
            opens_at=now - timedelta(days=20),
            closes_at=now + timedelta(days=9, hours=3),
            time_zone="Asia/Shanghai",
            communities=communities,
            daily=pd.DataFrame({"date": days, "responses": random.integers(200, 1200, 21)}),
            hourly=pd.DataFrame({"hour": range(24), "responses": random.integers(10, 900, 24)}),
            modes=pd.DataFrame({"mode": ["web", "paper", "telephone"], "responses": [12000, 900, 60]}),
            buildings=communities[["community_id", "name", "english_name"]]
            .head(3)
            .rename(columns={"community_id": "number"})
            .assign(building="3号楼", responses=[12, 0, 7][: len(communities)]),
        )
