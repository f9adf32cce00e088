"""Operation of an installation: the server, the processes beside it, and the work that recurs.

- `scheduled_jobs.worker`: what `jiayuan work` runs
- `scheduled_jobs.settle_complaints`: the hourly work on complaints, also a command

It knows every subject whose work recurs; only commands know it.
"""
