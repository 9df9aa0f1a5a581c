"""An audit as one HTML page that needs nothing beside it."""

from autoqa import __version__
from autoqa.data.audit import StudyAudit
from autoqa.data.overlap import REASONS
from autoqa.data.tally import FINDING_KINDS, QUANTILES


def audit_page(audit: StudyAudit) -> str:
    """The page's HTML: tables, bars and examples; styles inside, no script, no link.

    Args:
        audit: What was found.
    """
    # Only this page needs it.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("autoqa.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    return environment.get_template("audit.html").render(
        audit=audit,
        kinds=FINDING_KINDS,
        reasons=REASONS,
        quantiles=[f"{quantile:.0%}" for quantile in QUANTILES],
        version=__version__,
    )
