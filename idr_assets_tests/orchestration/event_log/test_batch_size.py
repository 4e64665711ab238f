"""How many events a batch holds, and for how long it is tried: what the environment says."""

import os
from pathlib import Path

import pytest

from idr_assets_tests.orchestration.event_log.test_batches import indexed
from idr_assets_tests.support.dagster_home import dagster_home, project_instance
from idr_assets_tests.support.empty_planes import ALL


@pytest.mark.parametrize(("said", "holds"), [(None, "1000"), ("", "1000"), ("0", "0")])
def test_opening_an_instance_turns_batches_on_unless_the_environment_says_otherwise(
    said: str | None, holds: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if said is None:
        monkeypatch.delenv("DAGSTER_EVENT_BATCH_SIZE", raising=False)
    else:
        monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", said)
    with project_instance(tmp_path):
        assert os.environ["DAGSTER_EVENT_BATCH_SIZE"] == holds


NO_NUMBERS = [
    ("DAGSTER_EVENT_BATCH_SIZE", "1.5", r"DAGSTER_EVENT_BATCH_SIZE is '1\.5'.*whole number"),
    ("IDR_ASSETS_EVENT_SECONDS", "5m", "IDR_ASSETS_EVENT_SECONDS is '5m'.*such as 300"),
]


@pytest.mark.parametrize(("variable", "said", "told"), NO_NUMBERS)
def test_a_variable_that_is_no_number_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, said: str, told: str
) -> None:
    monkeypatch.setenv(variable, said)
    refused = pytest.raises(ValueError, match=told)
    with refused, project_instance(tmp_path):
        pass


COUNT = """
import os, sys
def count(event, arguments):
    if event == "sqlite3.connect" and "index.db" in str(arguments[0]):
        with open(os.environ["DAGSTER_HOME"] + "/opened.txt", "a") as opened:
            print("once", file=opened)
sys.addaudithook(count)
"""


def test_a_command_opens_the_index_a_few_times_for_many_planes(tmp_path: Path) -> None:
    with dagster_home(tmp_path) as home:
        customize = tmp_path / "python/sitecustomize.py"
        customize.write_text(customize.read_text() + COUNT)
        command = "dagster asset materialize -m idr_assets_tests.support.empty_planes --select planes"
        code, output = home.run(f"{command} --partition-range '{'...'.join(ALL)}'")
        assert code == 0, output
        assert sum(indexed(tmp_path).values()) == 120
        assert len((tmp_path / "opened.txt").read_text().splitlines()) < 100
