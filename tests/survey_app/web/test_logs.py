import json
import logging
import sys

import pytest

from survey_app.log_events import exception_facts
from survey_app.web.logs import Lines

CANARY = "王金丝雀 13812345678"


def line(name, message, *arguments, exc_info=None, **facts):
    record = logging.makeLogRecord(
        {"name": name, "levelno": logging.ERROR, "levelname": "ERROR", "msg": message, "args": arguments}
        | {"pathname": "/x/channel.py", "module": "channel", "lineno": 7, "exc_info": exc_info}
        | facts
    )
    return Lines().format(record)


def raised(error):
    try:
        raise error
    except type(error):
        return sys.exc_info()


def test_a_record_of_ours_is_one_line_with_its_event_and_its_facts():
    written = line("survey_app.log_events", "refused", error="RevokedCode", endpoint="survey.submit")

    read = json.loads(written)
    assert "\n" not in written
    assert read.pop("time").endswith("+00:00")
    assert read == {
        "level": "error",
        "logger": "survey_app.log_events",
        "event": "refused",
        "error": "RevokedCode",
        "endpoint": "survey.submit",
    }


@pytest.mark.parametrize("name", ["survey_app.app.factory", "waitress"])
def test_neither_arguments_nor_the_words_of_exceptions_are_written(name):
    written = line(name, "Exception while serving %s", CANARY, exc_info=raised(ValueError(CANARY)), typed=CANARY)

    assert CANARY not in json.loads(written).values()
    assert "金丝雀" not in written
    assert json.loads(written)["error"] == "ValueError"
    assert "test_logs.py:" in json.loads(written)["where"][-1]


def test_of_other_libraries_only_the_place_is_written_since_they_format_addresses_into_messages():
    assert json.loads(line("waitress", f"Exception while serving /s/{CANARY}"))["event"] == "channel:7"


def test_an_exception_that_was_never_raised_has_no_places():
    assert exception_facts(ValueError(CANARY)) == {"error": "ValueError", "where": []}
