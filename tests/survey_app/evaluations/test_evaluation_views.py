import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from survey_app.evaluations import evaluate_round as evaluating
from survey_app.evaluations.evaluate_round import Stage
from survey_app.evaluations.evaluation_jobs import EVALUATION_JOB
from survey_app.jobs.handlers import RunningJob
from survey_app.jobs.worker import Worker
from survey_app.models import AuditEvent, Evaluation, Job
from survey_app.models.vocabulary import AuditAction, JobStatus
from tests.accounts import csrf_token, make_account, signed_in_client
from tests.factories import make_community, make_response, make_round

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def closed(sqlite_database):
    with sqlite_database.writing() as session:
        survey_round = make_round(
            session, name="上一轮", opens_at=NOW - timedelta(days=40), closes_at=NOW - timedelta(days=10)
        )
        community = make_community(session)
        for _ in range(12):
            make_response(session, survey_round, community, submitted_at=NOW - timedelta(days=20))
        make_account(session, "city", now=NOW)
        make_account(session, "district", district=community.district, now=NOW)
    return survey_round


@pytest.fixture
def client(app, closed):
    assert closed
    return signed_in_client(app, "city")


def ask(client, survey_round, kind="official"):
    data = {"csrf_token": csrf_token(client.get("/staff/")), "kind": kind}
    return client.post(f"/staff/rounds/{survey_round.id}/evaluations", data=data).location


def work(database):
    return Worker(database, [EVALUATION_JOB], lambda: datetime.now(UTC)).run_due_jobs()


def test_a_round_is_evaluated_in_the_background_and_by_whom_is_on_record(client, closed, sqlite_database):
    page = ask(client, closed)
    waiting = client.get(page).text
    with sqlite_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Evaluation)) == 0
    assert "following.js" in waiting
    assert "等待处理" in waiting

    assert work(sqlite_database) == ["evaluation"]

    done = client.get(page).text
    assert "第1次评价已保存。" in done
    assert "following.js" not in done
    assert "/dashboards/?evaluation=1&amp;lang=zh-Hans" in done
    with sqlite_database.reading() as session:
        event = session.scalars(select(AuditEvent).filter_by(action=AuditAction.EVALUATED)).one()
        assert event.actor == "account:1"


def test_whoever_asks_while_it_is_made_follows_the_same_work(client, closed, sqlite_database):
    first, second = ask(client, closed), ask(client, closed)
    preview = ask(client, closed, "provisional")

    assert first == second != preview
    assert work(sqlite_database) == ["evaluation", "evaluation"]


def test_the_page_says_what_is_done_and_how_much(client, closed, sqlite_database, monkeypatch):
    page, shown, report = ask(client, closed), {}, RunningJob.report

    def look(job, done, total=None, *, stage=""):
        report(job, done, total, stage=stage)
        text = client.get(page).text
        shown[stage] = (
            re.search(r'<span role="status">([^<]*)</span>', text)[1],
            int(re.search(r'<progress value="(\d+)"', text)[1]),
        )

    monkeypatch.setattr(RunningJob, "report", look)
    work(sqlite_database)

    assert list(shown) == list(Stage)
    assert [words for words, _ in shown.values()] == [
        "正在核查答卷，查找异常答卷的迹象",
        "正在统计答卷",
        "正在按规则评价，并计算数据支持程度",
        "正在保存结果",
    ]
    percents = [percent for _, percent in shown.values()]
    assert percents == sorted(percents)


def test_what_failed_is_said_and_can_be_asked_for_again(client, closed, sqlite_database, monkeypatch):
    page = ask(client, closed)

    def break_down(*_arguments, **_options):
        raise OSError("no space left on the device")

    with monkeypatch.context() as broken:
        broken.setattr(evaluating, "evaluate_checked", break_down)
        work(sqlite_database)
        with sqlite_database.writing() as session:
            assert session.get_one(Job, 1).status == JobStatus.QUEUED  # for a second attempt
            session.get_one(Job, 1).due_at = NOW
        work(sqlite_database)
    failed = client.get(page).text

    assert "没有完成" in failed
    assert "no space left" not in failed
    assert ask(client, closed) != page
    work(sqlite_database)
    assert "第1次评价" in client.get("/staff/").text


def test_others_do_not_follow_it_and_other_work_is_no_evaluation(app, client, closed, sqlite_database):
    page = ask(client, closed)

    assert signed_in_client(app, "district").get(page).status_code == 403
    assert client.get("/staff/evaluation-jobs/99").status_code == 404
    with sqlite_database.writing() as session:
        session.get_one(Job, 1).kind = "retention"
    assert client.get(page).status_code == 404
