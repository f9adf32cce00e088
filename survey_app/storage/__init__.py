"""The database: transactions, the SQLite write lock, group commit, caches, inserts that happen once.

Others call `database.Database` (`reading()`, `writing()`), `group_commit.Writer`, `insert_once.insert_once`,
`advisory_locks.lock_until_commit`, `short_transactions.ShortTransactions` and the two caches. Knows no table by name
and no Flask.
"""
