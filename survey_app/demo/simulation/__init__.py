"""Simulation of a believable city from a seed, sent through the same checks as a resident's phone.

Others call `simulate.simulate` and read `city.COMMUNITIES`.
"""
