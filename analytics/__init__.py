"""Standings of residential communities under an official criterion: counts in, decisions with reasons out.

Pure: no database, no server. A third-party evaluator needs this package alone to recompute a published result.
"""
