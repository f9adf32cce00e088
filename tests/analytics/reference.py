"""Published figures typed into data/reference, each file with its source."""

import yaml

from survey_app.config import REPOSITORY


def published(name):
    return yaml.safe_load((REPOSITORY / "data" / "reference" / f"{name}.yaml").read_text(encoding="utf-8"))


def columns(rows):
    """Turn a table of rows into its columns, null into NaN."""
    return [[float("nan") if value is None else value for value in column] for column in zip(*rows, strict=True)]
