"""The command `export`: labels and objects in the files of other tools."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from pathlib import Path

import click

from idr_assets.commands.options import image_name, module_option, read_definitions, segmentation_option
from idr_assets.imaging.counts import write_count
from idr_assets.imaging.errors import ImageError, mask
from idr_assets.imaging.objects.measurements import Columns, measure
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.planes import LabelledPlane, Plane
from idr_assets.imaging.stores.zarr_settings import own_settings
from idr_assets.orchestration.assets.metadata import describe_channels
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.run_range import parse_range
from idr_assets.project import find_segmentation

ENDS = {
    "imagej-rois": "rois.zip",
    "geojson": "objects.geojson",
    "omero-masks": "masks.json",
    "anndata": "objects.h5ad",
    "csv": "objects.csv",
}
"""What the file of each format is called, after the name of the image."""


@click.command()
@image_name
@click.option("--as", "kind", type=click.Choice([*ENDS]), required=True, help="What to write.")
@click.option("--planes", multiple=True, metavar="'T|Z'", help="A plane, or a range such as '05|03...05|12'; several.")
@segmentation_option
@click.option(
    "--to",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file.  [default: such as IMAGE_objects.csv, here]",
)
@module_option
@own_settings
def export(  # noqa: PLR0913, PLR0917  the options above
    name: str, kind: str, planes: Sequence[str], segmentation: str | None, file: Path | None, module: str | None
) -> None:
    """Write the objects of IMAGE for another tool.

    imagej-rois for ImageJ's ROI Manager, geojson for QuPath, omero-masks for OMERO, anndata and csv for tables. All
    planes that are stored, unless --planes names some.
    """
    image = find_segmentation(read_definitions(module), name, segmentation)
    refuse_plate(image)
    blocks = [parse_range(image, text) for text in planes] or [image.window]
    wanted = [*dict.fromkeys(chain.from_iterable(block.planes() for block in blocks))]
    file = file or Path("_".join(image.key(ENDS[kind])))
    part = file.with_name(f".{file.name}.partial")
    try:
        part.touch()  # before the work, and with a reason in the words of the system
        objects, stored = _write(kind, part, image, wanted)
        if not stored:
            message = (
                f"None of these planes of {image.title} is stored, so nothing was written. Materialize them first."
            )
            raise ImageError(message)
        part.replace(file)
    except ModuleNotFoundError as error:
        message = (
            f"{kind} needs the package {error.name}, which is not installed, so nothing was written. Install the "
            'extra `export`: `pip install "idr_assets[export]"`.'
        )
        raise click.ClickException(message) from error
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"{file} cannot be written ({reason}), so nothing was written. Choose another place by --to."
        raise click.ClickException(message) from error
    finally:
        with suppress(OSError):
            part.unlink()
    click.echo(f"{write_count(objects, 'object')} of {write_count(stored, 'plane')}: {os.path.relpath(file)}")
    if left := len(wanted) - stored:
        click.echo(f"{write_count(left, 'plane')} {'is' if left == 1 else 'are'} not stored, and left out.")


def refuse_plate(image: Image) -> None:
    """Raise `ImageError` for a plate, whose fields are images of their own: their planes would lie over each other."""
    if image.row_axis == "field":
        message = (
            f"{image.name} is a plate, and an export has the objects of one image, so nothing was written. Its tables "
            f"are in {mask(image.objects_url)}; read them with `idr_assets.read_objects`."
        )
        raise ImageError(message)


def _write(kind: str, file: Path, image: Image, wanted: Sequence[Plane]) -> tuple[int, int]:
    """Write a file; return how many objects it has, of how many planes that are stored."""
    output, geometry = image.open_output(), image.geometry
    names = {c: channel.name for c, channel in describe_channels(image, geometry.channels).items()}
    if kind in {"csv", "anndata"}:
        from idr_assets.imaging.exports.rows import write_anndata, write_csv  # noqa: PLC0415  pyarrow
        from idr_assets.imaging.objects.tables import measure_planes  # noqa: PLC0415

        table, counts = measure_planes(image.name, output, wanted, geometry.pixel_area, names, image.measured)
        return (write_csv if kind == "csv" else write_anndata)(file, table), len(counts)
    stored = set[Plane]()
    planes = _read(output, wanted, stored)
    if kind == "omero-masks":
        from idr_assets.imaging.exports.masks import write_omero_masks  # noqa: PLC0415  scipy

        return write_omero_masks(file, planes), len(stored)
    from idr_assets.imaging.exports.outlines import write_geojson, write_imagej_rois  # noqa: PLC0415  of the extra

    if kind == "geojson":
        measured = partial(_measure, image, output, geometry.pixel_area, names)
        return write_geojson(file, planes, measured), len(stored)
    return write_imagej_rois(file, planes), len(stored)


def _measure(
    image: Image,
    output: OutputImage,
    pixel_area: float | None,
    names: Mapping[int, str | None],
    plane: LabelledPlane,
) -> Columns:
    """Return the columns of the table of objects of a plane."""
    return measure(image.name, plane, pixel_area, names.get(plane.c)) | image.measured.measure(output, plane, names)


def _read(output: OutputImage, wanted: Sequence[Plane], stored: set[Plane]) -> Iterator[LabelledPlane]:
    """Read the planes that are stored, and note them."""
    for plane in wanted:
        if read := output.read(plane):
            stored.add(plane)
            yield read
