"""Commands that open an instance for the first time, and one that others have broken so."""

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from time import sleep

import dagster as dg
import pytest
from alembic.util.exc import CommandError
from click.testing import CliRunner

from idr_assets import first_use
from idr_assets.command_line import main
from idr_assets.first_use import DATABASES, make_at_once
from idr_assets.instance import open_instance
from idr_assets.orchestration.proof_of_life import wait_for
from idr_assets_tests.support.dagster_home import ROOT


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an instance with the project's settings that was never used."""
    shutil.copy(ROOT / ".dagster_home/dagster.yaml", tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return tmp_path


def test_a_command_waits_while_another_makes_the_databases(home: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        with wait_for(home / "idr_assets/first_use"):
            opened = pool.submit(open_instance)
            sleep(0.5)
            assert not any((home / name).exists() for name in DATABASES)
        with opened.result():
            assert all((home / name).exists() for name in DATABASES)


@pytest.mark.parametrize("said", ["table alembic_version already exists", "disk I/O error"])
def test_a_command_tries_again_while_one_of_dagster_makes_the_databases(
    said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_use, "PAUSE", 0)
    tries: list[int] = []

    def make() -> int:
        tries.append(1)
        if len(tries) < 3:
            raise sqlite3.OperationalError(said)
        return len(tries)

    if "exists" in said:
        assert make_at_once(make) == 3
    else:
        with pytest.raises(sqlite3.OperationalError):
            make_at_once(make)
        assert len(tries) == 1


def test_a_database_that_cannot_be_opened_is_told_without_a_traceback(home: Path) -> None:
    (home / "history/runs.db").mkdir(parents=True)  # which nobody can open, like another user's
    told = CliRunner().invoke(main, ["missing", "demo"])
    refused = "The database of the Dagster instance refuses (unable to open database file), so not all is done."
    assert (told.exit_code, refused in told.stderr) == (1, True), told.output


def test_databases_that_several_commands_have_made_at_once_are_mended(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_instance() as instance:
        instance.create_run_for_job(dg.Definitions(jobs=[dg.job(name="any")(lambda: None)]).resolve_job_def("any"))
    for name in DATABASES:
        with closing(sqlite3.connect(home / name)) as database, database:
            database.execute("INSERT INTO alembic_version VALUES ('5771160a95ad')")
    with pytest.raises(CommandError, match="more than one head"):
        dg.DagsterInstance.get()
    with open_instance() as instance:
        assert len(instance.get_runs()) == 1
    assert f"have made the databases of {home} at the same time" in capsys.readouterr().err
    with open_instance():
        assert capsys.readouterr().err == ""
