"""Data of one view: an evaluation, its standings in scope, and the round before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from analytics.decision.reasons import reason_sentences
from analytics.disclosure.rules import DisclosureRules
from analytics.reports.warnings import warning_sentence
from dashboards.address import View
from dashboards.frames.chart_context import ChartContext
from dashboards.frames.standings import (
    CutOff,
    cut_offs,
    in_region,
    key_counts_of,
    met,
    regions_of,
    scale_of,
    sees_whole_regions,
)
from dashboards.frames.underreported_complaints import disclosure_of, underreporting_warnings
from dashboards.languages import pick
from dashboards.routes import Route
from dashboards.source import EvaluationHeader, EvaluationSource, KeyCounts, select_evaluation


@dataclass(frozen=True)
class PageData:
    """Data of one view: an evaluation, the one of the round before, and the region asked for."""

    view: View
    header: EvaluationHeader
    places: pd.DataFrame
    earlier: EvaluationHeader | None
    source: EvaluationSource

    @classmethod
    def of(cls, source: EvaluationSource, view: View) -> "PageData | None":
        """Read the data of `view` from `source`; None while there is no evaluation at all."""
        headers = source.evaluations()
        header = select_evaluation(headers, view.evaluation)
        if header is None:
            return None
        places = source.places(header.id)
        if view.region not in regions_of(places):
            view = view.with_changes(region=None)
        return cls(
            view=view.with_changes(evaluation=header.id),
            header=header,
            places=places,
            earlier=_round_before(headers, header),
            source=source,
        )

    @property
    def language(self) -> str:
        return self.view.language

    @cached_property
    def everywhere(self) -> pd.DataFrame:
        """The standings of all communities in scope; the page of a single one needs few of them."""
        return self.source.standings(self.header.id)

    @cached_property
    def standings(self) -> pd.DataFrame:
        """The standings of the region asked for, or of all."""
        return in_region(self.everywhere, self.view.region)

    @cached_property
    def counts(self) -> KeyCounts:
        """The key counts of the standings that are shown."""
        return key_counts_of(self.standings)

    @cached_property
    def earlier_counts(self) -> KeyCounts | None:
        """The key counts of the round before, of the region asked for."""
        return None if self.earlier is None else self.source.key_counts(self.earlier.id, self.view.region)

    def with_all_columns(self, listed: pd.DataFrame) -> pd.DataFrame:
        """Return some of the standings with all columns, in the same order and with the same index."""
        return self.source.standings_of(self.header.id, listed["number"].tolist()).set_axis(listed.index)

    @cached_property
    def disclosure(self) -> DisclosureRules:
        """The disclosure rules of the local day on which the evaluation was made."""
        return disclosure_of(self.header)

    @cached_property
    def sees_whole_regions(self) -> bool:
        """Whether the account sees every region whole, as `dashboards.frames.standings.sees_whole_regions` says."""
        return sees_whole_regions(self.header, self.source.inputs(self.header.id))

    def cut_offs(self, route: Route) -> list[CutOff]:
        """Return the cut-offs of the regions shown, in the order of their communities."""
        by_region = {cut_off.region: cut_off for cut_off in cut_offs(self.header, route)}
        return [by_region[region] for region in self.regions if region in by_region]

    def list_facts(self, route: Route) -> dict[str, Mapping[str, Any]]:
        """Return what the evidence says of the list of each region shown, `analytics.evidence.list_reliability`."""
        supported = self.header.summary["evidence"]["regions"]
        return {region: supported[region][route.key] for region in self.regions if region in supported}

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The names of the communities in scope by their numbers."""
        names = self.everywhere["name"].astype("object")
        if self.language == "en":
            english = self.everywhere["english_name"].astype("object")
            names = english.where(english.notna() & (english != ""), names)
        return dict(zip(self.everywhere["number"], names.fillna(""), strict=True))

    @property
    def regions(self) -> list[str]:
        """The regions that are shown, in the order of their communities."""
        return regions_of(in_region(self.places, self.view.region))

    def region_label(self, region: str) -> str:
        """Return the name of a region in the language of the view."""
        return self._region_labels[region]

    @cached_property
    def _region_labels(self) -> Mapping[str, str]:
        regions = self.places.drop_duplicates("region")
        pairs = zip(regions["region"], regions["region_english"], strict=True)
        return {region: pick(self.language, region, english) for region, english in pairs}

    @cached_property
    def underreported(self) -> Mapping[str, str]:
        """The warning about each community whose complaints may be underreported, by its number."""
        return underreporting_warnings(self.source, self.header.id, self.language)

    def warnings_about(self, number: str) -> list[str]:
        """Return what must be looked into before a community is chosen by its complaints, if anything."""
        return [self.underreported[number]] if number in self.underreported else []

    def reason(self, row: Mapping[str, Any], route: Route) -> str:
        """Return why a community has its status on a route."""
        return self.reasons(pd.DataFrame([row]), route)[row["number"]]

    def reasons(self, communities: pd.DataFrame, route: Route) -> dict[str, str]:
        """Return why each community has its status on a route, by its number."""
        found: dict[str, str] = {}
        # Two regions may have one English name, so that each is explained by itself.
        for region, listed in communities.groupby("region", sort=False):
            name = self.region_label(str(region))
            sentences = reason_sentences(
                listed.assign(region=name),
                {name: self.header.summary["regions"][region]},
                route.key,
                population=self.header.rules.satisfaction.population,
                language=self.language,
            )
            found |= dict(zip(listed["number"], sentences, strict=True))
        return found

    def warnings(self) -> list[str]:
        """Return the warnings of the evaluation, about the regions shown and about the whole."""
        said = [
            f"{self.region_label(region)} · {warning_sentence(warning, self.language)}"
            for region in self.regions
            for warning in self.header.summary["regions"][region]["warnings"]
        ]
        said += [warning_sentence(warning, self.language) for warning in self.header.summary["warnings"]]
        listed = self.standings[["number", "name", "english_name"]]
        listed = listed[met(self.standings, "criterion_status") & listed["number"].isin(list(self.underreported))]
        names = zip(*(listed[name].tolist() for name in listed), strict=True)
        return said + [
            f"{pick(self.language, name, english)} · {self.underreported[number]}" for number, name, english in names
        ]

    def drawing(self, route: Route | None = None, *, score_range: tuple[float, float] | None = None) -> ChartContext:
        """Return the settings that all charts of one route share; by default the route of the view."""
        route = route or self.view.route
        scale = scale_of(self.header, route, self.language)
        return ChartContext(self.language, route, scale, self.header.provisional, score_range)


def _round_before(headers: Sequence[EvaluationHeader], header: EvaluationHeader) -> EvaluationHeader | None:
    """Return the newest official evaluation of the latest round before that of `header`."""
    before = [
        other
        for other in headers
        if not other.provisional and other.round_name != header.round_name and other.cut_off < header.cut_off
    ]
    return max(before, key=lambda other: (other.cut_off, other.id), default=None)
