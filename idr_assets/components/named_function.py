"""Import the function that a YAML names, and check its parameters.

The functions themselves are in `imaging.segmentation`.
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
    """Import the segmentation function at a dotted path; raise `ValueError` with the remedy if that fails."""
    module, _, name = path.rpartition(".")
    try:
        function = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        message = f"{path!r} cannot be imported ({error}); write the dotted path of a function, module.function"
        raise ValueError(message) from error
    except (Exception, SystemExit) as error:  # whatever the user's own module does
        message = f"{path!r} cannot be imported, because its module raises {error!r}; correct the module"
        raise ValueError(message) from error
    if not callable(function):
        message = f"{path!r} is a {type(function).__name__}, not a function; name a function that takes planes"
        raise ValueError(message)  # noqa: TRY004  pydantic reports a ValueError with file and line
    try:
        works_on(function)
    except TypeError as error:
        raise ValueError(str(error)) from error
    return function  # type: ignore[no-any-return]


def check_parameters(path: str, parameters: Mapping[str, Any]) -> None:
    """Raise `ValueError` unless the function at `path` accepts these parameters and values.

    Values are compared with the annotations. A parameter without one, or with one that means nothing at run time, takes
    any value.
    """
    function = import_function(path)
    signature = _signature(path, function)
    try:
        signature.bind(None, **parameters)
    except TypeError as error:
        taken = ", ".join(list(signature.parameters)[1:])
        message = f"{path} cannot be called with {parameters}: {error}; its parameters are: {taken}"
        raise ValueError(message) from error
    for name, parameter in signature.parameters.items():
        if name in parameters and (fault := _fault(parameter, function.__module__, parameters[name])):
            left_out = "" if parameter.default is parameter.empty else f", or leave it out to use {parameter.default!r}"
            message = f"{path} does not take {parameters[name]!r} as {name}: {fault}; correct it{left_out}"
            raise ValueError(message)


def _signature(path: str, function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except ValueError as error:
        message = f"{path} does not list its parameters ({error}); name a Python function that calls it"
        raise ValueError(message) from error


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
