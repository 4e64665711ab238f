"""Check the parameters that a YAML gives a segmentation function; the functions are in `imaging.segmentation`."""

import inspect
import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from pydantic import ValidationError, create_model
from pydantic.errors import PydanticUserError

from idr_assets.imaging.segmentation.lengths import read_micrometres, takes_text
from idr_assets.imaging.segmentation.lifting import find_core
from idr_assets.imaging.segmentation.models.weights import check_weights, map_weights
from idr_assets.imaging.segmentation.named_function import find_called, import_function
from idr_assets.imaging.segmentation.recipe import bind_arguments
from idr_assets.imaging.segmentation.works_on import works_on

UNITLESS = re.compile(r"threshold|level|overlap|flow_error|(.*_)?(fraction|share|iou|probability)")
"""Names of parameters that are no lengths, whatever their annotation is."""


def check_parameters(path: str, parameters: Mapping[str, Any], inputs: Collection[str] = ()) -> None:
    """Raise `ValueError` unless the function at `path` accepts these parameters and values, and arrays for its inputs.

    Values are compared with the annotations. A parameter without one, or with one that means nothing at run time, takes
    any value.
    """
    function = import_function(path)
    signature = _signature(path, find_core(function) if inputs else function)
    try:
        bind_arguments(function, parameters, inputs)
    except TypeError as error:
        taken = ", ".join(list(signature.parameters)[0 if inputs else 1 :])
        given = f"the inputs {', '.join(inputs)} and {parameters}" if inputs else parameters
        remedy = "" if inputs else "; give it several channels by `inputs`" if len(_arrays(signature)) > 1 else ""
        message = f"{path} cannot be called with {given}: {error}; its parameters are: {taken}{remedy}"
        raise ValueError(message) from error
    for name, parameter in signature.parameters.items():
        if name not in parameters:
            continue
        length = None if takes_text(function, name) else read_micrometres(parameters[name])
        fault = _fault(parameter, function.__module__, length[0] if length else parameters[name])
        if fault := (_find_wrong_unit(name, length[1], fault) or fault) if length else fault:
            left_out = "" if parameter.default is parameter.empty else f", or leave it out to use {parameter.default!r}"
            message = f"{path} does not take {parameters[name]!r} as {name}: {fault}; correct it{left_out}"
            raise ValueError(message)
    map_weights(function, {**parameters}, check_weights)
    if called := find_called(function, parameters):
        _check_called(path, *called)


def _check_called(path: str, called: str, parameters: Mapping[str, Any]) -> None:
    check_parameters(called, parameters)
    if works_on(import_function(called)).unit == "volume":
        message = f"{path} joins labels of planes, and {called} works on volumes; name a function of planes"
        raise ValueError(message)


def _signature(path: str, function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except ValueError as error:
        message = f"{path} does not list its parameters ({error}); name a Python function that calls it"
        raise ValueError(message) from error


def _find_wrong_unit(name: str, power: int, fault: str | None) -> str | None:
    """Say that a parameter is given in another unit than its name tells of, or has none; `fault` is its number's."""
    if UNITLESS.fullmatch(name):
        return "it has no unit; write a number"
    if fault and "integer" in fault:
        return "it is a whole number; write it in pixels"
    wanted = 2 if "area" in name else 3 if "volume" in name else 1
    units = {1: "it is a length; write um", 2: "it is an area; write um2", 3: "it is a volume; write um3"}
    return None if wanted == power else units[wanted]


def _arrays(signature: inspect.Signature) -> list[str]:
    """List the parameters without a default that may be given by position: as a rule, pixels."""
    positional = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    return [name for name, it in signature.parameters.items() if it.kind in positional and it.default is it.empty]


def _fault(parameter: inspect.Parameter, module: str, value: object) -> str | None:
    """Say what is wrong with a value by its parameter's annotation; templates are not filled in yet."""
    written = json.dumps({"value": value}, default=str)
    if parameter.annotation is parameter.empty or "{{" in written:
        return None
    try:
        model = create_model("Parameter", __module__=module, value=(parameter.annotation, ...))
        # As JSON, where a list may be a tuple; strict, because the function gets the value as the YAML has it.
        model.model_validate_json(written, strict=True)
    except ValidationError as error:
        return error.errors()[0]["msg"]
    except (PydanticUserError, AttributeError, NameError, SyntaxError, TypeError):
        return None  # the annotation is not a type, or one that only type checkers know
    return None
