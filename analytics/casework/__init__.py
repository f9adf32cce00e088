"""What casework achieved: cases acknowledged and answered in time, waits, verdicts, exclusions, flow, laggards.

Others call `case_frame.CASE_COLUMNS`, `case_frame.SPELL_COLUMNS`, `shares.share_of`, `shares.shares_by`,
`waiting_times.waiting_times`, `outcomes.count_verdicts`, `outcomes.three_rates`, `flow.monthly_flow`,
`flow.open_by_age`, `laggards.find_laggards` and `monthly_figures.monthly_figures`. Frames of cases in, one row each;
knows no database, no calendar and no life cycle: what was in time is decided by whoever makes the frame.
"""
