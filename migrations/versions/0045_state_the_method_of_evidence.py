"""State by which method the evidence of an evaluation was weighed: all that were stored before have method 1.

The method is part of what makes an evaluation the same, so that a round can be evaluated again by a later one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"

IDENTITY = "uq_evaluation_identity"
OLD_IDENTITY = ("round_id", "rule_file_id", "inputs_sha256", "cut_off", "code_version", "provisional")
NEW_IDENTITY = (*OLD_IDENTITY, "evidence_method")


def upgrade() -> None:
    with op.batch_alter_table("evaluation") as evaluation:
        evaluation.add_column(sa.Column("evidence_method", sa.Integer(), server_default="1", nullable=False))
        evaluation.drop_constraint(IDENTITY, type_="unique")
        evaluation.create_unique_constraint(IDENTITY, list(NEW_IDENTITY))
    _freeze_the_copy()


def downgrade() -> None:
    _refuse_if_any("evaluation WHERE evidence_method <> 1", "evidence was weighed by a later method")
    with op.batch_alter_table("evaluation") as evaluation:
        evaluation.drop_constraint(IDENTITY, type_="unique")
        evaluation.create_unique_constraint(IDENTITY, list(OLD_IDENTITY))
        evaluation.drop_column("evidence_method")
    _freeze_the_copy()


def _freeze_the_copy() -> None:
    # SQLite changes a constraint by copying the table, which leaves its triggers behind.
    if op.get_bind().dialect.name == "sqlite":
        for action in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER evaluation_refuses_{action} BEFORE {action.upper()} ON evaluation "
                f"BEGIN SELECT RAISE(ABORT, 'evaluation is frozen: {action} refused'); END"
            )


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
