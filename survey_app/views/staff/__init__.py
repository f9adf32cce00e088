"""Pages for staff, a module for each subject, all on one blueprint."""

from survey_app.views.staff import (
    communities,
    complaints,
    downloads,
    printing,
    questionnaires,
    reviews,
    rounds,
    signing_in,
)
from survey_app.views.staff.blueprint import blueprint

__all__ = [
    "blueprint",
    "communities",
    "complaints",
    "downloads",
    "printing",
    "questionnaires",
    "reviews",
    "rounds",
    "signing_in",
]
