"""What has nothing to show says why: never an empty chart, a table of headings alone, or a number that is none."""

import ast
import re
from dataclasses import dataclass, replace
from functools import cache
from itertools import cycle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import dashboards
from dashboards.app import PAGES
from tests.dashboards.conftest import serve_dashboards
from tests.dashboards.made_up import ROUNDS, MadeUpCity, places
from tests.dashboards.test_app import Browser, components, said, texts

LANGUAGES = ("en", "zh-Hans")
VIEWS = ("", "&route=complaints", "&what_if=ties:exclude", "&what_if=order:lower_bound&shade=best_quarter")
# A number that is none, as Python and pandas write it; a sentence may say “None of the 11” or “None.”
NO_NUMBER = re.compile(r"(?<![A-Za-z])(nan|NaN|NaT|inf|<NA>|None(?!\.| of ))(?![A-Za-z])")
FEW = places().iloc[::11]


class Nobody(MadeUpCity):
    """A city where a round was evaluated without any answer."""

    def table(self, number):
        nothing = dict.fromkeys(("responses", "satisfied", "said_complained", "asked_about_complaints"), 0)
        return super().table(number).assign(**nothing)

    def profile(self, evaluation_id, number):
        kept = super().profile(evaluation_id, number)
        if kept is None:
            return None
        return replace(
            kept,
            answers=kept.answers.assign(here=0, region=0),
            drivers=kept.drivers.head(0),
            tenures=kept.tenures.head(0),
            respondents=0,
            reported=replace(kept.reported, said=0, asked=0, answered=0, region_said=0, region_asked=0),
        )

    def aspects(self, evaluation_id):
        return super().aspects(evaluation_id).assign(share=np.nan)

    def examination(self, _evaluation_id, *, number=None):  # noqa: ARG002 (as the source names it)
        return None


class NoComplaints(MadeUpCity):
    """A city where nobody has complained."""

    def table(self, number):
        return super().table(number).assign(complaints=0, complaints_excluded=0)

    def cases(self, evaluation_id):
        return super().cases(evaluation_id).head(0)

    def channels(self, evaluation_id):
        return super().channels(evaluation_id).assign(complaints=0)

    def profile(self, evaluation_id, number):
        kept = super().profile(evaluation_id, number)
        return None if kept is None else replace(kept, complaints=kept.complaints.head(0))


class OnlyUncounted(NoComplaints):
    """A city where cases were filed, none of which is a complaint that counts."""

    def cases(self, evaluation_id):
        kept = MadeUpCity.cases(self, evaluation_id)
        return kept[~kept["valid"].astype(bool)]


class NoCasework(NoComplaints):
    """A city where no case was filed or open."""

    def casework(self):
        kept = super().casework()
        return replace(kept, cases=kept.cases.head(0), spells=kept.spells.head(0))


class NothingAnswered(MadeUpCity):
    """A city where every case was filed today, is to be answered and waits for it."""

    def casework(self):
        kept = super().casework()
        cases = kept.cases[kept.cases["waits_for"].notna() & kept.cases["answered_at"].isna()]
        cases = cases.assign(
            verdict=None, verdict_at=cases["verdict_at"].mask(cases["verdict_at"].notna()), exclusion=None
        )
        return replace(kept, cases=cases, spells=kept.spells[kept.spells["case"].isin(cases["case"])])


class NotAssessed(MadeUpCity):
    """A city with too few answers to rank anybody, and unknown numbers of households."""

    UNKNOWN = ("households", "exposure_household_years", "complaints")

    def table(self, number):
        table = super().table(number)
        few = {"responses": 4, "satisfied": 2, "said_complained": 0, "asked_about_complaints": 4}
        return table.assign(**few, **dict.fromkeys(self.UNKNOWN, pd.array([pd.NA] * len(table), dtype="Float64")))

    def channels(self, evaluation_id):
        return super().channels(evaluation_id).head(0)


