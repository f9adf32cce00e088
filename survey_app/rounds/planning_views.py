"""Views that plan a round: what it asks and by which rules, its quota forecast, creating it, moving its dates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus

import pandas as pd
from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from analytics.evidence.quota_feasibility import Expectations
from analytics.languages import Wording
from analytics.reports.channel_sentences import margin_sentences, poster_limits
from analytics.reports.forecast_sentences import forecast_sentences
from analytics.rules import Rules
from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import PLANNING, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.catalogue import translator
from survey_app.city_time import last_day, zone_of
from survey_app.clock import current_time
from survey_app.models import District, Questionnaire, Round, RuleFile
from survey_app.models.vocabulary import CodeKind
from survey_app.register.names import english_regions
from survey_app.rounds.quota_forecast import forecast_quota, read_list_margins
from survey_app.rounds.round_changes import RoundChangeRefused, move_round
from survey_app.rounds.rounds import YEARS, RoundRefused, create_round, usual_last_day_of_keeping
from survey_app.stored_rules import rules_of
from survey_app.web.context import site
from survey_app.web.languages import current_language
from survey_app.web.typed_numbers import read_whole_number

# Assumptions for a city that has no round behind it; the form shows them to be changed.
DEFAULT_ASSUMPTIONS = {"response_rate": 30, "satisfaction_rate": 80, "spread": 7}
USUAL_QUOTA = 5
_LEAST_PERCENT = 0.01


@dataclass(frozen=True)
class _Plan:
    """Contents of the form that plans a round."""

    questionnaire: Questionnaire
    rule_file: RuleFile
    rules: Rules
    quota: Mapping[int, int]
    expectations: Expectations


class InvalidField(ValueError):
    """A field of the form cannot be read; the argument is the field's name."""


@blueprint.get("/staff/rounds/new")
@policy(PLANNING)
def plan_round() -> str:
    """Show the form of a new round."""
    return _plan_page()


@blueprint.post("/staff/rounds/new")
@policy(PLANNING)
def create() -> Response | str | tuple[str, int]:
    """Say whether the planned round can fill its quota, or create it."""
    try:
        if request.form.get("step") == "check":
            with site().database.reading() as session:
                plan = _read_plan(session)
                forecast = _forecast(session, plan)
            return _plan_page(plan=plan, forecast=forecast)
        with site().database.writing() as session:
            _create(session, _read_plan(session))
    except InvalidField as faulty:
        return _plan_page(faulty=str(faulty)), HTTPStatus.BAD_REQUEST
    except RoundRefused as refused:
        return _plan_page(refusals=_in_words(refused)), HTTPStatus.CONFLICT
    flash(_("The round is created."))
    return redirect(url_for("staff.home"), HTTPStatus.SEE_OTHER)


@blueprint.get("/staff/rounds/<int:round_id>/dates")
@policy(PLANNING)
def show_dates(round_id: int) -> str:
    """Show the form that moves a round which has not opened."""
    return _dates_page(round_id)


@blueprint.post("/staff/rounds/<int:round_id>/dates")
@policy(PLANNING)
def move(round_id: int) -> Response | tuple[str, int]:
    """Change the dates of a round that has not opened."""
    try:
        with site().database.writing() as session:
            move_round(
                session,
                round_id=round_id,
                opens_on=_required_day("opens"),
                closes_on=_required_day("last_day") + timedelta(days=1),
                responses_kept_until=_required_day("keep_until"),
                by=signed_in().actor,
                now=current_time(),
            )
    except LookupError:
        abort(HTTPStatus.NOT_FOUND)
    except InvalidField as faulty:
        return _dates_page(round_id, faulty=str(faulty)), HTTPStatus.BAD_REQUEST
    except RoundRefused as refused:
        return _dates_page(round_id, refusals=_in_words(refused)), HTTPStatus.CONFLICT
    flash(_("The round has its new dates."))
    return redirect(url_for("staff.home"), HTTPStatus.SEE_OTHER)


