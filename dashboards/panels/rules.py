"""Rules of an evaluation in words, with the hashes that its files can be checked by."""

from dash import html
from dash.development.base_component import Component

from analytics.reports.labels import measure_words, method_words, rounding_words, route_words
from analytics.rules import ComplaintRule, Rules, SatisfactionRule, share_words
from dashboards.labels import population_words, state_words, ties_words, zero_ties_words
from dashboards.languages import day, end, minute, translator
from dashboards.source import EvaluationHeader
from dashboards.widgets.components import facts, panel

_SHORT_HASH = 12


def rules_panel(header: EvaluationHeader, language: str) -> Component:
    """Return the rules of an evaluation: who issued them, what they say, how to check them."""
    _ = translator(language)
    return panel(
        _("Rules in force"),
        html.P(header.rules.title.in_language(language), className="rules-title"),
        facts([(_("State of this result"), state_words(header, language)), *rule_facts(header, language)]),
        html.H3(_("File check codes")),
        facts([(name, _check_code(digest)) for name, digest in check_codes(header, language)]),
        anchor="rules",
        note=_("Frozen before the evaluation; a correction is a new file, and old results stay."),
    )


def rule_facts(header: EvaluationHeader, language: str) -> list[tuple[str, str]]:
    """Return who issued the rules of an evaluation, what they say and how they were applied: names and values."""
    _, routes = translator(language), route_words(language)
    rules, source = header.rules, header.rules.source
    return [
        (_("Issued by"), source.issuer),
        (_("Document number"), source.document_number),
        (_("Date"), day(source.date, language)),
        (routes["satisfaction"], _satisfaction_words(rules, rules.satisfaction, language)),
        (routes["complaints"], _complaint_words(rules.complaints, language)),
        (_("Basis"), source.basis),
        (_("Reading"), source.reading),
        (_("Answers counted until"), end(header.cut_off, language, rules.time_zone)),
        (_("Evaluated at"), minute(header.evaluated_at, language, rules.time_zone)),
        (_("How the evidence was weighed"), method_words(header.evidence_method, language)),
    ]


def check_codes(header: EvaluationHeader, language: str) -> list[tuple[str, str]]:
    """Return the hashes by which the files of an evaluation can be checked, each with what it is of."""
    _ = translator(language)
    return [
        (_("Rule file"), header.rules.sha256),
        (_("Input counts"), header.inputs_sha256),
        (_("Evaluation results"), header.standings_sha256),
    ]


def _satisfaction_words(rules: Rules, rule: SatisfactionRule, language: str) -> str:
    _ = translator(language)
    where = _("of each district") if rules.region == "district" else _("of the whole city")
    measure = measure_words(language)[rule.measure]
    said = [
        _("The first {share} {where} by {measure}").format(share=share_words(rule.share), where=where, measure=measure),
        rounding_words(language)[rule.rounding],
        ties_words(language)[rule.ties],
        population_words(language)[rule.population],
    ]
    if rule.minimum_responses:
        said.append(
            _("ranked from {enough} valid answers, or from {share} of the households and at least {least}").format(
                enough=rule.minimum_responses.enough,
                share=share_words(rule.minimum_responses.or_share_of_households),
                least=rule.minimum_responses.least,
            )
        )
    return _("; ").join(said) + _(".")


def _complaint_words(rule: ComplaintRule, language: str) -> str:
    _ = translator(language)
    said = [
        _("The {share} with the fewest valid complaints per 1,000 households in {months} months").format(
            share=share_words(rule.share), months=rule.period_months
        ),
        rounding_words(language)[rule.rounding],
        ties_words(language)[rule.ties],
        zero_ties_words(language)[rule.zero_ties],
        _("ranked from {exposure} household-years").format(exposure=rule.minimum_exposure),
    ]
    return _("; ").join(said) + _(".")


def _check_code(digest: str) -> Component:
    # Short to compare by eye; the whole hash unfolds for whoever checks a file.
    return html.Details([html.Summary(html.Code(digest[:_SHORT_HASH])), html.Code(digest, className="whole-code")])
