"""Simulation of a believable city from a seed, sent through the same checks as a resident's phone."""
