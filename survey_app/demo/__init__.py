"""The demonstration: a simulated city with accounts, built once in an instance of its own.

Others call `demo.prepare_demo`, `demo.current_codes` and `simulation.simulate.simulate`. It goes through the same
functions as residents and staff; no room but the commands may know it.
"""
