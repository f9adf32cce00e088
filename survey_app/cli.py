"""The commands: each opens one installation, does one thing, and says what it did.

What takes a second or more to import (openpyxl with numpy and the pinyin dictionary, pandas, Dash) is imported inside
the commands that need it: the others are to answer at once.
"""

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO, TypeVar

import click
from alembic import command
from rich import progress
from sqlalchemy import or_, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from analytics.documents import DocumentError
from analytics.languages import DEFAULT_LANGUAGE, LANGUAGES
from analytics.rules import parse_rules
from survey_app.access import EVERYWHERE, Scope
from survey_app.accounts import add_account, find_account, plain_username, reset_account
from survey_app.audit import OPERATOR, SITE, Head, head, verify_chain
from survey_app.boundaries import boundary_text, parse_boundaries
from survey_app.codes import (
    CodeKind,
    Revocation,
    count_slips,
    issue_poster_code,
    replace_slip,
    revoke_code,
    revoke_slips,
)
from survey_app.config import DEFAULT_THREADS, Config
from survey_app.database import Database
from survey_app.errors import JiayuanError
from survey_app.installation import use_as_real
from survey_app.invitations import invite, open_first_run
from survey_app.life_cycle import STAFF_STEPS, Action, Actor, Reason
from survey_app.logs import write_lines
from survey_app.models import Code, Community, District, PropertyCompany, Questionnaire, Round
from survey_app.numbers import grouped
from survey_app.questionnaires import load_questionnaire
from survey_app.roles import Area, Role
from survey_app.rounds import add_rule_file, create_round, publish_questionnaire
from survey_app.succession import parse_successor, published_versions

# As click does for a wrong option: nothing was stored, and what was given must change.
REFUSED = 2

_Item = TypeVar("_Item")
_Named = TypeVar("_Named", District, PropertyCompany, Round)
_DIRECTORY = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DATE = click.DateTime(["%Y-%m-%d"])
_PORT = click.IntRange(0, 65535)


