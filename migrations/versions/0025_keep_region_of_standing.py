"""Keep with each standing the region it was ranked in, and let the table of all communities be read from indexes."""

import json
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

_ROWS_AT_ONCE = 5_000
_READ_BY_GRID = [
    "evaluation_id",
    "satisfaction_rank",
    "satisfaction_score",
    "region",
    "requirement_status",
    "responses",
    "complaint_rank",
    "complaints_per_1000_household_years",
    "community_id",
]


def upgrade() -> None:
    # The empty default never stays: it lets SQLite add the column without copying a table that others refer to.
    op.add_column("standing", sa.Column("region", sa.String(), server_default="", nullable=False))
    _thaw()
    _fill()
    _freeze()
    op.create_index("ix_standing_grid", "standing", _READ_BY_GRID)
    op.create_index(
        "ix_standing_evidence_grid", "standing_evidence", ["evaluation_id", "requirement_evidence", "community_id"]
    )
    # When the register was last changed is asked for on every callback of the dashboards.
    op.create_index("ix_audit_event_action_position", "audit_event", ["action", "position"])


def downgrade() -> None:
    _refuse_if_regions_are_not_found_again()
    op.drop_index("ix_audit_event_action_position", "audit_event")
    op.drop_index("ix_standing_evidence_grid", "standing_evidence")
    op.drop_index("ix_standing_grid", "standing")
    op.drop_column("standing", "region")


def _refuse_if_regions_are_not_found_again() -> None:
    # Asked before the first change. A community whose number was changed is not found by the one it was evaluated with.
    stored = sa.text(
        "SELECT number, region FROM standing JOIN community ON community.id = community_id "
        "WHERE evaluation_id = :evaluation"
    )
    for evaluation, rows in _evaluated():
        regions = {row["number"]: row["region"] for row in rows}
        for number, region in op.get_bind().execute(stored, {"evaluation": evaluation}):
            if regions.get(number, "") != region:
                raise RuntimeError(
                    "standings have regions that their evaluations do not say: the earlier version has no place for "
                    "that, and nothing was changed; to go back, restore a backup from before the upgrade"
                )


def _evaluated() -> Iterator[tuple[int, list[dict[str, object]]]]:
    connection = op.get_bind()
    for (evaluation,) in connection.execute(sa.text("SELECT id FROM evaluation ORDER BY id")).all():
        text = connection.scalar(sa.text("SELECT inputs FROM evaluation WHERE id = :id"), {"id": evaluation})
        ranked = json.loads(text)
        rows = [
            {"evaluation": evaluation, "number": number, "region": region}
            for number, region in zip(ranked["community_id"], ranked["region"], strict=True)
        ]
        yield evaluation, rows


def _fill() -> None:
    update = sa.text(
        "UPDATE standing SET region = :region WHERE evaluation_id = :evaluation "
        "AND community_id = (SELECT id FROM community WHERE number = :number)"
    )
    for _evaluation, rows in _evaluated():
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            op.get_bind().execute(update, rows[start : start + _ROWS_AT_ONCE])


def _thaw() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER standing_refuses_update")
    else:
        op.execute("ALTER TABLE standing DISABLE TRIGGER standing_refuses_change")


def _freeze() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER standing_refuses_update BEFORE UPDATE ON standing "
            "BEGIN SELECT RAISE(ABORT, 'standing is frozen: update refused'); END"
        )
    else:
        op.execute("ALTER TABLE standing ENABLE TRIGGER standing_refuses_change")
