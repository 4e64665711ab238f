"""The function that a YAML names: where it is, and whether it takes the parameters that stand beside it.

What segmentation functions do stands in `imaging.segmentation`.
"""

import inspect
import json
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from pydantic import ValidationError, create_model
from pydantic.errors import PydanticUserError

from idr_assets.imaging.segmentation.works_on import works_on


def import_function(path: str) -> Callable[..., Any]:
    """Import the segmentation function at a dotted path; `ValueError` with the remedy when there is none."""
    module, _, name = path.rpartition(".")
    try:
        function = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        message = f"{path!r} cannot be imported ({error}); write the dotted path of a function, module.function"
        raise ValueError(message) from error
    except (Exception, SystemExit) as error:  # whatever a module of the user's own does
        message = f"{path!r} cannot be imported, for its module ends in {error!r}; see that python imports it"
        raise ValueError(message) from error
    if not callable(function):
        message = f"{path!r} is a {type(function).__name__} and no function; name one that takes planes"
        raise ValueError(message)  # noqa: TRY004  pydantic reports a ValueError with file and line
    try:
        works_on(function)
    except TypeError as error:
        raise ValueError(str(error)) from error
    return function  # type: ignore[no-any-return]


def check_parameters(path: str, parameters: Mapping[str, Any]) -> None:
    """Raise `ValueError` unless the function at `path` takes these parameters, and each value as it is annotated.

    Parameters without annotation, or with one that tells nothing at run time, take any value.
    """
    function = import_function(path)
    signature = _signature(path, function)
    try:
        signature.bind(None, **parameters)
    except TypeError as error:
        taken = ", ".join(list(signature.parameters)[1:])
        message = f"{path} cannot be called with {parameters}: {error}; it takes: {taken}"
        raise ValueError(message) from error
    for name, parameter in signature.parameters.items():
        if name in parameters and (fault := _fault(parameter, function.__module__, parameters[name])):
            left_out = "" if parameter.default is parameter.empty else f", or leave it out for {parameter.default!r}"
            message = f"{path} does not take {parameters[name]!r} as {name}: {fault}; write such a value{left_out}"
            raise ValueError(message)


def _signature(path: str, function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except ValueError as error:
        message = f"{path} does not tell its parameters ({error}); name a Python function that calls it"
        raise ValueError(message) from error


def _fault(parameter: inspect.Parameter, module: str, value: object) -> str | None:
    """Tell what a value should be that the annotation of a parameter refuses; templates are not filled in yet."""
    written = json.dumps({"value": value}, default=str)
    if parameter.annotation is parameter.empty or "{{" in written:
        return None
    try:
        model = create_model("Parameter", __module__=module, value=(parameter.annotation, ...))
        # As JSON, in which a list may stand for a tuple; strict, for the function gets the value as it is in the YAML.
        model.model_validate_json(written, strict=True)
    except ValidationError as error:
        return error.errors()[0]["msg"]
    except (PydanticUserError, AttributeError, NameError, SyntaxError, TypeError):
        return None  # the annotation is no type, or one that only type checkers know
    return None
