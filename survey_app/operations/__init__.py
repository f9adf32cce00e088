"""Running the site: the server, the worker beside it, and what recurs on schedule.

Others call `server.serve`, `supervisor.supervised_process`, `scheduled_jobs.worker` (what `jiayuan work` runs) and
`scheduled_jobs.settle_complaints`. Knows every room whose work recurs, and gets the app handed in; only commands know
it.
"""
