"""Integrity page: signals and held responses as CSV and HTML page, and standings with and without them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analytics.decision.evaluate import Evaluation, evaluate
from analytics.decision.recount import recount
from analytics.decision.summary import COLUMN_PREFIXES
from analytics.files.csv_files import frame_csv
from analytics.files.response_tables import ResponseTable
from analytics.languages import translator
from analytics.reports.html_page import Page, PageTable, Section, percent, provenance_facts
from analytics.reports.labels import signal_words
from analytics.reports.standing_words import criterion_status_words
from analytics.rules import Rules
from analytics.statistics.integrity_signals import (
    FALSE_DISCOVERY_RATE,
    FAMILIES,
    LEAST_OVERWHELMING,
    OVERWHELMING,
    Integrity,
)

MOST_NAMED: Final = 100
"""Most communities that a table of the page names; signals.csv has all."""

_STATUS_COLUMNS: Final = (
    *(f"{prefix}_{name}" for prefix in COLUMN_PREFIXES.values() for name in ("status", "reason")),
    "criterion_status",
)


@dataclass(frozen=True)
class HeldComparison:
    """Evaluations of all responses that count, and of those that are not held for review."""

    all_responses: Evaluation
    without_held: Evaluation


def evaluate_without_held(
    communities: pd.DataFrame, table: ResponseTable, integrity: Integrity, rules: Rules
) -> HeldComparison:
    """Evaluate the communities with and without the held responses.

    Parameters
    ----------
    communities : DataFrame
        As `analytics.decision.community_table.check_communities` returns it; its answers are recounted.
    table : ResponseTable
        Responses of these communities that count.
    integrity : Integrity
        From `analytics.statistics.integrity_signals.find_signals` on these responses.
    rules : Rules

    Returns
    -------
    HeldComparison
        Nothing is deleted: both are shown until somebody has reviewed the held responses.
    """
    kept = ~integrity.responses["held"].to_numpy(dtype=bool)
    rest = ResponseTable(
        table.responses[kept].reset_index(drop=True),
        table.answers[kept].reset_index(drop=True),
        [line for line, stays in zip(table.lines, kept, strict=True) if stays],
    )
    return HeldComparison(
        evaluate(recount(communities, table, rules), rules), evaluate(recount(communities, rest, rules), rules)
    )


def signals_csv(integrity: Integrity) -> bytes:
    """Return the signals as a CSV file, one line per community and family."""
    return frame_csv(integrity.families.round(6))


def held_csv(table: ResponseTable, integrity: Integrity) -> bytes:
    """Return the held responses as a CSV file, with the families that point at them."""
    held = integrity.responses["held"].to_numpy(dtype=bool)
    frame = integrity.responses.drop(columns="held").assign(community_id=table.responses["community_id"])[held]
    return frame_csv(frame[["community_id", "response_id", "families"]])


def comparison(both: HeldComparison, table: ResponseTable, integrity: Integrity) -> pd.DataFrame:
    """Compare each community's standing with and without the held responses, in the order of the table.

    Returns
    -------
    DataFrame
        community_id, name, region, held, then with the suffixes ``""`` and ``_without``: responses,
        satisfaction_score, satisfaction_rank, the status and the reason of both routes, criterion_status.
    """
    names = ["responses", "satisfaction_score", "satisfaction_rank", *_STATUS_COLUMNS]
    standings = both.all_responses.standings
    held = integrity.responses["held"].groupby(table.responses["community_id"]).sum()
    frame = pd.DataFrame(
        {
            "community_id": standings["community_id"],
            "name": both.all_responses.communities.get("name", ""),
            "region": standings["region"],
            "held": held.reindex(standings["community_id"], fill_value=0).to_numpy(dtype=np.int64),
        }
    )
    without = both.without_held.standings[names].add_suffix("_without")
    return pd.concat([frame, standings[names], without], axis=1)


def comparison_csv(both: HeldComparison, table: ResponseTable, integrity: Integrity) -> bytes:
    """Return `comparison` as a CSV file."""
    return frame_csv(comparison(both, table, integrity))


def integrity_page(
    table: ResponseTable, integrity: Integrity, both: HeldComparison | None, rules: Rules, language: str
) -> Page:
    """Build the integrity page: sentences and tables.

    Parameters
    ----------
    table : ResponseTable
    integrity : Integrity
    both : HeldComparison or None
        None: without a table of communities nothing is ranked.
    rules : Rules
    language : str
        One of `analytics.languages.LANGUAGES`.

    Returns
    -------
    Page
    """
    _ = translator(language)
    sections = [_held_section(table, integrity, language)]
    if both is not None:
        sections.append(_standings_section(both, table, integrity, language))
    sections += [_family_section(integrity, language), _reading_section(language)]
    lead = _(
        "Which responses should be looked at before the result is final. Nothing is deleted, and a sign is no "
        "proof. Residents are told only that the result is under review."
    )
    return Page(_("Responses held for review"), lead, sections, provenance_facts(rules, language))


def _held_section(table: ResponseTable, integrity: Integrity, language: str) -> Section:
    _ = translator(language)
    held = integrity.responses[integrity.responses["held"]]
    by_community = held.groupby(table.responses.loc[held.index, "community_id"])
    words = signal_words(language)
    sentence = _(
        "Held for review: {held} of {responses} responses; communities concerned: {communities}. Two kinds of signs "
        "point at each of them, or one that is overwhelming.",
        held=f"{len(held):,}",
        responses=f"{len(integrity.responses):,}",
        communities=by_community.ngroups,
    )
    rows = [
        [
            str(community),
            _("; ").join(
                words[name]
                for name in FAMILIES
                if part["families"].str.split(", ").map(lambda found, name=name: name in found).any()
            ),
            f"{len(part):,}",
        ]
        for community, part in list(by_community)[:MOST_NAMED]
    ]
    headings = [_("Community"), _("What was seen"), _("Responses held")]
    grid = PageTable(headings, rows, 2) if rows else None
    return Section(_("Held"), [sentence], grid=grid, notes=[_("held.csv names every response that is held.")])


def _standings_section(both: HeldComparison, table: ResponseTable, integrity: Integrity, language: str) -> Section:
    _ = translator(language)
    frame = comparison(both, table, integrity)
    changed = frame[frame["criterion_status"] != frame["criterion_status_without"]]
    sentences = [
        _(
            "Without the held responses the criterion would come out otherwise for {changed} of {all} communities.",
            changed=len(changed),
            all=len(frame),
        )
    ]
    rows = [
        [
            row["name"] or row["community_id"],
            row["region"],
            criterion_status_words({name: row[name] for name in _STATUS_COLUMNS}, language),
            criterion_status_words({name: row[f"{name}_without"] for name in _STATUS_COLUMNS}, language),
            str(row["held"]),
            _place(row["satisfaction_rank"]),
            _place(row["satisfaction_rank_without"]),
        ]
        for row in changed.head(MOST_NAMED).to_dict("records")
    ]
    headings = [
        _("Community"),
        _("region"),
        _("With all responses"),
        _("Without the held ones"),
        _("Held"),
        _("Rank with"),
        _("Rank without"),
    ]
    note = _("with_and_without_held.csv has every community.")
    return Section(
        _("Standings with and without"), sentences, grid=PageTable(headings, rows, 4) if rows else None, notes=[note]
    )


def _place(rank: int | None) -> str:
    return "" if pd.isna(rank) else str(rank)


def _family_section(integrity: Integrity, language: str) -> Section:
    _, words = translator(language), signal_words(language)
    rows = []
    for name, part in integrity.families.groupby("family", sort=False):
        judged = part["p"].notna()
        rows.append([words[str(name)], str(int(judged.sum())), str(int(part["flagged"].sum()))])
    headings = [_("What is looked for"), _("Communities judged"), _("Communities flagged")]
    silent = [row[0] for row in rows if row[1] == "0"]
    warnings = []
    if silent:
        warnings.append(
            _(
                "Not checked, because the file lacks the data or has too few communities: {families}.",
                families=_("; ").join(silent),
            )
        )
    return Section(_("By kind of sign"), [], warnings, grid=PageTable(headings, rows, 1))


def _reading_section(language: str) -> Section:
    _ = translator(language)
    return Section(
        _("How to read this"),
        [
            _(
                "Each kind of sign compares a community with chance or with the other communities. Of the "
                "communities that one kind flags, at most about {share} are expected to be honest.",
                share=percent(FALSE_DISCOVERY_RATE),
            ),
            _(
                "A response is held where two kinds of signs point at it; many answers from one device, over one "
                "line, at one poster and many answers at all are one kind, since neighbours may share the address "
                "of their carrier. One kind suffices where at least {least} answers of a community were opened and "
                "sent in a way whose chance among honest people, for all communities together, is at most {chance}.",
                least=LEAST_OVERWHELMING,
                chance=f"{OVERWHELMING:f}",
            ),
            _(
                "Many answers after a message to the owners, or many residents content with everything, are no "
                "sign. What staff entered is examined for one thing alone: whether it was sent faster than anybody "
                "types."
            ),
            _("Answers sent at night are a sign only beside another one, since residents may work in shifts."),
            _(
                "False answers entered at the pace of people and by day, each over a connection of its own or one after"
                " another from one phone, leave one trace or none and are not found. If nothing is held, that does not"
                " prove that nothing was done."
            ),
        ],
    )
