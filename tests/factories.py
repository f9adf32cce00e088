"""Rows for tests; a test sets only what it is about."""

from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy.orm import Session

from analytics.canonical import sha256_hex
from survey_app.config import DATA
from survey_app.models import Code, Community, District, Questionnaire, Round, RuleFile

NOW = datetime(2026, 9, 15, 4, 0, tzinfo=UTC)
_numbers = count(1)


def make_district(session: Session, **values: object) -> District:
    number = next(_numbers)
    return _add(
        session, District, values, name=f"第{number}区", english_name=f"District {number}", sort_key=f"{number:06}"
    )


def make_community(session: Session, **values: object) -> Community:
    number = next(_numbers)
    if "district" not in values and "district_id" not in values:
        values["district"] = make_district(session)
    return _add(
        session,
        Community,
        values,
        number=f"{number:06}",
        name=f"第{number}小区",
        english_name=f"Community {number}",
        households_delivered=500,
        households_occupied=400,
        households_owners=300,
        sort_key=f"{number:06}",
    )


def make_round(session: Session, **values: object) -> Round:
    """Add a round that is open at `NOW`, with the shipped questionnaire and rules."""
    from survey_app.questionnaires import parse_questionnaire

    if "questionnaire" not in values:
        path = DATA / "questionnaires" / "resident-satisfaction-1.yaml"
        definition = parse_questionnaire(path.read_bytes(), path.name)
        existing = session.query(Questionnaire).filter_by(sha256=definition.sha256).one_or_none()
        values["questionnaire"] = existing or _add(
            session,
            Questionnaire,
            {},
            key=definition.key,
            version=definition.version,
            text=definition.canonical_text,
            sha256=definition.sha256,
            published_at=NOW - timedelta(days=30),
        )
    if "rule_file" not in values:
        content = (DATA / "rules" / "wuhai" / "2021-08-23.yaml").read_bytes()
        existing = session.query(RuleFile).filter_by(sha256=sha256_hex(content)).one_or_none()
        values["rule_file"] = existing or _add(
            session,
            RuleFile,
            {},
            name="wuhai-2021-08-23",
            content=content,
            sha256=sha256_hex(content),
            added_at=NOW - timedelta(days=30),
        )
    number = next(_numbers)
    return _add(
        session,
        Round,
        values,
        name=f"第{number}轮",
        english_name=f"Round {number}",
        opens_at=NOW - timedelta(days=10),
        closes_at=NOW + timedelta(days=10),
    )


def make_poster_code(session: Session, community: Community | None = None, **values: object) -> Code:
    return _add(
        session,
        Code,
        values,
        kind="poster",
        token=f"token{next(_numbers):06}",
        community=community or make_community(session),
        issued_at=NOW - timedelta(days=20),
        revoked_at=None,
    )


def _add(session, table, values, **defaults):
    row = table(**(defaults | values))
    session.add(row)
    session.flush()
    return row
