"""What casework achieved: cases acknowledged and answered in time, waits, verdicts, call-backs, flow, laggards.

Others call `case_frame.CASE_COLUMNS`, `case_frame.SPELL_COLUMNS`, `shares.share_of`, `shares.shares_by`,
`waiting_times.waiting_times`, `outcomes.count_verdicts`, `rates.three_rates`, `call_backs.draw_sample`,
`call_backs.match_rate`, `closures.judge_closures`, `closures.find_watched`, `flow.monthly_flow`, `flow.open_by_age`,
`laggards.find_laggards` and `monthly_figures.monthly_figures`. Frames of cases in, one row each; knows no database, no
calendar and no life cycle: what was in time is decided by whoever makes the frame.
"""