class _Commands(click.Group):
    """Turns an expected failure into its lines on stderr, one for each fault, and exit status 2."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except (DocumentError, JiayuanError) as error:
            message = str(error)
        except OperationalError as error:
            message = f"the database cannot be used: {error.orig}"
        click.echo(message, err=True)
        raise click.exceptions.Exit(REFUSED)


@click.group(cls=_Commands)
@click.version_option(package_name="jiayuan")
def main() -> None:
    """Resident satisfaction surveys and complaints, from the poster to the standing."""


@main.command()
def migrate() -> None:
    """Bring the database to the revision of this version, and create it if there is none."""
    with (
        Database(Config.from_env().database_url) as database,
        _shown(logging.getLogger("alembic.runtime.migration")),
    ):
        command.upgrade(database.alembic_config(), "head")
    click.echo("the database is at the revision of this version")


@main.command("import-communities")
@click.argument("file", type=_FILE)
def import_communities_command(file: Path) -> None:
    """Add or update communities from a CSV or XLSX file."""
    from survey_app.places import import_communities, read_communities, record_import  # noqa: PLC0415

    table = read_communities(file)
    with _database() as database, database.writing() as session:
        use_as_real(session, now=_now())
        result = import_communities(session, table=table)
        record_import(session, result=result, by=OPERATOR, now=_now())
    click.echo(
        f"{result.added} added, {result.changed} changed, {result.unchanged} unchanged; "
        f"{result.absent} stored communities are not in the file and stay as they are"
    )


@main.command("export-communities")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export_communities_command(file: Path) -> None:
    """Write the stored communities to a new CSV file, to be corrected and imported again."""
    from survey_app.places import stored_communities, write_communities  # noqa: PLC0415

    with _database() as database, database.reading() as session:
        table = stored_communities(session)
    try:
        with file.open("xb") as stream:
            stream.write(write_communities(table))
    except OSError as error:
        raise click.BadParameter(f"cannot write {file}: {error.strerror}", param_hint="FILE") from error
    click.echo(f"{len(table.rows)} communities written to {file}")


@main.group()
def questionnaire() -> None:
    """Check and publish questionnaires."""


@questionnaire.command("check")
@click.argument("file", type=_FILE)
@click.option("--earlier", type=_FILE, multiple=True, help="An earlier version, whose codes must keep their meaning.")
def check_questionnaire(file: Path, earlier: Sequence[Path]) -> None:
    """Report every fault of a questionnaire file."""
    versions = [load_questionnaire(path) for path in earlier]
    definition = parse_successor(file.read_bytes(), str(file), versions) if versions else load_questionnaire(file)
    click.echo(
        f"{definition.key} version {definition.version}: {len(definition.questions)} questions, no faults, "
        f"sha256 {definition.sha256}"
    )


@questionnaire.command("preview")
@click.argument("file", type=_FILE)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="Where the page goes; beside FILE if not said."
)
def preview(file: Path, output: Path | None) -> None:
    """Show a questionnaire file as residents will see it, in an HTML page with both languages."""
    from survey_app.previews import preview_page  # noqa: PLC0415

    output = output or file.with_suffix(".html")
    output.write_text(preview_page(load_questionnaire(file)), encoding="utf-8")
    click.echo(f"{output}: open it in a browser")


@questionnaire.command("publish")
@click.argument("file", type=_FILE)
def publish(file: Path) -> None:
    """Freeze a questionnaire, so that rounds can ask it."""
    definition = load_questionnaire(file)
    with _database() as database, database.writing() as session:
        use_as_real(session, now=_now())
        # The file once more, for faults with their lines.
        parse_successor(file.read_bytes(), str(file), published_versions(session, key=definition.key))
        published = publish_questionnaire(session, definition=definition, now=_now())
        click.echo(f"published {published.key}:{published.version}, sha256 {published.sha256}")


@main.group()
def rules() -> None:
    """Check rule files."""


@rules.command("check")
@click.argument("file", type=_FILE)
def check_rules(file: Path) -> None:
    """Report every fault of a rule file."""
    content = file.read_bytes()
    parsed = parse_rules(content, str(file))
    click.echo(f"{parsed.name}: no faults")


@main.group()
def rounds() -> None:
    """Plan rounds."""


@rounds.command("create")
@click.option("--name", required=True, help="As residents read it, in Chinese.")
@click.option("--english-name", help="As it is read in English.")
@click.option("--opens", type=_DATE, required=True, help="The first day, from midnight.")
@click.option("--last-day", type=_DATE, required=True, help="The last day, until midnight.")
@click.option("--questionnaire", "questionnaire_name", required=True, metavar="KEY:VERSION", help="A published one.")
@click.option("--rules", "rules_file", type=_FILE, required=True, help="The rule file by which the round is judged.")
@click.option(
    "--accepts",
    type=click.Choice([kind.value for kind in CodeKind]),
    multiple=True,
    default=[CodeKind.POSTER.value],
    show_default=True,
    help="Through which codes; give it twice for both.",
)
@click.option("--evaluator", help="Who counts on the bureau's behalf, for the privacy notice; none: left out.")
@click.option("--evaluator-english-name")
@click.option("--keep-until", type=_DATE, help="When the answers are deleted, for the privacy notice; none: left out.")
def create(
    *,
    name: str,
    english_name: str | None,
    opens: datetime,
    last_day: datetime,
    questionnaire_name: str,
    rules_file: Path,
    accepts: Sequence[str],
    evaluator: str | None,
    evaluator_english_name: str | None,
    keep_until: datetime | None,
) -> None:
    """Create a round; its dates are those of the rule file's time zone."""
    with _database() as database, database.writing() as session:
        use_as_real(session, now=_now())
        key, _, version = questionnaire_name.partition(":")
        published = session.scalar(
            select(Questionnaire).filter_by(key=key, version=int(version) if version.isdecimal() else -1)
        )
        if published is None:
            raise click.BadParameter(f"{questionnaire_name} is not published", param_hint="--questionnaire")
        rule_file = add_rule_file(session, content=rules_file.read_bytes(), source=str(rules_file), now=_now())
        created = create_round(
            session,
            name=name,
            english_name=english_name,
            opens_on=opens.date(),
            closes_on=last_day.date() + timedelta(days=1),
            questionnaire=published,
            rule_file=rule_file,
            now=_now(),
            accepts=[CodeKind(kind) for kind in accepts],
            evaluator=evaluator,
            evaluator_english_name=evaluator_english_name,
            responses_kept_until=keep_until.date() if keep_until else None,
        )
        click.echo(f"{created.name} takes answers from {created.opens_at} until just before {created.closes_at}")


