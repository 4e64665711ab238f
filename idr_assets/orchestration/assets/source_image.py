"""The asset `<image>/source_image`: the image as its store holds it."""

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.figures.pictures import thumbnail_png
from idr_assets.imaging.stores.zarr_settings import own_settings
from idr_assets.orchestration.assets.descriptions import of_source_image
from idr_assets.orchestration.assets.metadata import address, describe_channels, gallery, markdown, picture
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.source_version import find_version
from idr_assets.orchestration.stops import end_canceled
from idr_assets.orchestration.versions import source_key

if TYPE_CHECKING:
    from idr_assets.imaging.reading.level import Level


def source_image(image: Image) -> dg.AssetsDefinition:
    """Define the asset; its value is the level as a lazy (t, c, z, y, x) dask array.

    Its check `matches_yaml` is evaluated in the same step, even if the image fails it and nothing is materialized.
    """
    description = (
        "The level that the YAML names is there, has the shape and the dtype that the YAML expects, and its pixels lie "
        "where, and are what, its metadata say."
    )

    @source_asset(image, description=of_source_image(image), matches=description)
    def asset(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        from idr_assets.imaging.reading.fingerprint import read_fingerprint  # noqa: PLC0415  zarr, for the run only

        with end_canceled(context), own_settings:
            level = None
            try:
                level = image.source.open()
                image.source.check(level)
                image.source.probe(level, image.window)
            except ImageError as error:
                yield _matches_yaml(image, level, str(error))
                raise
            fingerprint = read_fingerprint(level, image.storage_options).digest
            found = find_version(context.instance, image, level, fingerprint)
            metadata = _metadata(image, level) | found.metadata | {"middle plane": _thumbnail(image, level)}
            yield dg.MaterializeResult(
                metadata=metadata,
                check_results=[_matches_yaml(image, level)],
                data_version=dg.DataVersion(found.version),
            )

    return asset


def source_asset(
    image: Image, *, description: str, matches: str
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Decorate the function of the asset of a source, like `dagster.asset`; `matches` describes its check."""
    key = source_key(image)
    decorate: Callable[[Callable[..., Any]], dg.AssetsDefinition] = dg.asset(
        key=key,
        deps=[dg.AssetKey.from_user_string(key) for key in image.upstream],
        group_name=image.name,
        kinds={"zarr"},
        io_manager_key=image.io,
        pool=image.pool,
        backfill_policy=dg.BackfillPolicy.single_run(),
        description=description,
        metadata={name: address(link) for name, link in image.links.items()} | gallery(f"image/{image.name}"),
        check_specs=[dg.AssetCheckSpec("matches_yaml", asset=key, description=matches, blocking=True)],
    )
    return decorate


def _matches_yaml(image: Image, level: "Level | None", fault: str | None = None) -> dg.AssetCheckResult:
    """Report what the YAML expects, what is stored if the level was opened, and what is wrong or new."""
    expected = {"expected shape (TCZYX)": str(image.shape), "expected dtype": image.dtype or "any"}
    stored = {"stored shape (TCZYX)": str(level.shape), "stored dtype": level.dtype.str} if level else {}
    remark = fault or (image.source.describe_growth(level) if level else None)
    return dg.AssetCheckResult(
        passed=fault is None,
        check_name="matches_yaml",
        metadata=expected | stored,
        description=remark and markdown(remark),
    )


def _thumbnail(image: Image, level: "Level") -> dg.MetadataValue[Any]:
    """Show the middle plane of the window, or say why it cannot be read, which concerns no other plane."""
    try:
        return picture(thumbnail_png(level.read(image.window.middle)[0, 0, 0]))
    except ImageError as error:
        return dg.MetadataValue.text(str(error))


def _channels(image: Image, level: "Level") -> dict[str, str]:
    """List the names and colours of all channels, as far as they are known."""
    known = describe_channels(image, level.geometry.channels).items()
    lines = [f"c {c}: {it.name or 'without a name'}{f', #{it.colour}' if it.colour else ''}" for c, it in known]
    return {"channels": "\n".join(lines)} if lines else {}


def _metadata(image: Image, level: "Level") -> dict[str, dg.MetadataValue | str | int | float]:
    known = {"pixel size (µm)": level.geometry.pixel_size} if level.geometry.pixel_size else {}
    links = {name: address(link) for name, link in image.links.items()}
    return {
        **links,  # first, so that no link replaces one of the others
        "url": address(level.url),
        "level": level.path,
        "shape (TCZYX)": str(level.shape),
        "dtype": level.dtype.str,
        "chunks (TCZYX)": str(level.chunks),
        "chunks verified by": level.store.verification.means,
        "bytes": math.prod(level.shape) * level.dtype.itemsize,
        **known,
        **_channels(image, level),
        **({"metadata that are not used": "\n".join(level.remarks)} if level.remarks else {}),
    }
