"""Monthly bulletin of casework: what came in during a month and how it was dealt with, in words for one page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import pandas as pd
from babel.dates import format_date, format_skeleton
from sqlalchemy.orm import Session

from analytics.casework.call_backs import count_call_backs
from analytics.casework.monthly_figures import MonthlyFigures, monthly_figures
from analytics.casework.rates import ResponseFormula
from analytics.casework.shares import Share
from analytics.disclosure.rules import DisclosureRules, rules_in_force
from analytics.disclosure.suppression import can_be_shown
from analytics.languages import Wording
from analytics.reports.labels import channel_words, sentence_case
from analytics.rules import share_words
from survey_app.accounts.scope import Scope
from survey_app.call_backs.call_results import read_call_backs
from survey_app.catalogue import translator
from survey_app.city_time import Month, city_zone
from survey_app.complaints.case_records import read_case_records
from survey_app.complaints.casework_files import published_casework_files, rules_at
from survey_app.complaints.casework_rules import CaseworkRules

# What a page of the site or of paper has room for.
MOST_LAGGARDS: Final = 12
_NO_VALUE: Final = "—"
_LOCALES: Final = {"zh-Hans": "zh_Hans_CN", "en": "en_GB"}


@dataclass(frozen=True)
class BulletinFacts:
    """Facts of a bulletin: the figures of a month until a cut-off, in the city's time, and companies' English names.

    `casework` is the casework file that was in force at the cut-off: it says by what a company is named, and by which
    formulas the rates are computed.
    """

    month: Month
    cut_off: datetime
    is_complete: bool
    figures: MonthlyFigures
    rules: DisclosureRules
    casework: CaseworkRules
    english_companies: dict[str, str | None]


@dataclass(frozen=True)
class Line:
    """One figure of a bulletin: its name, the figure, and what it is of."""

    name: str
    figure: str
    note: str


@dataclass(frozen=True)
class Bulletin:
    """Words of a bulletin, in one language; `laggards` have a company, its share in time, and what that is of."""

    title: str
    issuer: str
    month: str
    cut_off: str
    language: str
    summary: str
    channels_title: str
    channels: Sequence[tuple[str, str]]
    figures_title: str
    lines: Sequence[Line]
    rates_title: str
    rates: Sequence[Line]
    statements: Sequence[str]
    laggards_title: str
    laggards_rule: str
    laggards: Sequence[Line]
    no_laggards: str
    notes: Sequence[str]


def first_month(session: Session) -> Month:
    """Return the first month of which there is a bulletin: that in which the first casework file came into force."""
    return Month.of(published_casework_files(session)[-1].in_force_from)


def read_bulletin(session: Session, *, month: Month, scope: Scope, now: datetime) -> BulletinFacts | None:
    """Return the facts of the bulletin of a month, as far as it has come.

    None of a month that has not begun, and of one before the first of which there is a bulletin.
    """
    zone = city_zone(session)
    start, end = month.start(zone), month.plus(1).start(zone)
    if now <= start or month < first_month(session):
        return None
    cut_off = min(now.astimezone(zone), end)
    last = cut_off - timedelta(microseconds=1)
    records = read_case_records(session, scope=scope, since=start, cut_off=cut_off)
    rules, casework = rules_in_force(last.date()), rules_at(session, last)
    named = records.cases.drop_duplicates("company")
    return BulletinFacts(
        month=month,
        cut_off=cut_off,
        is_complete=cut_off == end,
        figures=monthly_figures(
            records.cases,
            records.spells,
            start=pd.Timestamp(start),
            cut_off=pd.Timestamp(cut_off),
            rules=rules,
            formulas=casework.formulas,
            call_backs=count_call_backs(read_call_backs(session, scope=scope, since=start, cut_off=cut_off)),
            least_cases=casework.bulletin.least_cases,
            least_share=casework.bulletin.share_in_time,
        ),
        rules=rules,
        casework=casework,
        english_companies=dict(zip(named["company"], named["company_english"], strict=True)),
    )


def write_bulletin(facts: BulletinFacts, *, issuer: str, language: str) -> Bulletin:
    """Return the words of a bulletin for one page; `issuer` is who puts it out."""
    _ = translator(language)
    figures = facts.figures
    return Bulletin(
        title=_("Monthly casework bulletin"),
        issuer=issuer,
        month=str(format_skeleton("yMMMM", facts.month.first, locale=_LOCALES[language])),
        cut_off=_cut_off(facts, language),
        language=language,
        summary=_summary(figures, language),
        channels_title=_("Cases filed, by channel"),
        channels=[*_channels(figures, language)],
        figures_title=_("How they were dealt with"),
        lines=[*_lines(facts, language)],
        rates_title=_("Response, resolution, satisfaction"),
        rates=[*_rates(facts, language)],
        statements=[rate.statement.in_language(language) for rate in facts.casework.rates.values()],
        laggards_title=_("Companies that answer late"),
        laggards_rule=_laggards_rule(figures, language),
        laggards=[*_laggards(facts, language)],
        no_laggards=_("None is to be named."),
        notes=[*_notes(facts, language)],
    )


def _cut_off(facts: BulletinFacts, language: str) -> str:
    _ = translator(language)
    if facts.is_complete:
        last = (facts.cut_off - timedelta(microseconds=1)).date()
        return _("Counted to the end of {day}").format(day=format_date(last, "long", locale=_LOCALES[language]))
    moment = f"{format_date(facts.cut_off, 'long', locale=_LOCALES[language])} {facts.cut_off:%H:%M}"
    return _("The month is not over: counted to {moment}").format(moment=moment)


def _summary(figures: MonthlyFigures, language: str) -> str:
    _ = translator(language)
    return _(
        "Open at the beginning: {start}. Filed: {filed}. Opened again after their end: {again}. Ended: {ended}. Open at"
        " the end: {end}."
    ).format(
        start=f"{figures.open_at_start:,}",
        filed=f"{figures.received:,}",
        again=f"{figures.opened_again:,}",
        ended=f"{figures.ended:,}",
        end=f"{figures.open_at_end:,}",
    )


def _channels(figures: MonthlyFigures, language: str) -> Iterator[tuple[str, str]]:
    _ = translator(language)
    words = channel_words(language)
    for channel, count in figures.by_channel.items():
        yield sentence_case(words[str(channel)]), _NO_VALUE if pd.isna(count) else f"{count:,}"
    if figures.received:
        yield _("Together"), f"{figures.received:,}"


def _lines(facts: BulletinFacts, language: str) -> Iterator[Line]:
    _ = translator(language)
    figures, rules = facts.figures, facts.rules
    in_time = _("{some} of {of}")
    for name, share, nothing in (
        (_("Acknowledged in time"), figures.acknowledged, _("no acknowledgement came due")),
        (_("Answered in time"), figures.answered, _("no answer came due")),
    ):
        note = in_time.format(some=f"{share.some:,}", of=f"{share.of:,}") if share.of else nothing
        yield Line(name, f"{share.share:.1%}" if share.of else _NO_VALUE, note)
    yield Line(_("Confirmed as fixed"), *_told(figures.confirmed, rules, language))
    yield Line(_("Without a word, closed after the period of silence"), *_told(figures.silent, rules, language))
    yield Line(_("Work begun anew"), f"{figures.reopened:,}", _("the resident said that it is not fixed"))
    yield Line(
        _("Put under review by somebody else"), f"{figures.stage2:,}", _("by the resident, or a missed deadline")
    )
    yield Line(_("Filed in the month and not to be answered"), f"{figures.excluded:,}", _("duplicates and the like"))


def _rates(facts: BulletinFacts, language: str) -> Iterator[Line]:
    """Yield the three rates by the formulas of the casework file, whose statements stand below them."""
    _ = translator(language)
    names = {
        "response": _("Response rate"),
        "resolution": _("Resolution rate"),
        "satisfaction": _("Satisfaction rate"),
    }
    for key, share in facts.figures.rates.items():
        if facts.casework.rates[key].formula == ResponseFormula.ACKNOWLEDGED_IN_TIME and share.of:
            # What an office did is told however little it is.
            note = _("{some} of {of}").format(some=f"{share.some:,}", of=f"{share.of:,}")
            yield Line(names[key], f"{share.share:.1%}", note)
        else:
            yield Line(names[key], *_told(share, facts.rules, language))


def _told(share: Share, rules: DisclosureRules, language: str) -> tuple[str, str]:
    """Return a share of residents and what it is of; where some of them are few, so many as nobody can be told by."""
    _ = translator(language)
    of = f"{share.of:,}"
    if not share.of:
        return _NO_VALUE, _("nobody has said anything")
    if share.of < rules.minimum_base:
        return _NO_VALUE, _("of fewer than {fewest} residents").format(fewest=rules.minimum_base)
    if can_be_shown(share.some, share.of, rules=rules):
        return f"{share.share:.1%}", _("{some} of {of}").format(some=f"{share.some:,}", of=of)
    bound = rules.minimum_cell / share.of
    if share.some < rules.minimum_cell:
        return _("below {share}").format(share=f"{bound:.1%}"), _("fewer than {few} of {of}").format(
            few=rules.minimum_cell, of=of
        )
    return _("above {share}").format(share=f"{1 - bound:.1%}"), _("all but fewer than {few} of {of}").format(
        few=rules.minimum_cell, of=of
    )


def _laggards_rule(figures: MonthlyFigures, language: str) -> str:
    _ = translator(language)
    return _(
        "Named is every company of which at least {cases} answers came due in the month and fewer than {share} of them"
        " came in time. The order is that of the names: it is no ranking."
    ).format(cases=figures.least_cases, share=share_words(figures.least_share))


def _laggards(facts: BulletinFacts, language: str) -> Iterator[Line]:
    _ = translator(language)
    laggards = facts.figures.laggards
    for company, row in laggards.head(MOST_LAGGARDS).iterrows():
        share = Share(int(row["some"]), int(row["of"]), row["lower"], row["upper"])
        name = Wording.of(str(company), facts.english_companies.get(str(company))).in_language(language)
        yield Line(name, *_told(share, facts.rules, language))
    if len(laggards) > MOST_LAGGARDS:
        rest = len(laggards) - MOST_LAGGARDS
        yield Line(_("Further companies"), f"{rest:,}", _("on the page “Casework” of the dashboards"))


def _notes(facts: BulletinFacts, language: str) -> Iterator[str]:
    _ = translator(language)
    yield _(
        "In time is judged in the month in which the acknowledgement or the answer was given or fell due, by working"
        " days and, in matters of safety, by hours. A question to the resident stops the time."
    )
    yield _(
        "Confirmed as fixed: by the last word of each resident who said anything about an answer. Silence is told"
        " apart."
    )
    yield _("Numbers of residents below {smallest} are not told, nor others that would give them away.").format(
        smallest=facts.rules.minimum_cell
    )