@main.group()
def districts() -> None:
    """Say what residents should know of a district."""


@districts.command("telephone")
@click.argument("name")
@click.argument("number")
def set_telephone(name: str, number: str) -> None:
    """Set the telephone of a district's housing bureau, which residents read on the first screen."""
    with _database() as database, database.writing() as session:
        use_as_real(session, now=_now())
        _named(session, District, name, parameter="NAME").telephone = number
    click.echo(f"residents of {name} are told to call {number}")


@districts.command("boundaries")
@click.argument("file", type=click.Path(path_type=Path))
def import_boundaries(file: Path) -> None:
    """Take the outlines of districts from FILE, GeoJSON whose features have the district's name as `name`."""
    with _database() as database, database.writing() as session:
        use_as_real(session, now=_now())
        stored = {district.name: district for district in session.scalars(select(District))}
        found = parse_boundaries(file.read_bytes(), str(file), districts=stored.keys())
        for name, polygons in found.items():
            stored[name].boundary = boundary_text(polygons)
    click.echo(f"stored the boundaries of {len(found)} districts")


@districts.command("second-language")
@click.argument("name")
@click.argument("line")
def set_second_language_line(name: str, line: str) -> None:
    """Set the line in a second language, such as Mongolian, on a district's posters; "" takes it off.

    A community with a line of its own, from the list of communities, keeps that.
    """
    with _database() as database, database.writing() as session:
        use_as_real(session, now=_now())
        _named(session, District, name, parameter="NAME").second_language_line = line.strip() or None
    click.echo(f"posters of {name} say {line.strip()}" if line.strip() else f"posters of {name} have no second line")


@main.group()
def codes() -> None:
    """Issue codes for posters."""


@codes.command("issue")
def issue() -> None:
    """Issue a poster code for each community that has none."""
    with _database() as database, database.writing() as session:
        use_as_real(session, now=_now())
        is_usable = (Code.kind == CodeKind.POSTER) & Code.revoked_at.is_(None)
        has_code = select(Code.id).where(Code.community_id == Community.id, is_usable).exists()
        without = session.scalars(select(Community).where(~has_code).order_by(Community.number)).all()
        for community in without:
            issue_poster_code(session, community=community, now=_now())
    click.echo(f"issued {len(without)} codes")


@codes.command("revoke")
@click.argument("token")
def revoke(token: str) -> None:
    """Take no more answers through a poster code, such as that of a poster that was tampered with."""
    with _database() as database, database.writing() as session:
        code = session.scalar(select(Code).filter_by(token=token))
        if code is None:
            raise click.BadParameter(f"there is no code {token}", param_hint="TOKEN")
        revoke_code(session, code=code, now=_now())
    click.echo(f"revoked {token}")


