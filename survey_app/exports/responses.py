"""Export of single answers as CSV, for the third-party evaluator to count again: what is ranked, and nothing else.

A row says the community, whether an owner or a tenant answered, how, and the answers that the rules rank. No row has a
day, a language, a kind of code, an earlier answer, a number of photos, an opinion or a comment: each is something that
others may know of a neighbour, or a mark that somebody may tell a resident to leave. Those leave in tables and texts,
where nothing connects them.
"""

import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.decision.recount import OWNER, measure_questions
from analytics.decision.table_columns import plain_values
from analytics.disclosure.released_rows import WITHHELD, coarsen_rows
from analytics.disclosure.rules import DisclosureRules
from analytics.files.csv_files import repeated_csv
from analytics.rules import Rules
from survey_app.accounts.scope import Scope
from survey_app.evaluations.earlier_results import (
    communities_with_erased,
    communities_with_excluded,
    first_evaluated_at,
)
from survey_app.evaluations.standings import disclosure_of, require_evaluation
from survey_app.models import Community, District, Evaluation, Round
from survey_app.responses.answer_batches import SINGLE_CODE, counted_batches
from survey_app.rounds.rounds import require_answers
from survey_app.storage.database import Database
from survey_app.stored_rules import rules_of

_TIMES: Final = "times"
"""Column of a row that says how many answers it stands for."""


def export_responses(database: Database, *, evaluation_id: int, scope: Scope, now: datetime) -> Iterator[str]:
    """Yield a CSV file of the answers in scope that an official evaluation counted, as `analytics.files` reads them.

    Rows stand in an order drawn anew for each file, and are numbered in it: neither says when an answer came or which
    it was in another file. Of a community's owners, and of its tenants, either so many answered that nobody is one of
    few, or their rows are left out; where owners and tenants are ranked together, they stay and say of nobody there
    which they are. How they answered is withheld where few did so. Reviews count as they stood when it
    was evaluated, so that two files never differ by what was decided between them. A community of which a resident had
    answers erased since the first result is left out, so that no two files differ by them; one of which answers were
    excluded between the first result and this says of nobody how they answered, and is left out where so few of them
    were counted that the result states the numbers of the one before.

    Raises `LookupError` if there is no such official evaluation, and `RoundErased` when the retention of its answers is
    over.
    """
    with database.reading() as session:
        require_evaluation(session, evaluation_id, official=True)
        evaluation = session.get_one(Evaluation, evaluation_id)
        require_answers(evaluation.round, now=now)
        rules = rules_of(evaluation.rule_file.content)
        questions = measure_questions(rules)
        rows = _read_rows(session, evaluation, questions)
        places = _read_places(session, scope)
        first = first_evaluated_at(session, evaluation.round_id)
        erased = communities_with_erased(session, evaluation.round_id, since=first)
        excluded = communities_with_excluded(session, evaluation.round_id, since=first, before=evaluation.evaluated_at)
        stated = pd.DataFrame(json.loads(evaluation.inputs)).set_index("community_id")["responses"]
    differing = _differing_communities(rows, places["community_id"].map(stated), rules)
    rows = rows[rows["community"].isin(places.index.difference(sorted(erased | differing)))]
    disclosure = disclosure_of(evaluation.evaluated_at, rules)
    released = _coarsened(rows, rules, disclosure)
    released = released.assign(mode=released["mode"].mask(released["community"].isin(sorted(excluded)), WITHHELD))
    # In 32 bits: a file that a slow line takes minutes to receive is kept no larger than it must be.
    order = np.repeat(np.arange(len(released), dtype="int32"), released[_TIMES])
    np.random.default_rng(secrets.randbits(256)).shuffle(order)
    return repeated_csv(_columns(places, released), order, numbered="response_id")


def _columns(places: pd.DataFrame, rows: pd.DataFrame) -> dict[str, Sequence[object]]:
    """Return the cells of the rows that differ."""
    of_places = places.loc[rows["community"]]
    columns: dict[str, Sequence[object]] = {str(name): of_places[name].tolist() for name in places}
    return columns | {
        str(name): plain_values(values) for name, values in rows.drop(columns=["community", _TIMES]).items()
    }


def _coarsened(rows: pd.DataFrame, rules: Rules, disclosure: DisclosureRules) -> pd.DataFrame:
    """Return the rows in which nobody is one of few; a tenure that is withheld is missing.

    Where all residents are ranked, the official result is one of owners and tenants together. Without the rows of few
    tenants it would tell their answers, minus the rows of the owners: there nobody's tenure is told.
    """
    is_rated = rows[rules.satisfaction.question].isin(rules.satisfaction.valid_codes)

    def coarsened(kept: pd.DataFrame, within: Sequence[str], detail: str) -> pd.DataFrame:
        times, rated = kept[_TIMES], is_rated[kept.index]
        return coarsen_rows(kept, within=within, detail=detail, rules=disclosure, times=times, is_rated=rated)

    if rules.satisfaction.population == "residents":
        rows = coarsened(rows, ["community"], "tenure")
    released = coarsened(rows, ["community", "tenure"], "mode")
    return released.assign(tenure=released["tenure"].astype("Int64").mask(released["tenure"] == WITHHELD))


def _differing_communities(rows: pd.DataFrame, stated: pd.Series, rules: Rules) -> frozenset[int]:
    """Return the communities in which the answers are not as many as the result states, by id."""
    rule = rules.satisfaction
    counts = rows[rule.question].isin(rule.valid_codes)
    if rule.population == "owners":
        counts &= rows["tenure"] == OWNER
    counted = rows[_TIMES].where(counts, 0).groupby(rows["community"]).sum().reindex(stated.index, fill_value=0)
    return frozenset(stated.index[(counted != stated.fillna(0)).to_numpy(dtype=bool)].tolist())


def _read_rows(session: Session, evaluation: Evaluation, questions: tuple[str, ...]) -> pd.DataFrame:
    """Return each row that differs from all others once, and how many answers it stands for.

    Millions of answers differ in few ways, and memory depends on these alone.
    """
    survey_round = session.get_one(Round, evaluation.round_id)
    batches = counted_batches(
        session,
        survey_round=survey_round,
        rules=rules_of(evaluation.rule_file.content),
        questions=questions,
        before=evaluation.cut_off,
        reviewed_before=evaluation.evaluated_at,
    )
    columns = ["community", "tenure", "mode", *questions]
    kinds = [pa.int64(), SINGLE_CODE, pa.string(), *[SINGLE_CODE] * len(questions), pa.int64()]
    found = pa.schema(list(zip([*columns, _TIMES], kinds, strict=True))).empty_table()
    with closing(batches):
        for batch in batches:
            once = pa.repeat(1, batch.num_rows)
            added = pa.Table.from_batches([batch.select(columns)]).append_column(_TIMES, once)
            grouped = pa.concat_tables([found, added]).group_by(columns, use_threads=False).aggregate([(_TIMES, "sum")])
            found = grouped.rename_columns([*columns, _TIMES])
    types = {"tenure": "int64", "mode": "str", **dict.fromkeys(questions, "Int16")}
    rows: pd.DataFrame = found.to_pandas().astype(types)
    return rows


def _read_places(session: Session, scope: Scope) -> pd.DataFrame:
    """Return number, name and district of the communities in scope, indexed by their id."""
    statement = select(Community.id, Community.number, Community.name, District.name.label("region")).join(District)
    places = pd.DataFrame(
        session.execute(scope.communities(statement)).all(), columns=["id", "community_id", "name", "region"]
    )
    return places.set_index("id")
