"""Bytes and moments in words."""

from datetime import UTC, datetime

_UNITS = ("kB", "MB", "GB", "TB")


def size(amount: float) -> str:
    """Bytes as ``512 B``, ``3.4 MB`` or ``120 GB``; a unit is a thousand of the one before."""
    if abs(amount) < 1000:
        return f"{amount:.0f} B"
    for unit in _UNITS:
        amount /= 1000
        if abs(amount) < 999.5 or unit == _UNITS[-1]:
            break
    return f"{amount:.1f} {unit}" if abs(amount) < 9.95 else f"{amount:.0f} {unit}"


def count(number: int, noun: str) -> str:
    """``1 model``, ``1,200 models``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def moment(when: datetime) -> str:
    """Minutes are enough: ``2026-01-31 23:59``, UTC."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M}"


def day(seconds: float) -> str:
    """The day of a moment in seconds since the epoch, UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
