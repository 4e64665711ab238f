"""Load the value of an asset in Python. The assets store their values themselves."""

from typing import Any

import dagster as dg
import fsspec
import numpy as np
import numpy.typing as npt

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.label_image import LabelImage
from idr_assets.imaging.planes import LabelledPlane, Plane
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.partitions import block_of


class ImageIOManager(dg.IOManager):
    """Loads what the assets of one image hold."""

    def __init__(self, image: Image) -> None:
        """Serve one image; nothing is opened before a value is asked for."""
        self.image = image

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Refuse: an asset that returned a value would lose it."""
        message = f"{context.asset_key} returned {type(obj).__name__}; the assets of an image store their values."
        raise dg.DagsterInvariantViolationError(message)

    def load_input(self, context: dg.InputContext) -> Any:  # noqa: ANN401  one type for each asset
        """Load a lazy level (t, c, z, y, x), a label plane, the PNG or the page."""
        match context.asset_key.path[-1]:
            case "source_image":
                return self.image.find_level().lazy()
            case "plane_labels":
                return self._labels(context.asset_partition_key_range)
            case "montage":
                return _bytes(self.image.montage_url)
            case _:
                return _bytes(self.image.browser_url).decode()

    def _labels(self, keys: dg.PartitionKeyRange) -> npt.NDArray[np.int32]:
        """Read label planes as (t, c, z, y, x), without those of the axes t, c and z that have length 1."""
        block, output = block_of(self.image, keys), self.image.open_labels()
        labels = np.stack([self._stored(output, plane).labels for plane in block.planes()])
        lengths = [length for length in (len(block.t), len(block.c), len(block.z)) if length > 1]
        return labels.reshape(*lengths, *labels.shape[1:])

    def _stored(self, output: LabelImage, plane: Plane) -> LabelledPlane:
        labelled = output.read(plane)
        if labelled is None:
            message = f"{plane} of {self.image.name!r} is not stored in {self.image.labels_url}. Materialize it first."
            raise ImageError(message)
        return labelled


def _bytes(url: str) -> bytes:
    with fsspec.open(url, "rb") as file:
        content: bytes = file.read()
    return content
