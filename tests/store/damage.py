"""What disks do to files: a byte flips, half of a file is zeros."""

from pathlib import Path


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
