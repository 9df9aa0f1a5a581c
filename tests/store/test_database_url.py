"""URLs of every spelling, with one driver or none; and no password in any message."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from autoqa.errors import AutoqaError, ConfigError, MissingAssetError
from autoqa.store.database_url import database_url, engine_options, make_engine, shown
from autoqa.store.study_tables import Store
from autoqa.trials.optuna_study import open_study
from tests.postgres import Postgres

DRIVERS = ("psycopg", "psycopg2")


def hide(patch: pytest.MonkeyPatch, *drivers: str) -> None:
    """Makes imports of drivers fail as if they were not installed."""
    for driver in drivers:
        for name in [each for each in sys.modules if each.split(".")[0] == driver]:
            patch.delitem(sys.modules, name)
        patch.setitem(sys.modules, driver, None)


@pytest.fixture(params=DRIVERS)
def driver(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The only driver that can be imported; an empty one where it is not installed."""
    name = str(request.param)
    hide(monkeypatch, *(each for each in DRIVERS if each != name))
    installed = importlib.util.find_spec(name) is not None
    if not installed:
        (tmp_path / f"{name}.py").touch()
        monkeypatch.syspath_prepend(str(tmp_path))
    yield name
    if not installed:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_the_driver_that_is_installed_is_used(driver: str, scheme: str) -> None:
    url = database_url(f"{scheme}://ada:s%40cret@host:5433/base?sslmode=require")
    assert url.drivername == f"postgresql+{driver}"
    rest = (url.username, url.password, url.host, url.port, url.database, dict(url.query))
    assert rest == ("ada", "s@cret", "host", 5433, "base", {"sslmode": "require"})


@pytest.mark.parametrize("scheme", ["postgresql+psycopg", "postgresql+psycopg2", "postgresql+x"])
def test_a_driver_that_is_named_is_left_alone(scheme: str) -> None:
    assert database_url(f"{scheme}://host/base").drivername == scheme
    assert database_url("postgres+psycopg://host/base").drivername == "postgresql+psycopg"
    assert database_url("sqlite:///study.db").drivername == "sqlite"
    assert database_url("sqlite+pysqlite:///study.db").drivername == "sqlite+pysqlite"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_without_a_driver_one_sentence_says_what_helps(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    hide(monkeypatch, *DRIVERS)
    with pytest.raises(MissingAssetError) as caught:
        Store(f"{scheme}://ada:secret@host/base", "a")
    said = str(caught.value)
    assert said.startswith(f"search.storage: {scheme}://ada:***@host/base needs a driver for Post")
    assert said.endswith("pip install 'autoqa[postgresql]'")
    assert "\n" not in said


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_both_engines_open_every_spelling(postgres: Postgres, scheme: str) -> None:
    url = postgres.address.replace("postgresql:", f"{scheme}:")
    with Store(url, "spelled") as store:
        store.save_study("text")
        assert open_study("spelled", url, 0, store.patience).get_trials() == []
    with Store(postgres.url) as store:
        assert (store.study, store.study_text()) == ("spelled", "text")


def test_both_engines_open_it_with_psycopg2(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("psycopg2")
    hide(monkeypatch, "psycopg")
    with Store(postgres.address, "two") as store, store.exclusively():
        assert store._engine.driver == "psycopg2"
        assert open_study("two", postgres.address, 0).get_trials() == []


def test_connections_notice_a_host_that_vanished(postgres: Postgres) -> None:
    url = database_url(postgres.address)
    engine = make_engine(url)
    with engine.connect() as connection:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        settings = driver.info.get_parameters()
        assert connection.scalar(text("SELECT 1")) == 1
    engine.dispose()
    assert (settings["connect_timeout"], settings["keepalives_idle"]) == ("5", "10")
    assert settings["tcp_user_timeout"] == "25000"
    longer = database_url("postgresql+psycopg://host/base?connect_timeout=60")
    assert "connect_timeout" not in engine_options(longer)["connect_args"]
    assert engine_options(longer)["pool_pre_ping"] is True


def test_a_path_with_braces(tmp_path: Path) -> None:
    (tmp_path / "{x}").mkdir()
    url = f"sqlite:///{tmp_path}/{{x}}/study.db"
    assert open_study("small", url, 0).get_trials() == []
    assert (tmp_path / "{x}" / "study.db").is_file()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ada:secret@host:port/x",
        "postgresql://ada:s/secret@secret@host:port/x",
        "postgresql//ada:secret@host/x",
        "ada:secret@host",
        "//host?user=ada&password=secret",
        "mysql://ada:secret@host/x?password=secret",
        "postgresql+nosuch://ada:secret@host/x?sslpassword=secret",
        "postgresql://ada:secret@127.0.0.1/x?no_such_option=secret",
    ],
)
def test_no_message_shows_a_password(url: str) -> None:
    with pytest.raises(AutoqaError) as caught:
        Store(url, "a")
    assert "secret" not in str(caught.value)
    assert "search.storage" in str(caught.value) or "***@127.0.0.1" in str(caught.value)


def test_shown_hides_options_and_keeps_the_socket() -> None:
    url = database_url("postgresql+psycopg://a:secret@/x?host=/run/pg&password=secret&a=b")
    assert shown(url) == "postgresql+psycopg://a:***@/x?host=%2Frun%2Fpg"
    with pytest.raises(ConfigError, match="'runs' is not a database URL; write for example"):
        database_url("runs")