class NothingHeld(MadeUpCity):
    """A city where no sign points to any answer."""

    JUDGED = 1.0

    def examination(self, evaluation_id, *, number=None):
        found = super().examination(evaluation_id, number=number)
        if found is None:
            return None
        return replace(
            found,
            families=found.families.assign(flagged=False, adjusted_p=self.JUDGED),
            counts=found.counts.assign(waiting=0),
            held=found.held.head(0),
        )


class NothingJudged(NothingHeld):
    """A city with too few answers for any kind of sign."""

    JUDGED = np.nan


class NobodyExamined(NothingHeld):
    """A city of whose answers no kind of sign could judge any."""

    def examination(self, evaluation_id, *, number=None):
        found = super().examination(evaluation_id, number=number)
        return found and replace(found, families=found.families.head(0), counts=found.counts.head(0))


class Withheld(MadeUpCity):
    """A city where so few answered otherwise than the rest that their numbers are withheld."""

    def profile(self, evaluation_id, number):
        kept = super().profile(evaluation_id, number)
        if kept is None:
            return None
        return replace(
            kept,
            answers=kept.answers.assign(here=np.arange(len(kept.answers)) % 2, region=1),
            tenures=kept.tenures.assign(responses=1, satisfied=1),
            reported=replace(kept.reported, is_withheld=True, region_said=0, region_asked=1),
        )

    def aspects(self, evaluation_id):
        return super().aspects(evaluation_id).assign(share=np.nan)

    def aspect_standings(self, evaluation_id, region):
        return super().aspect_standings(evaluation_id, region).head(0)


class NobodyAsked(MadeUpCity):
    """A city with an open round in which nobody has answered yet."""

    def progress(self):
        nothing = super().progress()
        frames = {
            name: getattr(nothing, name).assign(responses=0) for name in ("communities", "daily", "hourly", "modes")
        }
        return replace(nothing, **frames, buildings=nothing.buildings.head(0))


class NobodyTakesPart(NobodyAsked):
    """A city with an open round in which no community takes part."""

    def progress(self):
        nothing = super().progress()
        return replace(nothing, communities=nothing.communities.head(0), daily=nothing.daily.head(0))


CITIES = {
    "a whole city": MadeUpCity,
    "no answers": lambda: Nobody(register=renumbered(FEW), open_round=False),
    "one community": lambda: MadeUpCity(register=renumbered(places().head(1)), open_round=False),
    "one community without answers": lambda: Nobody(register=renumbered(places().head(1))),
    "one community without complaints": lambda: NoComplaints(register=renumbered(places().head(1))),
    "one district": lambda: MadeUpCity(register=renumbered(places().head(30))),
    "no complaints": lambda: NoComplaints(register=renumbered(FEW)),
    "no complaint that counts": lambda: OnlyUncounted(register=renumbered(FEW)),
    "no companies": lambda: MadeUpCity(register=renumbered(FEW).assign(company=None, company_english=None)),
    "no subdistricts": lambda: MadeUpCity(register=renumbered(FEW).assign(subdistrict=None, subdistrict_english=None)),
    "no earlier round": lambda: MadeUpCity(register=renumbered(FEW), rounds=ROUNDS[:1]),
    "a preview alone": lambda: MadeUpCity(register=renumbered(FEW), rounds=ROUNDS[:1], provisional=True),
    "nothing held": lambda: NothingHeld(register=renumbered(FEW)),
    "nothing judged": lambda: NothingJudged(register=renumbered(FEW)),
    "nothing examined": lambda: NobodyExamined(register=renumbered(FEW)),
    "no cases": lambda: NoCasework(register=renumbered(FEW)),
    "no case answered": lambda: NothingAnswered(register=renumbered(FEW)),
    "nobody assessed": lambda: NotAssessed(register=renumbered(FEW)),
    "all withheld": lambda: Withheld(register=renumbered(FEW)),
    "part of a district": lambda: MadeUpCity(district="海南区"),
    "an open round without answers": lambda: NobodyAsked(register=renumbered(FEW)),
    "an open round without communities": lambda: NobodyTakesPart(register=renumbered(FEW)),
    "no evaluation": lambda: MadeUpCity(rounds=(), open_round=False),
}


