"""What labels depend on beside the pixels: a function, its version, its parameters, and the channels."""

import ast
import hashlib
import inspect
import json
import re
import textwrap
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from idr_assets.imaging.segmentation.cutting import cuts_show
from idr_assets.imaging.segmentation.lifting import SegmentationFunction, find_core
from idr_assets.imaging.segmentation.models.loading import Model, find_model
from idr_assets.imaging.segmentation.models.weights import digest_weights, map_weights
from idr_assets.imaging.segmentation.named_function import find_called, import_function
from idr_assets.imaging.segmentation.works_on import WorksOn, works_on


@dataclass(frozen=True)
class Recipe:
    """A segmentation function with its parameters and channels.

    Attributes
    ----------
    path : str
        Dotted path by which the YAML names the function.
    function : callable
        The function.
    parameters : mapping
        Keyword arguments, as the YAML gives them.
    channels : tuple of int
        True indices of the channels that are segmented.
    inputs : mapping of str to int
        The channels that the function gets, by the names of its arguments; if empty, it gets each channel by itself.
    neighbours : mapping of str to (int, int)
        How many planes around each the function gets along t and z, and the length of that axis.
    measured : tuple of int
        The channels in which objects are measured.
    plane_shape : tuple of int
        Height and width of the image's planes.
    needs : mapping of str to float
        What a worker must have, by dask's names of resources; labels do not depend on it.

    """

    path: str
    function: SegmentationFunction
    parameters: Mapping[str, Any]
    channels: tuple[int, ...]
    inputs: Mapping[str, int] = field(default_factory=dict)
    measured: tuple[int, ...] = ()
    neighbours: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    plane_shape: tuple[int, ...] = ()
    needs: Mapping[str, float] = field(default_factory=dict)

    @property
    def works_on(self) -> WorksOn:
        """What the function works on; raises TypeError if it does not say so."""
        return replace(works_on(self.function), inputs=self.inputs, together=self.together, neighbours=self.neighbours)

    @property
    def together(self) -> tuple[int, ...]:
        """The channels whose pixels belong to the labels of a plane; empty if those of its own alone do."""
        several = {*self.channels, *self.inputs.values(), *self.measured}
        return tuple(sorted(several)) if self.inputs or (self.measured and len(several) > 1) else ()

    @property
    def model(self) -> Model | None:
        """What the function, or the one that it calls, declares of its model; None if it has none."""
        called = find_called(self.function, self.parameters)
        return find_model(import_function(called[0]) if called else self.function)

    def complete(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Add to parameters the defaults of the function."""
        return _complete(self.function, parameters, self.inputs)

    @property
    def function_version(self) -> str:
        """Version of the function, and of the one that its parameters name, if it calls one."""
        versions = [find_version(self.function)]
        if called := find_called(self.function, self.parameters):
            versions.append(find_version(import_function(called[0])))
        return ", ".join(versions)

    @property
    def version(self) -> str:
        """Hash of the function's path and version, the parameters and the channels, 16 hexadecimal digits.

        Only what may change labels counts. The layout of the function, a default that is written out, `1` for `1.0` and
        the order of channels do not. A function that works on volumes from now on is another one.
        """
        parts = [self.path, self.function_version, self.complete(self.parameters), sorted(self.channels)]
        declared = getattr(self.function, "works_on", None)
        in_volumes = declared == WorksOn("volume")
        of_several: dict[str, Any] = {"inputs": self.inputs, "together": self.together} if self.together else {}
        of_several |= {"neighbours": self.neighbours} if self.neighbours else {}
        of_several |= {"tiles": True} if declared and cuts_show(self.works_on, self.plane_shape) else {}
        return hash_parts([*parts, *(["volume"] if in_volumes else []), *([of_several] if of_several else [])])


def find_version(function: SegmentationFunction) -> str:
    """Return the version of a segmentation function: that of `@versioned`, or a hash of its own source.

    Comments, docstrings and layout do not count, and neither do functions that it calls. A function without version and
    source, such as a compiled one, is "unversioned".
    """
    if version := getattr(function, "version", None):
        return str(version)
    try:
        return f"source-{hashlib.sha256(_bare(inspect.getsource(function)).encode()).hexdigest()[:12]}"
    except (OSError, TypeError):
        return "unversioned"


def bind_arguments(
    function: SegmentationFunction, given: Mapping[str, Any], inputs: Collection[str] = ()
) -> inspect.BoundArguments:
    """Bind a function to one array, or arrays of these names, and its parameters; TypeError if they do not fit."""
    if inputs:
        return inspect.signature(find_core(function)).bind(**dict.fromkeys(inputs), **given)
    return inspect.signature(function).bind(None, **given)


def fill_in(function: SegmentationFunction, given: Mapping[str, Any], inputs: Collection[str] = ()) -> dict[str, Any]:
    """Add to parameters the defaults of a function, which gets one array, or arrays of these names."""
    bound = bind_arguments(function, given, inputs)
    bound.apply_defaults()
    arrays = inputs or [next(iter(bound.arguments))]
    return {name: value for name, value in bound.arguments.items() if name not in arrays}


def hash_parts(parts: object) -> str:
    """Hash JSON-like parts, the same in each process: 16 hexadecimal digits of a SHA-256."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=_name).encode()).hexdigest()[:16]


def _complete(function: SegmentationFunction, given: Mapping[str, Any], inputs: Collection[str] = ()) -> dict[str, Any]:
    """Add the defaults of the parameters that are not given."""
    complete = {name: _plain(value) for name, value in fill_in(function, given, inputs).items()}
    if find_model(function):
        del complete["batch"]  # on which labels do not depend
        complete = map_weights(function, complete, digest_weights)
    if called := find_called(function, given):
        complete["parameters"] = _complete(import_function(called[0]), called[1])
    return complete


def _plain(value: Any) -> Any:  # noqa: ANN401  any value that YAML may hold
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {name: _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
    return value


def _name(value: object) -> str:
    return re.sub(" at 0x[0-9a-f]+", "", str(value))


def _bare(source: str) -> str:
    """Write source in one layout, without comments and docstrings; part of a statement, as of a lambda, stays."""
    try:
        tree = ast.parse(textwrap.dedent(source))
    except SyntaxError:
        return source
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    return ast.unparse(tree)