def _dates_page(round_id: int, *, faulty: str | None = None, refusals: Sequence[str] = ()) -> str:
    with site().database.reading() as session:
        survey_round = session.get(Round, round_id)
        if survey_round is None:
            abort(HTTPStatus.NOT_FOUND)
        if current_time() >= survey_round.opens_at:
            raise RoundChangeRefused(round_id, "opened")
        zone = zone_of(survey_round.rule_file.content)
        dates = {
            "opens": survey_round.opens_at.astimezone(zone).date(),
            "last_day": last_day(survey_round.closes_at, zone),
            "keep_until": survey_round.responses_kept_until,
        }
        return render_template(
            "staff/dates.html",
            round=survey_round,
            dates=dates,
            form=request.form,
            faulty=faulty,
            refusals=refusals,
        )


def _in_words(refused: RoundRefused) -> list[str]:
    translate = translator(current_language())
    return [fault.text(translate) for fault in refused.faults]


def _plan_page(
    *,
    plan: _Plan | None = None,
    forecast: list[str] | None = None,
    faulty: str | None = None,
    refusals: Sequence[str] = (),
) -> str:
    with site().database.reading() as session:
        return render_template(
            "staff/plan_round.html",
            questionnaires=session.scalars(select(Questionnaire).order_by(Questionnaire.id.desc())).all(),
            rule_files=session.scalars(select(RuleFile).order_by(RuleFile.id.desc())).all(),
            districts=session.scalars(select(District).order_by(District.sort_key)).all(),
            form=request.form,
            supposed=DEFAULT_ASSUMPTIONS,
            proposed_keep_until=_proposed_last_day_of_keeping(),
            usual_quota=USUAL_QUOTA,
            plan=plan,
            forecast=forecast,
            faulty=faulty,
            refusals=refusals,
            poster_limits=poster_limits(current_language()),
            margins=list(margin_sentences(_named(session, read_list_margins(session)), current_language())),
        )


def _read_plan(session: Session) -> _Plan:
    questionnaire = session.get(Questionnaire, _whole("questionnaire", least=1))
    rule_file = session.get(RuleFile, _whole("rules", least=1))
    if questionnaire is None or rule_file is None:
        abort(HTTPStatus.BAD_REQUEST)
    districts = session.scalars(select(District.id)).all()
    return _Plan(
        questionnaire=questionnaire,
        rule_file=rule_file,
        rules=rules_of(rule_file.content),
        quota={district: _whole(f"quota-{district}", least=1) for district in districts},
        expectations=Expectations(**{name: _percent(name) for name in DEFAULT_ASSUMPTIONS}),
    )


def _forecast(session: Session, plan: _Plan) -> list[str]:
    frame = forecast_quota(session, rules=plan.rules, quota=plan.quota, expectations=plan.expectations)
    return list(forecast_sentences(_named(session, frame), current_language()))


def _named(session: Session, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with its regions called as the language of the page calls them."""
    names = {
        name: Wording.of(name, english).in_language(current_language())
        for name, english in english_regions(session).items()
    }
    return frame.rename(index=names)


def _create(session: Session, plan: _Plan) -> None:
    form = request.form
    create_round(
        session,
        name=_text("name"),
        english_name=form.get("english_name", "").strip() or None,
        opens_on=_required_day("opens"),
        closes_on=_required_day("last_day") + timedelta(days=1),
        questionnaire=plan.questionnaire,
        rule_file=plan.rule_file,
        accepts=[kind for kind in CodeKind if kind in form.getlist("accepts")],
        evaluator=form.get("evaluator", "").strip() or None,
        evaluator_english_name=form.get("evaluator_english_name", "").strip() or None,
        responses_kept_until=_required_day("keep_until"),
        by=signed_in().actor,
        now=current_time(),
    )


def _text(field: str) -> str:
    typed = request.form.get(field, "").strip()
    if not typed:
        raise InvalidField(field)
    return typed


def _required_day(field: str) -> date:
    try:
        day = date.fromisoformat(request.form.get(field, ""))
    except ValueError as error:
        raise InvalidField(field) from error
    if day.year not in YEARS:
        raise InvalidField(field)
    return day


def _proposed_last_day_of_keeping() -> date | None:
    """Return the day that is proposed for the last day that was typed, if one was."""
    try:
        return usual_last_day_of_keeping(_required_day("last_day"))
    except InvalidField:
        return None


def _whole(field: str, *, least: int) -> int:
    number = read_whole_number(request.form.get(field))
    if number is None or number < least:
        raise InvalidField(field)
    return number


def _percent(field: str) -> float:
    number = request.form.get(field, type=float)
    if number is None or not _LEAST_PERCENT <= number <= 100:
        raise InvalidField(field)
    return number / 100
