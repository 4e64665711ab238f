"""Any function of planes by tiles that overlap: objects are joined that both tiles see in what they share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.overlaps import find_overlaps
from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels
from idr_assets.imaging.segmentation.labelling import Part, label
from idr_assets.imaging.segmentation.tiles.forms import Found, Inside, Known, Mask

SAME: Final = 0.5
"""Two objects are one above this intersection over union; no object has two such partners."""


@dataclass(frozen=True)
class OverlapTiles:
    """See `TiledForm`; `function` labels a tile of all inputs, with its overlap, as if that were a plane."""

    function: Callable[..., Any]
    parameters: Mapping[str, Any]
    overlap: int
    part: Part | None = None

    passes: ClassVar[int] = 0
    splits: ClassVar[bool] = False
    exact: ClassVar[bool] = False
    bytes_per_pixel: ClassVar[float] = 20.0
    seconds_per_megapixel: ClassVar[float] = 0.0
    halo: ClassVar[int] = 0

    @classmethod
    def of(cls, function: Callable[..., Any], pixels: int, /, **parameters: Any) -> Self:  # noqa: ANN401  of a YAML
        """Take so many pixels of the tiles around."""
        return cls(function, parameters, pixels)

    def look(self, pixels: Pixels, inside: Inside, known: Known) -> Any:  # noqa: ANN401
        """Look at nothing before."""
        raise NotImplementedError

    def gather(self, found: Sequence[Any], known: Known) -> Any:  # noqa: ANN401
        """Know nothing before."""
        raise NotImplementedError

    def threshold(self, known: Known) -> float | None:  # noqa: ARG002  nothing is known
        """Return nothing."""
        return None

    def label(self, pixels: Pixels, inside: Inside, ring: Mask, known: Known) -> Found:  # noqa: ARG002  all is inside
        """Label all pixels as a plane: (y, x), or (t, c, z, y, x) of several inputs."""
        stack = pixels[(np.newaxis,) * (5 - pixels.ndim)]
        labels, _ = label(self.function, self.parameters, stack, ring.shape, self.part)
        return Found(labels[0, 0, 0])

    def join(self, one: Labels, other: Labels) -> npt.NDArray[np.intp]:
        """Join objects that share more than `SAME`."""
        found = find_overlaps(one, other)
        return np.stack([found.one, found.other], axis=1)[found.iou > SAME]

    def split(self, piece: Mask) -> tuple[Labels, npt.NDArray[np.intp]]:
        """Split nothing."""
        raise NotImplementedError
