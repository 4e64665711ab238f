"""Import the segmentation function that a YAML names, or that a function names in its parameters."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from idr_assets.imaging.segmentation.works_on import works_on

PROVIDED = "idr_assets.imaging.segmentation"
"""The module of the functions that come with the project."""


def import_function(path: str) -> Callable[..., Any]:
    """Import the segmentation function at a dotted path; raise `ValueError` with the remedy if that fails."""
    function = import_callable(path)
    try:
        works_on(function)
    except TypeError as error:
        raise ValueError(str(error)) from error
    return function


def import_callable(path: str) -> Callable[..., Any]:
    """Import any function at a dotted path; raise `ValueError` with the remedy if that fails."""
    module, _, name = path.rpartition(".")
    try:
        function = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        example = f"{PROVIDED}.{name}" if name in import_module(PROVIDED).__all__ else "module.function"
        message = f"{path!r} cannot be imported ({error}); write the dotted path of a function, {example}"
        raise ValueError(message) from error
    except (Exception, SystemExit) as error:  # whatever the user's own module does
        message = f"{path!r} cannot be imported, because its module raises {error!r}; correct the module"
        raise ValueError(message) from error
    if not callable(function):
        message = f"{path!r} is a {type(function).__name__}, not a function; name a function that takes planes"
        raise ValueError(message)  # noqa: TRY004  pydantic reports a ValueError with file and line
    return function  # type: ignore[no-any-return]


def find_called(function: Callable[..., Any], parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Return path and parameters of the function that this one calls, see `versioned`, or None if it calls none."""
    if not getattr(function, "calls_named", False):
        return None
    return parameters["function"], parameters.get("parameters") or {}
