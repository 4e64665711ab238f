"""The geometry of an array whose axes a person names, because no OME-Zarr metadata do."""

from collections.abc import Sequence

from zarr.abc.store import Store

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.ome_zarr.axes import AXES
from idr_assets.imaging.ome_zarr.geometry import Geometry, check_path
from idr_assets.imaging.ome_zarr.groups import find_image
from idr_assets.imaging.store_text import quote


def name_geometry(url: str, level: str, store: Store, axes: Sequence[str]) -> Geometry:
    """Take the axes of an array from a person: it has no OME-Zarr metadata, so that no size is known.

    Raises
    ------
    ImageError
        Where it has such metadata, which say more than its axes.

    """
    check_path(url, level)
    try:
        known = find_image(url, level, store, []).dataset(level)
    except ImageError:
        known = None
    if known is not None:
        message = (
            f"Level {quote(level)} of {url} has OME-Zarr metadata, which say its axes and sizes: nothing is read. "
            "Leave `axes` out of the YAML."
        )
        raise ImageError(message)
    unknown = (None,) * len(AXES)
    return Geometry(axes=tuple(axes), scale=unknown, translation=(0.0,) * len(AXES), units=unknown)
