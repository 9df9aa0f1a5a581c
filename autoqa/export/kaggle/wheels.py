"""The wheels that a notebook without network installs: autoqa, and what Kaggle's image lacks."""

import base64
import hashlib
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import autoqa
from autoqa.errors import MissingAssetError

PYTHONS = ("3.11", "3.12", "3.13")
"""Versions of Python that Kaggle's image may have; only packages compiled for one Python differ."""

REQUIREMENTS = "requirements.txt"

_ROOTS = ("transformers", "tokenizers", "safetensors")
# Kaggle's image has these, in versions that do, for purposes of its own; other versions under a
# running notebook would do more harm than good.
_IMAGE = "anyio click filelock fsspec h11 idna numpy packaging pydantic pyyaml rich torch tqdm"
# Answering imports none of these: a command line, faster downloads, newer type hints.
_UNUSED = "hf-xet typer typing-extensions"
_NOT_SHIPPED = frozenset([*_IMAGE.split(), *_UNUSED.split()])
_PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64")
_MAIN_FILES = ("METADATA", "entry_points.txt", "licenses/LICENSE")


@dataclass(frozen=True, slots=True)
class Missing:
    """A wheel that no package index had.

    Attributes:
        pin: ``regex==2026.11.15``.
        pythons: For which versions of Python.
    """

    pin: str
    pythons: tuple[str, ...]

    def __str__(self) -> str:
        every = self.pythons == PYTHONS
        return self.pin if every else f"{self.pin} for Python {', '.join(self.pythons)}"


def write_wheels(folder: Path) -> list[Missing]:
    """Fills a folder with wheels and the list of what to install from it.

    Args:
        folder: An existing folder.

    Returns:
        What no package index was reached for; the kit is incomplete without it.

    Raises:
        MissingAssetError: autoqa or a package that it needs is not installed as a distribution.
    """
    write_autoqa_wheel(folder)
    pins = needed_pins()
    lines = [f"autoqa=={autoqa.__version__}", *pins]
    (folder / REQUIREMENTS).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    for python in PYTHONS:
        _run(download_command(python, pins, folder))
    return missing_wheels(pins, folder)


def needed_pins() -> list[str]:
    """Exact versions, as installed here, of what answering needs and Kaggle's image lacks."""
    # A dependency of transformers, so it is there; its import takes time that --help need not pay.
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    versions: dict[str, str] = {}
    queue: list[str] = list(_ROOTS)
    while queue:
        name = queue.pop()
        if name in versions or name in _NOT_SHIPPED:
            continue
        try:
            package = distribution(name)
        except PackageNotFoundError as error:
            raise MissingAssetError(
                f"the package {name} is not installed, so its wheel cannot be chosen: "
                f"pip install {name}"
            ) from error
        versions[name] = package.version
        for line in package.requires or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                queue.append(canonicalize_name(requirement.name))
    return [f"{name}=={version}" for name, version in sorted(versions.items())]


def download_command(python: str, pins: Iterable[str], folder: Path | str) -> list[str]:
    """What gets wheels for Kaggle's platform and one version of Python, without dependencies."""
    return [
        *("pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"),
        *("--python-version", python),
        *(part for platform in _PLATFORMS for part in ("--platform", platform)),
        *("--dest", str(folder)),
        *pins,
    ]


def missing_wheels(pins: Sequence[str], folder: Path) -> list[Missing]:
    """Which wheels are not in a folder."""
    from packaging.utils import canonicalize_name, parse_wheel_filename

    pythons_by_pin: dict[str, set[str]] = {}
    for path in folder.glob("*.whl"):
        name, version, _, tags = parse_wheel_filename(path.name)
        for tag in tags:
            fits = {p for p in PYTHONS if _fits(tag.interpreter, tag.abi, p)}
            pin = f"{canonicalize_name(name)}=={version}"
            pythons_by_pin.setdefault(pin, set()).update(fits)
    gaps = {pin: tuple(p for p in PYTHONS if p not in pythons_by_pin.get(pin, ())) for pin in pins}
    return [Missing(pin, pythons) for pin, pythons in gaps.items() if pythons]


def _fits(interpreter: str, abi: str, python: str) -> bool:
    return abi == "abi3" or interpreter in ("py3", f"cp{python.replace('.', '')}")


def _run(command: list[str]) -> None:
    # Whether it worked is seen from the files; an index that is not there must not take minutes.
    options = ["--disable-pip-version-check", "--retries", "0", "--timeout", "20"]
    subprocess.run(
        [sys.executable, "-m", *command, *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )


def write_autoqa_wheel(folder: Path) -> Path:
    """Packs the running autoqa, however it was installed, into a wheel (PEP 427).

    The code that wrote the bundle is the code that answers with it; neither a source tree nor a
    build system is needed.

    Args:
        folder: Where the wheel goes.

    Raises:
        MissingAssetError: autoqa runs from a folder that was never installed.
    """
    contents = _package_files() | _metadata_files()
    info = f"autoqa-{autoqa.__version__}.dist-info"
    path = folder / f"autoqa-{autoqa.__version__}-py3-none-any.whl"
    record = [f"{name},{_digest(data)},{len(data)}\n" for name, data in contents.items()]
    record.append(f"{info}/RECORD,,\n")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in (*contents.items(), (f"{info}/RECORD", "".join(record).encode())):
            wheel.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)  # time-stamp 1980
    return path


def _package_files() -> dict[str, bytes]:
    root = Path(autoqa.__file__).parent
    paths = sorted(
        path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
    return {path.relative_to(root.parent).as_posix(): path.read_bytes() for path in paths}


def _metadata_files() -> dict[str, bytes]:
    try:
        installed = distribution("autoqa")
    except PackageNotFoundError as error:
        raise MissingAssetError(
            "autoqa runs from a folder that was never installed, so its wheel cannot be made: "
            "pip install it there"
        ) from error
    tags = "Wheel-Version: 1.0\nGenerator: autoqa\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    texts = {name: installed.read_text(name) for name in _MAIN_FILES} | {"WHEEL": tags}
    version = f"Version: {autoqa.__version__}"
    texts["METADATA"] = re.sub(r"(?m)^Version: .*$", version, texts["METADATA"] or "", count=1)
    info = f"autoqa-{autoqa.__version__}.dist-info"
    return {f"{info}/{name}": text.encode() for name, text in texts.items() if text}


def _digest(data: bytes) -> str:
    raw = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
    return f"sha256={raw.rstrip(b'=').decode()}"
