"""Which planes are cut into tiles, and how: what a function declares of it, beside what it works on."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from idr_assets.imaging.planes import MOST_PIXELS
from idr_assets.imaging.segmentation.labelling import Part
from idr_assets.imaging.segmentation.tile_overlap import OverlapTiles
from idr_assets.imaging.segmentation.tiles.forms import TiledForm
from idr_assets.imaging.segmentation.works_on import WorksOn, works_on


def in_tiles[F: Callable[..., Any]](tiles: int | Callable[..., TiledForm]) -> Callable[[F], F]:
    """Declare that planes above 16 megapixels are cut into tiles, for a function that works on planes.

    Parameters
    ----------
    tiles
        How many pixels of the tiles around the function gets with each tile: more than an object is long, with what its
        labels depend on. Objects that two tiles see are joined by their overlap. Or what makes a `TiledForm` from all
        parameters of the recipe.

    Raises
    ------
    TypeError
        If the function works on volumes, or the line that says what it works on stands above this one.
    """

    def declare_tiles(function: F) -> F:
        _check_order(function)
        works = works_on(function)
        if works.unit == "volume":
            message = f"{function.__qualname__} works on volumes, which are never cut; remove @in_tiles."
            raise TypeError(message)
        form = partial(OverlapTiles.of, function, tiles) if isinstance(tiles, int) else tiles
        vars(function)["works_on"] = replace(works, tiles=form)
        return function

    return declare_tiles


def _check_order(function: Callable[..., Any]) -> None:
    """Raise TypeError if nothing says yet what a function works on: Python applies its lines from below."""
    if not hasattr(function, "works_on"):
        message = (
            f"@in_tiles stands directly above {function.__qualname__}, where nothing says yet what it works on. Write "
            "@in_tiles as the first line, and below it, directly above the function, @per_plane or @per_stack."
        )
        raise TypeError(message)


def cuts(works: WorksOn, plane_shape: Sequence[int]) -> bool:
    """Return whether planes of this shape (y, x) are cut into tiles."""
    return math.prod(plane_shape) > MOST_PIXELS and not explain_whole(works)


def explain_whole(works: WorksOn) -> tuple[str, str] | None:
    """Say why planes are never cut, whatever their size, and what to do; None if large ones are."""
    if works.neighbours:
        return "because `neighbours` are given", "give fewer `neighbours`, or none"
    return None if works.tiles else ("because it has no line @in_tiles", "write @in_tiles above a function of your own")


def cuts_show(works: WorksOn, plane_shape: Sequence[int]) -> bool:
    """Return whether planes are cut, and some labels differ from those of a plane in one piece."""
    return cuts(works, plane_shape) and not getattr(works.tiles, "exact", False)


def make_form(works: WorksOn, parameters: Mapping[str, Any], part: Part | None = None) -> TiledForm:
    """Make the form by which planes are cut from all parameters of the recipe; `part` is the plane with its inputs."""
    if not works.tiles:
        message = "This function does not say how its planes are cut into tiles."
        raise TypeError(message)
    form = works.tiles(**parameters)
    return replace(form, part=part) if isinstance(form, OverlapTiles) else form
