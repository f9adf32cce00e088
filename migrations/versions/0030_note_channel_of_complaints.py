"""Note by which channel a complaint came, and keep with a region's profile how many came by each."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"

CHANNELS = "'code', 'web', 'telephone', 'visit', 'hotline', 'letter', 'other'"


def upgrade() -> None:
    with op.batch_alter_table("complaint") as batch:
        # All that is here came by the form behind a poster or a slip: there was no other way.
        batch.add_column(sa.Column("channel", sa.String(), server_default="code", nullable=False))
        batch.create_check_constraint(op.f("ck_complaint_channel"), f"channel IN ({CHANNELS})")
    # A default, since the profiles of before are frozen: nobody added up their channels.
    op.add_column("region_profile", sa.Column("channels", sa.String(), server_default="{}", nullable=False))


def downgrade() -> None:
    _refuse_if_any("complaint WHERE channel <> 'code'", "complaints came by other channels than a code")
    _refuse_if_any(
        "region_profile WHERE channels <> '{}'", "channels of complaints are stored with profiles of regions"
    )
    op.drop_column("region_profile", "channels")
    with op.batch_alter_table("complaint") as batch:
        batch.drop_constraint(op.f("ck_complaint_channel"), type_="check")
        batch.drop_column("channel")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
