"""A report about a study, made in one of its formats and written into a file."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from autoqa.errors import ConfigError, DataError, check_choice
from autoqa.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoqa.ablation.result import Ablation
    from autoqa.store.run_folder import RunFolder
    from autoqa.upkeep.overview import Overview
    from autoqa.upkeep.study_place import StudyPlace

_log = logging.getLogger(__name__)

ReportFormat = Literal["html", "markdown", "json"]
"""How a report is written."""

_ENDINGS: dict[ReportFormat, str] = {"html": "html", "markdown": "md", "json": "json"}


@dataclass(frozen=True, slots=True)
class StudyReport:
    """A report before it is written.

    Attributes:
        overview: What it is about; its ``problem`` is the first error of a damaged study.
        format: What the text is.
        text: The whole file.
    """

    overview: "Overview"
    format: ReportFormat
    text: str

    @property
    def file_name(self) -> str:
        """``NAME-report.html``, or with another format's ending."""
        return f"{self.overview.status.place.name}-report.{_ENDINGS[self.format]}"


def study_report(
    place: "StudyPlace", format: ReportFormat, audited: Path | None = None
) -> StudyReport:
    """Makes a report; reads only, and works while a search runs.

    Args:
        place: The study.
        format: What to make.
        audited: A study file whose sources are looked at, too.

    Raises:
        ConfigError: There is no such format, or it has no place for an audit.
        AutoqaError: The sources that are to be looked at cannot be read.
    """
    from autoqa.upkeep.overview import study_overview

    check_choice("format", format, get_args(ReportFormat))
    if audited is not None and format != "html":
        raise ConfigError(
            f"format {format!r} has no audit: `autoqa data audit --json` has its figures"
        )
    overview = study_overview(place)
    return StudyReport(overview, format, _text(overview, format, audited))


def _text(overview: "Overview", format: ReportFormat, audited: Path | None) -> str:
    if format == "markdown":
        from autoqa.report.study_markdown import study_markdown

        return study_markdown(overview)
    if format == "json":
        import json

        from autoqa.report.study_summary import study_figures

        return json.dumps(study_figures(overview), ensure_ascii=False, indent=2) + "\n"
    from autoqa.data.audit import audit_study
    from autoqa.registry import open_study
    from autoqa.report.study_page import study_page

    audit = None if audited is None else audit_study(open_study(audited))
    return study_page(overview, audit, _ablations(overview.status.place.folder))


def _ablations(folder: "RunFolder | None") -> "Sequence[Ablation]":
    """Those of a study on this machine; without them the page is whole, too."""
    from autoqa.ablation.result import kept_ablations

    try:
        return [] if folder is None else kept_ablations(folder)
    except DataError as error:
        _log.warning("%s", error)
        return []


def write_report(report: StudyReport, target: str | Path | None = None) -> Path:
    """Writes a report whole or not at all.

    Args:
        report: The report.
        target: The file; left out, one of the report's own name in the current folder.

    Returns:
        The file.

    Raises:
        DataError: It cannot be written.
    """
    path = Path(report.file_name if target is None else target)
    try:
        write_atomically(path, report.text)
    except (OSError, ValueError) as error:  # the latter where the path is none
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"{str(path)!r}: the report cannot be written: {reason}; name another file"
        ) from error
    return path
