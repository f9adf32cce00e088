"""Personal data in what residents write: each module finds one kind by its form and yields the places.

Redaction asks `telephones.telephones`, `numbers.numbers`, `accounts.accounts`, `flats.flats` and `names.names`. They
match on `readings.Readings`, in which the many spellings of a sign are one. Every pattern has bounded repetitions, so
that no text takes long. Names are told from words by likelihood, in time that grows with the length of the text.
"""
