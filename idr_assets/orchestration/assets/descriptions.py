"""Descriptions of the assets in the UI, in Markdown: what they are, their shapes, units and sources."""

from collections.abc import Sequence

from idr_assets.imaging.errors import mask_all
from idr_assets.orchestration.assets.metadata import describe_inputs, markdown
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.image_list import ImageList
from idr_assets.orchestration.plate import Plate


def of_source_image(image: Image) -> str:
    """Describe the level, with links to pages about the image."""
    links = "".join(f"\n- {markdown(name)}: <{address}>" for name, address in image.links.items())
    return (
        f"One level of the image as its store holds it: {_shape(image)} (t, c, z, y, x) of "
        f"{image.dtype or 'any dtype'}, opened without reading pixels. Intensities are in arbitrary units.\n{links}"
    )


def of_source_plate(plate: Plate) -> str:
    """Describe the fields of a plate, with links to pages about it."""
    links = "".join(f"\n- {markdown(name)}: <{address}>" for name, address in plate.links.items())
    shape = ", ".join(map(str, (plate.timepoints, *plate.shape[1:])))
    return (
        f"One level of {len(plate.fields)} fields of the plate as its store holds them: ({shape}) (t, c, z, y, x) each "
        f"of {plate.dtype or 'any dtype'}, opened without reading pixels. Intensities are in arbitrary units.\n{links}"
    )


def of_plane_labels(image: Image) -> str:
    """Describe the labels, and the measures of a plane."""
    height, width = image.shape[3:]
    numbered_in = "volume of the timepoint and channel" if image.recipe.works_on.unit == "volume" else "plane"
    parameters = ", ".join(f"{name} {value}" for name, value in mask_all(dict(image.recipe.parameters)).items())
    return (
        f"Labels of each plane: ({height}, {width}) (y, x) int32, 0 for the background, 1..n for the objects, numbered "
        f"in each {numbered_in}. A partition is {_partition(image)} and a slice, `{image.row_axis}|z`, with a "
        "plane for each channel.\n\n"
        f"- window: {image.row_axis} {image.row_key(image.t[0])} to {image.row_key(image.t[-1])}, z {image.z[0]} to "
        f"{image.z[-1]}, "
        f"channels {', '.join(map(str, image.channels))}\n"
        f"- segmentation: `{image.recipe.path}` {markdown(parameters + describe_inputs(image.recipe.inputs))}\n"
        "- objects: number; threshold, minimum, maximum: intensity in arbitrary units; foreground, saturated: share of "
        "the pixels; seconds: time for the plane"
    )


def of_montage(image: Image) -> str:
    """Describe the montage."""
    return (
        f"The planes of {markdown(image.title)} with their labels, rows T of each channel, columns Z, up to twelve "
        "rows and columns, timepoints of few slices beside each other; a PNG. Planes that are not materialized "
        "are drawn as such."
    )


def of_plane_browser(image: Image) -> str:
    """Describe the page."""
    title = markdown(image.title)
    return (
        f"A page with a slider over the planes of {title}: pixels, labels and overlay side by side; one HTML "
        "file below 20 MB that needs no network."
    )


def of_objects(image: Image) -> str:
    """Describe the table of objects."""
    title = markdown(image.title)
    return (
        f"A row for each object of each plane of {title}: area, position, shape and intensities, in Parquet, a "
        "file and a partition for each timepoint. A timepoint whose planes are the same is not measured again. The "
        "metadata list the columns and their units."
    )


def of_plate_objects(plate: Plate) -> str:
    """Describe the tables of objects of a plate."""
    in_space = plate.recipe.works_on.unit == "volume"
    return (
        f"A row for each object of each plane of {markdown(plate.title)}: row, column, well and field, area, position, "
        "shape and intensities, in Parquet, a file and a partition for each well. A well whose planes are the same is "
        "not measured again. The metadata list the columns and their units."
        + (" The slices of an object in space are the rows with the same well, field, t, c, label." if in_space else "")
    )


def of_plate_montage(plate: Plate) -> str:
    """Describe the montage of a plate."""
    return (
        f"A field of each well of {markdown(plate.title)} with its labels, in the rows and columns of the plate; a "
        "PNG. Fields that are not materialized are drawn as such."
    )


def of_plate_counts(plate: Plate) -> str:
    """Describe the figure and the table of wells."""
    return (
        f"How many objects the wells of {markdown(plate.title)} have, on average in a plane: a heat map in the layout "
        "of the plate for each channel, a PNG, with an SVG and a table (CSV) beside it. Wells that are not measured "
        "are hatched, not zero. The columns of `layout` are added to the table, and drawn."
    )


def of_object_counts(image: Image) -> str:
    """Describe the figure of object counts."""
    title = markdown(image.title)
    return (
        f"How many objects the planes of {title} have: a heat map over T x Z for each channel, the mean over z "
        "at each t, and a histogram of areas; a PNG, and an SVG beside it. Planes that are not measured are "
        "hatched, not zero."
    )


def of_comparison(images: Sequence[Image]) -> str:
    """Describe the comparison of segmentations."""
    names = ", ".join(f"`{image.label_group}`" for image in images)
    image = markdown(images[0].name)
    return (
        f"The same planes of {image} as each of its segmentations labels them, side by side with their "
        f"numbers of objects: {names}; a PNG. Beside it, as PNG and CSV, how well each two of them agree: F1 of the "
        "objects that both have."
        + (" Each is scored by the reference: precision, recall, panoptic quality." if images[0].reference else "")
    )


def of_published(image: Image) -> str:
    """Describe the published image."""
    return (
        f"Pixels and labels of {markdown(image.name)} for viewers and for sharing: OME-Zarr 0.5 in few files, with "
        "smaller levels and the tables of objects, a partition for each timepoint. It has the channels with labels, "
        "and those that are inputs or measured. Planes that are not materialized are left out, and listed in the "
        "attributes. A timepoint whose planes are the same is not written again."
    )


def of_overview(images: ImageList) -> str:
    """Describe the overview of a list, and name the rows that are not loaded."""
    wrong = "".join(f"\n- {markdown(line)}" for line in images.describe_faults())
    return (
        f"All {len(images.images)} images of {markdown(images.name)}: a table with a row for each, in Parquet, and a "
        "figure with the middle plane of each and its labels; a PNG."
        + (f"\n\nRows that are not loaded:\n{wrong}" if wrong else "")
    )


def _partition(image: Image) -> str:
    return "a timepoint" if image.row_axis == "t" else "a field of a well"


def _shape(image: Image) -> str:
    return f"({', '.join(map(str, image.shape))})"
