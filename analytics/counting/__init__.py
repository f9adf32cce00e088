"""Counting of answers into the numbers of each community, from Parquet batches of any size.

Others call `answer_counts.count_answers`, `composites.composite_sums` and `response_batches`. Knows rules and files,
and nothing of ranks.
"""
