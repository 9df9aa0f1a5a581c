"""HTML pages from the templates in this room."""

from typing import Any


def render_page(template: str, **values: Any) -> str:
    """A page that needs nothing beside it.

    Args:
        template: Name of a file in ``templates/``.
        values: What the template names; texts are escaped, and a missing one raises.
    """
    # Only pages need it.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("autoqa.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    return environment.get_template(template).render(values)