@codes.command("count-slips")
@click.argument("round_name", metavar="ROUND")
def count_slips_command(round_name: str) -> None:
    """Say what became of the household slips of a round, by its name, in each community.

    Nobody notes which flat got which slip, so a lost one goes on being good: as many households as there are reprints
    can have answered twice, and no more.
    """
    with _database() as database, database.reading() as session:
        counts = count_slips(session, survey_round=_named(session, Round, round_name, parameter="ROUND"))
        numbers = {row.id: row.number for row in session.execute(select(Community.id, Community.number))}
    for community_id, count in counts.items():
        click.echo(
            f"{numbers[community_id]}: {count.issued} issued ({count.reprints} of them reprints), "
            f"{count.spoiled} spoiled, {count.returned} returned, {count.lost} replaced, "
            f"{count.outstanding} outstanding"
        )


@codes.command("revoke-slips")
@click.argument("community_number", metavar="COMMUNITY")
@click.option("--because", type=click.Choice([reason.value for reason in Revocation]), required=True)
@click.argument("file", type=click.File("r", encoding="utf-8"), default="-")
def revoke_slips_command(community_number: str, because: str, file: TextIO) -> None:
    """Take no more answers through slips of a community that came back: their digits, typed or scanned, one a line."""
    typed = [line for line in map(str.strip, file) if line]
    secret_key = Config.from_env().secret_key
    with _database() as database, database.writing() as session:
        community = _numbered(session, community_number)
        refused = revoke_slips(
            session,
            community=community,
            typed=typed,
            because=Revocation(because),
            secret_key=secret_key,
            now=_now(),
        )
    click.echo(f"revoked {len(typed) - len(refused)} slips of {community_number}")
    if refused:
        raise click.ClickException("no slip of it in use: " + ", ".join(refused))


@codes.command("replace-slip")
@click.argument("digits")
def replace_slip_command(digits: str) -> None:
    """Revoke a lost slip whose digits are known, and say the digits of another one for the same household."""
    with _database() as database, database.writing() as session:
        sheet = replace_slip(session, typed=digits, secret_key=Config.from_env().secret_key, now=_now())
    click.echo(f"type instead: {grouped(sheet.slips[0].digits)}")


@main.command()
@click.argument("directory", type=_DIRECTORY)
@click.option("--district", "district_name", help="Only of one district: its name, Chinese or English.")
@click.option("--language", type=click.Choice(LANGUAGES), default=DEFAULT_LANGUAGE, show_default=True)
def posters(directory: Path, district_name: str | None, language: str) -> None:
    """Make a poster for each poster code, one PDF each, in a folder for each district."""
    from survey_app.posters import printing, typefaces  # noqa: PLC0415

    config, installed = Config.from_env(), typefaces.installed_typefaces()
    with _database() as database, database.reading() as session:
        scope = _scope(session, district_name)
        wanted = printing.posters_to_print(session, scope=scope, public_url=config.public_url, now=_now())
    printing.require_poster_characters(wanted, language=language, typefaces=installed)
    files = printing.print_posters(_track(wanted, "posters"), language=language, typefaces=installed, now=_now())
    click.echo(f"{_write_new(directory, files)} posters written to {directory}")


