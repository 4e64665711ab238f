"""Workers whose GPU vanishes, or that die, while a run goes on: others get their planes."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from distributed import Client

from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.source import Source
from idr_assets.imaging.segmentation import per_batch, versioned
from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels
from idr_assets.imaging.segmentation.plane_results import PlaneSummary
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.imaging.segmentation.run import SegmentationRun
from idr_assets_tests.support.dask_processes import running_scheduler
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.small_image import PIXELS

WINDOW = Block(range(3), (0,), range(12))


def is_first(file: Path) -> bool:
    """Return whether this process is the one that asked first."""
    try:
        with file.open("x") as new:
            new.write(str(os.getpid()))
    except FileExistsError:
        return file.read_text() == str(os.getpid())
    return True


class Nothing:
    """A model that is not asked."""


@versioned("1")
@per_batch(model=Nothing)
def on_bad_machines(planes: Pixels, *, model: Nothing, folder: str) -> Labels:  # noqa: ARG001
    if is_first(Path(folder, "lost")):
        message = "CUDA error: device unavailable"
        raise RuntimeError(message)
    if is_first(Path(folder, "killed")):
        os.kill(os.getpid(), signal.SIGKILL)
    return np.asarray(planes > 400, np.int32)


def test_planes_of_workers_whose_gpu_vanishes_or_that_die_go_to_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_image(tmp_path / "source.zarr", PIXELS, version="0.4")
    recipe = Recipe("mine", on_bad_machines, {"folder": str(tmp_path)}, (0,), needs={"GPU": 1})
    run = SegmentationRun.prepare(Source(str(tmp_path / "source.zarr"), "0"), recipe, WINDOW, str(tmp_path / "output"))
    with running_scheduler(tmp_path, workers=0) as scheduler:
        scheduler.add_workers(3, "--resources", "GPU=1")
        with Client(scheduler.address, set_as_default=False) as client:
            found = list(run.segment(client, WINDOW, threads=3))
        bad = {(tmp_path / name).read_text() for name in ("lost", "killed")}
        for worker in scheduler.workers:
            worker.join(60 if str(worker.pid) in bad else 0)
        ended = {str(it.pid) for it in scheduler.workers if it.exitcode is not None}
    assert sorted(it.plane for it in found if isinstance(it, PlaneSummary)) == WINDOW.planes()
    assert ended == bad
    assert "lost the device of its model, so it was ended" in caplog.text
