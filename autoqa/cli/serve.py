"""``autoqa serve``: a bundle behind HTTP, with a page to try it."""

from pathlib import Path
from typing import Any

import click

from autoqa.cli.answer_limit import answer_limit
from autoqa.cli.none_option import no_answer_option, opened_bundle


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@answer_limit
@no_answer_option
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1...")
@click.option(
    "--max-characters",
    type=click.IntRange(min=1),
    default=1_000_000,
    show_default=True,
    help="Most characters of a request's questions and contexts.",
)
@click.option(
    "--max-questions",
    type=click.IntRange(min=1),
    default=256,
    show_default=True,
    help="Most questions of a request.",
)
def serve(
    bundle: Path,
    host: str,
    port: int,
    max_answer_tokens: int | None,
    no_answer: Any,
    device: str,
    max_characters: int,
    max_questions: int,
) -> None:
    """Answer questions over HTTP with BUNDLE, until Ctrl-C.

    GET / is a page to try it. POST /answer takes a JSON object with question and context (id and
    language are optional), or a list of such objects. GET /health says what is served. All models
    stay in memory; anyone who reaches the address can ask.
    """
    from autoqa.bundle.server import RequestLimits, listen, require_packages
    from autoqa.bundle.server import serve as run

    require_packages()
    with listen(host, port) as listener:
        ensemble = opened_bundle(
            bundle, device=device, max_answer_tokens=max_answer_tokens, no_answer=no_answer
        )
        ensemble(question="?", context=".")  # loads the models now, not in the first request
        bound_port = listener.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        count = len(ensemble.manifest.members)
        click.echo(
            f"study {ensemble.manifest.study}, {count} model{'s' * (count != 1)}: "
            f"http://{shown}:{bound_port} (Ctrl-C ends)",
            err=True,
        )
        run(ensemble, RequestLimits(max_characters, max_questions), listener)
