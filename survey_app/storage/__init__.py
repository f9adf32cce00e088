"""Storage: how rows are read and written on SQLite and PostgreSQL alike, whatever they are about.

Others call `insert_once`, `insert_all_once` and `lock_until_commit`. It knows no table by name, no Flask and nothing
of what the site is for.
"""
