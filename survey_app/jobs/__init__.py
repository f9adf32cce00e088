"""Background jobs: one queue in the database for work that takes longer than a page may.

- `queue.enqueue`, `queue.cancel_job`, `queue.find_job`, `queue.list_jobs`: for those who want work done
- `handlers.JobKind`, `handlers.RunningJob`: for those who write the function that does one kind of work
- `worker.Worker`: for the process that does it
- `history.last_runs`, `history.erase_finished_jobs`: what became of a kind of job, and for how long that is kept

It may know neither subjects nor Flask nor which kinds of job there are: handlers are handed to the worker.

It is our own because huey, which has storages for both databases, commits on a connection of its own and deletes a task
when it is taken: a job would outlive the caller's rollback and die with its worker.
"""
