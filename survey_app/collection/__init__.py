"""Collection of answers, counted as it goes on: what each response changes, and tallies that add these changes up.

Others call `changes.prepare_arrivals` and `changes.counted_departures` in the transaction that stores or erases
answers, `tallies.fold_changes` now and then, and the other functions of `tallies` for pages. Knows nothing of what was
answered.
"""
