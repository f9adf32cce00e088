"""Statistics: arrays in, arrays out; intervals, ranks, shrinkage, rates, funnels, trends, integrity signs.

Others call `intervals.wilson`, `empirical_bayes`, `rank_confidence_sets`, `top_probability.top_probability`,
`complaint_rates.complaint_rates`, `funnel`, `integrity_signals.find_signals` and `raking_weights`. Knows no rule file.
"""
