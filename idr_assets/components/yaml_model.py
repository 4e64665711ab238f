"""The model of which all parts of an image's YAML are made; it words their errors."""

import re
from typing import Self

import dagster as dg
from pydantic import ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails


class YamlFields(dg.Model):
    """Fields whose errors say what the field means, or which fields exist."""

    @model_validator(mode="wrap")
    @classmethod
    def _explain(cls, fields: object, validate: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            found = validate(fields)
        except ValidationError as error:
            lines = [cls._explain_line(line) for line in error.errors()]
            raise ValidationError.from_exception_data(cls.__name__, lines) from None
        try:
            found.check_together()
        except ValueError as error:
            line = InitErrorDetails(
                type="value_error", loc=cls._find_field(str(error)), input=fields, ctx={"error": error}
            )
            raise ValidationError.from_exception_data(cls.__name__, [line], hide_input=True) from None
        return found

    def check_together(self) -> None:
        """Raise `ValueError` if fields do not fit each other; the message has the field in backticks that is wrong."""

    @classmethod
    def _explain_line(cls, line: ErrorDetails) -> InitErrorDetails:
        if line["type"] == "value_error" or not line["loc"]:
            return InitErrorDetails(type=line["type"], loc=line["loc"], input=line["input"], ctx=line.get("ctx", {}))
        name = str(line["loc"][0])
        if line["type"] == "extra_forbidden":
            message = f"this field does not exist; choose from: {', '.join(cls.model_fields)}"
        else:
            message = f"{line['msg']}. {name}: {cls.model_fields[name].description}"
        return InitErrorDetails(type="value_error", loc=line["loc"], input=line["input"], ctx={"error": message})

    @classmethod
    def _find_field(cls, message: str) -> tuple[str, ...]:
        """Return the field that an error about several fields names first, whose line the error is to point to."""
        return next(((name,) for name in re.findall(r"`(\w+)`", message) if name in cls.model_fields), ())


def explain_errors(error: ValidationError) -> str:
    """Join the errors of fields to one line."""
    return "; ".join(map(_explain, error.errors()))


def _explain(line: ErrorDetails) -> str:
    place, message = ".".join(map(str, line["loc"])), line["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
