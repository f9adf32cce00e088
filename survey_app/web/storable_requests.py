"""Request whose form holds only text that a database can store."""

from flask import Request
from werkzeug.datastructures import ImmutableMultiDict

from survey_app.security.text import without_nul


class StorableRequest(Request):
    """Request without NUL in the names and values of its form, which no keyboard types and PostgreSQL refuses."""

    def _load_form_data(self) -> None:
        is_loaded = "form" in vars(self)
        super()._load_form_data()
        if not is_loaded and any("\0" in name + value for name, value in self.form.items(multi=True)):
            fields = [(without_nul(name), without_nul(value)) for name, value in self.form.items(multi=True)]
            vars(self)["form"] = ImmutableMultiDict(fields)
