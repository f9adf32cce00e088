import pytest
from flask import render_template_string

from survey_app.accounts.installation import DemoDatabase, RealDatabase, is_demo, use_as_demo, use_as_real
from tests.conftest import site_on
from tests.factories import NOW, make_community, make_round


def test_a_new_database_is_no_demonstration(database):
    with database.reading() as session:
        assert not is_demo(session)


def test_a_demonstration_never_becomes_real(database):
    with database.writing() as session:
        use_as_demo(session, now=NOW)
        use_as_demo(session, now=NOW)

        with pytest.raises(DemoDatabase):
            use_as_real(session, now=NOW)
        assert is_demo(session)


def test_a_real_database_never_becomes_a_demonstration(database):
    with database.writing() as session:
        use_as_real(session, now=NOW)
        use_as_real(session, now=NOW)

        with pytest.raises(RealDatabase):
            use_as_demo(session, now=NOW)
        assert not is_demo(session)


@pytest.mark.parametrize("make", [make_community, make_round])
def test_a_database_that_holds_anything_unmarked_is_taken_for_real(sqlite_database, make):
    with sqlite_database.writing() as session:
        make(session)

        with pytest.raises(RealDatabase):
            use_as_demo(session, now=NOW)


@pytest.mark.parametrize(("use", "banner"), [(use_as_demo, "演示"), (use_as_real, "")])
def test_templates_know_whether_the_site_is_a_demonstration(sqlite_database, config, use, banner):
    with sqlite_database.writing() as session:
        use(session, now=NOW)

    with site_on(config) as app, app.app_context():
        assert render_template_string("{% if is_demo %}演示{% endif %}") == banner
