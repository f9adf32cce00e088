"""Keep of responses, complaints and profiles what the privacy notice promises, and nothing after that.

Every round gets a last day of keeping. One that stated none gets the day a year after its last day, but at the earliest
ninety days after this upgrade, so that nothing is erased before the office has read of it.

Profiles of communities with few answers are emptied: their breakdown was never shown, and is the answers of single
residents. Of a region with fewer than ten such answers the next smallest communities are emptied too, since the sum of
the region minus all others would give them away.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0040"

YEAR = timedelta(days=365)
NOTICE_PERIOD = timedelta(days=90)
# As in the disclosure rules that have been in force so far.
MINIMUM_BASE = 10

ALWAYS_KEPT = ("submission_key", "commitment", "language", "mode", "started_at", "submitted_at")
SOMETIMES_KEPT = ("answers", "handle", "handle_nonce", "change_digest", "entered_by_id", "corrects_id")
REDUCIBLE = (
    *((name, sa.String()) for name in ("submission_key", "receipt", "commitment", "language", "mode")),
    *((name, sa.DateTime(timezone=True)) for name in ("started_at", "submitted_at")),
)
OLD_CHECKS = {
    "withdrawn_nonce": "(answers IS NULL) = (nonce IS NULL)",
    "handle": "(commitment_algorithm = 1) = (handle IS NULL)",
}
REDUCED = (
    f"CASE WHEN receipt IS NULL THEN {' AND '.join(f'{name} IS NULL' for name in (*ALWAYS_KEPT, *SOMETIMES_KEPT))} "
    "AND superseded_within IS NULL AND erased_at IS NOT NULL "
    f"ELSE {' AND '.join(f'{name} IS NOT NULL' for name in ALWAYS_KEPT)} END"
)
NEW_CHECKS = {
    "withdrawn_nonce": "answers IS NOT NULL OR nonce IS NULL AND openings IS NULL",
    "openings": "nonce IS NULL OR openings IS NULL",
    "handle": "receipt IS NULL OR (commitment_algorithm = 1) = (handle IS NULL)",
    "reduced": REDUCED,
}
WORDS_ERASED = (
    "CASE WHEN words_erased_at IS NULL THEN submission_key IS NOT NULL AND language IS NOT NULL ELSE text = '' "
    "AND place = '' AND occurred_on IS NULL AND secret_hash IS NULL AND submission_key IS NULL AND language IS NULL END"
)


def upgrade() -> None:
    _state_last_days()
    with op.batch_alter_table("round") as survey_round:
        survey_round.alter_column("responses_kept_until", existing_type=sa.Date(), nullable=False)
        survey_round.add_column(sa.Column("comments_erased_at", sa.DateTime(timezone=True), nullable=True))
        survey_round.add_column(sa.Column("responses_erased_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("response") as response:
        for name in OLD_CHECKS:
            response.drop_constraint(f"ck_response_{name}", type_="check")
        for name, kind in REDUCIBLE:
            response.alter_column(name, existing_type=kind, nullable=True)
        response.add_column(sa.Column("openings", sa.LargeBinary(), nullable=True))
        for name, condition in NEW_CHECKS.items():
            response.create_check_constraint(f"ck_response_{name}", condition)
    with op.batch_alter_table("response_event") as event:
        event.drop_constraint("ck_response_event_kind", type_="check")
        event.create_check_constraint("ck_response_event_kind", "kind IN ('withdrawn', 'corrected', 'erased')")
    with op.batch_alter_table("complaint") as complaint:
        complaint.alter_column("submission_key", existing_type=sa.String(), nullable=True)
        complaint.alter_column("language", existing_type=sa.String(), nullable=True)
        complaint.add_column(sa.Column("words_erased_at", sa.DateTime(timezone=True), nullable=True))
        complaint.create_check_constraint("ck_complaint_words_erased", WORDS_ERASED)
    _empty_profiles()


def downgrade() -> None:
    _refuse_if_any("response WHERE receipt IS NULL OR openings IS NOT NULL", "responses or their texts were erased")
    _refuse_if_any(
        "response WHERE answers IS NOT NULL AND nonce IS NULL", "texts of responses from before the handles were erased"
    )
    _refuse_if_any(
        "round WHERE comments_erased_at IS NOT NULL OR responses_erased_at IS NOT NULL",
        "it is noted of rounds when their texts or responses were erased",
    )
    _refuse_if_any("response_event WHERE kind = 'erased'", "answers were erased after the close of their round")
    _refuse_if_any("complaint WHERE words_erased_at IS NOT NULL", "the words of complaints were erased")
    with op.batch_alter_table("complaint") as complaint:
        complaint.drop_constraint("ck_complaint_words_erased", type_="check")
        complaint.drop_column("words_erased_at")
        complaint.alter_column("language", existing_type=sa.String(), nullable=False)
        complaint.alter_column("submission_key", existing_type=sa.String(), nullable=False)
    with op.batch_alter_table("response_event") as event:
        event.drop_constraint("ck_response_event_kind", type_="check")
        event.create_check_constraint("ck_response_event_kind", "kind IN ('withdrawn', 'corrected')")
    with op.batch_alter_table("response") as response:
        for name in NEW_CHECKS:
            response.drop_constraint(f"ck_response_{name}", type_="check")
        response.drop_column("openings")
        for name, kind in REDUCIBLE:
            response.alter_column(name, existing_type=kind, nullable=False)
        for name, condition in OLD_CHECKS.items():
            response.create_check_constraint(f"ck_response_{name}", condition)
    with op.batch_alter_table("round") as survey_round:
        survey_round.drop_column("responses_erased_at")
        survey_round.drop_column("comments_erased_at")
        survey_round.alter_column("responses_kept_until", existing_type=sa.Date(), nullable=True)


def _state_last_days() -> None:
    rounds = sa.table(
        "round",
        sa.column("id", sa.Integer()),
        sa.column("closes_at", sa.DateTime(timezone=True)),
        sa.column("responses_kept_until", sa.Date()),
    )
    earliest = (datetime.now(UTC) + NOTICE_PERIOD).date()
    unstated = sa.select(rounds.c.id, rounds.c.closes_at).where(rounds.c.responses_kept_until.is_(None))
    for number, closes_at in op.get_bind().execute(unstated).all():
        day = max(earliest, (closes_at + YEAR).date())
        op.get_bind().execute(sa.update(rounds).where(rounds.c.id == number).values(responses_kept_until=day))


def _empty_profiles() -> None:
    """Empty the profiles of communities with few answers, which the table's trigger refuses otherwise."""
    _thaw()
    update = sa.text(
        "UPDATE community_profile SET answers = :answers, other_population = :other "
        "WHERE evaluation_id = :evaluation AND community_id = :community"
    )
    for profiles in _profiles_by_region():
        hidden = 0
        for base, row in sorted(profiles, key=lambda profile: profile[0]):
            if base >= MINIMUM_BASE and (hidden == 0 or hidden >= MINIMUM_BASE):
                break
            hidden += base
            emptied = {question: {} for question in json.loads(row.answers)}
            other = json.loads(row.other_population) | {"tenures": []}
            op.get_bind().execute(
                update,
                {
                    "answers": _canonical(emptied),
                    "other": _canonical(other),
                    "evaluation": row.evaluation_id,
                    "community": row.community_id,
                },
            )
    _freeze()


