"""The nested parts of an image's YAML but its segmentation: window, reading, automation."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, StrictInt, field_validator

from idr_assets.components.yaml_model import YamlFields
from idr_assets.imaging.reading.retries import Patience
from idr_assets.orchestration.automation.schedules import Automation

Interval = Annotated[list[Annotated[StrictInt, Field(ge=0)]], Field(min_length=2, max_length=2)]

MOST_INDICES = 100_000
"""Of a window in T and in Z: each is a partition key, which Dagster loads and lists."""


class Window(YamlFields):
    """The planes to segment: a range of timepoints and a range of slices."""

    t: Interval | Literal["all"] = Field(default="all", description="First and last timepoint, inclusive, or `all`.")
    z: Interval | Literal["all"] = Field(default="all", description="First and last slice, inclusive, or `all`.")

    @field_validator("t", "z", mode="before")
    @classmethod
    def _check_interval(cls, interval: object) -> object:
        message = f"{interval} is no interval; write the first and the last index, such as [0, 9], or `all`"
        match interval:
            case "all":
                return interval
            case [bool(), _] | [_, bool()]:
                pass  # Python takes them for 0 and 1
            case [int(first), int(last)] if 0 <= first <= last:
                return interval
            case [int(first), int(last)] if 0 <= last < first:
                message = f"it starts at {first}, after its end {last}; write [{last}, {first}]"
        raise ValueError(message)

    def check_fit(self, shape: Sequence[int]) -> None:
        """Raise `ValueError` unless the window is within an image of shape TCZYX, and small enough for Dagster."""
        for axis, indices in self.ranges(shape).items():
            length = shape["tcz".index(axis)]
            if len(indices) > MOST_INDICES:
                message = f"{axis} has {len(indices)} indices, more than Dagster can show; use {MOST_INDICES} at most"
                raise ValueError(message)
            if indices.stop > length:
                message = (
                    f"{axis} ends at {indices[-1]}, but the shape has {axis} 0 to {length - 1}; end it there or before"
                )
                raise ValueError(message)

    def ranges(self, shape: Sequence[int]) -> dict[str, range]:
        """Return the indices t and z that the window covers in an image of shape TCZYX."""
        return {axis: _indices(interval, shape[at]) for axis, at, interval in (("t", 0, self.t), ("z", 2, self.z))}


class Reading(YamlFields, Patience):
    """How the store is read: requests, retries, and what a missing chunk means."""

    missing_chunks: Literal["error", "zeros"] = Field(
        default="error",
        description="What a missing chunk means: `error`, or `zeros` if the writer leaves out chunks of zeros.",
    )


class AutomationFields(YamlFields, Automation):
    """What runs automatically for an image."""


def _indices(interval: list[int] | str, length: int) -> range:
    return range(length) if isinstance(interval, str) else range(interval[0], interval[1] + 1)
