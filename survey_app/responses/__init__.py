"""Survey responses: the form, storing answers once, receipts, what counts, staff entry, paper, review, retention.

Others call `submission.open_visit`, `submission.record_response`, `counting_status.status_of_response`,
`receipts.withdraw_response`, `receipts.correct_response`, `own_answers.read_own_answers`,
`integrity_reviews.examine_round` and `retention.erase_expired`. Knows nothing of complaints or of standings.
"""
