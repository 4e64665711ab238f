"""Look at an image before anything is known of it: its levels and channels, by its metadata alone."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from idr_assets.imaging.errors import ImageError, mask
from idr_assets.imaging.reading.bare_arrays import BareArrayError
from idr_assets.imaging.reading.level import Level, open_level
from idr_assets.imaging.reading.opening import list_levels
from idr_assets.imaging.reading.retries import Patience

PATIENCE = Patience(tries=3, seconds=60, timeout=20)
"""Someone waits for the answer."""


def survey_levels(
    url: str, storage_options: Mapping[str, Any] | None = None, axes: Sequence[str] = (), level: str | None = None
) -> tuple[Level, ...]:
    """Open the levels of an image, from the first; those that do not exist or are damaged are left out.

    An array without OME-Zarr metadata is a level of the folder above, if its `axes` are given or its dimensions have
    their names; in a group without them it is the given `level`.

    Raises
    ------
    ImageError
        Where there is no image, or none of its levels can be opened, or where `axes` of an image are given.

    """
    try:
        paths = list_levels(url, storage_options, PATIENCE)
    except BareArrayError as array:
        if not (named := axes or array.axes):
            raise
        return (open_level(array.folder, array.path, storage_options, patience=PATIENCE, axes=named),)
    except ImageError:
        with suppress(ImageError):
            if axes and level:
                return (open_level(url, level, storage_options, patience=PATIENCE, axes=axes),)
        raise
    if axes:
        message = f"{mask(url)} has OME-Zarr metadata, which say its axes, so nothing was written. Name no axes."
        raise ImageError(message)

    def open_or_explain(path: str) -> Level | ImageError:
        try:
            return open_level(url, path, storage_options, patience=PATIENCE)
        except ImageError as error:
            return error

    with ThreadPoolExecutor(max_workers=8) as threads:
        found = list(threads.map(open_or_explain, paths))
    levels = tuple(each for each in found if isinstance(each, Level))
    failures = [each for each in found if isinstance(each, ImageError)]
    if not levels:
        raise failures[0]
    return levels
