"""Tables of evaluations, standings, their evidence and profiles. None of them ever changes."""

from datetime import datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey_app.models.constraints import one_of
from survey_app.models.places import Community
from survey_app.models.rounds import Round, RuleFile
from survey_app.models.vocabulary import StandingStatus
from survey_app.storage.database import Base

_TO_STANDING = "fk_standing_evidence_standing"


class EvaluationNumber(Base):
    """Number of an evaluation, taken before anything of it is stored.

    Standings, evidence and profiles are stored under it, a few at a time, and the evaluation itself last: until then
    nobody finds them. What is given up on the way stays without an evaluation and is deleted.
    """

    __tablename__ = "evaluation_number"

    id: Mapped[int] = mapped_column(primary_key=True)
    taken_at: Mapped[datetime]


def _of_number(table: str) -> ForeignKey:
    # SQLite renames a constraint only by copying its table: it keeps the name from when evaluations were stored first.
    return ForeignKey("evaluation_number.id", name=f"fk_{table}_evaluation_id_evaluation")


class Evaluation(Base):
    """Evaluation of one round: which inputs, which rules, which code, and what came out.

    `provisional` ones are made while the round is open, for pages that say so.
    """

    __tablename__ = "evaluation"
    __table_args__ = (
        UniqueConstraint(
            "round_id",
            "rule_file_id",
            "inputs_sha256",
            "cut_off",
            "code_version",
            "provisional",
            "evidence_method",
            name="uq_evaluation_identity",
        ),
    )

    id: Mapped[int] = mapped_column(ForeignKey("evaluation_number.id"), primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"))
    rule_file_id: Mapped[int] = mapped_column(ForeignKey("rule_file.id"))
    provisional: Mapped[bool]
    cut_off: Mapped[datetime]
    # The community table as it was evaluated, canonical JSON: the result can be recomputed from it and the rules.
    inputs: Mapped[str]
    inputs_sha256: Mapped[str]
    standings_sha256: Mapped[str]
    summary: Mapped[str]
    responses: Mapped[int]
    code_version: Mapped[str]
    # See `analytics.evidence.method`. Evaluations of before there was more than one have method 1.
    evidence_method: Mapped[int] = mapped_column(server_default="1")
    evaluated_at: Mapped[datetime]

    round: Mapped[Round] = relationship()
    rule_file: Mapped[RuleFile] = relationship()


class Standing(Base):
    """Standing of one community in one evaluation."""

    __tablename__ = "standing"
    __table_args__ = (
        one_of("satisfaction_status", StandingStatus),
        one_of("complaint_status", StandingStatus),
        # SQLite renames a constraint only by copying its table, which is large: it keeps the name of the column of old.
        one_of("criterion_status", StandingStatus, name="requirement_status"),
        # All that a grid of communities sorts and filters by, so that it need not read the rows themselves.
        Index(
            "ix_standing_grid",
            "evaluation_id",
            "satisfaction_rank",
            "satisfaction_score",
            "region",
            "criterion_status",
            "responses",
            "complaint_rank",
            "complaints_per_1000_household_years",
            "community_id",
        ),
    )

    evaluation_id: Mapped[int] = mapped_column(_of_number("standing"), primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), primary_key=True)
    # The region it was ranked in, whatever district it belongs to today. The default never stays.
    region: Mapped[str] = mapped_column(server_default="")
    responses: Mapped[int | None]
    satisfied: Mapped[int | None]
    households: Mapped[int | None]
    satisfaction_rate: Mapped[float | None]
    satisfaction_index: Mapped[float | None]
    satisfaction_score: Mapped[float | None]
    satisfaction_rank: Mapped[int | None]
    satisfaction_last_rank: Mapped[int | None]
    satisfaction_percentile: Mapped[float | None]
    satisfaction_status: Mapped[str]
    satisfaction_reason: Mapped[str]
    complaints: Mapped[int | None]
    exposure_household_years: Mapped[float | None]
    complaints_per_1000_household_years: Mapped[float | None]
    complaint_rank: Mapped[int | None]
    complaint_last_rank: Mapped[int | None]
    complaint_percentile: Mapped[float | None]
    complaint_status: Mapped[str]
    complaint_reason: Mapped[str]
    criterion_status: Mapped[str]
    criterion_route: Mapped[str | None]

    community: Mapped[Community] = relationship()


class StandingEvidence(Base):
    """Evidence for one standing: how far the data support it, in a row of its own and never part of the decision."""

    __tablename__ = "standing_evidence"
    __table_args__ = (
        ForeignKeyConstraint(
            ["evaluation_id", "community_id"], ["standing.evaluation_id", "standing.community_id"], name=_TO_STANDING
        ),
        Index("ix_standing_evidence_grid", "evaluation_id", "criterion_evidence", "community_id"),
    )

    evaluation_id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(primary_key=True)
    satisfaction_lower: Mapped[float | None]
    satisfaction_upper: Mapped[float | None]
    satisfaction_shrunk: Mapped[float | None]
    satisfaction_shrunk_deviation: Mapped[float | None]
    satisfaction_rank_lower: Mapped[int | None]
    satisfaction_rank_upper: Mapped[int | None]
    satisfaction_top_probability: Mapped[float | None]
    satisfaction_evidence: Mapped[str | None]
    satisfaction_evidence_reason: Mapped[str | None]
    satisfaction_tipping_point: Mapped[float | None]
    satisfaction_needed_responses: Mapped[int | None]
    satisfaction_needed_assurance: Mapped[float | None]
    complaint_rate_lower: Mapped[float | None]
    complaint_rate_upper: Mapped[float | None]
    complaint_top_probability: Mapped[float | None]
    complaint_evidence: Mapped[str | None]
    complaint_evidence_reason: Mapped[str | None]
    criterion_lower: Mapped[float | None]
    criterion_upper: Mapped[float | None]
    criterion_evidence: Mapped[str | None]
    criterion_evidence_reason: Mapped[str | None]


class CommunityProfile(Base):
    """Profile behind one standing of a closed round, as canonical JSON; see `survey_app.evaluations.profiles`."""

    __tablename__ = "community_profile"

    evaluation_id: Mapped[int] = mapped_column(_of_number("community_profile"), primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), primary_key=True)
    answers: Mapped[str]
    complaints: Mapped[str]
    other_population: Mapped[str]


class RegionProfile(Base):
    """Profile of all communities that were ranked together, and the drivers of overall satisfaction there."""

    __tablename__ = "region_profile"

    evaluation_id: Mapped[int] = mapped_column(_of_number("region_profile"), primary_key=True)
    region: Mapped[str] = mapped_column(primary_key=True)
    answers: Mapped[str]
    complaints: Mapped[str]
    drivers: Mapped[str]
    # Empty in evaluations that were made before channels were noted.
    channels: Mapped[str] = mapped_column(server_default="{}")
