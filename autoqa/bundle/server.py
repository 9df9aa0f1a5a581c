"""A bundle behind HTTP: ``POST /answer``, ``GET /health``, and a page to try it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import autoqa
from autoqa.bundle.input_rows import Row, check_items
from autoqa.bundle.prediction import Prediction
from autoqa.bundle.predictor import Ensemble
from autoqa.errors import ConfigError, DataError, MissingAssetError
from autoqa.reading.references import is_missing

if TYPE_CHECKING:
    from fastapi import FastAPI

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
    "connect-src 'self'"
)
"""The page is one file: the browser is to fetch nothing from elsewhere."""

_BYTES_PER_CHARACTER = 12
"""Most that one takes: outside the basic plane, two JSON escapes of six bytes."""
_BYTES_PER_QUESTION = 1024
"""Most that a question's keys, quotes and id take beside its text."""

_OPTIONS = ("top_k", "no_answer", "min_score")
"""Of :class:`autoqa.bundle.answer_options.AnswerOptions`, what a request may set."""

_SHOWN = 20
"""Most bad rows that a refusal names."""

_SHUTDOWN_SECONDS = 10
"""Seconds that a request under way has when the server is to end."""


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """What a request may hold.

    Attributes:
        characters: Most characters of all its questions and contexts.
        questions: Most questions.
    """

    characters: int
    questions: int

    @property
    def bytes(self) -> int:
        """Most bytes of a body that may keep to the other two."""
        return _BYTES_PER_CHARACTER * self.characters + _BYTES_PER_QUESTION * (self.questions + 1)


class _Refused(Exception):  # noqa: N818
    """A request that gets a sentence instead of an answer."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def require_packages() -> None:
    """Raises MissingAssetError if the extra ``serve`` is not installed."""
    try:
        import fastapi  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise MissingAssetError(
            f"autoqa serve needs the package {error.name}: pip install 'autoqa[serve]'."
        ) from error


def listen(host: str, port: int) -> socket.socket:
    """Takes the address before models are loaded.

    Args:
        host: Name or address of a network interface of this machine.
        port: Port number; 0 takes a free one.

    Raises:
        ConfigError: The port is taken, or the address is not this machine's.
    """
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return socket.create_server(addresses[0][4][:2], family=addresses[0][0])
    except OSError as error:
        raise ConfigError(
            f"cannot listen on --host {host} --port {port}: {error.strerror}; give another --port "
            "(0 takes a free one), or an address of this machine."
        ) from error


def serve(ensemble: Ensemble, limits: RequestLimits, listener: socket.socket) -> None:
    """Answers requests until a signal comes, which is raised again when requests are answered."""
    import uvicorn

    config = uvicorn.Config(
        make_app(ensemble, limits),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])


def make_app(ensemble: Ensemble, limits: RequestLimits) -> "FastAPI":
    """The application.

    ``POST /answer`` takes one row (``question``, ``context``, and if wanted ``id`` and
    ``language``) or a list of rows, and returns one object or a list: ``answer``, ``start`` and
    ``end`` (in characters, that is Unicode code points), ``score``, and the ``id`` of rows that
    have one. A row may say ``top_k``, which adds a list ``others`` of the next best answers,
    ``no_answer`` and ``min_score``; its context may be a list of texts, one of which holds the
    answer. What cannot be answered gets status 413 (too large) or 422, and a sentence under
    ``detail``. One request at a time is answered, in the order in which they came.

    Args:
        ensemble: An opened bundle.
        limits: What a request may hold.
    """
    from fastapi import FastAPI, Request
    from fastapi.concurrency import run_in_threadpool
    from fastapi.responses import HTMLResponse, JSONResponse

    app = FastAPI(title="autoqa", docs_url=None, redoc_url=None, openapi_url=None)
    turn = asyncio.Lock()
    page = files("autoqa.bundle").joinpath("page.html").read_text("utf-8")

    @app.get("/")
    async def index() -> HTMLResponse:
        return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})

    @app.get("/health")
    async def health() -> dict[str, Any]:
        return {
            "status": "ok",
            "autoqa": autoqa.__version__,
            "study": ensemble.manifest.study,
            "models": len(ensemble.manifest.members),
            "max_characters": limits.characters,
            "max_questions": limits.questions,
        }

    @app.post("/answer")
    async def answer(request: Request) -> JSONResponse:
        try:
            content = _parse(await _body(request.stream(), limits))
            rows, asked = _rows(content, limits), _asked(content)
            async with turn:
                predictions = await run_in_threadpool(
                    ensemble.predict, rows, keep_loaded=True, **asked
                )
        except _Refused as refused:
            return JSONResponse({"detail": str(refused)}, refused.status)
        except DataError as error:  # the message begins with the row's id
            return JSONResponse({"detail": f"row {error}"}, 422)
        except (ConfigError, MissingAssetError) as error:
            return JSONResponse({"detail": str(error)}, 422)
        return JSONResponse(_reply(content, rows, predictions))

    return app


def _reply(content: Any, rows: list[Row], predictions: list[Prediction]) -> Any:
    """The answers in the form of the request."""
    items = content if isinstance(content, list) else [content]
    answers = [
        ({"id": row.id} if _is_named(item) else {}) | prediction.to_dict()
        for item, row, prediction in zip(items, rows, predictions, strict=True)
    ]
    return answers if isinstance(content, list) else answers[0]


def _is_named(item: Mapping[str, Any]) -> bool:
    """Whether a row has an id of its own, not its number."""
    value = item.get("id")
    return not is_missing(value) and bool(str(value).strip())


async def _body(stream: AsyncIterator[bytes], limits: RequestLimits) -> bytes:
    body = bytearray()
    async for part in stream:
        body += part
        if len(body) > limits.bytes:
            raise _Refused(413, f"the request has more than {limits.bytes:,} bytes: send less.")
    return bytes(body)


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _Refused(422, f"the request is no JSON: {error}.") from error


def _rows(content: Any, limits: RequestLimits) -> list[Row]:
    """The rows of a request, each as good as those of a file must be."""
    items = content if isinstance(content, list) else [content]
    if len(items) > limits.questions:
        raise _Refused(
            413,
            f"the request has {len(items):,} questions, but at most {limits.questions:,} are "
            "answered at once: send several requests, or start the server with a higher "
            "--max-questions.",
        )
    checked = check_items(items)
    if checked.problems:
        raise _Refused(422, "\n".join(checked.problems[:_SHOWN]))
    characters = sum(map(_characters, checked.good))
    if characters > limits.characters:
        raise _Refused(
            413,
            f"the request has {characters:,} characters, but at most {limits.characters:,} are "
            "answered at once: send several requests, or start the server with a higher "
            "--max-characters.",
        )
    return list(checked.good)


def _characters(row: Row) -> int:
    several = () if row.contexts is None else row.contexts.passages
    return len(row.question) + len(row.context) + sum(len(each.text) for each in several)


def _asked(content: Any) -> dict[str, Any]:
    """How the questions are to be answered: all rows of a request alike."""
    items = content if isinstance(content, list) else [content]
    asked = {}
    for name in _OPTIONS:
        values = [item.get(name) for item in items]
        if any(each != values[0] for each in values):
            raise _Refused(
                422, f"{name} differs between the rows of the request: send a request for each."
            )
        if values and values[0] is not None:
            asked[name] = values[0]
    return asked
