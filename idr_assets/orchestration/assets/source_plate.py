"""The asset `<plate>/source_plate`: the fields of the plate as its store holds them."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.figures.pictures import thumbnail_png
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.stores.zarr_settings import own_settings
from idr_assets.orchestration.assets.descriptions import of_source_plate
from idr_assets.orchestration.assets.metadata import address, list_names, markdown, picture
from idr_assets.orchestration.assets.source_image import source_asset
from idr_assets.orchestration.plate import Plate
from idr_assets.orchestration.plate_version import renew_plate_version
from idr_assets.orchestration.stops import end_canceled

if TYPE_CHECKING:
    from idr_assets.imaging.reading.plate import PlateLevel


def source_plate(plate: Plate) -> dg.AssetsDefinition:
    """Define the asset; its value is all fields as one lazy (t, c, z, y, x) dask array, one after the other.

    Its check `matches_yaml` warns of fields that cannot be read, and fails if none can.
    """
    description = "The fields that the YAML names can be opened, and have the shape and the dtype that it expects."

    @source_asset(plate, description=of_source_plate(plate), matches=description)
    def asset(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        with end_canceled(context), own_settings:
            try:
                opened = plate.source.open()
                plate.source.probe(opened, plate.window)
            except ImageError as error:
                yield dg.AssetCheckResult(passed=False, check_name="matches_yaml", description=markdown(str(error)))
                raise
            found = renew_plate_version(context.instance, plate, opened.fields)
            yield dg.MaterializeResult(
                metadata={**_metadata(plate, opened), **found.metadata, "a plane": _thumbnail(plate, opened)},
                check_results=[_matches_yaml(plate, opened)],
                data_version=dg.DataVersion(found.version),
            )

    return asset


def _matches_yaml(plate: Plate, opened: "PlateLevel") -> dg.AssetCheckResult:
    failed = [f"{plate.fields[at].name}: {reason}" for at, reason in sorted(opened.failures.items())]
    return dg.AssetCheckResult(
        passed=not failed,
        severity=dg.AssetCheckSeverity.WARN,  # so that the other fields are segmented
        check_name="matches_yaml",
        metadata={"fields": len(opened.fields), "fields that cannot be read": len(failed)},
        description=markdown(list_names(failed)) if failed else None,
    )


def _thumbnail(plate: Plate, opened: "PlateLevel") -> dg.MetadataValue[Any]:
    """Show a plane of the field in the middle, or say why it cannot be read, which concerns no other plane."""
    at = list(opened.fields)[len(opened.fields) // 2]
    plane = Plane(at * len(plate.times), plate.channels[0], plate.z[len(plate.z) // 2])
    try:
        return picture(thumbnail_png(opened.read(plane.block)[0, 0, 0]))
    except ImageError as error:
        return dg.MetadataValue.text(str(error))


def _metadata(plate: Plate, opened: "PlateLevel") -> Mapping[str, dg.MetadataValue[Any] | str | int | float]:
    level = next(iter(opened.fields.values())).level
    known = {"pixel size (µm)": level.geometry.pixel_size} if level.geometry.pixel_size else {}
    return {
        **{name: address(link) for name, link in plate.links.items()},
        "url": address(opened.url),
        "level": level.path,
        "wells": len({plate.fields[at].well for at in opened.fields}),
        "fields of the YAML that can be read": len(opened.fields),
        "shape of a field (TCZYX)": str(level.shape),
        "dtype": level.dtype.str,
        "chunks (TCZYX)": str(level.chunks),
        "chunks verified by": opened.store.verification.means,
        **known,
        **({"metadata that are not used": "\n".join(level.remarks)} if level.remarks else {}),
    }
