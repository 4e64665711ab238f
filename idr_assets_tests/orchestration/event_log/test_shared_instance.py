"""The instance of a group: whoever may write into its folder may write its databases."""

import shutil
from pathlib import Path

import dagster as dg
import pytest

from idr_assets_tests.support.dagster_home import ROOT


@pytest.mark.parametrize("rights", [0o775, 0o755])
def test_databases_are_shared_as_the_folder_is(tmp_path: Path, rights: int) -> None:
    shutil.copy(ROOT / ".dagster_home/dagster.yaml", tmp_path)
    tmp_path.chmod(rights)
    with dg.DagsterInstance.from_config(str(tmp_path)):
        found = {path.name: path.stat().st_mode & 0o020 for path in tmp_path.rglob("*.db")}
    assert found == dict.fromkeys(["runs.db", "index.db", "schedules.db"], rights & 0o020)
