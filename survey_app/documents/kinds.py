"""Kinds of documents: the name of each in its address, and what makes its contents of one view."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from dashboards.frames.page_data import PageData
from survey_app.documents.community import community
from survey_app.documents.complaints import complaints
from survey_app.documents.cover import Contents
from survey_app.documents.criterion import criterion
from survey_app.documents.overview import overview

KINDS: Final[Mapping[str, Callable[[PageData], Contents]]] = MappingProxyType(
    {"overview": overview, "criterion": criterion, "community": community, "complaints": complaints}
)
"""What makes the contents of each kind; it raises `LookupError` where the view has no such community."""