# Panels that always have something to show, and why.
NEVER_EMPTY = {
    "communities": "a table that says itself when no community matches its filters",
    "districts": "how many communities each district has",
    "finding": "how many communities there are",
    "rules": "rules that every evaluation has",
    "warnings": "left out where there are no warnings",
}
# Panels that are left out, and why no sentence stands in their place.
LEFT_OUT = {
    "answers": "that a preview keeps no answers stands in the panels before it",
    "districts": "one district is shown: there are no others to stand beside it",
    "map": "the city has no boundaries, or the district is not one of them",
    "tenures": "that a preview keeps no answers stands in the panels before it",
    "warnings": "there are none",
}
# What is well needs no next step.
WELL = {
    "Every case that was filed in this time is to be answered.",
    "Every community has enough answers.",
    "Every community here has at least one valid complaint.",
    "No case is open.",
    "No community here has enough answers typed in by two or more members of staff to compare them.",
    "No community here is flagged.",
    "No kind of sign points to a community here.",
}


def renumbered(register):
    return register.reset_index(drop=True)


@cache
def browser_of(name):
    return Browser(serve_dashboards(CITIES[name]()))


@cache
def address_of(name):
    """Return the part of an address that names a community of a city that was evaluated."""
    headers = (city := CITIES[name]()).evaluations()
    return f"&community={city.standings(headers[0].id)['number'].iloc[-1]}" if headers else ""


def views_of(name, page):
    """Return the addresses at which a page is looked at, in one language after the other."""
    views = VIEWS if page.path in ("", "criterion/") else VIEWS[:2]
    addresses = [address_of(name) + view for view in views] + ([""] if page.path == "community/" else [])
    return [f"?lang={language}{address}" for address, language in zip(addresses, cycle(LANGUAGES), strict=False)]


def parts(content, kind):
    """Yield the properties of every component of one kind."""
    if isinstance(content, dict):
        if content.get("type") == kind:
            yield content["props"]
        for value in content.values():
            yield from parts(value, kind)
    elif isinstance(content, list):
        for value in content:
            yield from parts(value, kind)


def is_drawn(trace):
    """Return whether a trace of a chart draws something: a bar some length, anything else a place."""
    if trace.get("type") == "bar":
        lengths = trace["x"] if trace.get("orientation") == "h" else trace["y"]
        return any(length for length in lengths if length is not None)
    if "z" in trace:
        return any(value is not None for value in trace["z"])
    places_of = zip(trace.get("x") or (), trace.get("y") or (), strict=False)
    return any(x is not None and y is not None for x, y in places_of)


def empty_charts(content):
    return [
        props["config"]["toImageButtonOptions"]["filename"]
        for props in parts(content, "Graph")
        if not any(map(is_drawn, props["figure"]["data"]))
    ]


def single_bars(content):
    """Return the charts of one bar alone, which fills the width whatever its value."""
    return [
        props["config"]["toImageButtonOptions"]["filename"]
        for props in parts(content, "Graph")
        if is_single(lengths_of(props["figure"]["data"]))
    ]


def lengths_of(traces):
    """Return the length of each bar where a chart has horizontal bars alone."""
    if any(trace["type"] != "bar" or trace.get("orientation") != "h" for trace in traces):
        return []
    return [length for trace in traces for length in trace["x"]]


def is_single(lengths):
    return sum(map(bool, lengths)) == 1


def tables_of_headings(content):
    built = [said(props) for kind in ("TableTbody", "Tbody") for props in parts(content, kind) if not props["children"]]
    plain = [
        props["data"]["caption"] for props in parts(content, "Table") if "data" in props and not props["data"]["body"]
    ]
    return built + plain


