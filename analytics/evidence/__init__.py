"""The evidence beside a decision: how probable it is, in numbers and in one of five words.

Others call `weigh_evidence.weigh_evidence`, `bands.evidence_bands`, `method.EVIDENCE_METHOD`,
`list_reliability.summarise_evidence`, `needed_responses`, `quota_feasibility.forecast_round`,
`underreported_complaints.underreported_complaints`, `aspect_percentiles.aspect_percentiles` and
`sensitivity.analyse_sensitivity`. Reads decisions and never changes one.
"""
