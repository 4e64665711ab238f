"""The parts of an image's YAML: its window, its segmentation, and what is told when a field is wrong."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

import dagster as dg
from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    StrictInt,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails

from idr_assets.components.named_function import check_parameters, import_function
from idr_assets.components.templates import check_template
from idr_assets.imaging.reading.retries import Patience
from idr_assets.orchestration.automation.schedules import Automation

Interval = Annotated[list[Annotated[StrictInt, Field(ge=0)]], Field(min_length=2, max_length=2)]


GAUSSIAN_THRESHOLD = "idr_assets.imaging.segmentation.gaussian_threshold"


class YamlFields(dg.Model):
    """Fields of which pydantic's own errors tell what they mean, and errors of unknown ones which there are."""

    @model_validator(mode="wrap")
    @classmethod
    def _explain(cls, fields: object, validate: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return validate(fields)
        except ValidationError as error:
            lines = [cls._explained(line) for line in error.errors()]
            raise ValidationError.from_exception_data(cls.__name__, lines) from None

    @classmethod
    def _explained(cls, line: ErrorDetails) -> InitErrorDetails:
        if line["type"] == "value_error" or not line["loc"]:
            return InitErrorDetails(type=line["type"], loc=line["loc"], input=line["input"], ctx=line.get("ctx", {}))
        name = str(line["loc"][0])
        if line["type"] == "extra_forbidden":
            message = f"there is no such field; there are: {', '.join(cls.model_fields)}"
        else:
            message = f"{line['msg']}. {name}: {cls.model_fields[name].description}"
        return InitErrorDetails(type="value_error", loc=line["loc"], input=line["input"], ctx={"error": message})


class Window(YamlFields):
    """The T range x Z range that the partitions cover."""

    t: Interval | Literal["all"] = Field(default="all", description="First and last timepoint, inclusive, or `all`.")
    z: Interval | Literal["all"] = Field(default="all", description="First and last slice, inclusive, or `all`.")

    @field_validator("t", "z", mode="before")
    @classmethod
    def _interval(cls, interval: object) -> object:
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

    def ranges(self, shape: Sequence[int]) -> dict[str, range]:
        """Give the indices t and z that the window covers of a shape TCZYX."""
        return {axis: _indices(interval, shape[at]) for axis, at, interval in (("t", 0, self.t), ("z", 2, self.z))}


class Reading(YamlFields, Patience):
    """How politely the image is read, how long its store may stutter, and what a missing chunk means."""

    missing_chunks: Literal["error", "zeros"] = Field(
        default="error",
        description="What a missing chunk means: `zeros` for stores that are sparse by intent.",
    )


class AutomationFields(YamlFields, Automation):
    """What runs by itself for an image."""


class Segmentation(YamlFields):
    """The function that turns planes into labels, with its parameters."""

    function: str = Field(
        default=GAUSSIAN_THRESHOLD,
        description="Dotted path of a segmentation function. It says what it works on: `@per_plane`, `@per_volume` or "
        "`@per_stack`.",
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict, validate_default=True, description="Keyword arguments of the function."
    )

    @field_validator("function")
    @classmethod
    def _importable(cls, path: str) -> str:
        import_function(path)
        return path

    @field_validator("parameters")
    @classmethod
    def _accepted(cls, parameters: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if "function" in info.data:
            check_parameters(info.data["function"], parameters)
        return parameters


def _indices(interval: list[int] | str, length: int) -> range:
    return range(length) if isinstance(interval, str) else range(interval[0], interval[1] + 1)


def resolved(value: Any, context: dg.ResolutionContext) -> Any:  # noqa: ANN401  any value that YAML may hold
    """Fill in templates and leave all else alone: Dagster would turn the text "4" into a number."""
    match value:
        case dict():
            return {name: resolved(item, context.at_path(name)) for name, item in value.items()}
        case list():
            return [resolved(item, context.at_path(index)) for index, item in enumerate(value)]
        case str() if "{{" in value:
            check_template(value, context)
            filled = context.resolve_value(value)
            if filled is None:
                message = f"{value} in {place(context)} gives nothing; set the variable that it names"
                raise ValueError(message)
            return filled
    return value


def located(error: ValidationError, context: dg.ResolutionContext) -> ValidationError:
    """Name field, file and line in an error of what templates were filled with, as Dagster does in one of the YAML."""
    lines = [
        InitErrorDetails(
            type=line["type"], loc=(place(context, *line["loc"]),), input=line["input"], ctx=line.get("ctx", {})
        )
        for line in error.errors()
    ]
    return ValidationError.from_exception_data(error.title, lines, hide_input=True)


def place(context: dg.ResolutionContext, *field: str | int) -> str:
    """Name a field with file and line, for an error."""
    path, file = [*context.path, *field], context.source_position_tree
    position = f" at {file.lookup_closest_and_path(path, None)[0]}" if file else ""
    return ".".join(map(str, path)) + position
