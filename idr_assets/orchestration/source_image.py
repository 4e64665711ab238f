"""The asset `<image>/source_image`: the image as it lies in its store."""

import math
from typing import Any

import dagster as dg

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.pictures import thumbnail_png
from idr_assets.imaging.source import Level, fingerprint
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.metadata import picture


def source_image(image: Image) -> dg.AssetsDefinition:
    """Define the asset; its value is the level as a lazy (t, c, z, y, x) dask array."""

    @dg.asset(
        key=[image.name, "source_image"],
        deps=[dg.AssetKey.from_user_string(key) for key in image.upstream],
        group_name=image.name,
        kinds={"zarr"},
        io_manager_key=f"{image.name}_io",
        backfill_policy=dg.BackfillPolicy.single_run(),
        description="One level of the image as it lies in its store: (t, c, z, y, x), opened without reading pixels.",
    )
    def asset() -> dg.MaterializeResult[None]:
        level = image.open_probed()
        return dg.MaterializeResult(metadata=_metadata(image, level) | {"middle plane": _thumbnail(image, level)})

    return asset


def _thumbnail(image: Image, level: Level) -> dg.MetadataValue[Any]:
    """Show the window's middle plane, or say why it cannot be read: that costs this plane, not the others."""
    try:
        return picture(thumbnail_png(level.read(image.middle)[0, 0, 0]))
    except ImageError as error:
        return dg.MetadataValue.text(str(error))


def _metadata(image: Image, level: Level) -> dict[str, dg.MetadataValue | str | int | float]:
    known = {"pixel size (µm)": level.geometry.pixel_size} if level.geometry.pixel_size else {}
    links = {name: dg.MetadataValue.url(address) for name, address in image.links.items()}
    return {
        "url": dg.MetadataValue.url(level.url),
        "level": level.path,
        "shape (TCZYX)": str(level.shape),
        "dtype": level.dtype.str,
        "chunks (TCZYX)": str(level.chunks),
        "bytes": math.prod(level.shape) * level.dtype.itemsize,
        "fingerprint": fingerprint(level, image.storage_options),
        **known,
        **links,
    }
