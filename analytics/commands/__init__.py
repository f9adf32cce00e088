"""The commands of `python -m analytics`, by what they answer."""