@main.command()
@click.argument("round_name", metavar="ROUND")
@click.argument("directory", type=_DIRECTORY)
@click.option("--district", "district_name", help="Only of one district: its name, Chinese or English.")
@click.option("--community", "community_number", help="Only of one community: its number.")
@click.option("--count", type=click.IntRange(1), help="With --community: how many, instead of one for each household.")
@click.option("--reprint", is_flag=True, help="For households whose slips are lost.")
@click.option("--language", type=click.Choice(LANGUAGES), default=DEFAULT_LANGUAGE, show_default=True)
def slips(
    *,
    round_name: str,
    directory: Path,
    district_name: str | None,
    community_number: str | None,
    count: int | None,
    reprint: bool,
    language: str,
) -> None:
    """Issue household slips of a round, by its name, and write them as sheets to cut apart.

    The files are all there is of the slips: hand the paper to the neighbourhood offices and delete the files.
    """
    from survey_app.posters import printing, typefaces  # noqa: PLC0415

    if count is not None and community_number is None:
        raise click.UsageError("--count goes with --community")
    config, installed = Config.from_env(), typefaces.installed_typefaces()
    with _database() as database:
        with database.writing() as session:
            use_as_real(session, now=_now())
            survey_round = _named(session, Round, round_name, parameter="ROUND")
            scope = _scope(session, district_name, community_number)
            counts = {_numbered(session, community_number).id: count} if community_number and count else None
            orders = printing.slips_to_issue(session, survey_round=survey_round, scope=scope, counts=counts)
        files = printing.print_slips(
            database,
            orders,
            round_id=survey_round.id,
            public_url=config.public_url,
            secret_key=config.secret_key,
            language=language,
            typefaces=installed,
            now=_now(),
            is_reprint=reprint,
        )
        # What cannot be written is spoiled when the printing is closed.
        with closing(files):
            volumes = sum(order.volumes for order in orders)
            written = _write_new(directory, progress.track(files, "slips", total=volumes))
    click.echo(f"{sum(order.count for order in orders)} slips in {written} files written to {directory}")


@main.group()
def accounts() -> None:
    """Manage staff accounts."""


@accounts.command("add")
@click.argument("username")
@click.option("--role", type=click.Choice([str(role) for role in Role]), required=True)
@click.option("--district", "district_name", help="For the roles district and clerk: its name, Chinese or English.")
@click.option("--company", "company_name", help="For the role company: its name, Chinese or English.")
@click.option("--community", "community_number", help="For a clerk of one community: its number.")
@click.password_option(help="Asked for when left out, which keeps it out of the shell's history.")
def add(
    *,
    username: str,
    role: str,
    district_name: str | None,
    company_name: str | None,
    community_number: str | None,
    password: str,
) -> None:
    """Add an account for a member of staff."""
    with _database() as database, database.writing() as session:
        use_as_real(session, now=_now())
        district = _named(session, District, district_name, parameter="--district") if district_name else None
        company = _named(session, PropertyCompany, company_name, parameter="--company") if company_name else None
        community = _numbered(session, community_number) if community_number else None
        added = add_account(
            session,
            username=username,
            password=password,
            role=role,
            district=district,
            company=company,
            community=community,
            by=OPERATOR,
            now=_now(),
        )
        click.echo(f"added {added.username}, role {added.role}")


@accounts.command("reset")
@click.argument("username")
def reset(username: str) -> None:
    """Take password and authenticator away and print the link for new ones: for an administrator who is locked out."""
    config = Config.from_env()
    with _database() as database, database.writing() as session:
        account = find_account(session, username=plain_username(username))
        if account is None:
            raise click.BadParameter(f"there is no account {username}", param_hint="USERNAME")
        reset_account(session, account=account, by=OPERATOR, now=_now())
        token = invite(account, secret_key=config.secret_key, now=_now())
    click.echo(f"{config.public_url}/invitation/{token}")


@main.group()
def audit() -> None:
    """Check that the record of what was done is whole."""


@audit.command("head")
def audit_head() -> None:
    """Print the last link of the audit chain, to be kept on another machine."""
    with _database() as database, database.reading() as session:
        click.echo(str(head(session)))


@audit.command("verify")
@click.option("--head", "kept", metavar="POSITION:HASH", help="As `jiayuan audit head` printed it earlier.")
def audit_verify(kept: str | None) -> None:
    """Say whether an event was changed, removed or moved; with a kept head, also whether the end was cut off."""
    try:
        expected = Head.parse(kept) if kept else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--head") from error
    with _database() as database, database.reading() as session:
        faults = [f"event {position}: {fault}" for position, fault in verify_chain(session, kept=expected)]
        found = head(session)
    if faults:
        raise click.ClickException("\n".join(["the audit chain is not whole", *faults]))
    click.echo(f"the audit chain is whole up to event {found.position}")


@main.group()
def complaints() -> None:
    """Move complaints along, and let time do its part."""


