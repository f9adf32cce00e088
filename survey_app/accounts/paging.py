"""Pagination of long lists."""

from dataclasses import dataclass

from flask import request

from survey_app.web.typed_numbers import read_whole_number

_LARGEST_PAGE = 100_000


@dataclass(frozen=True)
class Page:
    """Page of a list."""

    number: int
    size: int
    total: int

    @property
    def offset(self) -> int:
        """Number of rows before the page."""
        return (self.number - 1) * self.size

    @property
    def last(self) -> int:
        """The number of the last page."""
        return max(1, -(-self.total // self.size))


def requested_page() -> int:
    """Return the page number in the address, within reason."""
    return max(1, min(read_whole_number(request.args.get("page")) or 1, _LARGEST_PAGE))
