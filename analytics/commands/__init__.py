"""Commands of `python -m analytics`."""
