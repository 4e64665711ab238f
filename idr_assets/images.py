"""The images of a project, as its YAML files define them, found by name. No Dagster instance is needed."""

from collections.abc import Sequence
from importlib import import_module

import dagster as dg

from idr_assets.imaging.errors import ImageError
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.io_manager import ImageIOManager

DEFINITIONS = "idr_assets.definitions"
"""Module of this project's definitions."""


def load_definitions(module: str = DEFINITIONS) -> dg.Definitions:
    """Load the definitions of a project from its module, an object or a function `defs`; nothing of images is read.

    Raises `ImageError` where the module has none, or cannot be loaded, as with an invalid YAML, which it names.
    """
    try:
        found = getattr(import_module(module), "defs", None)
        definitions = found() if callable(found) else found
    except Exception as error:
        message = f"{module} cannot be loaded, so nothing was done: {error.__cause__ or error}"
        raise ImageError(message) from error
    if not isinstance(definitions, dg.Definitions):
        message = f"Module {module!r} has no definitions `defs`, so no image is known; name it, such as {DEFINITIONS}."
        raise ImageError(message)
    return definitions


def find_image(definitions: dg.Definitions, name: str) -> Sequence[Image]:
    """Find an image, once for each of its segmentations; `ImageError` lists the images that there are."""
    managers = [it for it in (definitions.resources or {}).values() if isinstance(it, ImageIOManager)]
    images = {manager.images[0].name: manager.images for manager in managers}
    if name not in images:
        message = f"There is no image {name!r}, so nothing was done; there are: {', '.join(sorted(images))}."
        raise ImageError(message)
    return images[name]


def find_segmentation(definitions: dg.Definitions, name: str, segmentation: str | None) -> Image:
    """Find an image with the segmentation of this name, or with its only one; `ImageError` lists those that it has."""
    images = find_image(definitions, name)
    wanted = [image for image in images if segmentation in {None, image.segmentation}]
    if len(wanted) != 1:
        raise ImageError(_unclear(name, segmentation, [image.segmentation for image in images if image.segmentation]))
    return wanted[0]


def _unclear(name: str, segmentation: str | None, known: list[str]) -> str:
    asked = f"no segmentation {segmentation!r}" if segmentation else "several segmentations"
    there = f"name one of: {', '.join(known)}" if known else "leave `segmentation` out, for its only one has no name"
    return f"{name} has {asked}, so nothing was done; {there}."
