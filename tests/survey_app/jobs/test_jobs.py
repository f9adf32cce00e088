"""Background jobs are run once, whoever dies, comes late, changes their mind or works beside others."""

import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from survey_app.config import REPOSITORY
from survey_app.jobs.handlers import TIME_BETWEEN_REPORTS, JobKind, RunningJob
from survey_app.jobs.history import JOBS_KEPT_FOR, erase_finished_jobs, last_runs
from survey_app.jobs.leases import CLOCK_TOLERANCE, JobCancelled, LeaseLost, LeaseTerms, finish_job, lease_job
from survey_app.jobs.queue import JobEnded, UnknownJob, cancel_job, enqueue, find_job, list_jobs
from survey_app.jobs.worker import Worker
from survey_app.models import Job
from survey_app.models.vocabulary import JobStatus
from tests.factories import NOW, make_job

MINUTE = timedelta(minutes=1)
TERMS = LeaseTerms(lasts=10 * MINUTE, attempts=3, first_delay=MINUTE)

# Takes whatever it finds and says which, one number a line.
TAKE_ALL = """
import sys
from datetime import datetime, UTC
from survey_app.storage.database import Database
from survey_app.jobs.handlers import JobKind
from survey_app.jobs.worker import Worker
with Database(sys.argv[1]) as database:
    kind = JobKind("export", lambda _database, job, _now: print(job.id, flush=True))
    sys.stdin.readline()
    Worker(database, [kind], lambda: datetime.now(UTC)).run_due_jobs()
"""
# Takes one, says so, and never ends.
TAKE_ONE = """
import signal, sys
from datetime import datetime
from survey_app.storage.database import Database
from survey_app.jobs.handlers import JobKind
from survey_app.jobs.worker import Worker
def hang(_database, job, _now):
    print(job.id, flush=True)
    signal.pause()
now = datetime.fromisoformat(sys.argv[2])
with Database(sys.argv[1]) as database:
    Worker(database, [JobKind("export", hang)], lambda: now).run_due_jobs()
"""


def put(database, **values):
    asked = {"kind": "export", "arguments": {}, "by": "account:1", "now": NOW}
    with database.writing() as session:
        return enqueue(session, **asked | values)


def lease(database, now=NOW, terms=TERMS):
    with database.writing() as session:
        return lease_job(session, terms={"export": terms}, now=now)


def finish(database, held, result=None):
    with database.writing() as session:
        finish_job(session, lease=held, result=result, now=NOW)


def cancel(database, job_id):
    with database.writing() as session:
        cancel_job(session, job_id=job_id, by="account:2", now=NOW)


def found(database, job_id):
    with database.reading() as session:
        return find_job(session, job_id=job_id)


def run_jobs(database, run, *, now=NOW, terms=TERMS):
    return Worker(database, [JobKind("export", run, terms)], lambda: now).run_due_jobs()


def address(database):
    return database.url.render_as_string(hide_password=False)


def test_a_job_is_run_with_its_arguments_and_its_result_is_kept(database):
    job_id = put(database, arguments={"round_id": 3})

    def run(_database, job, _now):
        return {"round": job.arguments["round_id"], "by": job.by}

    assert run_jobs(database, run) == ["export"]

    job = found(database, job_id)
    assert (job.status, job.attempts, job.begun_at, job.ended_at) == (JobStatus.DONE, 1, NOW, NOW)
    assert job.result == '{"by":"account:1","round":3}'


def test_a_job_is_rolled_back_with_the_transaction_that_asked_for_it(database):
    def ask_and_fail():
        with database.writing() as session:
            enqueue(session, kind="export", arguments={}, by="account:1", now=NOW)
            raise RuntimeError("after it was enqueued")

    with pytest.raises(RuntimeError, match="after it was enqueued"):
        ask_and_fail()

    assert lease(database) is None


def test_a_job_waits_until_it_is_due_and_the_first_due_goes_first(database):
    later, sooner = put(database, due_at=NOW + 2 * MINUTE), put(database, due_at=NOW + MINUTE)

    assert lease(database) is None
    assert [lease(database, NOW + 2 * MINUTE).job_id for _ in range(2)] == [sooner, later]


def test_the_same_work_is_not_queued_twice_while_it_is_open(database):
    first = put(database, key="round:3")

    assert put(database, key="round:3") == first
    held = lease(database)
    assert put(database, key="round:3") == first
    others = {put(database, key="round:4"), put(database, key="round:3", kind="evaluation"), put(database)}
    assert first not in others
    assert len(others) == 3
    finish(database, held)
    assert put(database, key="round:3") != first


def test_the_same_work_asked_for_at_once_is_queued_once(database):
    with ThreadPoolExecutor(6) as threads:
        assert len(set(threads.map(lambda _: put(database, key="round:3"), range(12)))) == 1


def test_a_second_worker_takes_nothing_that_is_leased(database):
    job_id = put(database)

    assert lease(database).job_id == job_id
    assert lease(database) is None


