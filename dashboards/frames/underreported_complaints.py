"""Communities of an evaluation whose complaints may be underreported, as every list warns that ranks them."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.disclosure.rules import DisclosureRules, rules_in_force
from analytics.disclosure.suppression import can_be_shown
from analytics.evidence.underreported_complaints import UNDERREPORTED_COLUMNS, underreported_complaints
from analytics.reports.complaint_sentences import underreported_sentences
from dashboards.languages import translator
from dashboards.source import EvaluationHeader, EvaluationSource, header_of


def disclosure_of(header: EvaluationHeader) -> DisclosureRules:
    """Return the disclosure rules of the local day on which an evaluation was made."""
    return rules_in_force(header.evaluated_at.astimezone(ZoneInfo(header.rules.time_zone)).date())


def can_be_told(said: int, asked: int, answered: int, disclosure: DisclosureRules) -> bool:
    """Return whether it can be told how many say that they complained.

    Few must have said so or otherwise, neither of all `asked` nor of those who `answered` the very question: the others
    were not led to it.
    """
    parts = ((said, asked, disclosure.minimum_opinion_base), (said, answered, 0))
    return all(can_be_shown(some, whole, rules=disclosure, least=least) for some, whole, least in parts)


def underreporting_warnings(source: EvaluationSource, evaluation_id: int, language: str) -> Mapping[str, str]:
    """Return the warning about each community whose complaints may be underreported, by its number."""
    return underreported_sentences(source.compute_once(evaluation_id, _find_underreported), language)


def underreporting_notes(source: EvaluationSource, evaluation_id: int, language: str) -> Mapping[str, str]:
    """Return the same warnings in as few words as a cell of a long table has room for."""
    _ = translator(language)
    found = source.compute_once(evaluation_id, _find_underreported)
    note = _("Complaints underreported? {recorded} on record, {reported} or more by the survey")
    counts = (found[name].tolist() for name in ("community_id", "recorded_households", "reported_lower"))
    return {
        number: note.format(recorded=f"{recorded:,.0f}", reported=f"{reported:,.0f}")
        for number, recorded, reported in zip(*counts, strict=True)
    }


def leave_out_untold(found: pd.DataFrame, reported: pd.DataFrame, disclosure: DisclosureRules) -> pd.DataFrame:
    """Return the communities found of which it can be told how many say that they complained.

    `reported` is as `EvaluationSource.reported` returns it: without those of which the table of answers withholds it.
    """
    counts = (reported[name].tolist() for name in ("number", "said", "asked", "answered"))
    told = [
        number
        for number, said, asked, answered in zip(*counts, strict=True)
        if can_be_told(said, asked, answered, disclosure)
    ]
    return found.loc[found["community_id"].isin(told), list(UNDERREPORTED_COLUMNS)]


def _find_underreported(source: EvaluationSource, evaluation_id: int) -> pd.DataFrame:
    header = header_of(source, evaluation_id)
    found = underreported_complaints(source.inputs(evaluation_id), header.rules)
    if header.provisional:
        # A preview tells nothing of what residents answered beside the ranked measure.
        found = found[:0]
    return leave_out_untold(
        found, source.reported(evaluation_id, found["community_id"].tolist()), disclosure_of(header)
    )