@complaints.command("move")
@click.argument("reference")
@click.argument("step", type=click.Choice([step.value for step in STAFF_STEPS]))
@click.option("--as", "actor", type=click.Choice(["bureau", "company"]), default="bureau", show_default=True)
@click.option("--text", default="", help="What the resident is told with it.")
@click.option("--reason", type=click.Choice([reason.value for reason in Reason]), help="Why a case ends without work.")
@click.option("--original", metavar="REFERENCE", help="For merge: the case that this one repeats.")
def move(*, reference: str, step: str, actor: str, text: str, reason: str | None, original: str | None) -> None:
    """Take one step of a case, such as accept, dispatch, start or respond, if the rules allow it."""
    from survey_app.casework import take_step  # noqa: PLC0415

    with _database() as database, database.writing() as session:
        after = take_step(
            session,
            reference=reference,
            action=Action(step),
            actor=Actor(actor),
            by=OPERATOR,
            reason=Reason(reason) if reason else None,
            original=original,
            text=text,
            now=_now(),
        )
    click.echo(f"{reference} is now {after.status}, stage {after.stage}")


@complaints.command("settle")
def settle() -> None:
    """Let time do its part at once: close, end pauses, send on what is late, erase contacts and unsent photos."""
    from survey_app.chores import settle_complaints  # noqa: PLC0415

    with _database() as database:
        settled = settle_complaints(database, _now())
    click.echo(
        f"settled {settled.cases} open cases, erased {settled.contacts} contacts and {settled.photos} unsent photos"
    )


@complaints.command("check")
def check_complaints() -> None:
    """Say whether every stored status is what the events of its case amount to."""
    from survey_app.casework import disagreeing_references  # noqa: PLC0415

    with _database() as database, database.reading() as session:
        disagreeing = list(disagreeing_references(session))
    if disagreeing:
        raise click.ClickException("\n".join(["the events of these cases amount to something else", *disagreeing]))
    click.echo("every status follows from the events of its case")


@complaints.command("reissue-secret")
@click.argument("reference")
def reissue(reference: str) -> None:
    """Give a case a new secret, for a resident who lost it and whose identity was checked; the old one is void."""
    from survey_app.case_secrets import reissue_secret  # noqa: PLC0415

    secret_key = Config.from_env().secret_key
    with _database() as database, database.writing() as session:
        secret = reissue_secret(session, reference=reference, by=OPERATOR, secret_key=secret_key, now=_now())
    click.echo(grouped(secret))


@main.command()
@click.option("--seed", type=click.IntRange(0), required=True, help="The same seed gives the same city.")
@click.option("--communities", type=click.IntRange(3), help="How many; the standard city has 440.")
def simulate(seed: int, communities: int | None) -> None:
    """Fill an empty database with a simulated city; the database stays a demonstration for good."""
    from survey_app.simulation import city, run  # noqa: PLC0415

    count = communities or city.COMMUNITIES
    if count > city.MOST_COMMUNITIES:
        raise click.BadParameter(f"there are names for {city.MOST_COMMUNITIES}", param_hint="--communities")
    secret_key = Config.from_env().secret_key
    with _database() as database:
        result = run.simulate(database, secret_key=secret_key, seed=seed, communities=count, now=_now(), track=_track)
    click.echo(f"{result.communities} communities, {result.responses} responses, {result.complaints} complaints")


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 lets phones on the network in.")
@click.option("--port", type=_PORT, default=8000, show_default=True)
@click.option("--public-url", help="The address that a phone would use; the default is made of host and port.")
@click.option("--codes", is_flag=True, help="Print the sign-in codes of this minute, and serve nothing.")
def demo(*, host: str, port: int, public_url: str | None, codes: bool) -> None:
    """Serve a simulated city; the first start builds it."""
    from survey_app.demo import current_codes, demo_config, prepare_demo  # noqa: PLC0415
    from survey_app.serving import serve  # noqa: PLC0415

    if codes:
        for username, code in current_codes(demo_config(Config.from_env()), now=_now()).items():
            click.echo(f"  {username:14} {code}")
        return
    config = demo_config(Config.from_env()).with_public_url(public_url or f"http://{host}:{port}")
    prepared = prepare_demo(config, now=_now(), track=_track)

    def announce() -> None:
        click.echo(f"\n演示 demonstration: {config.public_url}/")
        if prepared.open_round is None:
            click.echo(f"its last round is over: delete {config.instance} and start again for a fresh one")
        click.echo(f"poster of {prepared.community}: {config.public_url}/s/{prepared.token}")
        click.echo(f"staff: {config.public_url}/sign-in · dashboards: {config.public_url}/dashboards/")
        click.echo("the second step asks for a code: `./run demo --codes` prints those of the minute")
        for username, account in prepared.accounts.items():
            click.echo(f"  {username:14} {account.password}   {account.authenticator}")

    serve(config, host=host, port=port, threads=DEFAULT_THREADS, announce=announce)


