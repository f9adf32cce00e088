"""Settings of installations for servers in processes of their own."""

import pytest

from survey_app.config import Config
from tests.faults.campaign import SECRET_KEY


@pytest.fixture
def config_on(tmp_path):
    """Return the settings of an installation on a database, for servers in processes of their own."""

    def config_on(database):
        url = database.url.render_as_string(hide_password=False)
        return Config(tmp_path, url, SECRET_KEY, "http://127.0.0.1")

    return config_on