def test_a_worker_takes_only_kinds_that_it_knows(database):
    put(database, kind="evaluation")

    assert lease(database) is None


def test_two_processes_take_two_hundred_jobs_and_none_twice(database):
    with database.writing() as session:
        job_ids = {enqueue(session, kind="export", arguments={}, by="site", now=NOW) for _ in range(200)}
    command = [sys.executable, "-c", TAKE_ALL, address(database)]
    processes = [
        subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    with ThreadPoolExecutor(2) as threads:
        taken = list(threads.map(lambda process: process.communicate("go\n")[0].split(), processes))

    assert [process.returncode for process in processes] == [0, 0]
    assert Counter(int(job_id) for ids in taken for job_id in ids) == Counter(job_ids)
    with database.reading() as session:
        assert session.scalars(select(Job.status).distinct()).all() == [JobStatus.DONE]


def test_threads_of_one_process_take_jobs_and_none_twice(database):
    with database.writing() as session:
        job_ids = {enqueue(session, kind="export", arguments={}, by="site", now=NOW) for _ in range(20)}
    taken = []
    with ThreadPoolExecutor(4) as threads:
        for _ in range(4):
            threads.submit(run_jobs, database, lambda _database, job, _now: taken.append(job.id))

    assert sorted(taken) == sorted(job_ids)


def test_a_killed_workers_job_is_taken_up_when_its_lease_has_run_out(database):
    job_id = put(database)
    command = [sys.executable, "-c", TAKE_ONE, address(database), NOW.isoformat()]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == f"{job_id}\n"
        process.send_signal(signal.SIGKILL)

    assert lease(database, NOW + TERMS.lasts - timedelta(seconds=1)) is None
    held = lease(database, NOW + TERMS.lasts)
    assert (held.job_id, held.attempt) == (job_id, 2)


def test_a_worker_that_was_taken_for_dead_comes_too_late(database):
    job_id = put(database)
    late = lease(database)
    held = lease(database, NOW + TERMS.lasts)
    late_job = RunningJob(database, late, clock=lambda: NOW)

    with pytest.raises(LeaseLost):
        finish(database, late, "1")
    with pytest.raises(LeaseLost):
        late_job.report(1)
    with pytest.raises(LeaseLost), database.writing() as session:
        late_job.require_lease(session)
    finish(database, held, "2")
    with pytest.raises(LeaseLost):
        finish(database, held, "3")

    assert found(database, job_id).result == "2"


def test_a_worker_goes_on_when_one_job_was_taken_from_it(database):
    first, second = put(database), put(database)

    def run(database, job, _now):
        if job.id == first:
            lease(database, NOW + TERMS.lasts)

    assert run_jobs(database, run) == ["export", "export"]
    assert [found(database, job_id).status for job_id in (first, second)] == [JobStatus.RUNNING, JobStatus.DONE]


def test_progress_is_seen_at_once_and_keeps_the_lease(database):
    job_id = put(database)
    job = RunningJob(database, lease(database), clock=lambda: NOW + 9 * MINUTE)

    job.report(2, 5, stage="counting")

    seen = found(database, job_id)
    assert (seen.progress_done, seen.progress_total, seen.stage) == (2, 5, "counting")
    assert lease(database, NOW + TERMS.lasts) is None
    assert lease(database, NOW + 9 * MINUTE + TERMS.lasts).job_id == job_id


def test_small_steps_are_not_each_written_and_a_new_stage_is(database):
    job_id = put(database)
    now = NOW
    job = RunningJob(database, lease(database), clock=lambda: now)

    def report(done, stage="counting"):
        job.report(done, stage=stage)
        return found(database, job_id).progress_done

    assert [report(1), report(2), report(3, "writing")] == [1, 1, 3]
    now += TIME_BETWEEN_REPORTS
    assert report(4, "writing") == 4


def test_a_queued_job_is_cancelled_at_once(database):
    job_id = put(database)

    cancel(database, job_id)

    job = found(database, job_id)
    assert (job.status, job.cancelled_by, job.ended_at) == (JobStatus.CANCELLED, "account:2", NOW)
    assert lease(database) is None


def test_a_running_job_sees_at_its_next_report_that_it_is_to_stop(database):
    job_id = put(database)
    reached = []

    def run(database, job, _now):
        cancel(database, job_id)
        reached.append(found(database, job_id).status)
        with pytest.raises(JobCancelled) as cancelled:
            job.report(1)
        raise cancelled.value

    run_jobs(database, run)

    job = found(database, job_id)
    assert reached == [JobStatus.RUNNING]
    assert (job.status, job.cancelled_by, job.failure) == (JobStatus.CANCELLED, "account:2", None)


def test_a_job_that_is_to_stop_is_not_tried_again_when_it_fails_or_its_worker_dies(database):
    failing, abandoned = put(database), put(database)

    def run(database, _job, _now):
        cancel(database, failing)
        raise ZeroDivisionError

    assert Worker(database, [JobKind("export", run, TERMS)], lambda: NOW).run_next_job() == "export"
    lease(database)
    cancel(database, abandoned)
    assert lease(database, NOW + TERMS.lasts) is None

    assert {found(database, job_id).status for job_id in (failing, abandoned)} == {JobStatus.CANCELLED}


def test_what_has_ended_or_never_was_cannot_be_cancelled(database):
    job_id = put(database)
    finish(database, lease(database))

    with pytest.raises(JobEnded, match="done already"):
        cancel(database, job_id)
    with pytest.raises(UnknownJob):
        cancel(database, job_id + 1)
    with pytest.raises(UnknownJob):
        found(database, job_id + 1)


def test_a_failing_job_is_tried_again_with_growing_delay_and_then_given_up(database):
    job_id = put(database)
    attempts = []

    def fail(_database, job, now):
        attempts.append((job.attempt, now))
        raise ZeroDivisionError("13812345678")

    for minutes in range(5):
        run_jobs(database, fail, now=NOW + minutes * MINUTE)

    assert attempts == [(1, NOW), (2, NOW + MINUTE), (3, NOW + 3 * MINUTE)]
    job = found(database, job_id)
    assert (job.status, job.failure, job.ended_at) == (JobStatus.FAILED, "ZeroDivisionError", NOW + 3 * MINUTE)


def test_a_job_that_kills_each_worker_is_given_up(database):
    job_id = put(database)
    times = [NOW + attempt * TERMS.lasts for attempt in range(4)]

    assert [held and held.attempt for held in (lease(database, now) for now in times)] == [1, 2, 3, None]
    job = found(database, job_id)
    assert (job.status, job.failure, job.ended_at) == (JobStatus.FAILED, "LeaseLost", times[-1])


def test_a_job_that_succeeds_in_the_end_has_no_failure(database):
    job_id = put(database)

    def fail_first(_database, job, _now):
        if job.attempt == 1:
            raise ZeroDivisionError

    run_jobs(database, fail_first)
    assert found(database, job_id).failure == "ZeroDivisionError"
    run_jobs(database, fail_first, now=NOW + MINUTE)

    assert (found(database, job_id).status, found(database, job_id).failure) == (JobStatus.DONE, None)


def test_a_result_without_a_json_form_is_a_failure(database):
    job_id = put(database)

    run_jobs(database, lambda *_: object(), terms=LeaseTerms(attempts=1))

    assert (found(database, job_id).status, found(database, job_id).failure) == (JobStatus.FAILED, "TypeError")


def test_what_a_clock_that_was_ahead_has_noted_holds_nothing_up(database):
    ahead = NOW + CLOCK_TOLERANCE + MINUTE
    queued, running = put(database, now=ahead), put(database, due_at=ahead - MINUTE)
    lease(database, ahead)

    assert {lease(database).job_id, lease(database).job_id} == {queued, running}


def test_a_page_lists_the_newest_jobs_of_one_who_asked(database):
    first, other, last = put(database), put(database, by="account:2"), put(database)
    put(database, kind="evaluation")

    with database.reading() as session:

        def listed(**values):
            return [job.id for job in list_jobs(session, kinds=["export"], **values)]

        assert listed(limit=10) == [last, other, first]
        assert listed(by="account:1", limit=10) == [last, first]
        assert listed(limit=1, offset=1) == [other]


def test_ended_jobs_are_erased_after_their_time_except_the_last_one_done(database):
    with database.writing() as session:
        old = {"ended_at": NOW - JOBS_KEPT_FOR}
        for status in ("done", "done", "failed", "cancelled"):
            make_job(session, status=status, **old)
        make_job(session, status="failed", ended_at=NOW - JOBS_KEPT_FOR + MINUTE)
        make_job(session)

        assert erase_finished_jobs(session, now=NOW) == 3
        assert session.scalars(select(Job.status).order_by(Job.id)).all() == ["done", "failed", "queued"]


def test_the_last_run_tells_when_a_kind_was_done_and_has_failed_since(database):
    times = [NOW + minutes * MINUTE for minutes in range(6)]
    with database.writing() as session:
        for begun_at, ended_at, status in [
            (times[0], times[1], "failed"),
            (times[1], times[2], "done"),
            (times[3], times[4], "failed"),
        ]:
            make_job(session, status=status, begun_at=begun_at, ended_at=ended_at)

        run = last_runs(session, kinds=["export"])["export"]
        assert (run.is_open, run.begun_at, run.done_at, run.failed_at) == (False, times[3], times[2], times[3])
        make_job(session, status="done", begun_at=times[4], ended_at=times[5])
        make_job(session)

        run = last_runs(session, kinds=["export"])["export"]
        assert (run.is_open, run.begun_at, run.done_at, run.failed_at) == (True, times[4], times[5], None)


def test_a_running_job_without_a_lease_cannot_be_stored(database):
    with pytest.raises(IntegrityError), database.writing() as session:
        make_job(session, status="running")


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"lasts": timedelta(0)}, {"lasts": timedelta(days=2)}])
def test_terms_without_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=r"attempts must|a lease must"):
        LeaseTerms(**wrong)
