"""Pages of complaints: filing one, and following it by its reference."""

from survey_app.views.complaints import filing, following  # noqa: F401 (their views join the blueprint)
from survey_app.views.complaints.blueprint import blueprint

__all__ = ["blueprint"]