def empty_lists(content):
    return [props for kind in ("Ul", "Dl") for props in parts(content, kind) if not props["children"]]


def panels_without_content(content):
    return [
        said(props["children"])
        for props in parts(content, "Section")
        if len(props["children"]) < 2 or not texts(props["children"][1:])
    ]


@dataclass(frozen=True)
class Looked:
    """What was seen of a page: what is wrong with it, its anchors, and by anchor whether each panel says it is empty.

    `speaks_once` says whether one sentence stands for all of it, since nothing was evaluated or examined.
    """

    faults: list
    without_next_step: set
    anchors: set
    panels: dict
    speaks_once: bool


@cache
def looked_at(name, page, search):
    answer = browser_of(name).ask(search, page=page.path)
    assert answer.status_code == 200
    content = answer.get_json()["response"]["content"]
    empties = [props for props in components(content) if props.get("className") == "empty"]
    faults = [
        *(text for text in texts(content) if NO_NUMBER.search(text)),
        *empty_charts(content),
        *single_bars(content),
        *tables_of_headings(content),
        *empty_lists(content),
        *panels_without_content(content),
        *("an empty sentence" for props in empties if not said(props["children"]).strip()),
    ]
    sections = list(parts(content, "Section"))
    return Looked(
        faults=faults,
        without_next_step={props["children"] for props in empties if isinstance(props["children"], str)},
        anchors={props["id"] for props in components(content) if "id" in props},
        panels={props.get("id"): any(map(is_empty, components(props))) for props in sections},
        speaks_once=len(sections) == 1 and bool(page.sections("en")),
    )


def is_empty(props):
    return props.get("className") == "empty"


MAKERS = {"panel", "company_shares_panel"}


def panels_in_code():
    """Yield the anchor of each panel that is made in the rooms of panels and pages; None where it has none.

    A panel that takes its anchor from its caller is that of each caller.
    """
    for path in sorted(Path(dashboards.__file__).parent.glob("pa*/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) in MAKERS:
                anchor = next((word.value for word in node.keywords if word.arg == "anchor"), None)
                if not isinstance(anchor, ast.Name):
                    yield None if anchor is None else anchor.value


PANELS = sorted(set(panels_in_code()) - {None})
ON_PAGES = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path or "overview")


@ON_PAGES
@pytest.mark.parametrize("name", CITIES)
def test_what_has_nothing_to_show_says_why(name, page):
    for search in views_of(name, page):
        looked = looked_at(name, page, search)

        assert not looked.faults
        assert "lang=en" not in search or looked.without_next_step <= WELL


@ON_PAGES
@pytest.mark.parametrize("name", [name for name in CITIES if name != "no evaluation"])
def test_no_panel_vanishes_where_it_has_nothing_to_show(name, page):
    """The panels of a page are those of a city of which everything is known, and all that the navigation names."""
    for search, whole in zip(views_of(name, page), views_of("a whole city", page), strict=True):
        looked = looked_at(name, page, search)

        if looked.speaks_once:
            continue
        wanted = looked_at("a whole city", page, whole).panels.keys() - LEFT_OUT.keys()
        assert wanted <= looked.panels.keys()
        if "community=" in search or page.path != "community/":
            assert {section.anchor for section in page.sections("en")} <= looked.anchors


def test_every_panel_can_be_told_from_others():
    assert None not in set(panels_in_code())


@pytest.mark.parametrize("anchor", PANELS)
def test_every_panel_says_in_some_city_why_it_is_empty(anchor):
    """A new panel fails here until a city is made up in which it is empty, or a reason given why it never is."""
    states = (
        looked_at(name, page, search).panels.get(anchor)
        for name in CITIES
        for page in PAGES
        for search in views_of(name, page)
    )
    assert any(states) == (anchor not in NEVER_EMPTY)


def test_the_exceptions_are_panels_that_exist():
    assert NEVER_EMPTY.keys() | LEFT_OUT.keys() <= set(PANELS)
