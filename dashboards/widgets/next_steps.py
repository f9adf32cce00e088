"""What to do next where a panel has nothing to show, and panels' contents that say so in the same words."""

from dash.development.base_component import Component

from dashboards.languages import translator
from dashboards.widgets.components import empty
from dashboards.widgets.evaluation_notices import no_answers_kept


def choose_another(language: str) -> str:
    """Return the next step where another choice in the line of filters has something to show."""
    _ = translator(language)
    return _("Choose another evaluation, district or route above, as far as there are others.")


def with_next_round(language: str) -> str:
    """Return the next step where it takes more answers, or another round."""
    _ = translator(language)
    return _("It can be shown after the next round, with more answers.")


def once_decided(language: str) -> str:
    """Return the next step of a provisional result."""
    _ = translator(language)
    return _("They can be seen once the result is official.")


def complete_register(language: str) -> str:
    """Return the next step where numbers of households are unknown."""
    _ = translator(language)
    return _("Enter the missing numbers of households in the register; the next evaluation takes them into account.")


def compare_reports(language: str) -> str:
    """Return the next step where no complaint is on record."""
    _ = translator(language)
    return _("No case on record is not the same as no problem: compare what residents report in the survey.")


def examine_answers(language: str) -> str:
    """Return the next step where answers were not examined."""
    _ = translator(language)
    return _("Answers are examined on the staff page of the round.")


def as_cases_come(language: str) -> str:
    """Return the next step where casework has nothing to tell."""
    _ = translator(language)
    return _("Choose another district above, or look again when more cases have come in.")


def none_ranked(language: str) -> Component:
    """Return what is shown where no community is ranked."""
    _ = translator(language)
    return empty(_("No community here is ranked on this route."), choose_another(language))


def answers_not_kept(language: str) -> Component:
    """Return what is shown where a result has no answers by question."""
    return empty(no_answers_kept(language), once_decided(language))


def survey_alone(language: str) -> Component:
    """Return what is shown on the route of complaints where something concerns the answers alone."""
    _ = translator(language)
    return empty(_("This concerns the survey alone."), _("Choose satisfaction as the route above to see it."))


def sees_a_part(language: str) -> Component:
    """Return what is shown where it takes all communities that are ranked together, and the account sees a part."""
    _ = translator(language)
    why = _("Your account sees only some of the communities that are ranked together, so this cannot be computed.")
    return empty(why, _("An account that sees them all can show it."))
