"""An audit as one HTML page that needs nothing beside it."""

from autoqa import __version__
from autoqa.data.audit import StudyAudit
from autoqa.data.findings import FINDING_KINDS
from autoqa.data.overlap import REASONS
from autoqa.data.tally import QUANTILES
from autoqa.report.audit import source_sentences
from autoqa.report.page import render_page


def audit_page(audit: StudyAudit) -> str:
    """The page's HTML: tables, bars and examples; styles inside, no script, no link."""
    return render_page(
        "audit.html",
        audit=audit,
        kinds=FINDING_KINDS,
        reasons=REASONS,
        sentences={source.name: source_sentences(source) for source in audit.sources},
        quantiles=[f"{quantile:.0%}" for quantile in QUANTILES],
        version=__version__,
    )
