"""Sentences on how alike answers and complaints of one household are taken to be in the evidence, and who says so."""

from collections.abc import Iterator, Mapping

from analytics.languages import translator
from analytics.reports.html_page import percent


def clustering_sentences(
    clustering: Mapping[str, Mapping[str, str | float]], *, has_complaints: bool, language: str
) -> Iterator[str]:
    """Yield what the evidence takes for granted about several answers and complaints of one household.

    Parameters
    ----------
    clustering : mapping
        From `analytics.evidence.household_clustering.describe_clustering`.
    has_complaints : bool
        Whether the evaluation has a complaint route.
    language : str
        One of `analytics.languages.LANGUAGES`.

    Yields
    ------
    str
        None about answers if a household answers once.

    Examples
    --------
    >>> answers = {"source": "rules", "design_effect": 1.5}
    >>> complaints = {"source": "table", "repeat_share": 0.25}
    >>> said = clustering_sentences({"answers": answers, "complaints": complaints}, has_complaints=True, language="en")
    >>> next(said).partition(":")[0]
    'An assumption of the rule file'
    """
    _ = translator(language)
    answers, complaints = clustering["answers"], clustering["complaints"]
    effect, repeated = f"{float(answers['design_effect']):.2f}", percent(float(complaints["repeat_share"]), 0)
    of_answers = {
        "rules": _(
            "An assumption of the rule file: several people of a household may answer on posters and are of one mind"
            " more often than neighbours, so that {effect} such answers count as one (design effect)."
        ),
        "table": _(
            "People of one household are of one mind more often than neighbours. As measured from answers known to be"
            " of one household, {effect} answers count as one in the median community (design effect)."
        ),
        "not_stated": _(
            "The rule file does not say how alike the answers of one household are. Where several people of a household"
            " answered on posters, the true value lies outside the intervals more often than they promise."
        ),
    }
    of_complaints = {
        "rules": _(
            "An assumption of the rule file: {repeated} of the complaints come from a household that had complained"
            " before. The intervals of complaint rates are wider accordingly."
        ),
        "table": _(
            "According to the table, {repeated} of the complaints come from a household that had complained before. "
            "The intervals of complaint rates are wider accordingly."
        ),
        "not_stated": _(
            "Neither the rule file nor the table says how often a household complains again. Where many do, the true"
            " rate lies outside the intervals of complaint rates more often than they promise."
        ),
    }
    if answers["source"] != "one_answer":
        yield of_answers[str(answers["source"])].format(effect=effect)
    if has_complaints:
        yield of_complaints[str(complaints["source"])].format(repeated=repeated)
