"""Optuna's dashboard for one study, with autoqa's notes, plots and files."""

import json
import re
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
from autoqa.errors import AutoqaError, MissingAssetError, NothingFeasibleError
from autoqa.store.patience import Patience
from autoqa.store.run_folder import RunFolder
from autoqa.trials.optuna_study import open_storage
from autoqa.upkeep.study_place import StudyPlace, stored_study
from autoqa.upkeep.trial_counts import read_trials

REFRESH_SECONDS = 5.0
"""Between two looks at a study that is being searched."""

_WAIT_SECONDS = 2.0
"""How long a page waits for an absent database."""

_REFUSED = {
    r"POST /api/studies": "a study begins with `autoqa search STUDY.toml`",
    r"POST /api/studies/\d+/rename": "`autoqa studies rename` renames a study and all its files",
    r"DELETE /api/studies/\d+": "`autoqa studies rm` removes a study with all that belongs to it",
    r"POST /api/trials/\d+/tell": "what becomes of a trial is for its search to say",
}
"""Requests that would change rows under a search or leave files behind, and what is answered."""

_IMPORTANCES = r"GET /api/studies/\d+/param_importances"
"""Of a study all of whose keys are settled, the dashboard would divide by its parameters: none."""

_JSON = ("Content-Type", "application/json")


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
    from bottle import HTTPError

    said = ""
    while not over.is_set():
        try:
            pages.refresh()
            said = ""
        except (AutoqaError, HTTPError) as error:
            reason = str(getattr(error, "body", error))
            if reason != said:  # once for each time that it is away
                said = reason
                print(said, file=sys.stderr)  # noqa: T201
        over.wait(REFRESH_SECONDS)


def application(pages: StudyPages) -> Callable[..., Iterable[bytes]]:
    """The dashboard as a WSGI application that does nothing which would harm a search."""
    import optuna_dashboard

    app: Callable[..., Iterable[bytes]] = optuna_dashboard.wsgi(
        pages.storage, artifact_store=pages.files
    )

    def guarded(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')}".rstrip("/")
        for pattern, reason in _REFUSED.items():
            if re.fullmatch(pattern, request):
                start_response("403 Forbidden", [_JSON])
                return [json.dumps({"reason": reason}).encode()]
        if re.fullmatch(_IMPORTANCES, request) and not pages.searched:
            start_response("200 OK", [_JSON])
            return [json.dumps({"param_importances": [[]]}).encode()]
        return app(environ, start_response)

    return guarded
