"""`python -m survey_app` is `jiayuan`."""

from survey_app.commands import main

main(prog_name="jiayuan")