def _profiles_by_region() -> Iterator[list[tuple[int, sa.Row]]]:
    """Yield the profiles of each region of each evaluation, each with how many answers are broken down in it."""
    statement = sa.text(
        "SELECT p.evaluation_id, p.community_id, p.answers, p.other_population, s.region FROM community_profile p "
        "JOIN standing s ON s.evaluation_id = p.evaluation_id AND s.community_id = p.community_id"
    )
    found: dict[tuple[int, str], list[tuple[int, sa.Row]]] = {}
    for row in op.get_bind().execute(statement).all():
        found.setdefault((row.evaluation_id, row.region), []).append((_base(json.loads(row.answers)), row))
    yield from found.values()


def _base(answers: Mapping[str, Mapping[str, int]]) -> int:
    return max((sum(codes.values()) for codes in answers.values()), default=0)


def _canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _thaw() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER community_profile_refuses_update")
    else:
        op.execute("ALTER TABLE community_profile DISABLE TRIGGER community_profile_refuses_change")


def _freeze() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER community_profile_refuses_update BEFORE UPDATE ON community_profile "
            "BEGIN SELECT RAISE(ABORT, 'community_profile is frozen: update refused'); END"
        )
    else:
        op.execute("ALTER TABLE community_profile ENABLE TRIGGER community_profile_refuses_change")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
