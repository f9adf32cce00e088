"""Calibration: how often the evidence, the complaint rates and the integrity signs are right on known truths.

Others call `study.run_settings`, `study.write_study` and `integrity.run_cities`. Only the commands may know it.
"""
