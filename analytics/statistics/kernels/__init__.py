"""Loops compiled by numba, for what numpy cannot do in one pass.

Called by the modules of `analytics.statistics` alone; a kernel takes arrays and returns arrays.
"""
