"""A small image of two channels: its pixels, its project, and what a test asks a Dagster instance about it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import numpy.typing as npt
import scipy.ndimage

from idr_assets.imaging.segmentation.functions import gaussian_threshold
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.orchestration.image import Image
from idr_assets_tests.support.idr_stores import nuclei_plane, write_image
from idr_assets_tests.support.image_project import ImageProject

SHAPE = (3, 2, 12, 40, 36)
PIXELS = np.array([[[nuclei_plane(t, c, z, SHAPE[3:]) for z in range(12)] for c in range(2)] for t in range(3)], ">u2")
FIELDS = {"shape": str(list(SHAPE)), "channels": "[0, 1]", "window": "{t: [1, 2], z: [9, 10]}"}
PARTITIONS = ["1|09", "1|10", "2|09", "2|10"]
PLANES = [(t, c, z) for t in (1, 2) for c in (0, 1) for z in (9, 10)]
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


@dataclass(frozen=True)
class Segmented:
    """A project, and the Dagster instance that knows its runs."""

    project: ImageProject
    instance: dg.DagsterInstance

    @property
    def definitions(self) -> dg.Definitions:
        """The definitions as the YAML is now."""
        return _loaded(self.project, self.project.yaml.read_text())

    def run(self, asset: str, *partitions: str) -> str:
        """Materialize an asset, of one partition or of the rectangle between two; give why it failed, or ''."""
        result = self.definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=self.instance,
            asset_selection=[self.project.key(asset)],
            partition_key=partitions[0] if len(partitions) == 1 else None,
            tags=dict(zip(RANGE, partitions, strict=True)) if len(partitions) > 1 else None,
            raise_on_error=False,
        )
        failures = result.filter_events(lambda event: event.is_step_failure)
        return "".join(event.step_failure_data.error_display_string for event in failures)

    def run_jobs(self) -> bool:
        """Run both jobs, with no partition argument; tell whether they succeeded."""
        jobs = (self.definitions.resolve_job_def(f"{does}_image") for does in ("segment", "measure"))
        return all(job.execute_in_process(instance=self.instance, raise_on_error=False).success for job in jobs)

    def materialized(self) -> set[str]:
        """Give the partitions of `plane_labels` that count as materialized."""
        return self.instance.get_materialized_partitions(self.project.key("plane_labels"))

    def metadata(self, asset: str, partition: str | None = None) -> dict[str, Any]:
        """Give the last metadata of an asset or of one of its partitions."""
        partitions = [partition] if partition else None
        wanted = dg.AssetRecordsFilter(asset_key=self.project.key(asset), asset_partitions=partitions)
        (record,) = self.instance.fetch_materializations(wanted, limit=1).records
        assert record.asset_materialization
        return {name: value.value for name, value in record.asset_materialization.metadata.items()}

    def check(self, asset: str, name: str) -> dg.AssetCheckEvaluation | None:
        """Give the last evaluation of an asset's check."""
        key = dg.AssetCheckKey(self.project.key(asset), name)
        record = self.instance.get_latest_asset_check_evaluation_record(key)
        return record.evaluation if record else None

    def numbers(self, asset: str, name: str) -> dict[str, Any]:
        """Give what the last evaluation of an asset's check tells, and whether it passed."""
        evaluation = self.check(asset, name)
        assert evaluation
        return {"passed": evaluation.passed} | {key: value.value for key, value in evaluation.metadata.items()}

    def value(self, asset: str, partition: str | None = None) -> Any:  # noqa: ANN401  as Dagster has it
        """Load the value of an asset as a user would."""
        key = self.project.key(asset)
        return self.definitions.load_asset_value(key, instance=self.instance, partition_key=partition)


@cache
def _loaded(project: ImageProject, _yaml: str) -> dg.Definitions:
    return project.load()


def small_image(
    *,
    function: Callable[..., Any] = gaussian_threshold,
    function_path: str = "gaussian_threshold",
    parameters: Mapping[str, Any] | None = None,
    channels: tuple[int, ...] = (0, 1),
    **changes: Any,  # noqa: ANN401  any field of an image
) -> Image:
    """Give the image as its YAML describes it, with some fields changed; there is no store."""
    fields: dict[str, Any] = {
        "name": "image", "project": Path("/project"), "address": "source.zarr", "storage_options": {}, "level": "0",
        "shape": SHAPE, "dtype": None, "channels": channels, "t": range(1, 3), "z": range(9, 11),
        "recipe": Recipe(function_path, function, parameters or {}, channels), "links": {}, "upstream": (),
    }  # fmt: skip
    return Image(**fields | changes)


def write_project(root: Path, pixels: npt.NDArray[Any] = PIXELS, **fields: str) -> ImageProject:
    """Write a project with its image in its own data folder."""
    write_image(root / "data" / "source.zarr", pixels, version="0.4")
    project = ImageProject(root)
    project.write(**FIELDS | fields)
    return project


def change_image(segmented: Segmented, level: int = 4) -> None:
    """Give the image another fingerprint, that of a level of compression; what is written has 5."""
    document = segmented.project.root / "data/source.zarr/0/.zarray"
    document.write_text(re.sub(r'"clevel": \d', f'"clevel": {level}', document.read_text()))


def recipe(plane: npt.NDArray[Any], sigma: float = 1.0, fraction: float = 0.33) -> npt.NDArray[np.int32]:
    """Label a plane (y, x) by the notebook's recipe, with scipy alone."""
    smoothed = scipy.ndimage.gaussian_filter(plane, sigma)
    labels: npt.NDArray[np.int32] = scipy.ndimage.label(smoothed > fraction * smoothed.max())[0]
    return labels
