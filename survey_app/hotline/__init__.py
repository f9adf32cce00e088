"""Files of the 12345 hotline: its cases read, compared and imported, matched with others, and answered by a file.

`ledger_rows` says what a row of such a file holds, `ledger_words` which words it is written in, `ledger_file` reads it,
`ledger_plan` tells what it changes, `ledger_store` stores that and `ledger_jobs` does so in the background.
`import_files` are the files on their way, `taking_back` undoes an import, `community_names` finds which community is
meant, `matches` what came by another channel too, and `reply_file` writes what goes back. The hotline is the system of
record of its cases: our clock never starts or moves for them.
"""
