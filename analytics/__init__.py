"""Standings of residential communities under an official criterion: counts in, decisions with reasons out.

No database, no server: a third-party evaluator needs this package alone to recompute a published result. The rooms,
from the files upwards: `files`, `rules`, `statistics`, `counting`, `decision`, `evidence`, `disclosure`, `reports`,
`calibration`, `commands`.
"""
