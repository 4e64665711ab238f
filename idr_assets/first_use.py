"""Make the databases of an instance once: Dagster's own processes break them if they make them at the same time."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

import click
import dagster as dg

from idr_assets.orchestration.proof_of_life import wait_for

DATABASES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")

MEANWHILE = ("already exists", "more than one head")
"""What Dagster says of databases that two processes make at once."""

TRIES, PAUSE = 5, 1.0
"""How often an instance is opened at most, and seconds in between."""

MENDED = (
    "Several commands have made the databases of %s at the same time, so that Dagster could not open them. They are "
    "mended: %s. No run is lost."
)


def make_at_once[T](make: Callable[[], T]) -> T:
    """Call `make`, and again if a command of Dagster's own, which does not wait, makes the same databases meanwhile."""
    for _ in range(TRIES - 1):
        try:
            return make()
        except Exception as error:
            if not any(words in str(error) for words in MEANWHILE):
                raise
            sleep(PAUSE)
    return make()


@contextmanager
def set_up(home: Path) -> Iterator[None]:
    """Keep other commands of this project from an instance while it is opened, and mend it if it needs that."""
    with wait_for(home / "idr_assets" / "first_use"):
        broken = [name for name in DATABASES if len(_versions(home / name)) > 1]
        if broken:
            _mend(home, broken)
            click.echo(MENDED % (home, ", ".join(broken)), err=True)
        yield


def _mend(home: Path, broken: list[str]) -> None:
    """Keep the version of a new database: two processes made all tables, and each noted one that it took for theirs."""
    with TemporaryDirectory() as folder:
        Path(folder, "dagster.yaml").touch()
        with dg.DagsterInstance.local_temp(folder) as new:
            new.get_asset_keys()
        for name in broken:
            (version,) = _versions(Path(folder, name))
            with closing(sqlite3.connect(home / name)) as database, database:
                database.execute("DELETE FROM alembic_version WHERE version_num <> ?", [version])


def _versions(path: Path) -> set[str]:
    """Return the versions of the schema that a database notes; none if there is no such database."""
    if not path.exists():
        return set()
    try:
        with closing(sqlite3.connect(path)) as database:
            return {version for (version,) in database.execute("SELECT version_num FROM alembic_version")}
    except sqlite3.OperationalError:  # without tables, or another user's, of which the instance itself complains
        return set()
