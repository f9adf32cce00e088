"""Purpose of a database, a real city or a demonstration, decided once and for good, and the key that it begins with."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_app.errors import JiayuanError
from survey_app.models import Account, Community, Installation, Questionnaire, Round
from survey_app.secret_keys import KeyFault, WeakSecretKey, fault_of_key


class DemoDatabase(JiayuanError):
    """A real action was requested on a demonstration database."""

    def __init__(self) -> None:
        super().__init__("this database holds a demonstration city and can never hold a real one: use another database")


class RealDatabase(JiayuanError):
    """A demonstration was requested on a database that holds, or may hold, a real city."""

    def __init__(self) -> None:
        super().__init__("this database is not a demonstration: a simulated city needs a database of its own")


def is_demo(session: Session) -> bool:
    """Return whether this database is marked as a demonstration."""
    return bool(session.scalar(select(Installation.is_demo)))


def use_as_real(session: Session, *, now: datetime) -> None:
    """Mark the database as real, or raise `DemoDatabase`; every command that stores something real begins so."""
    if is_demo(session):
        raise DemoDatabase
    if session.get(Installation, 1) is None:
        session.add(Installation(id=1, is_demo=False, created_at=now))
        session.flush()


def use_as_demo(session: Session, *, now: datetime) -> None:
    """Mark the database as a demonstration, or raise `RealDatabase` if it is, or holds, anything else."""
    installation = session.get(Installation, 1)
    if installation is None and not holds_anything(session):
        session.add(Installation(id=1, is_demo=True, created_at=now))
        session.flush()
    elif installation is None or not installation.is_demo:
        raise RealDatabase


def check_secret_key(session: Session, *, secret_key: str) -> KeyFault | None:
    """Raise `WeakSecretKey` if a new installation would begin with a key that can be guessed.

    One that is in use goes on, since its slips and links rest on the key: the fault is returned, to be told.
    """
    fault = fault_of_key(secret_key)
    if fault is not None and session.get(Installation, 1) is None and not holds_anything(session):
        raise WeakSecretKey(fault)
    return fault


def holds_anything(session: Session) -> bool:
    """Return whether anything of a city is stored: until then purpose and key can still be others."""
    return any(
        session.scalar(select(table.id).limit(1)) is not None for table in (Community, Questionnaire, Round, Account)
    )
