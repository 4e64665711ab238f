"""Find the project around the working folder, load its definitions, and find its images by name."""

import sys
import tomllib
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import dagster as dg

from idr_assets.imaging.errors import ImageError
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.io_manager import ImageIO
from idr_assets.tolerant_load import NOT_LOADED

DEFINITIONS = "idr_assets.definitions"
"""Module with this project's definitions."""


def find_module() -> str:
    """Return the module with the definitions of the project around the working folder, as Dagster's commands find it.

    The folder of that project becomes importable. Outside of any project it is that of this package. `ImageError` if
    the project's `pyproject.toml` cannot be read.
    """
    for folder in (Path.cwd(), *Path.cwd().parents):
        toml = folder / "pyproject.toml"
        try:
            content = tomllib.loads(toml.read_text()) if toml.exists() else {}
        except (OSError, ValueError) as error:
            message = f"{toml} cannot be read ({error}), so no project is known there. Correct it."
            raise ImageError(message) from error
        project = content.get("tool", {}).get("dg", {}).get("project")
        if project:
            sys.path.insert(0, str(folder))
            return str(project.get("code_location_target_module") or f"{project['root_module']}.definitions")
    return DEFINITIONS


def load_definitions(module: str | None = None) -> dg.Definitions:
    """Load the definitions of a project from its module: an object or a function `defs`. Reads no image.

    Without a module, the project is that around the working folder.

    Raises
    ------
    ImageError
        If the module has no definitions, or cannot be loaded, for example because of an invalid YAML, which it names.

    """
    module = module or find_module()
    try:
        found = getattr(import_module(module), "defs", None)
        definitions = found() if callable(found) else found
    except Exception as error:
        message = f"{module} cannot be loaded, so nothing was done: {error.__cause__ or error}"
        raise ImageError(message) from error
    if not isinstance(definitions, dg.Definitions):
        message = (
            f"Module {module!r} has no definitions `defs`, so no image is known. Name another, such as {DEFINITIONS}."
        )
        raise ImageError(message)
    return definitions


def find_image(definitions: dg.Definitions, name: str) -> Sequence[Image]:
    """Find an image, once for each of its segmentations; raise `ImageError` with the known names otherwise."""
    images = all_images(definitions)
    if name not in images and name in NOT_LOADED:
        message = f"The YAML of {name} cannot be loaded, so nothing was done: {NOT_LOADED[name]}"
        raise ImageError(message)
    if name not in images:
        message = f"There is no image {name!r}, so nothing was done. Choose from: {', '.join(sorted(images))}."
        raise ImageError(message)
    return images[name]


def known_names(definitions: dg.Definitions) -> set[str]:
    """Return the names of all images and lists."""
    images = [each[0] for each in all_images(definitions).values()]
    return {name for image in images for name in (image.name, image.list_name) if name}


def find_images(definitions: dg.Definitions, name: str) -> Sequence[Sequence[Image]]:
    """Find the image, or the images of the list, with a name; raise `ImageError` with the known names otherwise."""
    listed = [images for images in all_images(definitions).values() if images[0].list_name == name]
    return listed or [find_image(definitions, name)]


def find_segmentation(definitions: dg.Definitions, name: str, segmentation: str | None) -> Image:
    """Find an image with the named segmentation, or its only one; raise `ImageError` with the known names otherwise."""
    images = find_image(definitions, name)
    wanted = [image for image in images if segmentation in {None, image.segmentation}]
    if len(wanted) != 1:
        raise ImageError(_unclear(name, segmentation, [image.segmentation for image in images if image.segmentation]))
    return wanted[0]


def all_images(definitions: dg.Definitions) -> dict[str, list[Image]]:
    """Return all images by name, each once for each of its segmentations."""
    images: dict[str, list[Image]] = {}
    for resource in (definitions.resources or {}).values():
        for image in resource.images if isinstance(resource, ImageIO) else ():
            images.setdefault(image.name, []).append(image)
    return images


def _unclear(name: str, segmentation: str | None, known: list[str]) -> str:
    problem = f"no segmentation {segmentation!r}" if segmentation else "several segmentations"
    remedy = f"Choose from: {', '.join(known)}" if known else "Leave `segmentation` out: its only one has no name"
    return f"{name} has {problem}, so nothing was done. {remedy}."
