"""Views of the contracts of a community: which property company is in charge on which day, and who takes over."""

from datetime import date
from http import HTTPStatus

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from survey_app.accounts.guard import own_community, signed_in
from survey_app.accounts.policies import ISSUING, REGISTER_READERS, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.city_time import local_today
from survey_app.clock import current_time
from survey_app.models import PropertyCompany
from survey_app.register.community_imports import sort_key
from survey_app.register.contracts import (
    AlreadyInCharge,
    LaterContractRecorded,
    company_in_charge,
    contracts_of,
    take_over,
    withdraw_contract,
)
from survey_app.register.new_places import twins_of_names
from survey_app.security.text import one_line
from survey_app.web.context import site
from survey_app.web.languages import fault_translator
from survey_app.web.typed_dates import read_date
from survey_app.web.typed_numbers import read_whole_number

Page = str | tuple[str, int]
LONGEST_NAME = 100


class _Refused(ValueError):
    """A change that cannot be recorded; the argument is the sentence that says why."""


@blueprint.get("/staff/communities/<int:community_id>/contracts")
@policy(REGISTER_READERS)
def contracts(community_id: int) -> str:
    """Show the contracts of a community, and take the next change of its company."""
    return _page(community_id)


@blueprint.post("/staff/communities/<int:community_id>/contracts")
@policy(ISSUING)
def record_contract(community_id: int) -> Response | Page:
    """Record which company takes over the community from a day on, or that none does."""
    now = current_time()
    try:
        with site().database.writing() as session:
            community = own_community(session, community_id)
            take_over(
                session,
                community,
                _named_company(session),
                starts_on=_typed_day(),
                today=local_today(session, now=now),
                by=signed_in().actor,
                now=now,
            )
    except _Refused as refused:
        return _page(community_id, refusal=str(refused)), HTTPStatus.BAD_REQUEST
    except LaterContractRecorded as later:
        refusal = _(
            "%(company)s takes over on %(day)s, as recorded. Withdraw that first, if it is wrong.",
            company=later.company,
            day=later.starts_on.isoformat(),
        )
        return _page(community_id, refusal=refusal), HTTPStatus.CONFLICT
    except AlreadyInCharge:
        return _page(community_id, refusal=_("That is so already on this day: nothing changes.")), HTTPStatus.CONFLICT
    flash(_("The change is recorded."))
    return redirect(url_for("staff.contracts", community_id=community_id), HTTPStatus.SEE_OTHER)


@blueprint.post("/staff/communities/<int:community_id>/contracts/withdrawal")
@policy(ISSUING)
def withdraw_change(community_id: int) -> Response:
    """Withdraw a change that has not come yet; the company before stays."""
    now = current_time()
    with site().database.writing() as session:
        community = own_community(session, community_id)
        today = local_today(session, now=now)
        contract_id = read_whole_number(request.form.get("contract"))
        if withdraw_contract(session, community, contract_id, today=today, by=signed_in().actor, now=now):
            flash(_("The change is withdrawn."))
    return redirect(url_for("staff.contracts", community_id=community_id), HTTPStatus.SEE_OTHER)


def _typed_day() -> date:
    day = read_date(request.form.get("starts_on", ""))
    if day is None:
        raise _Refused(_("Please say from which day on."))
    return day


def _named_company(session: Session) -> PropertyCompany | None:
    """Return the company that the form names, a new one if the form says that it is new, or None for none."""
    name = one_line(request.form.get("company", ""))
    if not name:
        if "none" in request.form:
            return None
        raise _Refused(_("Please name the company, or say that none takes over."))
    if len(name) > LONGEST_NAME:
        raise _Refused(_("The name of the company is too long."))
    found = session.scalar(select(PropertyCompany).filter_by(name=name))
    if found is None and "is_new" not in request.form:
        raise _Refused(_("The register has no company of this name. Please check it, or tick that it is new."))
    if found is None:
        stored = [(known,) for known in session.scalars(select(PropertyCompany.name))]
        for twin in twins_of_names({(name,): 0}, stored):
            raise _Refused(twin.text(fault_translator()))
        found = PropertyCompany(name=name, sort_key=sort_key(name))
        session.add(found)
        session.flush()
    return found


def _page(community_id: int, *, refusal: str = "") -> str:
    with site().database.reading() as session:
        community = own_community(session, community_id)
        today = local_today(session, now=current_time())
        companies = session.scalars(select(PropertyCompany.name).order_by(PropertyCompany.sort_key)).all()
        return render_template(
            "staff/contracts.html",
            community=community,
            contracts=list(reversed(contracts_of(session, community.id))),
            in_charge=company_in_charge(session, community, today),
            today=today,
            companies=companies,
            form=request.form,
            longest_name=LONGEST_NAME,
            refusal=refusal,
        )
