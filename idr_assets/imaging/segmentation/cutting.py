"""Which planes are cut into tiles, and how: what a function declares of it, beside what it works on."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from idr_assets.imaging.planes import MOST_PIXELS
from idr_assets.imaging.segmentation.tiles.forms import TiledForm
from idr_assets.imaging.segmentation.works_on import WorksOn, works_on


def in_tiles[F: Callable[..., Any]](tiles: Callable[..., TiledForm]) -> Callable[[F], F]:
    """Declare how a function of a plane, or of a stack, segments planes above 16 megapixels: cut into tiles.

    Parameters
    ----------
    tiles
        Makes the form of the recipe from its parameters, all of them by name.
    """

    def declare_tiles(function: F) -> F:
        vars(function)["works_on"] = replace(works_on(function), tiles=tiles)
        return function

    return declare_tiles


def cuts(works: WorksOn, plane_shape: Sequence[int]) -> bool:
    """Return whether planes of this shape (y, x) are cut into tiles; those of several channels or planes are not."""
    alone = works.tiles and not (works.inputs or works.together or works.neighbours)
    return bool(alone) and math.prod(plane_shape) > MOST_PIXELS


def cuts_show(works: WorksOn, plane_shape: Sequence[int]) -> bool:
    """Return whether planes are cut, and some labels differ from those of a plane in one piece."""
    return cuts(works, plane_shape) and not getattr(works.tiles, "exact", False)


def make_form(works: WorksOn, parameters: Mapping[str, Any]) -> TiledForm:
    """Make the form by which planes are cut from all parameters of the recipe."""
    if not works.tiles:
        message = "This function does not say how its planes are cut into tiles."
        raise TypeError(message)
    return works.tiles(**parameters)
