"""Views that print paper questionnaires: of one community, of a district, or with a new slip's code on each."""

from itertools import chain

from flask import Response, request

from survey_app.accounts.guard import own_community, wanted_scope
from survey_app.accounts.policies import PRINTING, policy
from survey_app.accounts.scope import Scope
from survey_app.accounts.staff_pages import blueprint
from survey_app.clock import current_time
from survey_app.codes.printing_views import (
    download_of_files,
    download_of_slips,
    round_to_print,
    substitution_notes,
    wanted_slips,
)
from survey_app.models.vocabulary import Area
from survey_app.printing.typefaces import installed_typefaces
from survey_app.printing.zip_stream import zip_files
from survey_app.responses.paper.print_runs import (
    blank_forms_to_print,
    count_files,
    files_of_forms,
    missing_on_forms,
    print_blank_forms,
    survey_on_paper,
)
from survey_app.responses.paper.sheets import paper_pdf
from survey_app.web.context import site
from survey_app.web.languages import current_language
from survey_app.web.text_size import PARAMETER


@blueprint.get("/staff/communities/<int:community_id>/questionnaire.pdf")
@policy(PRINTING)
def blank_questionnaire(community_id: int) -> Response:
    """Show the blank questionnaire of one community."""
    typefaces, now, public_url = installed_typefaces(), current_time(), site().config.url_to_print
    with site().database.reading() as session:
        community = own_community(session, community_id)
        survey_round = round_to_print(session, now=now)
        [form] = blank_forms_to_print(
            session, survey_round=survey_round, scope=Scope(Area.COMMUNITY, (community.id,)), now=now
        )
        survey = survey_on_paper(survey_round, public_url=public_url)
    pdf = paper_pdf(
        survey,
        form.whose,
        is_large=_is_large_print_wanted(),
        language=current_language(),
        typefaces=typefaces,
        now=now,
    )
    return Response(pdf, mimetype="application/pdf")


@blueprint.get("/staff/printing/questionnaires.zip")
@policy(PRINTING)
def questionnaires_zip() -> Response:
    """Download a blank questionnaire for each community while they are made."""
    typefaces, now, language = installed_typefaces(), current_time(), current_language()
    with site().database.reading() as session:
        survey_round = round_to_print(session, now=now)
        forms = blank_forms_to_print(session, survey_round=survey_round, scope=wanted_scope(session), now=now)
        survey = survey_on_paper(survey_round, public_url=site().config.url_to_print)
    places = [form.whose for form in forms]
    notes = substitution_notes(missing_on_forms(places, survey, language=language, typefaces=typefaces))
    files = print_blank_forms(
        forms, survey, is_large=_is_large_print_wanted(), language=language, typefaces=typefaces, now=now
    )
    pieces = zip_files(chain(notes, files), now=now)
    return download_of_files(pieces, "questionnaires.zip", files=len(notes) + len(forms))


@blueprint.post("/staff/printing/questionnaires-with-codes.zip")
@policy(PRINTING)
def coded_questionnaires_zip() -> Response:
    """Issue slips and download a questionnaire with the code of each: they can be printed only now."""
    typefaces, now, language = installed_typefaces(), current_time(), current_language()
    with site().database.reading() as session:
        survey_round = round_to_print(session, now=now)
        orders = wanted_slips(session, survey_round)
        survey = survey_on_paper(survey_round, public_url=site().config.url_to_print)
    places = [order.whose for order in orders]
    notes = substitution_notes(missing_on_forms(places, survey, language=language, typefaces=typefaces))
    return download_of_slips(
        orders,
        "questionnaires-with-codes.zip",
        files_of=files_of_forms(
            survey, is_large=_is_large_print_wanted(), language=language, typefaces=typefaces, now=now
        ),
        round_id=survey_round.id,
        notes=notes,
        files=count_files(orders),
        now=now,
    )


def _is_large_print_wanted() -> bool:
    return request.values.get(PARAMETER) == "large"
