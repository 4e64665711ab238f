"""What worker processes import: what a block needs, and nothing of Dagster."""

import pickle
import subprocess
import sys
from importlib.machinery import ModuleSpec
from multiprocessing.spawn import get_preparation_data

import pytest

from idr_assets.imaging.segmentation.run import SegmentationRun
from idr_assets.orchestration.cluster.settings import local_settings
from idr_assets_tests.support.dagster_home import ROOT
from idr_assets_tests.support.small_image import Segmented

UNPICKLE = """
import pickle, sys
import distributed.nanny
pickle.load(sys.stdin.buffer)
heavy = {"PIL", "dagster", "dask.array", "matplotlib", "pandas", "pyarrow", "sqlalchemy"}
print(*sorted(heavy & sys.modules.keys()), end="")
"""


def test_workers_import_nothing_of_dagster_with_their_task(fresh: Segmented) -> None:
    image = fresh.project.load_image()
    run = SegmentationRun.prepare(image.source, image.recipe, image.window, image.labels_url)
    task = pickle.dumps(run.task)
    loaded = subprocess.run([sys.executable, "-c", UNPICKLE], input=task, capture_output=True, cwd=ROOT, check=False)  # noqa: S603
    assert (loaded.returncode, loaded.stdout) == (0, b""), loaded.stderr


@pytest.mark.parametrize(
    ("module", "file", "imported"),
    [
        ("dagster.__main__", "dagster/__main__.py", False),
        (None, "bin/dg", False),
        (None, "script.py", True),
        ("mine.script", "mine/script.py", True),
    ],
)
def test_workers_import_a_script_but_not_the_command_that_started_the_run(
    monkeypatch: pytest.MonkeyPatch, module: str | None, file: str, *, imported: bool
) -> None:
    main, command = sys.modules["__main__"], {"init_main_from_name", "init_main_from_path"}
    monkeypatch.setattr(main, "__spec__", ModuleSpec(module, None) if module else None)
    monkeypatch.setattr(main, "__file__", file, raising=False)
    with local_settings(), local_settings():
        assert bool(command & get_preparation_data("worker").keys()) == imported
    assert command & get_preparation_data("worker").keys()
