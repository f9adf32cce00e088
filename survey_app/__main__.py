"""`python -m survey_app` is `jiayuan`."""

from survey_app.cli import main

main(prog_name="jiayuan")
