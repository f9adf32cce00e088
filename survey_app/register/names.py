"""Names of communities, of their districts, and of the bureaus to call about them."""

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from analytics.languages import Wording
from survey_app.catalogue import translator
from survey_app.errors import Bureau
from survey_app.models import Community, District, RuleFile
from survey_app.stored_rules import rules_of

PLACE_COLUMNS = (
    Community.id,
    Community.number,
    Community.name,
    Community.english_name,
    District.name.label("region"),
    District.english_name.label("region_english"),
)
"""A community and its district, for a select that joins both."""


def english_regions(session: Session) -> dict[str, str | None]:
    """Return the English names of all regions, by their names: of the districts, and of the city as a whole."""
    cities = [rules_of(content).city for content in session.scalars(select(RuleFile.content))]
    districts = session.execute(select(District.name, District.english_name))
    return {city.zh_hans: city.en for city in cities} | {row.name: row.english_name for row in districts}


def is_called(text: str) -> ColumnElement[bool]:
    """Return the condition that the name of a `Community`, its pinyin or its number contains a text."""
    fields = (Community.name, Community.english_name, Community.number, Community.sort_key)
    return or_(*(field.icontains(text, autoescape=True) for field in fields))


def bureau_of(district: District) -> Bureau:
    """Return whom to call about a community of this district."""
    return Bureau(Wording.of(district.name, district.english_name), district.telephone)


def bureau_name(district: Wording, language: str) -> str:
    """Return what the housing bureau of a district is called in a language."""
    _ = translator(language)
    return _("%(district)s Housing Bureau") % {"district": district.in_language(language)}
