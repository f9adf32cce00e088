"""What residents are least satisfied with, in one sentence."""

import pandas as pd

from dashboards.frames.aspects import shares_together
from dashboards.frames.page_data import PageData
from dashboards.languages import pick, translator
from dashboards.widgets.components import records


def shares_shown(shown: PageData) -> pd.DataFrame:
    """Return the aspects of service with the share that is satisfied in the regions shown, as `shares_together`."""
    aspects = shown.source.aspects(shown.header.id)
    answers = shown.standings.groupby("region", observed=True)["responses"].sum()
    return shares_together(
        aspects[aspects["region"].isin(shown.regions)], {str(name): int(count) for name, count in answers.items()}
    )


def least_satisfied_sentence(shares: pd.DataFrame, language: str) -> str | None:
    """Return with which aspects residents are least satisfied; None where the shares of fewer than two are told.

    `shares` as `shares_shown` returns it.
    """
    _ = translator(language)
    told = records(shares[shares["share"].notna()].sort_values("share", kind="stable").head(2))
    if len(told) < 2:
        return None
    first, second = told
    words = (
        _("Residents are least satisfied with “{first}” and “{second}” ({share} satisfied each).")
        if first["share"] == second["share"]
        else _("Residents are least satisfied with “{first}” ({share} satisfied), then with “{second}” ({next}).")
    )
    return words.format(
        first=pick(language, first["label"], first["english_label"]),
        second=pick(language, second["label"], second["english_label"]),
        share=f"{first['share']:.0%}",
        next=f"{second['share']:.0%}",
    )
