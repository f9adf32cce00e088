"""The decision: exact scores, ranks, cut-offs and the criterion as the rule file states it, with reasons.

Others call `evaluate.evaluate`, `community_table.read_table`, `community_table.check_communities`, `what_if.compare`,
`what_if.with_choices`, `left_out_responses.leave_out_responses`, `reasons.reason_sentence` and `summary.summarise`.
Exact arithmetic alone; knows no probability.
"""
