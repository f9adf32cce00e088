"""Sentences about the forecast of a planned round: whether each region can fill its quota."""

from collections.abc import Iterator

import pandas as pd

from analytics.evidence.round_planning import RELIABLE_FROM
from analytics.languages import translator


def forecast_sentences(frame: pd.DataFrame, language: str) -> Iterator[str]:
    """Yield sentences that word the forecast of each region.

    Parameters
    ----------
    frame : DataFrame
        From `analytics.evidence.quota_feasibility.forecast_round`.
    language : str
        One of `analytics.languages.LANGUAGES`.

    Yields
    ------
    str
    """
    _ = translator(language)
    for facts in frame.reset_index().to_dict("records"):
        fillable = (
            _("The quota of {quota} can be filled.")
            if facts["surely_named"] >= facts["quota"]
            else _("The quota of {quota} can be filled only if both routes name different communities.")
            if facts["quota_fillable"]
            else _("The quota of {quota} CANNOT be filled.")
        )
        said = [
            _(
                "{region}: {communities} communities, of which {expected_eligible:.0f} are expected to have enough"
                " answers; {satisfaction_places} places by satisfaction and {complaint_places} by complaints, between"
                " {surely_named} and {possibly_named} communities in all."
            ),
            fillable,
            _(
                "One route alone needs {minimum_eligible} communities with enough answers (chance"
                " {one_route_chance:.0%})."
            ),
            _("The evidence on {undecided_share:.0%} of the communities would stay undecided."),
            _(
                "The {median_responses:.0f} answers of the median community tell communities apart with a reliability"
                " of {reliability:.2f}. {reliable_responses:.0f} answers would make it {reliable_from} if those who do"
                " not answer thought alike."
            )
            if pd.notna(facts["reliable_responses"])
            else _("No number of answers tells communities apart that are expected to be alike."),
        ]
        yield " ".join(said).format_map(facts | {"reliable_from": RELIABLE_FROM})
