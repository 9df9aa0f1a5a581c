"""What disks do to files: a byte flips, half of a file is zeros."""

from pathlib import Path

from autoqa.store.checksums import SUMS


def flip(path: Path, at: int = -1) -> None:
    """Changes one bit of a file."""
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def zero_half(path: Path) -> None:
    """Zeroes a file's second half, as a lost write does."""
    content = path.read_bytes()
    half = len(content) // 2
    path.write_bytes(content[:half] + bytes(len(content) - half))


def without_sums(candidate: Path) -> None:
    """Makes a candidate's folder one of before there were checksums: any change is taken then."""
    (candidate / SUMS).unlink(missing_ok=True)
