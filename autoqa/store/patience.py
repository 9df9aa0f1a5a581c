"""How long to wait for a database that does not answer, and what counts as not answering."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from autoqa.errors import AutoqaError

T = TypeVar("T")

SEARCH_SECONDS = 900.0
"""A search that has begun waits so long: longer than a server's restart or an update takes."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
_POLL = 0.1
_TELL_EVERY = 60.0
"""Seconds between two sentences about the same absence, once the pauses are at their longest."""

_SQLITE_PASSING = (5, 6, 13)
"""SQLITE_BUSY, SQLITE_LOCKED and SQLITE_FULL, without their extensions: a disk is often full for a
moment only, until what was half-written is removed."""

_GONE_STATES = ("57P01", "57P02", "57P03", "53300", "40001", "40P01", "55P03", "25P03")
"""PostgreSQL: shut down, crashed, starting up, too many connections, deadlocks, and time-outs of
locks and of idle transactions; besides these the whole class 08, connection exceptions."""

_REFUSALS = (
    "authentication failed",
    "no password supplied",
    "does not exist",
    "no pg_hba.conf entry",
    "not permitted to log in",
    "permission denied",
    "is not currently accepting connections",
    "invalid sslmode value",
    "invalid integer value",
    "invalid port number",
)
"""What a server that is there says to a connection which it will not take later, either; libpq has
no error codes for these."""


def _nobody(_sentence: str) -> None:
    """Tells nobody."""


def _go_on() -> None:
    """Never raises."""


def absence(error: BaseException) -> str | None:
    """The driver's words where a database was away, busy or starting; ``None`` for other errors.

    Args:
        error: SQLAlchemy's, or one that was raised because of it or while it was handled.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, DBAPIError) and _is_absence(seen):
            return cause(seen)
        seen = seen.__cause__ or seen.__context__
    return None


def _help(reason: str) -> str:
    if "locked" in reason:
        return "wait for the process that writes to it, or end it"
    return "start it, or see that this machine reaches it"


def cause(error: SQLAlchemyError) -> str:
    """The driver's own first line: the rest is the statement and a link."""
    return (str(getattr(error, "orig", None) or error).splitlines() or [type(error).__name__])[0]


def _is_absence(error: DBAPIError) -> bool:
    if error.connection_invalidated:
        return True
    driver = error.orig
    code = getattr(driver, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE_PASSING
    state = getattr(driver, "sqlstate", None) or getattr(driver, "pgcode", None)
    if state:
        return str(state).startswith("08") or state in _GONE_STATES
    # Without a code: the connection failed, or the server refused it.
    lost = type(driver).__name__ in ("OperationalError", "InterfaceError", "ConnectionTimeout")
    refused = any(words in str(driver) for words in _REFUSALS)
    return lost and not refused and not type(driver).__module__.startswith("sqlite3")


@dataclass(slots=True)
class Patience:
    """How long to wait for an absent database, and who is told.

    Attributes:
        seconds: From the first failure; then the wait ends with an error.
        tell: Takes a sentence for people when the wait begins, goes on and ends.
        check: Called several times a second during waits; may raise, so that Ctrl-C works.
    """

    seconds: float = 10.0
    tell: Callable[[str], None] = _nobody
    check: Callable[[], None] = _go_on

    def pause(self, seconds: float) -> None:
        """Sleeps, and calls :attr:`check` meanwhile."""
        until = time.monotonic() + seconds
        self.check()
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _POLL))
            self.check()

    @contextmanager
    def checked_by(self, check: Callable[[], None]) -> Iterator[None]:
        """Has waits call another function while the block runs."""
        before, self.check = self.check, check
        try:
            yield
        finally:
            self.check = before

    def insist(
        self,
        work: Callable[[], T],
        where: str,
        *,
        absence: Callable[[BaseException], str | None] = absence,
        what: str = "database",
        remedy: Callable[[str], str] = _help,
    ) -> T:
        """Does a piece of work on a database, again as a whole where the database was away.

        Args:
            work: May have been done although it failed: an answer can be lost. It has to see
                that by itself when it is called again.
            where: The database as messages show it.
            absence: Says why an error means that it was away; ``None`` for other errors.
            what: Its kind, if it is something else.
            remedy: What to do about a reason.

        Raises:
            AutoqaError: The database stayed away.
        """
        began, pause, told = time.monotonic(), _FIRST_PAUSE, float("-inf")
        while True:
            try:
                result = work()
            except Exception as error:
                reason = absence(error)
                if reason is None:
                    raise
                waited = time.monotonic() - began
                if waited + pause > self.seconds:
                    raise AutoqaError(
                        f"{where}: the study's {what} has not answered for {math.ceil(waited)} s "
                        f"({reason}): {remedy(reason)}, and give the same command again; "
                        "nothing that finished is lost"
                    ) from error
                often = pause < _LONGEST_PAUSE
                # A blink of an eye is not worth a line.
                if waited >= _FIRST_PAUSE and (often or waited - told >= _TELL_EVERY):
                    told = waited
                    self.tell(
                        f"the {what} {where} has not answered for {math.ceil(waited)} s "
                        f"({reason}); results wait on disk; trying again"
                    )
            else:
                if told >= 0:
                    waited = time.monotonic() - began
                    self.tell(f"the {what} {where} answers again after {waited:.0f} s")
                return result
            self.pause(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
