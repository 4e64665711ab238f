"""Load the value of an asset in Python; the assets store their values themselves."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import dagster as dg
import numpy as np
import numpy.typing as npt

from idr_assets.imaging.planes import LabelledPlane, Plane
from idr_assets.orchestration.dead_runs import prove_life
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.image_list import overview_url
from idr_assets.orchestration.partitions import block_of
from idr_assets.orchestration.run_range import check_range

if TYPE_CHECKING:
    import zarr

    from idr_assets.imaging.output.output_image import OutputImage


class ImageIO(dg.IOManagerDefinition):
    """The resource `image_io` of all assets of a project: it loads values, and proves that a run lives."""

    def __init__(self, images: Iterable[Image] = ()) -> None:
        """Serve images, each given once for each segmentation; nothing is opened yet."""
        self._images: dict[str, Image] = {}
        self.add(images)
        # An empty schema refuses any run configuration of the resource; no schema would accept all.
        start: Any = self._start  # a generator, which the type of this argument leaves out
        super().__init__(start, config_schema={}, description=ImageIOManager.__doc__)

    @property
    def images(self) -> list[Image]:
        """The images, each once for each segmentation."""
        return [*self._images.values()]

    def add(self, images: Iterable[Image]) -> None:
        """Serve more images."""
        self._images |= {image.title: image for image in images}

    def _start(self, context: dg.InitResourceContext) -> "Iterator[ImageIOManager]":
        """Start before the first step of a run, and end after the last."""
        with ExitStack() as stack:
            if context.instance and context.run:
                from idr_assets.orchestration.event_log import read_again  # noqa: PLC0415

                read_again(context.instance)
                stack.enter_context(prove_life(context.instance, context.run.run_id))
            yield ImageIOManager(self.images)


class ImageIOManager(dg.IOManager):
    """Loads the values of the assets of images, for all of their segmentations."""

    def __init__(self, images: Sequence[Image]) -> None:
        """Serve images, each given once for each segmentation; nothing is opened yet."""
        self.images = images

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Refuse, because a value that an asset returns would be lost."""
        message = f"{context.asset_key} returned {type(obj).__name__}, which would be lost. Store it in the asset."
        raise dg.DagsterInvariantViolationError(message)

    def load_input(self, context: dg.InputContext) -> Any:  # noqa: ANN401, PLR0911  one type for each asset
        """Load a lazy level (t, c, z, y, x), a label plane, the frame of objects, a PNG, the page, or a Zarr group."""
        _check_run(context)
        path = list(context.asset_key.path)
        of_list = next((image for image in self.images if path == [image.list_name, "overview"]), None)
        if of_list:
            from idr_assets.imaging.objects.table_files import read_frame  # noqa: PLC0415  half a second, for a frame alone

            return read_frame(overview_url(of_list.project, path[0], "parquet"))
        of_name = [image for image in self.images if image.name == path[0]]
        image = next((image for image in of_name if image.key(path[-1]) == path), of_name[0])
        pictures = {
            "montage": image.montage_url,
            "object_counts": image.counts_url("png"),
            "plate_counts": image.counts_url("png"),
            "plate_montage": image.montage_url,
            "segmentation_comparison": image.comparison_url,
        }
        match path[-1]:
            case "source_image" | "source_plate":
                return image.source.open().lazy()
            case "plane_labels":
                return _labels(image, context.asset_partition_key_range)
            case "objects":
                from idr_assets.imaging.objects.tables import objects_frame  # noqa: PLC0415  half a second, for a frame alone

                return objects_frame(_tables(image, context))
            case "published":
                return _group(image.published_url)
            case asset if asset in pictures:
                return _bytes(pictures[asset])
            case "plane_browser":
                return _bytes(image.browser_url).decode()
        message = f"{context.asset_key} is not an asset of {image.name}, so it has no value. Choose another."
        raise dg.DagsterInvariantViolationError(message)


def _check_run(context: dg.InputContext) -> None:
    """Raise `dagster.Failure` if a run would get the values of other partitions than its tags name."""
    try:
        step = context.step_context
    except dg.DagsterInvariantViolationError:  # this is not a run
        return
    if step.has_partitions:
        check_range(step.run_tags, step.partition_key_range, context.asset_key)


def _tables(image: Image, context: dg.InputContext) -> list[str]:
    """Return the tables of the requested timepoints, by default of all."""
    timepoints = map(image.measured_row, context.asset_partition_keys) if context.has_asset_partitions else image.t
    return [image.objects_urls[t] for t in timepoints]


def _labels(image: Image, keys: dg.PartitionKeyRange) -> npt.NDArray[np.int32]:
    """Read label planes as (t, c, z, y, x), without those of the axes t, c and z that have length 1."""
    block, output = block_of(image, keys), image.open_output()
    labels = np.stack([_read(output, plane).labels for plane in block.planes()])
    lengths = [length for length in (len(block.t), len(block.c), len(block.z)) if length > 1]
    return labels.reshape(*lengths, *labels.shape[1:])


def _read(output: "OutputImage", plane: Plane) -> LabelledPlane:
    labelled = output.read(plane)
    if labelled is None:
        raise output.explain_unstored(plane)
    return labelled


def _group(url: str) -> "zarr.Group":
    import zarr  # noqa: PLC0415  definitions do without

    from idr_assets.imaging.stores.by_address import open_store  # noqa: PLC0415

    return zarr.open_group(open_store(url), mode="r")


def _bytes(url: str) -> bytes:
    from idr_assets.imaging.stores.by_address import open_filesystem  # noqa: PLC0415  zarr, which definitions do without

    filesystem, path = open_filesystem(url)
    content: bytes = filesystem.cat_file(path)
    return content
