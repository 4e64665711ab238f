"""What the fields of a YAML say about an image, in plain values."""

from collections.abc import Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from idr_assets.components.image_fields import ImageFields
from idr_assets.components.lookups import import_measurement
from idr_assets.components.segmentation_fields import Segmentation
from idr_assets.imaging.objects.more_measurements import Measured
from idr_assets.imaging.reading.retries import Patience
from idr_assets.imaging.segmentation.models.weights import map_weights
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.orchestration.assets.names import MADE
from idr_assets.orchestration.data_folder import data_url
from idr_assets.orchestration.image import Image

SHARED = ({field.name for field in fields(Image)} & ImageFields.model_fields.keys()) - {"segmentation", "channels"}
"""Fields that an image takes unchanged from its YAML."""


def describe_images(given: ImageFields, name: str, project: Path, list_name: str | None = None) -> list[Image]:
    """Return the image that the fields describe, once for each of its segmentations."""
    named = given.segmentations.items() or [(None, given.segmentation)]
    return [_describe(given, name, project, list_name, each) for each in named]


def find_own_upstream(given: ImageFields, name: str) -> str | None:
    """Return an asset in `upstream` that is made from the image itself, if there is any."""
    keys = [key.split("/") for key in given.upstream]
    return next(("/".join(key) for key in keys if key[0] == name and key[-1] in MADE), None)


def _describe(
    given: ImageFields,
    name: str,
    project: Path,
    list_name: str | None,
    named: tuple[str | None, Segmentation],
) -> Image:
    segmentation_name, segmentation = named
    shared: dict[str, Any] = {name: getattr(given, name) for name in SHARED}
    channels, measured = (_indices(each) for each in (given.channels, given.measure))
    recipe = locate_weights(segmentation.recipe(channels, given.channel_names, measured, given.shape), project)
    lists = {name: tuple(value) for name, value in shared.items() if isinstance(value, list)}
    return Image(
        name=name,
        project=project,
        address=given.url or str(given.endpoint).replace("{image_id}", str(given.image_id)),
        recipe=recipe,
        channels=recipe.channels,
        measured=Measured(tuple(measured), tuple(map(import_measurement, given.measurements))),
        segmentation=segmentation_name,
        patience=Patience.model_validate(given.reading.model_dump()),  # a plain one: workers know no components
        missing_chunks=given.reading.missing_chunks,
        list_name=list_name,
        **given.window.ranges(given.shape) | shared | lists,
    )


def _indices(channels: str | Sequence[int | str]) -> list[int]:
    """Return the channels that the YAML's check has found."""
    return [index for index in channels if isinstance(index, int)]


def locate_weights(recipe: Recipe, project: Path) -> Recipe:
    """Say where the weights of a recipe are: a relative path is below IDR_ASSETS_DATA, as that of an image."""
    return replace(recipe, parameters=map_weights(recipe.function, recipe.parameters, partial(_locate, project)))


def _locate(project: Path, weights: str) -> str:
    return weights if "://" in weights or weights.startswith(("/", "~")) else data_url(project, weights)
