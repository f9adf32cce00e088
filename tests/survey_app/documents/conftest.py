import pytest

from survey_app.printing.typefaces import ChineseTypefaceMissing, installed_typefaces
from tests.dashboards.made_up import MadeUpCity


@pytest.fixture(scope="package", autouse=True)
def _typefaces():
    pytest.importorskip("pypdfium2")
    try:
        installed_typefaces()
    except ChineseTypefaceMissing as error:
        pytest.skip(str(error))


@pytest.fixture(scope="package")
def city():
    return MadeUpCity()


@pytest.fixture(scope="package")
def preview_city():
    return MadeUpCity(provisional=True)