@main.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=_PORT, default=8000, show_default=True)
@click.option("--threads", type=click.IntRange(2, 64), default=DEFAULT_THREADS, show_default=True)
@click.option("--public-url", help="The address in QR codes; the default is JIAYUAN_PUBLIC_URL.")
@click.option("--work/--no-work", "does_chores", default=True, help="Whether to do the recurring work too.")
def serve_command(*, host: str, port: int, threads: int, public_url: str | None, does_chores: bool) -> None:
    """Serve the site, and do the recurring work in a process beside it."""
    from survey_app.serving import is_unreachable_for_phones, serve  # noqa: PLC0415

    config = Config.from_env()
    if public_url:
        config = config.with_public_url(public_url)
    if is_unreachable_for_phones(config.public_url):
        click.echo(f"no phone can reach {config.public_url}: set --public-url before posters are printed", err=True)

    def announce() -> None:
        click.echo(f"serving {config.public_url}")
        with Database(config.database_url) as database, database.reading() as session:
            link = open_first_run(session, secret_key=config.secret_key, now=_now())
        if link is not None:
            click.echo(f"there is no account yet: make the first one at {config.public_url}/first-run/{link}")

    serve(config, host=host, port=port, threads=threads, announce=announce, does_chores=does_chores)


@main.command()
@click.option("--once", is_flag=True, help="Do what is due and end, as for cron.")
@click.option("--attached", is_flag=True, hidden=True, help="End when standard input does.")
def work(*, once: bool, attached: bool) -> None:
    """Do the recurring work whenever it is due: settle complaints, erase what was kept long enough, examine answers.

    `jiayuan serve` does it by itself. However many do, it is done once.
    """
    from survey_app.chores import do_due_chores, keep_doing_chores  # noqa: PLC0415
    from survey_app.supervision import wait_and_go_on, wait_unless_left_alone  # noqa: PLC0415

    write_lines()
    os.nice(10)  # phones go first
    with _database() as database:
        if once:
            click.echo(f"done: {', '.join(do_due_chores(database, now=_now())) or 'nothing was due'}")
        else:
            keep_doing_chores(database, clock=_now, wait=wait_unless_left_alone if attached else wait_and_go_on)


@main.command("examine")
@click.argument("round_name", metavar="ROUND")
def examine(round_name: str) -> None:
    """Look for signs of false answers in a round, by its name, and hold what they point at for review."""
    from survey_app.reviews import examine_round  # noqa: PLC0415

    with _database() as database:
        with database.writing() as session:
            use_as_real(session, now=_now())
            round_id = _named(session, Round, round_name, parameter="ROUND").id
        held = examine_round(database, round_id=round_id, now=_now())
    click.echo(f"{held} responses of {round_name} are newly held for review")


