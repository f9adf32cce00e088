"""Views that print posters and household slips by district."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from http import HTTPStatus
from itertools import chain

from flask import Response, abort, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_app.accounts.guard import signed_in, wanted_scope
from survey_app.accounts.place_choice import offered_places
from survey_app.accounts.policies import PRINTING, policy
from survey_app.accounts.scope import Scope
from survey_app.accounts.staff_pages import blueprint
from survey_app.city_time import last_day, zone_of
from survey_app.clock import current_time
from survey_app.codes.codes import MOST_SLIPS
from survey_app.codes.poster_prints import record_posters
from survey_app.codes.posters import poster_pdf
from survey_app.codes.print_runs import (
    FilesOfSheet,
    MissingCharacters,
    SlipOrder,
    count_printable,
    current_round,
    files_of_sheets,
    missing_on_posters,
    missing_on_slips,
    posters_to_print,
    print_posters,
    print_slips,
    slips_to_issue,
)
from survey_app.models import Community, Round
from survey_app.models.vocabulary import Area
from survey_app.printing.typefaces import installed_typefaces
from survey_app.printing.zip_stream import zip_files
from survey_app.web.context import site
from survey_app.web.downloads import file_response
from survey_app.web.languages import current_language
from survey_app.web.typed_numbers import read_whole_number

# How many files a download will hold, so that the page can show how far it is.
FILES_HEADER = "X-Files"


@blueprint.get("/staff/printing")
@policy(PRINTING)
def printing() -> str:
    """Show which posters and slips the account can print."""
    now = current_time()
    with site().database.reading() as session:
        survey_round = current_round(session, now=now)
        return render_template(
            "staff/printing.html",
            places=offered_places(session, signed_in().scope),
            chosen=request.args,
            counts=count_printable(session, scope=signed_in().scope),
            survey_round=survey_round,
            most_slips=MOST_SLIPS,
            last_day=survey_round and last_day(survey_round.closes_at, zone_of(survey_round.rule_file.content)),
        )


@blueprint.get("/staff/posters/<token>.pdf")
@policy(PRINTING)
def poster(token: str) -> Response:
    """Download one poster."""
    typefaces, now = installed_typefaces(), current_time()
    with site().database.reading() as session:
        posters = posters_to_print(session, scope=signed_in().scope, public_url=site().config.url_to_print, now=now)
    found = [named for named in posters if named.poster.typed_code == token]
    if not found:
        abort(HTTPStatus.NOT_FOUND)
    _record(Scope(Area.COMMUNITY, (found[0].community_id,)), count=1, now=now)
    pdf = poster_pdf(found[0].poster, language=current_language(), typefaces=typefaces, now=now)
    return Response(pdf, mimetype="application/pdf")


@blueprint.get("/staff/printing/posters.zip")
@policy(PRINTING)
def posters_zip() -> Response:
    """Download the posters of a district or of the city while they are made."""
    typefaces, now, language = installed_typefaces(), current_time(), current_language()
    with site().database.reading() as session:
        scope = wanted_scope(session)
        posters = posters_to_print(session, scope=scope, public_url=site().config.url_to_print, now=now)
    _record(scope, count=len(posters), now=now)
    notes = substitution_notes(missing_on_posters(posters, language=language, typefaces=typefaces))
    files = print_posters(posters, language=language, typefaces=typefaces, now=now)
    return download_of_files(zip_files(chain(notes, files), now=now), "posters.zip", files=len(notes) + len(posters))


@blueprint.post("/staff/printing/slips.zip")
@policy(PRINTING)
def slips_zip() -> Response:
    """Issue household slips and download them while they are made: they can be printed only now."""
    typefaces, now, language = installed_typefaces(), current_time(), current_language()
    with site().database.reading() as session:
        survey_round = round_to_print(session, now=now)
        orders = wanted_slips(session, survey_round)
    public_url = site().config.url_to_print
    notes = substitution_notes(missing_on_slips(orders, public_url=public_url, language=language, typefaces=typefaces))
    return download_of_slips(
        orders,
        "slips.zip",
        files_of=files_of_sheets(public_url=public_url, language=language, typefaces=typefaces, now=now),
        round_id=survey_round.id,
        notes=notes,
        files=sum(order.volumes for order in orders),
        now=now,
    )


def round_to_print(session: Session, *, now: datetime) -> Round:
    """Return the round that is open or comes next; 404 where there is none."""
    survey_round = current_round(session, now=now)
    return survey_round if survey_round is not None else abort(HTTPStatus.NOT_FOUND)


def wanted_slips(session: Session, survey_round: Round) -> list[SlipOrder]:
    """Return the slips that the form asks for, in the place that it names."""
    scope = wanted_scope(session)
    counts = _wanted_counts(session, scope)
    return slips_to_issue(session, survey_round=survey_round, scope=scope, counts=counts)


def download_of_slips(
    orders: Sequence[SlipOrder],
    filename: str,
    *,
    files_of: FilesOfSheet,
    round_id: int,
    notes: Sequence[tuple[str, bytes]],
    files: int,
    now: datetime,
) -> Response:
    """Issue slips and return an archive of their files, which are made while it is downloaded."""
    printed = print_slips(
        site().database,
        orders,
        files_of=files_of,
        round_id=round_id,
        secret_key=site().config.secret_key,
        now=now,
        by=signed_in().account_id,
        is_reprint="reprint" in request.form,
    )
    first = next(printed)  # a round that takes no slips is refused before anything is sent
    pieces = zip_files(chain(notes, (first,), printed), now=now)
    return download_of_files(pieces, filename, files=len(notes) + files)


def substitution_notes(missing: Sequence[MissingCharacters]) -> list[tuple[str, bytes]]:
    """Return a file that names what was substituted for whom, where anything was."""
    if not missing:
        return []
    lines = [
        _("No typeface on this server holds these characters, and 〓 is printed instead of them:"),
        *(f"{each.community}: {each.named}" for each in missing),
        _(
            "Check the names of the communities, the line in the second language and the questionnaire. Or ask your "
            "administrator to install a typeface, on Debian with “apt install fonts-noto-core fonts-noto-extra”, and "
            "to start the site again."
        ),
    ]
    return [(_("missing characters.txt"), "\r\n".join(lines).encode("utf-8-sig"))]


def _record(scope: Scope, *, count: int, now: datetime) -> None:
    """Note a print run of posters before the first byte of it is sent."""
    with site().database.writing() as session:
        record_posters(
            session, scope=scope, count=count, public_url=site().config.public_url, by=signed_in().actor, now=now
        )


def _wanted_counts(session: Session, scope: Scope) -> dict[int, int] | None:
    """Return the one community and the number that were asked for; None for one slip per household everywhere."""
    number, count = request.form.get("community", "").strip(), read_whole_number(request.form.get("count"))
    if not number:
        return None
    community = session.scalar(scope.communities(select(Community).where(Community.number == number)))
    if community is None:
        abort(HTTPStatus.NOT_FOUND)
    return {community.id: count or community.households_delivered or 0}


def download_of_files(pieces: Iterable[bytes], filename: str, *, files: int) -> Response:
    """Return an archive that says how many files it will hold."""
    response = file_response(pieces, filename, mimetype="application/zip")
    response.headers[FILES_HEADER] = str(files)
    return response
