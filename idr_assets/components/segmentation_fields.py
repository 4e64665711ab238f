"""The part of a YAML that says how labels are made."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, StrictInt, ValidationInfo, field_validator

from idr_assets.components.field_types import Channel
from idr_assets.components.lookups import find_channels
from idr_assets.components.parameters import check_parameters
from idr_assets.components.yaml_model import YamlFields
from idr_assets.imaging.segmentation.named_function import import_function
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.imaging.segmentation.works_on import works_on

GAUSSIAN_THRESHOLD = "idr_assets.imaging.segmentation.gaussian_threshold"

MOST_NEIGHBOURS = 50
"""Of a plane, on each side along an axis: all of them are in memory at once."""


class Segmentation(YamlFields):
    """The function that turns planes into labels, and its parameters."""

    function: str = Field(
        default=GAUSSIAN_THRESHOLD,
        description="Dotted path of a segmentation function. It says what it works on: `@per_plane`, `@per_volume`, "
        "`@per_stack` or `@per_batch`.",
    )
    inputs: dict[Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")], Channel] = Field(
        default_factory=dict,
        description="Channels that the function gets together, by the names of its arguments, such as `{nuclei: DAPI, "
        "cytoplasm: 1}`: an index, or a name that is in `channel_names`. The labels are of one channel. Left out, the "
        "function gets each channel by itself.",
    )
    labels_for: str | None = Field(
        default=None, description="The name in `inputs` whose channel gets the labels, by default the first."
    )
    neighbours: dict[Literal["t", "z"], Annotated[StrictInt, Field(gt=0, le=MOST_NEIGHBOURS)]] = Field(
        default_factory=dict,
        description="How many planes around each the function gets too, on each side, such as `{t: 1, z: 2}`. Beyond "
        "the first and the last plane of the image these are repeated.",
    )
    needs: dict[Annotated[str, Field(pattern=r"^\w+$")], Annotated[float, Field(gt=0, le=1000)]] = Field(
        default_factory=dict,
        description="What a worker must have for it, as dask's resources, such as `{GPU: 1}`. See *Use a model*.",
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict, validate_default=True, description="Keyword arguments of the function."
    )

    @field_validator("function")
    @classmethod
    def _check_function(cls, path: str) -> str:
        import_function(path)
        return path

    @field_validator("parameters")
    @classmethod
    def _check_parameters(cls, parameters: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if info.data.keys() >= {"function", "inputs"}:
            check_parameters(info.data["function"], parameters, info.data["inputs"])
        return parameters

    @field_validator("neighbours")
    @classmethod
    def _check_neighbours(cls, neighbours: dict[str, int], info: ValidationInfo) -> dict[str, int]:
        path = info.data.get("function")
        unit = works_on(import_function(path)).unit if path and neighbours else "plane"
        if unit == "stack" or (unit == "volume" and "z" in neighbours):
            gets = "planes that do not depend on each other" if unit == "stack" else "all slices"
            message = f"{path} gets {gets}, so that it has no neighbours; declare it @per_plane"
            raise ValueError(message)
        return neighbours

    @field_validator("labels_for")
    @classmethod
    def _check_labels_for(cls, name: str | None, info: ValidationInfo) -> str | None:
        if name is not None and name not in info.data.get("inputs", [name]):
            message = f"{name!r} is no name in `inputs`, which are {', '.join(info.data['inputs']) or 'none'}"
            raise ValueError(message)
        return name

    def recipe(
        self,
        channels: Sequence[int],
        names: Sequence[str] = (),
        measured: Sequence[int] = (),
        shape: Sequence[int] = (1,) * 5,
    ) -> Recipe:
        """Return the recipe of labels: of these channels, or of one of the inputs, which may have these `names`.

        `measured` are the channels in which objects are measured, `shape` is that of the image, TCZYX.
        """
        found = dict(zip(self.inputs, find_channels([*self.inputs.values()], names, None), strict=True))
        if found:
            channels = [found[self.labels_for or next(iter(found))]]
        function = import_function(self.function)
        return Recipe(
            self.function,
            function,
            self.parameters,
            tuple(channels),
            found,
            tuple(measured),
            self._limit(shape),
            tuple(shape[3:]),
            self.needs,
        )

    def _limit(self, shape: Sequence[int]) -> dict[str, tuple[int, int]]:
        """Return the number of neighbours by axis, with the length of that axis."""
        order: tuple[Literal["t"], Literal["z"]] = ("t", "z")
        return {axis: (self.neighbours[axis], shape["tcz".index(axis)]) for axis in order if axis in self.neighbours}


def check_names(segmentations: dict[str, Segmentation]) -> dict[str, Segmentation]:
    """Raise `ValueError` if the labels of two segmentations could have the same place."""
    names = {name.lower() for name in segmentations}
    if "segmentation" in names:
        message = "labels without a name are called `segmentation`, so this name would mix with them; choose another"
        raise ValueError(message)
    if len(names) < len(segmentations):
        message = (
            "two names in `segmentations` differ only in upper and lower case, and some disks take them for the same; "
            "rename one"
        )
        raise ValueError(message)
    return segmentations
