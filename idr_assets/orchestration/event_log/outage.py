"""Try again while the database of events is away: locked, cut off, refusing connections, or without space."""

import logging
import os
import sqlite3
from collections.abc import Callable
from time import monotonic, sleep

import sqlalchemy as db

logger = logging.getLogger(__name__)

SECONDS = 300.0
"""How long events are tried again, unless IDR_ASSETS_EVENT_SECONDS says otherwise."""

PAUSE = 0.5
"""Seconds between two tries."""

PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,  # so SQLite calls a full disk if it cannot create its journal
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
}
"""Primary result codes of SQLite that may pass."""

TRYING_AGAIN = "The database of Dagster's events does not answer as it should (%s). Events are tried again for %.0f s."


def read_seconds() -> float:
    """Return how long events are tried again; raise `ValueError` if IDR_ASSETS_EVENT_SECONDS is not a number."""
    said = os.environ.get("IDR_ASSETS_EVENT_SECONDS")
    try:
        return float(said or SECONDS)
    except ValueError:
        message = (
            f"IDR_ASSETS_EVENT_SECONDS is {said!r}, so it is not known how long events are tried again. Set it to "
            f"seconds such as {SECONDS:g}, or unset it."
        )
        raise ValueError(message) from None


class Outage:
    """How long the database has been away, for all threads of a process.

    Attributes
    ----------
    gave_up : bool
        Whether the database was away for longer than events are tried again, and is still. Until it is back, what is
        to be stored is tried once.

    """

    def __init__(self) -> None:
        """Know nothing of the database yet."""
        self.gave_up = False
        self._since: float | None = None

    def keep_trying[T](self, attempt: Callable[[bool], T]) -> T:
        """Call `attempt` until it succeeds, with True after the first time; raise what it raises if that stays."""
        again = False
        while True:
            try:
                found = attempt(again)
            except Exception as error:
                if not may_pass(error) or self._is_over(error):
                    raise
                again = True
                sleep(PAUSE)
            else:
                self.gave_up, self._since = False, None
                return found

    def _is_over(self, error: Exception) -> bool:
        seconds = read_seconds()
        if self._since is None:
            self._since = monotonic()
            logger.warning(TRYING_AGAIN, reason(error), seconds)
        self.gave_up = self.gave_up or monotonic() - self._since > seconds
        return self.gave_up


def may_pass(error: Exception) -> bool:
    """Return whether a database refuses for a while only, as far as its error tells."""
    found = _of_database(error)
    if not isinstance(found, db.exc.OperationalError | db.exc.InterfaceError):
        return False
    code = getattr(found.orig, "sqlite_errorcode", None)
    return code is None or code & 0xFF in PASSING  # the code of PostgreSQL's connections and resources has this class


def reason(error: Exception) -> str:
    """Say in one line why a database refuses."""
    return " ".join(str(getattr(_of_database(error), "orig", None) or error).split())


def _of_database(error: Exception) -> BaseException:
    """Return the error of the database; dagster-postgres hides it behind its own."""
    return error if isinstance(error, db.exc.DBAPIError) else error.__cause__ or error
