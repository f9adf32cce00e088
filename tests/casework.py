"""The times of casework that come with the program, for tests of cases that need no database."""

from survey_app.complaints.casework_rules import load_casework_rules
from survey_app.complaints.working_days import load_calendar
from survey_app.config import DATA

CASEWORK_FILE = DATA / "casework" / "wuhai" / "2021-08-23.yaml"
RULES = load_casework_rules(CASEWORK_FILE)
CALENDAR = load_calendar(sorted((DATA / "calendars").glob("*.yaml")))
