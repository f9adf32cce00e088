"""Evaluations: a round counted, decided by its rules, stored for good, published, shown by the dashboards.

Others call `evaluate_round.evaluate_round`, `evaluate_round.verify_evaluation`, `counts.community_table`,
`publications.publish_evaluation`, `standings.read_standings` and `dashboard_source.StoredEvaluations`. Knows nothing of
how answers come in or how files are written.
"""
