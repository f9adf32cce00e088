"""Export of single answers as CSV, for the third-party evaluator to count again: what is ranked, and nothing else.

A row says the community, whether an owner or a tenant answered, how, and the answers that the rules rank. No row has a
day, a language, a kind of code, an earlier answer, a number of photos, an opinion or a comment: each is something that
others may know of a neighbour, or a mark that somebody may tell a resident to leave. Those leave in tables and texts,
where nothing connects them.
"""

import json
import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np
import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.decision.recount import OWNER, measure_questions
from analytics.decision.table_columns import plain_values
from analytics.disclosure.released_rows import WITHHELD, coarsen_rows
from analytics.disclosure.rules import DisclosureRules
from analytics.files.csv_files import coded_csv
from analytics.rules import Rules
from survey_app.accounts.scope import Scope
from survey_app.evaluations.earlier_results import (
    communities_with_erased,
    communities_with_excluded,
    first_evaluated_at,
)
from survey_app.evaluations.standings import disclosure_of, require_evaluation
from survey_app.models import Community, District, Evaluation, Round
from survey_app.responses.answer_batches import counted_batches
from survey_app.rounds.rounds import require_answers
from survey_app.storage.database import Database
from survey_app.stored_rules import rules_of

_Coded = tuple[np.ndarray, Sequence[object]]

_SMALL = {"community": "int32", "tenure": "int8", "mode": "category"}


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
    shuffled = released.iloc[np.random.default_rng(secrets.randbits(256)).permutation(len(released))]
    return coded_csv(_coded(places, shuffled), numbered="response_id")


def _coded(places: pd.DataFrame, rows: pd.DataFrame) -> dict[str, _Coded]:
    """Return the columns of the file: of each row, the place of its cell among the cells that the column has."""
    # In 32 bits: a file that a slow line takes minutes to receive is kept no larger than it must be.
    place = places.index.get_indexer(pd.Index(rows["community"])).astype("int32")
    columns: dict[str, _Coded] = {str(name): (place, places[name].tolist()) for name in places}
    for name, values in rows.drop(columns="community").items():
        codes, cells = pd.factorize(values, use_na_sentinel=False)
        columns[str(name)] = codes.astype("int32"), plain_values(pd.Series(cells))
    return columns


def _coarsened(rows: pd.DataFrame, rules: Rules, disclosure: DisclosureRules) -> pd.DataFrame:
    """Return the rows in which nobody is one of few; a tenure that is withheld is missing.

    Where all residents are ranked, the official result is one of owners and tenants together. Without the rows of few
    tenants it would tell their answers, minus the rows of the owners: there nobody's tenure is told.
    """
    is_rated = rows[rules.satisfaction.question].isin(rules.satisfaction.valid_codes)
    if rules.satisfaction.population == "residents":
        rows = coarsen_rows(rows, within=["community"], detail="tenure", rules=disclosure, is_rated=is_rated)
    within = ["community", "tenure"]
    released = coarsen_rows(rows, within=within, detail="mode", rules=disclosure, is_rated=is_rated[rows.index])
    return released.assign(tenure=released["tenure"].astype("Int64").mask(released["tenure"] == WITHHELD))


def _differing_communities(rows: pd.DataFrame, stated: pd.Series, rules: Rules) -> frozenset[int]:
    """Return the communities in which the rows are not as many as the result states, by id."""
    rule = rules.satisfaction
    counts = rows[rule.question].isin(rule.valid_codes)
    if rule.population == "owners":
        counts &= rows["tenure"] == OWNER
    counted = counts.groupby(rows["community"]).sum().reindex(stated.index, fill_value=0)
    return frozenset(stated.index[(counted != stated.fillna(0)).to_numpy(dtype=bool)].tolist())


def _read_rows(session: Session, evaluation: Evaluation, questions: tuple[str, ...]) -> pd.DataFrame:
    survey_round = session.get_one(Round, evaluation.round_id)
    batches = counted_batches(
        session,
        survey_round=survey_round,
        rules=rules_of(evaluation.rule_file.content),
        questions=questions,
        before=evaluation.cut_off,
        reviewed_before=evaluation.evaluated_at,
    )
    types = _SMALL | dict.fromkeys(questions, "Int16")
    columns = list(types)
    frames = [batch.select(columns).to_pandas().astype(types) for batch in batches]
    rows = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns).astype(types)
    return rows.astype({"mode": "str"})


def _read_places(session: Session, scope: Scope) -> pd.DataFrame:
    """Return number, name and district of the communities in scope, indexed by their id."""
    statement = select(Community.id, Community.number, Community.name, District.name.label("region")).join(District)
    places = pd.DataFrame(
        session.execute(scope.communities(statement)).all(), columns=["id", "community_id", "name", "region"]
    )
    return places.set_index("id")
