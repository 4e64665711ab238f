"""What a recipe says of itself so that its planes can be cut into tiles."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels

type Known = tuple[Any, ...]
"""What is known of the whole plane: what each pass gathered."""

type Inside = tuple[slice, slice]
"""Where what is wanted lies in the pixels that were read for it."""

type Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Found:
    """What a tile holds: labels (y, x) of int32 with the pixels around it that are labelled too.

    Labels above `whole` are of pieces that reach into other tiles. Objects are numbered by where they begin: that is
    their first pixel, or one of `begins`, flat indices in `labels` of the first ones.
    """

    labels: Labels
    whole: int = 0
    begins: npt.NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))


class TiledForm(Protocol):
    """A recipe for planes that are cut. The same labels come out wherever the cuts are.

    A form is made from the recipe's parameters. Each tile is looked at, in `passes` passes; what is found in all tiles
    becomes what is known of the plane. Then each tile is labelled with `overlap` pixels of the tiles around, and
    objects of tiles that touch are joined by what both see.

    Attributes
    ----------
    passes : int
        How often tiles are looked at before they are labelled.
    halo : int
        How many pixels around a tile its filters reach.
    overlap : int
        How many pixels of the tiles around are labelled with a tile.
    splits : bool
        Whether joined pieces are split into objects afterwards; if not, each is an object.
    exact : bool
        Whether a plane gets the same labels as in one piece, pixel by pixel.
    bytes_per_pixel, seconds_per_megapixel : float
        What a thread takes at most for each pixel of a tile, and in all for a megapixel of a plane; about.

    """

    splits: ClassVar[bool]
    exact: ClassVar[bool]
    bytes_per_pixel: ClassVar[float]
    seconds_per_megapixel: ClassVar[float]

    @property
    def passes(self) -> int:
        """Return how often tiles are looked at."""

    @property
    def halo(self) -> int:
        """Return how far filters reach."""

    @property
    def overlap(self) -> int:
        """Return how much of the tiles around is labelled."""

    def look(self, pixels: Pixels, inside: Inside, known: Known) -> Any:  # noqa: ANN401  what the form itself gathers
        """Look at a tile, (y, x) with its halo, and return what this pass finds inside of it."""

    def gather(self, found: Sequence[Any], known: Known) -> Any:  # noqa: ANN401  what the form itself knows
        """Make what is known of the plane from what one pass found in all tiles."""

    def threshold(self, known: Known) -> float | None:
        """Return the one intensity threshold of the plane, if it has one."""

    def label(self, pixels: Pixels, inside: Inside, ring: Mask, known: Known) -> Found:
        """Label what is inside of pixels (y, x); `ring` is what belongs to other tiles of that."""

    def join(self, one: Labels, other: Labels) -> npt.NDArray[np.intp]:
        """Return the labels (pairs, 2) of two tiles that are one object, from what both give to pixels they share."""

    def split(self, piece: Mask) -> tuple[Labels, npt.NDArray[np.intp]]:
        """Split a joined piece, with a pixel around it; return labels 1 to n, and the flat index where each begins."""


def join_touching(one: Labels, other: Labels) -> npt.NDArray[np.intp]:
    """Join what lies on the same pixels, for forms of which two tiles find the same foreground."""
    both = (one > 0) & (other > 0)
    return np.unique(np.stack([one[both], other[both]], axis=1), axis=0)


def find_pieces(components: Labels, ring: Mask) -> npt.NDArray[np.int32]:
    """Return the connected components that reach into other tiles and are inside of this one too."""
    inside = np.zeros(int(components.max(initial=0)) + 1, bool)
    inside[components[~ring]] = True
    reaching = np.unique(components[ring])
    return reaching[(reaching > 0) & inside[reaching]]
