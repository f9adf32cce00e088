"""Pages for staff, a module for each subject, all on one blueprint."""

from survey_app.views.staff import (
    accounts,
    audit,
    communities,
    complaints,
    documents,
    downloads,
    importing,
    own_account,
    photos,
    planning,
    poster_codes,
    printing,
    questionnaires,
    reviews,
    rounds,
    signing_in,
    slips,
)
from survey_app.views.staff.blueprint import blueprint

__all__ = [
    "accounts",
    "audit",
    "blueprint",
    "communities",
    "complaints",
    "documents",
    "downloads",
    "importing",
    "own_account",
    "photos",
    "planning",
    "poster_codes",
    "printing",
    "questionnaires",
    "reviews",
    "rounds",
    "signing_in",
    "slips",
]
