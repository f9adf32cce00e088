"""Named exceptions with their facts; the wording for people lives in the templates."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from analytics.languages import Wording


@dataclass(frozen=True)
class Bureau:
    """Contact of a community: the housing bureau of its district."""

    district: Wording
    telephone: str | None


class JiayuanError(Exception):
    """Any expected failure. `status` is its HTTP status, `page` the template that explains it, `headers` come along."""

    status = 400
    page = "errors/generic.html"
    headers: Mapping[str, str] = MappingProxyType({})

    def __str__(self) -> str:
        """Return the message or, for a kind of failure without facts, what its documentation says it is."""
        return super().__str__() or (type(self).__doc__ or type(self).__name__).partition("\n")[0]


class DatabaseTooNew(JiayuanError):
    """The database has a revision that the code does not know, so that there is no way back to it."""

    status = 503

    def __init__(self, found: str) -> None:
        super().__init__(
            f"the database is at revision {found}, which is newer than this program: a later version has migrated it. "
            "Install that version or a later one, or restore the backup that was made before; nothing was changed"
        )
        self.found = found


class DatabaseDriverMissing(JiayuanError):
    """The program is installed without what it needs for PostgreSQL."""

    status = 503

    def __init__(self) -> None:
        super().__init__("the database is on PostgreSQL, and its driver is not installed: pip install 'jiayuan[scale]'")


class DatabaseOutdated(JiayuanError):
    """The database has another revision than the code."""

    status = 503

    def __init__(self, found: str | None, expected: str | None) -> None:
        super().__init__(f"the database is at revision {found}, this version needs {expected}: run `jiayuan migrate`")
        self.found, self.expected = found, expected


class UnknownCode(JiayuanError):
    """No code like this was ever issued."""

    status = 404
    page = "errors/unknown_code.html"


class RevokedCode(JiayuanError):
    """The code was issued and later withdrawn."""

    status = 410
    page = "errors/revoked_code.html"

    def __init__(self, community: Wording, bureau: Bureau) -> None:
        super().__init__(f"the code of {community.zh_hans} was revoked")
        self.community, self.bureau = community, bureau


class ExpiredCode(JiayuanError):
    """The slip was valid until a day that is over; another one can be had."""

    status = 410
    page = "errors/expired_code.html"

    def __init__(self, community: Wording) -> None:
        super().__init__(f"the slip of {community.zh_hans} has expired")
        self.community = community


class VisitExpired(JiayuanError):
    """The slip was scanned too long ago for its address to open a form; scanning the slip again works."""

    status = 410
    page = "errors/visit_expired.html"


class OtherCodeNeeded(JiayuanError):
    """The code is valid, but the open round accepts the other kind, or slips of its own."""

    status = 409
    page = "errors/other_code_needed.html"

    def __init__(self, community: Wording, *, accepts_posters: bool, accepts_households: bool) -> None:
        super().__init__(f"the open round takes no answers for {community.zh_hans} through this code")
        self.community = community
        self.accepts_posters, self.accepts_households = accepts_posters, accepts_households


class NoOpenRound(JiayuanError):
    """The code is valid, but no round takes answers now. The dates are local: the first and the last day.

    `by` is the kind of the code, where one was scanned; `needs_slip` says that the coming round takes slips alone.
    """

    status = 409
    page = "errors/no_open_round.html"

    def __init__(
        self,
        community: Wording,
        bureau: Bureau,
        *,
        opens_on: date | None,
        closed_on: date | None,
        by: str | None = None,
        needs_slip: bool = False,
    ) -> None:
        super().__init__(f"no round is open for {community.zh_hans}")
        self.community, self.bureau = community, bureau
        self.opens_on, self.closed_on = opens_on, closed_on
        self.by, self.needs_slip = by, needs_slip


class InvalidSubmissionKey(JiayuanError):
    """The form's signed key is missing, was altered or belongs to another form."""

    status = 400
    page = "errors/invalid_form.html"


class OtherAnswersSubmitted(JiayuanError):
    """The same form was already sent with other content; nothing was overwritten."""

    status = 409
    page = "errors/invalid_form.html"

    def __init__(self, number: str) -> None:
        super().__init__("this submission key already carries other content")
        self.number = number


class DatabaseBusy(JiayuanError):
    """Others kept the database locked until the timeout of this transaction."""

    status = 503

    def __init__(self) -> None:
        super().__init__("the database is kept busy by others")


class WriterBusy(JiayuanError):
    """The write queue is full, so this one had to be turned away; the phone sends it again."""

    status = 503

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting} submissions wait to be written already")
        self.waiting = waiting


class UnknownNumber(JiayuanError):
    """No response and no complaint has this number."""

    status = 404
    page = "errors/unknown_number.html"


class TransitionRefused(JiayuanError):
    """The rules of the life cycle allow no such step from the present state of the case."""

    status = 409
    page = "errors/case_moved_on.html"

    def __init__(self, standing: str, action: str, actor: str) -> None:
        super().__init__(f"{action} by {actor} is not a step from {standing}")
        self.standing, self.action, self.actor = standing, action, actor
