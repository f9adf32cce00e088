"""The tests notice a request that does something long inside a write transaction."""

import pytest
from flask import render_template

from survey_app.accounts.accounts import NewPassword
from tests.accounts import PASSWORD


@pytest.mark.parametrize(
    ("do", "said"),
    [
        (lambda: NewPassword.of(PASSWORD), "a password is hashed while a write transaction is open"),
        (lambda: render_template("message.html"), "message.html is rendered while a write transaction is open"),
    ],
)
def test_long_work_inside_a_write_transaction_fails_the_test_of_its_page(app, do, said):
    database = app.extensions["jiayuan"].database
    with app.test_request_context("/"), database.writing(), pytest.raises(AssertionError, match=said):
        do()
