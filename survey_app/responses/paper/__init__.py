"""Paper questionnaires: the questions of the entry page, in the same order, with the codes that staff type in.

Others call `print_runs.print_blank_forms` and `print_runs.files_of_forms`. Knows nothing of answers: what comes back on
paper is typed in by staff.
"""
