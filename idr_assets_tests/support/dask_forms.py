"""The forms of the dask resource, and runs on each whose planes are held, so that they can be ended meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from idr_assets_tests.support.dagster_home import DagsterHome, dagster_home
from idr_assets_tests.support.dask_processes import Scheduler
from idr_assets_tests.support.slow_planes import held
from idr_assets_tests.support.small_image import PIXELS, write_project

FORMS = {
    "in process": "{cluster: in_process, workers: 2}",
    "processes": "{cluster: processes, workers: 1}",
    "a class": "{cluster: distributed.LocalCluster, workers: 1, arguments: {dashboard_address: '127.0.0.1:0'}}",
    "an address": "{cluster: '%s'}",
}
"""What a YAML says of each, with one process where there are any; at the address others started a scheduler."""


def write_form(package: Path, form: str, address: str) -> None:
    """Write the YAML of a form into the package of a project."""
    attributes = FORMS[form].replace("%s", address)
    (package / "defs/dask/defs.yaml").write_text(f"type: idr_assets.DaskCluster\nattributes: {attributes}\n")


@dataclass(frozen=True)
class HeldRuns:
    """A home whose planes are segmented while no file `hold` is there, and a scheduler beside it, which no run owns."""

    home: DagsterHome
    scheduler: Scheduler
    hold: Path
    begun: Path

    def use(self, form: str, held: str = "") -> None:
        """Let the runs that start from now on use a form of the dask resource, and hold all planes or these."""
        write_form(self.home.project / self.home.project.name, form, self.scheduler.address)
        self.begun.unlink(missing_ok=True)
        self.hold.write_text(held)


@contextmanager
def held_runs(root: Path, scheduler: Scheduler) -> Iterator[HeldRuns]:
    """Write a project below `root`."""
    function = f"{{function: {held.__module__}.held, parameters: {{folder: {root}}}}}"
    project = write_project(root / "project", PIXELS, segmentation=function)
    project.write_definitions()
    (root / "instance").mkdir()
    with dagster_home(root / "instance", project.root) as home:
        (project.root / "data").rename(home.data)
        yield HeldRuns(home, scheduler, root / "hold", root / "begun")