@main.command()
def retention() -> None:
    """Erase at once what was kept long enough: network addresses, links to households, answers of past rounds."""
    from survey_app.retention import keep_no_longer  # noqa: PLC0415

    with _database() as database, database.writing() as session:
        erased = keep_no_longer(session, by=SITE, now=_now())
    click.echo(
        f"erased {erased.terminals} network addresses, {erased.household_links} links to households "
        f"and the answers of {erased.responses} responses"
    )


@main.command()
@click.argument("round_name", metavar="ROUND")
@click.option("--provisional", is_flag=True, help="Before the round has closed, for pages that say so.")
def evaluate(*, round_name: str, provisional: bool) -> None:
    """Evaluate a round, by its name, and store the result for good."""
    from survey_app.evaluation import evaluate_round  # noqa: PLC0415

    with _database() as database:
        with database.reading() as session:
            round_id = session.scalar(select(Round.id).filter_by(name=round_name))
        if round_id is None:
            raise click.BadParameter(f"there is no round {round_name}", param_hint="ROUND")
        evaluation = evaluate_round(database, round_id=round_id, now=_now(), provisional=provisional)
    click.echo(f"evaluation {evaluation.id} of {round_name}: {evaluation.responses} answers counted")
    click.echo(f"sha256 of the standings {evaluation.standings_sha256}")


@main.command()
@click.argument("evaluation_id", metavar="EVALUATION", type=int)
def verify(evaluation_id: int) -> None:
    """Compute a stored evaluation again from its inputs and rules, and say whether the same comes out."""
    from survey_app.evaluation import verify_evaluation  # noqa: PLC0415

    with _database() as database, database.reading() as session:
        try:
            is_same = verify_evaluation(session, evaluation_id)
        except LookupError as error:
            raise click.BadParameter(str(error), param_hint="EVALUATION") from error
    if not is_same:
        raise click.ClickException(f"evaluation {evaluation_id} does not follow from its stored inputs and rules")
    click.echo(f"evaluation {evaluation_id} follows from its stored inputs and rules")


def _now() -> datetime:
    return datetime.now(UTC)


def _named(session: Session, table: type[_Named], name: str, *, parameter: str) -> _Named:
    found = session.scalar(select(table).where(or_(table.name == name, table.english_name == name)))
    if found is None:
        kind = table.__tablename__.replace("_", " ")
        raise click.BadParameter(f"there is no {kind} {name}", param_hint=parameter)
    return found


def _numbered(session: Session, number: str) -> Community:
    found = session.scalar(select(Community).filter_by(number=number))
    if found is None:
        raise click.BadParameter(f"there is no community {number}", param_hint="--community")
    return found


def _scope(session: Session, district_name: str | None, community_number: str | None = None) -> Scope:
    """Return the part of the city that a command was asked for."""
    if community_number is not None:
        return Scope(Area.COMMUNITY, _numbered(session, community_number).id)
    if district_name is not None:
        return Scope(Area.DISTRICT, _named(session, District, district_name, parameter="--district").id)
    return EVERYWHERE


def _write_new(directory: Path, files: Iterable[tuple[str, bytes]]) -> int:
    """Write files into new places below a directory, never over one that is there; return how many."""
    written = 0
    for name, content in files:
        path = directory / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as stream:
                stream.write(content)
        except OSError as error:
            raise click.BadParameter(f"cannot write {path}: {error.strerror}", param_hint="DIRECTORY") from error
        written += 1
    return written


@contextmanager
def _database() -> Iterator[Database]:
    with Database(Config.from_env().database_url) as database:
        database.require_current()
        yield database


@contextmanager
def _shown(logger: logging.Logger) -> Iterator[None]:
    """Print what `logger` says."""
    handler = logging.Handler()
    handler.emit = lambda record: click.echo(record.getMessage())  # type: ignore[method-assign]
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def _track(sequence: Sequence[_Item], /, description: str) -> Iterable[_Item]:
    return progress.track(sequence, description=description)
