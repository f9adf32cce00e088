"""Complaints: filed by residents, moved by a state machine, timed by deadlines in working days.

Others call `filing.file_complaint`, `cases.settle_case`, `cases.due_references`, `state_machine.advance`,
`casework_files.rules_at`, `calendars.calendar`, `deadlines.judged_deadline`, `categories.categories`,
`case_records.read_case_records`, `contacts.erase_contacts`, `words.erase_words` and `redaction.redact`. Knows
nothing of survey answers or evaluations.
"""
