"""Optuna's dashboard for one study, with autoqa's notes, plots and files."""

import json
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from autoqa.analysis.finished_run import StudyRun
from autoqa.dashboard.files import StudyFiles
from autoqa.dashboard.pages import StudyPages
from autoqa.dashboard.shown_storage import ShownStorage
from autoqa.env import run_folder
from autoqa.errors import AutoqaError, ConfigError, MissingAssetError, NothingFeasibleError
from autoqa.store.patience import Patience
from autoqa.store.run_folder import RunFolder
from autoqa.trials.optuna_study import open_storage
from autoqa.upkeep.study_place import StudyPlace, stored_study
from autoqa.upkeep.trial_counts import read_trials

REFRESH_SECONDS = 5.0
"""Between two looks at a study that is being searched."""

_WAIT_SECONDS = 2.0
"""How long a page waits for an absent database."""


def require_package() -> None:
    """Raises MissingAssetError if the extra ``dashboard`` is not installed."""
    try:
        import optuna_dashboard  # noqa: F401
    except ImportError as error:
        raise MissingAssetError(
            f"autoqa dashboard needs the package {error.name}: pip install 'autoqa[dashboard]'."
        ) from error


@contextmanager
def opened_pages(place: StudyPlace) -> Iterator[StudyPages]:
    """A study as the dashboard shows it, while the block runs.

    Args:
        place: The study.

    Raises:
        ConfigError: The database has no such study.
        NothingFeasibleError: It has no trial yet.
        AutoqaError: The database is damaged, away, or of another version.
    """
    with place.look() as store:
        study = stored_study(store)
        if not read_trials(store.full_url, store.study):
            raise NothingFeasibleError(
                f"study {place.name!r} has no trial yet: `autoqa search` makes the first one"
            )
        storage = open_storage(store.full_url, Patience(_WAIT_SECONDS), ShownStorage)
        storage.study = study.name
        run = StudyRun(study, place.folder or RunFolder(run_folder(place.name)), store)
        pages = StudyPages(run, storage, StudyFiles(run))
        pages.refresh(ladder=False)
        yield pages


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Leaves readers alone that have gone away."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Says nothing about each request."""


def serve(pages: StudyPages, listener: socket.socket) -> None:
    """Shows a study until a signal comes, and looks every few seconds what became of it.

    Args:
        pages: The study.
        listener: Where to listen.
    """
    address = listener.getsockname()
    server = _Server(address[:2], _Quiet, bind_and_activate=False)
    server.socket.close()
    server.socket, server.server_address = listener, address
    server.server_name, server.server_port = address[0], address[1]
    server.setup_environ()
    server.set_app(application(pages))
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(pages, over), daemon=True)
    watcher.start()
    try:
        server.serve_forever()
    finally:
        over.set()
        watcher.join(REFRESH_SECONDS)


def _watch(pages: StudyPages, over: threading.Event) -> None:
    said = ""
    while not over.is_set():
        try:
            pages.refresh()
            said = ""
        except AutoqaError as error:
            if str(error) != said:  # once for each time that it is away
                said = str(error)
                print(said, file=sys.stderr)  # noqa: T201
        over.wait(REFRESH_SECONDS)


def application(pages: StudyPages) -> Callable[..., Iterable[bytes]]:
    """The dashboard as a WSGI application; what it may not do or cannot read is a sentence."""
    import optuna_dashboard

    app: Any = optuna_dashboard.wsgi(pages.storage, artifact_store=pages.files)
    app.catchall = False

    def guarded(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            answer: Iterable[bytes] = app(environ, start_response)
        except (AutoqaError, OSError) as error:
            refused = isinstance(error, ConfigError)
            status = "403 Forbidden" if refused else "503 Service Unavailable"
            start_response(status, [("Content-Type", "application/json")])
            return [json.dumps({"reason": str(error)}).encode()]
        return answer

    return guarded
